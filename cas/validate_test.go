package cas_test

import (
	"flag"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"parvis/cas"
	"parvis/internal/testkit"
	"parvis/services"
)

var update = flag.Bool("update", false, "write the golden files anew")

var anyTicket = regexp.MustCompile(`(ST|PT)-[A-Za-z0-9]{29}`)

// golden compares an testkit.Answer, with its tickets made alike, to a file.
func golden(t *testing.T, a testkit.Answer) {
	t.Helper()
	name := filepath.Join("testdata", strings.ReplaceAll(t.Name(), "/", "_")+".golden")
	got := a.Header.Get("Content-Type") + "\n\n" + anyTicket.ReplaceAllString(a.Body, "$1-TICKET")
	if *update {
		check(t, os.MkdirAll("testdata", 0o755))
		check(t, os.WriteFile(name, []byte(got), 0o644))
	}
	want, err := os.ReadFile(name)
	check(t, err)
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestAnswers holds the bytes of every answer: the shapes that clients were
// measured to need (V1, V2, V10, V11, V12, V13, V14, V15, V18, V20, V21, V23,
// V24, V25, V29, G5, G6).
func TestAnswers(t *testing.T) {
	c := newCampus(t)
	fresh := func(service string) string { return c.browser().enter(service) }
	sso := func(service string) string {
		b := c.browser()
		b.enter(bare)
		return b.Get(testkit.LoginPath(service)).Ticket()
	}
	for _, test := range []struct {
		name string
		ask  func() testkit.Answer
	}{
		{"cas1 yes", func() testkit.Answer { return c.validate("/validate", app, fresh(app)) }},
		{"cas1 no", func() testkit.Answer { return c.validate("/validate", app, "ST-unknown") }},
		{"cas2 success", func() testkit.Answer { return c.validate("/serviceValidate", app, fresh(app)) }},
		{"cas2 success by single sign-on", func() testkit.Answer { return c.validate("/serviceValidate", app, sso(app)) }},
		{"cas3 success", func() testkit.Answer { return c.validate("/p3/serviceValidate", app, fresh(app)) }},
		{"cas3 nothing released", func() testkit.Answer { return c.validate("/p3/serviceValidate", bare, fresh(bare)) }},
		{"json success", func() testkit.Answer { return c.validate("/p3/serviceValidate", app, fresh(app), "format=JSON") }},
		{"json success in any case", func() testkit.Answer { return c.validate("/serviceValidate", bare, fresh(bare), "format=json") }},
		{"no ticket", func() testkit.Answer { return c.browser().Get("/cas/serviceValidate?service=" + url.QueryEscape(app)) }},
		{"no service", func() testkit.Answer { return c.browser().Get("/cas/serviceValidate?ticket=" + fresh(app)) }},
		{"unknown ticket", func() testkit.Answer { return c.validate("/serviceValidate", app, `ST-<&"'>`) }},
		{"other service", func() testkit.Answer { return c.validate("/serviceValidate", other+`?<&"'>`, fresh(app)) }},
		{"renew not met", func() testkit.Answer { return c.validate("/serviceValidate", app, sso(app), "renew=true") }},
		{"proxy not allowed", func() testkit.Answer {
			return c.validate("/serviceValidate", app, fresh(app), "pgtUrl=https%3A%2F%2Fapp.univ.example%2Fpgt")
		}},
		{"protocol not allowed", func() testkit.Answer { return c.validate("/serviceValidate", oldApp, fresh(oldApp)) }},
		{"unknown format", func() testkit.Answer { return c.validate("/serviceValidate", app, fresh(app), "format=FOO") }},
		{"json failure", func() testkit.Answer { return c.validate("/p3/serviceValidate", app, "ST-<b>", "format=JSON") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := test.ask()
			wantStatus(t, a, http.StatusOK)
			if got := a.Header.Get("Cache-Control"); got != "no-store" { // S26
				t.Errorf("Cache-Control = %q", got)
			}
			golden(t, a)
		})
	}
}

// TestV17AnyOutcomeSpendsTheTicket covers S3 and S6: after any testkit.Answer, the
// right question gets no.
func TestV17AnyOutcomeSpendsTheTicket(t *testing.T) {
	c := newCampus(t)
	for _, test := range []struct {
		name, endpoint, service string
		more                    []string
		code                    cas.Code
	}{
		{"other service", "/serviceValidate", other, nil, cas.InvalidService},
		{"no service", "/serviceValidate", "", nil, cas.InvalidRequest},
		{"case of the path counts", "/serviceValidate", app + "A", nil, cas.InvalidService},
		{"renew not met", "/serviceValidate", app + "a", []string{"renew=true"}, cas.InvalidTicket},
		{"proxy not allowed", "/serviceValidate", app + "a", []string{"pgtUrl=https://x.example/"}, cas.UnauthorizedServiceProxy},
		{"unknown format", "/p3/serviceValidate", app + "a", []string{"format=FOO"}, cas.InvalidRequest},
		{"CAS 1, other service", "/validate", other, nil, ""},
		{"success", "/serviceValidate", app + "a", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := c.browser()
			b.enter(bare)
			ticket := b.Get(testkit.LoginPath(app + "a")).Ticket()
			a := c.validate(test.endpoint, test.service, ticket, test.more...)
			if a.Code() != string(test.code) {
				t.Errorf("code = %q, want %q", a.Code(), test.code)
			}
			wantCode(t, c.validate("/serviceValidate", app+"a", ticket), cas.InvalidTicket)
		})
	}
}

