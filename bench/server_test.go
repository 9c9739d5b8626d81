package bench_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"parvis/internal/demo"
	"parvis/internal/testkit"
)

// patient lets tickets wait until as many as a round needs were granted.
const patient = "tickets:\n  service_ticket: 5m\n"

const (
	window   = 3 * time.Second
	rounds   = 3
	batches  = 10
	tickets  = 8_000 // a batch
	people   = 2_000
	password = "LesPigeons9BoiventDuThe"
	service  = "http://localhost:9081/"
)

// BenchmarkServer prints one table. Each round measures the bare server again,
// just before or after what is compared with it, and the table has the median
// of the rounds' ratios.
func BenchmarkServer(b *testing.B) {
	binary := build(b)
	file := filepath.Join(b.TempDir(), "people.ldif")
	crowd := crowded()
	if err := os.WriteFile(file, crowd, 0o600); err != nil {
		b.Fatal(err)
	}
	slapd, redis := testkit.Slapd(b, testkit.WithPeople(crowd)), testkit.Redis(b, "--appendfsync", "everysec")
	hello := startHello(b)
	t := &table{b: b}

	memory := startParvis(b, binary, "{ldif: "+file+"}", patient, nil)
	time.Sleep(time.Second)
	t.figure("ready after start", "ms", float64(memory.ready.Milliseconds()), 200)
	t.figure("resident memory, idle", "MB", memory.resident(b), 40)
	t.ratio("login page / hello", 0.40, func() float64 { return compare(b, hello, func() result { return loginPages(b, memory) }) })
	t.ratio("serviceValidate, memory / hello", 0.55, func() float64 { return compare(b, hello, func() result { return validations(b, memory) }) })

	shared := startParvis(b, binary, "{ldif: "+file+"}", patient+fmt.Sprintf("  redis: {url: %q}\n", redis.URL()), nil)
	t.ratio("serviceValidate, Redis / hello", 0.33, func() float64 { return compare(b, hello, func() result { return validations(b, shared) }) })
	t.ratio("unknown tickets, Redis / hello", 0.30, func() float64 { return compare(b, hello, func() result { return bogus(b, shared) }) })
	shared.stop()

	directory := fmt.Sprintf("{ldap: {urls: [%q], base: %q, bind_dn: %q, bind_password: %q, decoy_dn: %q}}",
		slapd.URL(), "ou=people,"+slapd.BaseDN, slapd.BindDN, slapd.BindPassword, slapd.DecoyDN)
	campus := startParvis(b, binary, directory, "", nil)
	t.ratio("login POST / search and bind", 0.60, func() float64 {
		raw := searchAndBind(b, slapd)
		posts := logins(b, campus, 6_000)
		fmt.Printf("  search and bind %.0f/s, login POST %.0f/s\n", raw, posts.perSecond())
		return posts.perSecond() / raw
	})
	campus.stop()

	empty := bogus(b, memory)
	memory.stop()
	full := startParvis(b, binary, "{ldif: "+file+"}", "", nil)
	for done := 0; done < 100_000; done += 10_000 {
		logins(b, full, 10_000)
	}
	time.Sleep(30 * time.Second) // tickets that nobody validated are swept away
	t.figure("resident memory, 100 000 sessions", "MB", full.resident(b), 120)
	t.ratio("unknown tickets, 100 000 sessions / none", 0.90, func() float64 {
		crowd := bogus(b, full)
		fmt.Printf("  unknown tickets: %.0f/s with no session, %.0f/s with 100 000\n", empty.perSecond(), crowd.perSecond())
		return crowd.perSecond() / empty.perSecond()
	})
	t.print()
}

// table is what was measured.
type table struct {
	b    *testing.B
	rows []string
}

func (t *table) ratio(name string, atLeast float64, measure func() float64) {
	t.b.Helper()
	median := t.median(name, measure)
	t.row(name, fmt.Sprintf("%.2f", median), fmt.Sprintf("≥ %.2f", atLeast), median >= atLeast)
}

func (t *table) atMost(name string, most float64, measure func() float64) {
	t.b.Helper()
	median := t.median(name, measure)
	t.row(name, fmt.Sprintf("%.2f", median), fmt.Sprintf("≤ %.2f", most), median <= most)
}

// median measures so many rounds.
func (t *table) median(name string, measure func() float64) float64 {
	t.b.Helper()
	var all []float64
	for range rounds {
		all = append(all, measure())
	}
	slices.Sort(all)
	median := all[len(all)/2]
	t.b.ReportMetric(median, strings.NewReplacer(" ", "", ",", "-", "/", ":").Replace(name))
	return median
}

func (t *table) figure(name, unit string, value, atMost float64) {
	t.row(name, fmt.Sprintf("%.0f %s", value, unit), fmt.Sprintf("≤ %.0f %s", atMost, unit), value <= atMost)
	t.b.ReportMetric(value, strings.NewReplacer(" ", "", ",", "-").Replace(name)+"-"+unit)
}

