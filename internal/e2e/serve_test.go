package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parvis/internal/testkit"
)

const (
	student         = "o22502142"
	studentPassword = "LesPigeons9BoiventDuThe"
	first           = "http://localhost:9081/"
	second          = "http://localhost:9082/"
)

// TestOneLogin is the whole way, on slapd over StartTLS and on Redis: one
// password, two services, attributes, logout.
func TestOneLogin(t *testing.T) {
	n := newSite(t).node()
	v := testkit.NewVisitor(t, n.public)
	oneLogin(t, v, func(service, ticket string) testkit.Answer {
		return testkit.NewVisitor(t, n.public).Get(testkit.ValidatePath("/p3/serviceValidate", service, ticket))
	})
	if err := n.Stop(); err != nil {
		t.Errorf("the node did not stop cleanly: %v", err)
	}
}

// oneLogin logs in, validates, goes to a second service, and logs out.
func oneLogin(t *testing.T, v *testkit.Visitor, validate func(service, ticket string) testkit.Answer) {
	t.Helper()
	a := v.Login(testkit.LoginPath(first), "Jean-Pierre.Martin@etu.univ.example", studentPassword)
	if a.Status != http.StatusSeeOther || a.Ticket() == "" {
		t.Fatalf("login: got status %d to %q\n%s", a.Status, a.Location, a.Body)
	}
	answer := validate(first, a.Ticket())
	for _, part := range []string{
		"<cas:user>" + student + "</cas:user>", "<cas:mail>jean-pierre.martin@etu.univ.example</cas:mail>",
		"<cas:displayName>Jean-Pierre Martin</cas:displayName>", "<cas:eduPersonAffiliation>student</cas:eduPersonAffiliation>",
		"<cas:eduPersonAffiliation>member</cas:eduPersonAffiliation>", "<cas:memberOf>cn=cours-info-l2,ou=groups,dc=univ,dc=example</cas:memberOf>",
		"<cas:isFromNewLogin>true</cas:isFromNewLogin>",
	} {
		if !strings.Contains(answer.Body, part) {
			t.Errorf("no %s in\n%s", part, answer.Body)
		}
	}
	b := v.Get(testkit.LoginPath(second))
	if b.Status != http.StatusFound || !validate(second, b.Ticket()).Valid() {
		t.Errorf("second service: got status %d to %q", b.Status, b.Location)
	}
	if out := v.Get("/cas/logout"); out.Status != http.StatusOK || v.Cookie("TGC") != "" {
		t.Errorf("logout: got status %d, cookie %q", out.Status, v.Cookie("TGC"))
	}
	if after := v.Get(testkit.LoginPath(first)); after.Form().Get("execution") == "" {
		t.Errorf("after logout: got status %d to %q, want the form", after.Status, after.Location)
	}
}

