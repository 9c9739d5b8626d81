package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"parvis/internal/testkit"
)

// application is a service that keeps, of each logout request, the ticket.
type application struct {
	*httptest.Server
	mu      sync.Mutex
	tickets []string
}

var sessionIndex = regexp.MustCompile(`<samlp:SessionIndex>([^<]+)</samlp:SessionIndex>`)

func newApplication(t *testing.T) *application {
	t.Helper()
	a := &application{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		found := sessionIndex.FindStringSubmatch(r.PostFormValue("logoutRequest"))
		a.mu.Lock()
		defer a.mu.Unlock()
		if found != nil {
			a.tickets = append(a.tickets, found[1])
		}
	}))
	t.Cleanup(a.Close)
	return a
}

// toldOf waits for the logout request of a ticket.
func (a *application) toldOf(t *testing.T, ticket string) {
	t.Helper()
	testkit.Eventually(t, "the application hears of the logout", 10*time.Second, func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, told := range a.tickets {
			if told == ticket {
				return true
			}
		}
		return false
	})
}

// TestEndsOfSessions: whatever ends a session, at whichever node, its service
// hears of it: a logout, an operator, an account that was suspended in the
// directory (O1, S14).
func TestEndsOfSessions(t *testing.T) {
	s := newSite(t)
	app := newApplication(t)
	s.write("services/app.yaml", fmt.Sprintf("id: 900\nname: App\nmatch: %s/\nnetworks: [127.0.0.0/8]\n", app.URL))
	extra := "logout: {suspended: 1s}"
	a, b := s.node(extra), s.node(extra)
	service := app.URL + "/"
	login := func() (*testkit.Visitor, string) {
		v := testkit.NewVisitor(t, a.public)
		ticket := v.Login(testkit.LoginPath(service), student, studentPassword).Ticket()
		if ticket == "" {
			t.Fatal("no ticket")
		}
		return v, ticket
	}
	ended := func(v *testkit.Visitor) {
		t.Helper()
		if got := v.At(b.public).Get(testkit.LoginPath(service)); got.Ticket() != "" {
			t.Error("the session is still good")
		}
	}

	t.Run("logout at the other node", func(t *testing.T) {
		v, ticket := login()
		v.At(b.public).Get("/cas/logout")
		app.toldOf(t, ticket)
		ended(v)
	})
	t.Run("operator", func(t *testing.T) {
		v, ticket := login()
		list := s.command(t, a, "sessions", "list", "jpmartin")
		if !strings.Contains(list, "TGT-") || !strings.Contains(list, "127.0.0.1") {
			t.Errorf("list said\n%s", list)
		}
		if out := s.command(t, a, "sessions", "end", "jpmartin"); !strings.Contains(out, "1 session ended; 1 logout request to send.") {
			t.Errorf("end said\n%s", out)
		}
		app.toldOf(t, ticket)
		ended(v)
	})
	t.Run("account suspended", func(t *testing.T) {
		v, ticket := login()
		s.slapd.Modify("uid="+student+",ou=people,"+s.slapd.BaseDN, "supannRessourceEtat", "{COMPTE}I")
		app.toldOf(t, ticket)
		ended(v)
	})
	audit := strings.Join(lines(t, a.audit), "\n") + strings.Join(lines(t, b.audit), "\n")
	for _, want := range []string{`"action":"logout_sent"`, `"reason":"account_stopped"`, `"reason":"operator"`} {
		if !strings.Contains(audit, want) {
			t.Errorf("the audit trail does not say %s", want)
		}
	}
}

// TestLogoutsPage: operators see how logout requests end, where a password was
// configured, and nobody else does (S37).
func TestLogoutsPage(t *testing.T) {
	s := newSite(t)
	app := newApplication(t)
	s.write("services/app.yaml", fmt.Sprintf("id: 900\nname: App\nmatch: %s/\nnetworks: [127.0.0.0/8]\n", app.URL))
	const password = "a-word-that-nobody-types"
	n := s.node()
	v := testkit.NewVisitor(t, n.public)
	ticket := v.Login(testkit.LoginPath(app.URL+"/"), student, studentPassword).Ticket()
	v.Get("/cas/logout")
	app.toldOf(t, ticket)
	page := func(password string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.operations+"/logouts", nil)
		if err != nil {
			t.Fatal(err)
		}
		if password != "" {
			r.SetBasicAuth("operator", password)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	if status, body := page(""); status != http.StatusForbidden || !strings.Contains(body, "operations.password") {
		t.Errorf("without a configured password: got %d %s", status, body)
	}
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	s.operations = ", password: " + password
	n = s.node()
	if status, _ := page("wrong"); status != http.StatusUnauthorized {
		t.Errorf("wrong password: got %d", status)
	}
	testkit.Eventually(t, "the page tells of the request that the node before sent", 10*time.Second, func() bool {
		status, body := page(password)
		if strings.Contains(body, student) || strings.Contains(body, ticket) {
			t.Fatalf("the page names somebody, or shows a ticket\n%s", body)
		}
		return status == http.StatusOK && strings.Contains(body, "App")
	})
}

// command runs parvis with the configuration of a node, and returns what it
// said.
func (s *site) command(t *testing.T, n *node, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), binary, append(args, "-config", n.config)...).CombinedOutput()
	if err != nil {
		t.Fatalf("parvis %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