func (t *table) row(name, got, want string, met bool) {
	mark := "✓"
	if !met {
		mark = "✗"
	}
	t.rows = append(t.rows, fmt.Sprintf("%s %-36s %10s   %s", mark, name, got, want))
}

func (t *table) print() { fmt.Printf("\n%s\n\n", strings.Join(t.rows, "\n")) }

// compare measures something between two measures of the bare server.
func compare(b *testing.B, hello server, measure func() result) float64 {
	b.Helper()
	before, got, after := hellos(b, hello), measure(), hellos(b, hello)
	bare := (before.perSecond() + after.perSecond()) / 2
	fmt.Printf("  hello %.0f/s, this %.0f/s (p50 %v, p99 %v)\n", bare, got.perSecond(),
		got.percentile(.5).Round(10*time.Microsecond), got.percentile(.99).Round(10*time.Microsecond))
	return got.perSecond() / bare
}

func hellos(b *testing.B, s server) result {
	b.Helper()
	return pages(b, s, "/", window/2)
}

func loginPages(b *testing.B, s server) result {
	b.Helper()
	return pages(b, s, "/cas/login?service="+url.QueryEscape(service), window)
}

func pages(b *testing.B, s server, path string, limit time.Duration) result {
	b.Helper()
	request := get(path, "")
	return must(b, load{
		address: s.address, limit: limit,
		next:     func(int) []byte { return request },
		answered: func(_ int, answer []byte) error { return want(answer, "HTTP/1.1 200", "") },
	})
}

// validations redeems tickets, batch after batch. The clock stands still while
// a batch is granted: few tickets wait for their service at one time, and a
// heap full of them would be measured instead.
func validations(b *testing.B, s server) result {
	b.Helper()
	sessions := openSessions(b, s)
	var all result
	for range batches {
		requests := grants(b, s, sessions)
		batch := must(b, load{
			address: s.address,
			next: func(i int) []byte {
				if len(requests[i]) == 0 {
					return nil
				}
				request := requests[i][0]
				requests[i] = requests[i][1:]
				return request
			},
			answered: func(_ int, answer []byte) error { return want(answer, "HTTP/1.1 200", "<cas:user>") },
		})
		all.count += batch.count
		all.took += batch.took
		all.latencies = append(all.latencies, batch.latencies...)
	}
	return all
}

// bogus validates tickets that never were, no two alike, of the form that is
// looked up.
func bogus(b *testing.B, s server) result {
	b.Helper()
	n := 0
	return must(b, load{
		address: s.address, limit: window,
		next: func(int) []byte {
			n++
			return get(fmt.Sprintf("/cas/serviceValidate?service=%s&ticket=ST-%029d", url.QueryEscape(service), n), "")
		},
		answered: func(_ int, answer []byte) error { return want(answer, "HTTP/1.1 200", "INVALID_TICKET") },
	})
}

// grants gets a batch of tickets, and returns the requests that validate them.
func grants(b *testing.B, s server, sessions [connections]string) [connections][][]byte {
	b.Helper()
	var requests [connections][][]byte
	left := tickets
	must(b, load{
		address: s.address,
		next: func(i int) []byte {
			if left--; left < 0 {
				return nil
			}
			return get("/cas/login?service="+url.QueryEscape(service), "TGC="+sessions[i])
		},
		answered: func(i int, answer []byte) error {
			_, ticket, found := strings.Cut(header(answer, "Location"), "ticket=")
			if !found {
				return fmt.Errorf("no ticket:\n%s", answer)
			}
			requests[i] = append(requests[i], get("/cas/serviceValidate?service="+url.QueryEscape(service)+"&ticket="+ticket, ""))
			return nil
		},
	})
	return requests
}

// openSessions logs one person in for each connection.
func openSessions(b *testing.B, s server) [connections]string {
	b.Helper()
	var sessions [connections]string
	forms := openForms(b, s, connections)
	next := 0
	must(b, load{
		address: s.address,
		next: func(i int) []byte {
			if sessions[i] != "" {
				return nil
			}
			next++
			return forms[next-1].post(next)
		},
		answered: func(i int, answer []byte) error {
			cookie := header(answer, "Set-Cookie")
			value, found := strings.CutPrefix(cookie, "TGC=")
			if !found {
				return fmt.Errorf("no session:\n%s", answer)
			}
			sessions[i], _, _ = strings.Cut(value, ";")
			return nil
		},
	})
	return sessions
}

// logins posts so many forms, which were asked for before the clock starts.
func logins(b *testing.B, s server, n int) result {
	b.Helper()
	forms := openForms(b, s, n)
	next := 0
	return must(b, load{
		address: s.address,
		next: func(int) []byte {
			if next == n {
				return nil
			}
			next++
			return forms[next-1].post(next)
		},
		answered: func(_ int, answer []byte) error { return want(answer, "HTTP/1.1 303", "") },
	})
}

// form is a login form that was asked for.
type form struct{ cookie, execution string }