// TestTwoNodes: any node answers any request, and forgets at once what another
// ended (S2, S14, S20).
func TestTwoNodes(t *testing.T) {
	s := newSite(t)
	a, b := s.node(), s.node()
	onA := testkit.NewVisitor(t, a.public)
	ticket := onA.Login(testkit.LoginPath(first), student, studentPassword).Ticket()
	if !testkit.NewVisitor(t, b.public).Get(testkit.ValidatePath("/serviceValidate", first, ticket)).Valid() {
		t.Error("the other node does not know the ticket")
	}
	onB := onA.At(b.public)
	if got := onB.Get(testkit.LoginPath(second)); got.Ticket() == "" {
		t.Errorf("the other node does not know the session: status %d", got.Status)
	}
	t.Run("a form of one node is good at the other", func(t *testing.T) {
		page := testkit.NewVisitor(t, a.public)
		form := page.Get(testkit.LoginPath(first))
		if got := page.At(b.public).Submit(form, student, studentPassword); got.Ticket() == "" {
			t.Errorf("got status %d", got.Status)
		}
	})
	t.Run("a ticket is redeemed once, across nodes", func(t *testing.T) {
		ticket := onA.Get(testkit.LoginPath(first)).Ticket()
		won := make(chan bool, 40)
		var wg sync.WaitGroup
		for i := range cap(won) {
			base := []string{a.public, b.public}[i%2]
			wg.Go(func() {
				won <- testkit.NewVisitor(t, base).Get(testkit.ValidatePath("/serviceValidate", first, ticket)).Valid()
			})
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
	})
	t.Run("failures count on both", func(t *testing.T) {
		for i := range 5 {
			v := testkit.NewVisitor(t, []string{a.public, b.public}[i%2])
			v.From = "203.0.113.7"
			v.Login(testkit.LoginPath(first), "dupont-a", "wrong")
		}
		for _, base := range []string{a.public, b.public} {
			v := testkit.NewVisitor(t, base)
			v.From = "203.0.113.7"
			if got := v.Login(testkit.LoginPath(first), "dupont-a", "UnArchet4PourDeuxVoix"); got.Status != http.StatusLocked {
				t.Errorf("got status %d, want 423", got.Status)
			}
		}
		elsewhere := testkit.NewVisitor(t, a.public)
		elsewhere.From = "198.51.100.9"
		if got := elsewhere.Login(testkit.LoginPath(first), "dupont-a", "UnArchet4PourDeuxVoix"); got.Ticket() == "" {
			t.Errorf("the owner is locked out by a stranger: status %d", got.Status)
		}
	})
	onA.Get("/cas/logout")
	if got := onB.Get(testkit.LoginPath(first)); got.Form().Get("execution") == "" {
		t.Errorf("the other node still knows the session: status %d", got.Status)
	}
}

// TestDependenciesDown: down at start, going down, coming back. The page says
// so with a 503, /readyz too, and nobody restarts anything.
func TestDependenciesDown(t *testing.T) {
	s := newSite(t)
	s.redis.Stop()
	s.slapd.Stop()
	n := s.node()
	v := testkit.NewVisitor(t, n.public)
	unavailable := func(what string, got testkit.Answer) {
		t.Helper()
		if got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" || !strings.Contains(got.Body, "momentanément indisponible") {
			t.Errorf("%s: got status %d, Retry-After %q\n%.1500s", what, got.Status, got.Header.Get("Retry-After"), got.Body)
		}
		for _, leak := range []string{"dial tcp", "127.0.0.1", "redis", "ldap", ".go:"} { // S45
			if strings.Contains(strings.ToLower(got.Body), leak) {
				t.Errorf("%s: the page says %q", what, leak)
			}
		}
	}
	ready := func(want int) func() bool {
		return func() bool { return testkit.Status(t, n.operations+"/readyz") == want }
	}
	testkit.Eventually(t, "not ready", 5*time.Second, ready(http.StatusServiceUnavailable))
	unavailable("both down", v.Get(testkit.LoginPath(first)))
	if got := v.Get(testkit.ValidatePath("/serviceValidate", first, "ST-"+strings.Repeat("a", 29))); got.Status != http.StatusOK || got.Code() != "INTERNAL_ERROR" { // V22
		t.Errorf("validation: got status %d\n%s", got.Status, got.Body)
	}

	s.redis.Start()
	s.slapd.Start()
	testkit.Eventually(t, "ready", 15*time.Second, ready(http.StatusOK))
	testkit.Eventually(t, "a login works", 15*time.Second, func() bool {
		return v.Get(testkit.LoginPath(first)).Status == http.StatusOK &&
			v.Login(testkit.LoginPath(first), student, studentPassword).Ticket() != ""
	})

	interrupted := testkit.NewVisitor(t, n.public)
	open := interrupted.Get(testkit.LoginPath(first))
	s.slapd.Stop()
	testkit.Eventually(t, "not ready without slapd", 10*time.Second, ready(http.StatusServiceUnavailable))
	if got := v.Get(testkit.LoginPath(second)); got.Ticket() == "" {
		t.Errorf("without slapd, who is logged in cannot go on: status %d", got.Status)
	}
	unavailable("slapd down, form sent", interrupted.Submit(open, student, studentPassword))
	unavailable("slapd down", testkit.NewVisitor(t, n.public).Get(testkit.LoginPath(first)))
	s.slapd.Start()
	testkit.Eventually(t, "the form is back with slapd", 15*time.Second, func() bool {
		open = interrupted.Get(testkit.LoginPath(first))
		return open.Status == http.StatusOK
	})
	s.redis.Kill()
	testkit.Eventually(t, "no session without Redis", 10*time.Second, func() bool {
		return v.Get(testkit.LoginPath(second)).Status == http.StatusServiceUnavailable
	})
	unavailable("Redis down", v.Get(testkit.LoginPath(second)))
	page := interrupted.Submit(open, student, studentPassword)
	unavailable("Redis down, form sent", page)
	if !strings.Contains(page.Body, "service="+url.QueryEscape(first)) {
		t.Error("the page of a form that could not be taken leads to no service")
	}
	leaving := v.At(n.public)
	unavailable("Redis down, logout", leaving.Get("/cas/logout"))
	if leaving.Cookie("TGC") != "" {
		t.Error("a logout that cannot reach Redis keeps the cookie")
	}
	s.redis.Start()
	testkit.Eventually(t, "the session is back with Redis", 15*time.Second, func() bool {
		return v.Get(testkit.LoginPath(second)).Ticket() != ""
	})
	testkit.Eventually(t, "ready again", 10*time.Second, ready(http.StatusOK))
}