func TestV15TicketsExpire(t *testing.T) {
	c := newCampus(t)
	ticket := c.browser().enter(app)
	c.clock.Travel(10*time.Second + time.Millisecond)
	wantCode(t, c.validate("/serviceValidate", app, ticket), cas.InvalidTicket)
	ticket = c.browser().enter(slowApp) // its entry says 30 s
	c.clock.Travel(29 * time.Second)
	if !c.validate("/serviceValidate", slowApp, ticket).Valid() {
		t.Error("the entry's own lifetime is not kept")
	}
}

func TestV18RenewAtValidation(t *testing.T) {
	c := newCampus(t)
	if !c.validate("/serviceValidate", app, c.browser().enter(app), "renew=true").Valid() {
		t.Error("a ticket from a password is not from a new login")
	}
	b := c.browser()
	b.enter(bare)
	if a := c.validate("/validate", app, b.Get(testkit.LoginPath(app)).Ticket(), "renew=true"); a.Body != "no\n\n" { // V4
		t.Errorf("CAS 1: %q", a.Body)
	}
	if !c.validate("/serviceValidate", app, b.Get(testkit.LoginPath(app)).Ticket(), "renew=false").Valid() {
		t.Error("renew=false asks for a new login")
	}
}

// TestV19ServiceDisabledMeanwhile: what the registry says at validation counts.
func TestV19ServiceDisabledMeanwhile(t *testing.T) {
	c := newCampus(t, withService("until.yaml", "id: 20\nname: Until\nmatch: https://until.univ.example/\nvalid:\n  until: 2026-11-22T08:00:05Z\n"))
	ticket := c.browser().enter("https://until.univ.example/")
	c.clock.Travel(6 * time.Second)
	wantCode(t, c.validate("/serviceValidate", "https://until.univ.example/", ticket), cas.UnauthorizedService)
}

func TestV26ParallelValidations(t *testing.T) { // S2
	c := newCampus(t)
	ticket := c.browser().enter(app)
	var wg sync.WaitGroup
	won := make(chan bool, 100)
	for range cap(won) {
		wg.Go(func() { won <- c.validate("/serviceValidate", app, ticket).Valid() })
	}
	wg.Wait()
	close(won)
	count := 0
	for ok := range won {
		if ok {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d validations of one ticket succeeded, want 1", count)
	}
}

func TestV27HowServicesAreCompared(t *testing.T) {
	c := newCampus(t)
	for _, test := range []struct {
		name, login, validation string
		same                    bool
	}{
		{"equal", app + "a?b=c", app + "a?b=c", true},
		{"session id at validation", app + "a", app + "a;jsessionid=123", true},
		{"fragment", app + "a#b", app + "a", true},
		{"decoded by the Java client", app + "?q=%C3%A9", app + "?q=é", true},
		{"case of escapes", app + "?q=%c3%a9", app + "?q=%C3%A9", true},
		{"case of the path", app + "a", app + "A", false},
		{"another query", app + "?a=1", app + "?a=2", false},
		{"a longer path", app + "a", app + "a/b", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			ticket := c.browser().enter(test.login)
			if got := c.validate("/serviceValidate", test.validation, ticket).Valid(); got != test.same {
				t.Errorf("valid = %v, want %v", got, test.same)
			}
		})
	}
}