func (f form) post(n int) []byte {
	body := url.Values{
		"username": {login(n % people)}, "password": {password}, "_eventId": {"submit"},
		"execution": {f.execution}, "service": {service},
	}.Encode()
	return fmt.Appendf(nil, "POST /cas/login HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", f.cookie, len(body), body)
}

func openForms(b *testing.B, s server, n int) []form {
	b.Helper()
	request := get("/cas/login?service="+url.QueryEscape(service), "")
	forms := make([]form, 0, n)
	left := n
	must(b, load{
		address: s.address,
		next: func(int) []byte {
			if left--; left < 0 {
				return nil
			}
			return request
		},
		answered: func(_ int, answer []byte) error {
			cookie, _, _ := strings.Cut(header(answer, "Set-Cookie"), ";")
			_, rest, found := bytes.Cut(answer, []byte(`name="execution"`))
			_, rest, valued := bytes.Cut(rest, []byte(`value="`))
			execution, _, _ := bytes.Cut(rest, []byte(`"`))
			if !found || !valued || cookie == "" {
				return fmt.Errorf("no form:\n%s", answer)
			}
			forms = append(forms, form{cookie: cookie, execution: string(execution)})
			return nil
		},
	})
	return forms
}

// wanted is what a login asks the directory for when the configuration names
// nothing: the person, and all that may close the account.
var wanted = []string{
	"uid", "cn", "sn", "givenName", "displayName", "mail",
	"eduPersonAffiliation", "eduPersonPrimaryAffiliation", "eduPersonPrincipalName",
	"supannEtablissement", "supannEtuId", "supannEmpId",
	"supannEntiteAffectation", "supannEtuCursusAnnee", "memberOf",
	"supannRessourceEtat", "supannRessourceEtatDate", "shadowExpire", "shadowLastChange", "shadowMax", "supannAliasLogin",
}

// searchAndBind is what a login costs at the least: the same search as the
// server's account, the same bind as the person, on connections that stay.
func searchAndBind(b *testing.B, slapd *testkit.SlapdServer) float64 {
	b.Helper()
	const workers = 16
	var count atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for worker := range workers {
		searches, binds := connect(b, slapd), connect(b, slapd)
		if err := searches.Bind(slapd.BindDN, slapd.BindPassword); err != nil {
			b.Fatal(err)
		}
		group.Go(func() {
			defer func() { _ = searches.Close(); _ = binds.Close() }()
			for n := worker; time.Since(start) < window; n += workers {
				found, err := searches.Search(ldap.NewSearchRequest("ou=people,"+slapd.BaseDN, ldap.ScopeWholeSubtree,
					ldap.NeverDerefAliases, 2, 4, false, "(&(objectClass=person)(|(uid="+login(n%people)+")(supannAliasLogin="+login(n%people)+")(mail="+login(n%people)+")))", wanted, nil))
				if err == nil && len(found.Entries) == 1 {
					_, err = binds.SimpleBind(ldap.NewSimpleBindRequest(found.Entries[0].DN, password,
						[]ldap.Control{ldap.NewControlBeheraPasswordPolicy()}))
				}
				if err != nil {
					b.Errorf("search and bind: %v", err)
					return
				}
				count.Add(1)
			}
		})
	}
	group.Wait()
	return float64(count.Load()) / time.Since(start).Seconds()
}

func connect(b *testing.B, slapd *testkit.SlapdServer) *ldap.Conn {
	b.Helper()
	connection, err := ldap.DialURL(slapd.URL())
	if err != nil {
		b.Fatal(err)
	}
	return connection
}

func login(n int) string { return fmt.Sprintf("o23%06d", n) }

// crowded is the demonstration's directory with more people in it.
func crowded() []byte {
	salt := []byte("salt")
	sum := sha1.Sum(append([]byte(password), salt...))
	hash := base64.StdEncoding.EncodeToString(append(sum[:], salt...))
	out := bytes.NewBuffer(demo.People())
	for n := range people {
		fmt.Fprintf(out, `
dn: uid=%[1]s,ou=people,dc=univ,dc=example
objectClass: top
objectClass: person
objectClass: organizationalPerson
objectClass: inetOrgPerson
objectClass: eduPerson
uid: %[1]s
cn: Person %[2]d
sn: Person
givenName: Number %[2]d
displayName: Number %[2]d Person
mail: %[1]s@etu.univ.example
eduPersonAffiliation: student
eduPersonAffiliation: member
userPassword: {SSHA}%[3]s
`, login(n), n, hash)
	}
	return out.Bytes()
}

func get(path, cookie string) []byte {
	if cookie != "" {
		cookie = "Cookie: " + cookie + "\r\n"
	}
	return []byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + cookie + "\r\n")
}

func want(answer []byte, status, words string) error {
	if !bytes.HasPrefix(answer, []byte(status)) || !bytes.Contains(answer, []byte(words)) {
		return fmt.Errorf("want %s with %q:\n%s", status, words, answer[:min(len(answer), 800)])
	}
	return nil
}

func must(b *testing.B, l load) result {
	b.Helper()
	r, err := l.run()
	if err != nil {
		b.Fatal(err)
	}
	return r
}