// TestLogsNameNobody reads all that a node wrote (S11, S23, S30, S38).
func TestLogsNameNobody(t *testing.T) {
	s := newSite(t)
	n := s.node()
	v := testkit.NewVisitor(t, n.public)
	v.Login(testkit.LoginPath(first), student, "WrongPassword1234")
	v.Login(testkit.LoginPath(first), "MyPasswordInTheWrongField", "x")
	ticket := v.Login(testkit.LoginPath(first), "JPMartin", studentPassword).Ticket()
	tgc := v.Cookie("TGC")
	v.Get(testkit.ValidatePath("/serviceValidate", first, ticket))
	v.Get(testkit.ValidatePath("/serviceValidate", first, ticket))
	v.Get(testkit.LoginPath("https://nowhere.example/?secret=1"))
	v.Get("/cas/login?password=InTheQuery")
	v.Get("/cas/logout")
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	trail := strings.Join(lines(t, n.audit), "\n")
	log := n.Output()
	for _, secret := range []string{ticket, tgc, studentPassword, "WrongPassword1234", "InTheQuery", "MyPasswordInTheWrongField", "mypasswordinthewrongfield"} {
		if strings.Contains(log, secret) || strings.Contains(trail, secret) {
			t.Errorf("a log holds %q", secret)
		}
	}
	for _, person := range []string{student, "JPMartin", "jpmartin", "Martin", "localhost:9081", "nowhere.example"} {
		if strings.Contains(log, person) {
			t.Errorf("the log of requests holds %q", person)
		}
	}
	var actions []string
	for _, line := range lines(t, n.audit) {
		var event struct{ Action, Outcome, User, Ticket string }
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("audit line %q: %v", line, err)
		}
		actions = append(actions, event.Action+" "+event.Outcome)
		if len(actions) == 1 && event.User != student {
			t.Errorf("the trail does not say whose password was wrong: %q", line)
		}
		if event.Action == "ticket_validated" && event.Outcome == "success" && (event.User != student || !strings.HasPrefix(ticket, event.Ticket) || len(event.Ticket) > 8) {
			t.Errorf("audit line %q", line)
		}
	}
	// The logout request goes nowhere: the service's address is a loopback one.
	want := "login failure,login failure,login success,ticket_granted success,ticket_validated success,ticket_validated refused,service_refused refused," +
		"logout success,logout_sent failure"
	if got := strings.Join(actions, ","); got != want {
		t.Errorf("audit trail:\n got %s\nwant %s", got, want)
	}
}