// TestClientsAskInManyWays: nothing but the parameters counts (G1, G7).
func TestClientsAskInManyWays(t *testing.T) {
	c := newCampus(t)
	service, ticket := "service="+url.QueryEscape(app), func() string { return "ticket=" + c.browser().enter(app) }
	for _, test := range []struct {
		name  string
		query string
		valid bool
	}{
		{"ticket first", ticket() + "&" + service, true},
		{"nothing escaped", "service=" + app + "&" + ticket(), true},
		{"lower-case escapes", "service=https%3a%2f%2fapp.univ.example%2f&" + ticket(), true},
		{"unknown parameters", "x=1&" + service + "&Service=evil&" + ticket(), true},
		{"name in capitals", "Service=" + app + "&" + ticket(), false},
		{"ticket in capitals", service + "&TICKET=" + c.browser().enter(app), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := c.browser().Get("/cas/serviceValidate?" + test.query).Valid(); got != test.valid {
				t.Errorf("valid = %v, want %v", got, test.valid)
			}
		})
	}
	t.Run("posted", func(t *testing.T) {
		a := c.browser().Post("/cas/p3/serviceValidate", url.Values{"service": {app}, "ticket": {c.browser().enter(app)}})
		if !a.Valid() {
			t.Errorf("got status %d\n%s", a.Status, a.Body)
		}
	})
	t.Run("JSON is asked for by the parameter alone", func(t *testing.T) {
		r := c.browser().Request(http.MethodGet, "/cas/serviceValidate?"+service+"&"+ticket(), "")
		r.Header.Set("Accept", "application/json")
		if a := c.browser().Do(r); !a.Valid() {
			t.Errorf("not XML: %s", a.Body)
		}
	})
	t.Run("other methods", func(t *testing.T) {
		r := c.browser().Request(http.MethodDelete, "/cas/serviceValidate", "")
		wantStatus(t, c.browser().Do(r), http.StatusMethodNotAllowed)
	})
}

// TestRepeatedParameters covers G3 and S11.
func TestRepeatedParameters(t *testing.T) {
	c := newCampus(t)
	twice := "service=" + url.QueryEscape(app) + "&service=" + url.QueryEscape(other)
	for _, path := range []string{
		"/cas/login?" + twice, "/cas/login?renew=true&renew=false", "/cas/login?gateway&gateway", "/cas/logout?" + twice,
		"/cas/serviceValidate?" + twice + "&ticket=ST-1", "/cas/validate?service=x&ticket=a&ticket=b",
		"/cas/serviceValidate?service=x&ticket=a&pgtUrl=a&pgtUrl=b",
		"/cas/login?username=" + student, "/cas/login?password=secret-in-query", "/cas/login?service=%zz",
	} {
		a := c.browser().Get(path)
		wantStatus(t, a, http.StatusBadRequest)
	}
	if strings.Contains(c.log.String(), "secret-in-query") || strings.Contains(c.log.String(), student) {
		t.Error("the log holds what was in the query")
	}
}

// TestV19RightTakenMeanwhile: a person who loses the right between the ticket
// and its validation is refused.
func TestV19RightTakenMeanwhile(t *testing.T) {
	entry := "id: 1\nname: Application\nmatch: " + app + "\n"
	files := fstest.MapFS{"app.yaml": &fstest.MapFile{Data: []byte(entry)}}
	registry, err := services.OpenFS(files, slog.New(slog.DiscardHandler))
	check(t, err)
	c := newCampus(t, func(o *cas.Options, _ map[string]string) { o.Registry = registry })
	ticket := c.browser().enter(app)
	files["app.yaml"] = &fstest.MapFile{Data: []byte(entry + "access:\n  groups: cn=ent-admins,ou=groups,dc=univ,dc=example\n")}
	check(t, registry.Reload())
	wantCode(t, c.validate("/serviceValidate", app, ticket), cas.UnauthorizedService)
}