// TestGracefulStop: a request under way is finished. The server itself says
// that it is under way, by asking for the body that the client holds back.
func TestGracefulStop(t *testing.T) {
	s := newSite(t)
	n := s.node()
	v := testkit.NewVisitor(t, n.public)
	form := v.Get(testkit.LoginPath(first)).Form()
	form.Set("username", student)
	form.Set("password", studentPassword)
	body := form.Encode()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(n.public, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /cas/login HTTP/1.1\r\nHost: localhost\r\nCookie: parvis_browser=%s\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", v.Cookie("parvis_browser"), len(body))
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("the server does not ask for the body: %q, %v", line, err)
	}
	n.Signal(syscall.SIGTERM)
	testkit.Eventually(t, "the node says that it stops", 5*time.Second, func() bool {
		return strings.Contains(n.Output(), "finishing requests under way")
	})
	fmt.Fprint(conn, body)
	if _, err := answers.ReadString('\n'); err != nil { // the empty line that ends the 100
		t.Fatal(err)
	}
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "303") {
		t.Errorf("the request under way was answered %q, %v", line, err)
	}
	if err := n.Wait(); err != nil {
		t.Errorf("not a clean stop: %v", err)
	}
}

func metrics(t *testing.T, n *node) string {
	t.Helper()
	return testkit.NewVisitor(t, n.operations).Get("/metrics").Body
}

// TestOperations: probes and metrics have a listener of their own (S37).
func TestOperations(t *testing.T) {
	n := newSite(t).node()
	testkit.NewVisitor(t, n.public).Login(testkit.LoginPath(first), student, studentPassword)
	if text := metrics(t, n); !strings.Contains(text, "parvis_") || strings.Contains(text, student) || strings.Contains(text, "9081") {
		t.Errorf("metrics:\n%.3000s", text)
	}
	for _, path := range []string{"/metrics", "/cas/metrics", "//metrics", "/cas/..;/metrics", "/cas/%2e%2e/metrics", "/debug/pprof/"} {
		if got := testkit.Status(t, n.public+path); got != http.StatusNotFound {
			t.Errorf("%s on the public listener: got status %d", path, got)
		}
	}
}

// TestServeNeedsSecrets: no key, no server (S18).
func TestServeNeedsSecrets(t *testing.T) {
	s := &site{t: t, dir: t.TempDir()}
	for name, secrets := range map[string]string{
		"none":  "",
		"short": "secrets: {keys: [c2hvcnQ=]}",
		"zeros": "secrets: {keys: [AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=]}",
	} {
		t.Run(name, func(t *testing.T) {
			file := s.write(name+".yaml", "url: http://localhost:1/cas\nlisten: 127.0.0.1:0\nuniversity: {name: U, help: {mail: a@univ.example}}\n"+
				"directory: {ldif: people.ldif}\nservices: {folder: services}\n"+secrets+"\n")
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var out bytes.Buffer
			command := exec.CommandContext(ctx, binary, "serve", "-config", file)
			command.Stdout, command.Stderr = &out, &out
			err := command.Run()
			if err == nil || command.ProcessState.ExitCode() != 1 || !strings.Contains(out.String(), "keys") {
				t.Errorf("exit %v, said:\n%s", err, out.String())
			}
		})
	}
}

// TestEveryAnswerIsTheRightPersons: many people at once, each validation names
// the one who logged in, while other clients hang up in the middle (S40).
func TestEveryAnswerIsTheRightPersons(t *testing.T) {
	n := newSite(t).node()
	people := map[string]string{
		student: studentPassword, "s21004567": "TroisChats5DansLeTramway",
		"dupont-a": "UnArchet4PourDeuxVoix", "moreau-s": "LaGrenouille7LitLeJournal",
	}
	var wg sync.WaitGroup
	for uid, password := range people {
		for range 4 {
			wg.Go(func() {
				v := testkit.NewVisitor(t, n.public)
				a := v.Login(testkit.LoginPath(first), uid, password)
				for range 15 {
					got := testkit.NewVisitor(t, n.public).Get(testkit.ValidatePath("/serviceValidate", first, a.Ticket()))
					if !strings.Contains(got.Body, "<cas:user>"+uid+"</cas:user>") || !strings.Contains(got.Body, "<cas:uid>"+uid+"</cas:uid>") {
						t.Errorf("%s validated as\n%s", uid, got.Body)
					}
					hangUp(n.public + testkit.LoginPath(second))
					a = v.Get(testkit.LoginPath(first))
				}
			})
		}
	}
	wg.Wait()
}

// hangUp asks and leaves before the answer.
func hangUp(address string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return
	}
	if response, err := http.DefaultClient.Do(r); err == nil {
		response.Body.Close()
	}
}
