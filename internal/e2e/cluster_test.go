package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"parvis/internal/testkit"
)

// TestCluster: two nodes on a Redis Cluster, which refuses what needs several of
// its servers at once. Sessions, tickets, counts of failed logins and the queue
// of logout requests are spread over three (S2, S14, S20).
func TestCluster(t *testing.T) {
	const password = "a-word-that-nobody-types"
	s := newSite(t)
	cluster := testkit.RedisCluster(t)
	s.redisURL, s.operations = cluster.URL(), ", password: "+password
	app := newApplication(t)
	s.write("services/app.yaml", fmt.Sprintf("id: 900\nname: App\nmatch: %s/\nnetworks: [127.0.0.0/8]\n", app.URL))
	service := app.URL + "/"
	a, b := s.node(), s.node()
	login := func(t *testing.T) (*testkit.Visitor, string) {
		t.Helper()
		v := testkit.NewVisitor(t, a.public)
		answer := v.Login(testkit.LoginPath(service), student, studentPassword)
		if answer.Ticket() == "" {
			t.Fatalf("no ticket: status %d\n%.1500s", answer.Status, answer.Body)
		}
		return v, answer.Ticket()
	}
	ended := func(t *testing.T, v *testkit.Visitor) {
		t.Helper()
		if got := v.At(b.public).Get(testkit.LoginPath(service)); got.Form().Get("execution") == "" {
			t.Errorf("the session is still good: status %d", got.Status)
		}
	}

	t.Run("logins spread over the servers", func(t *testing.T) {
		atB := testkit.NewVisitor(t, b.public)
		for range 30 {
			v, ticket := login(t)
			if !atB.Get(testkit.ValidatePath("/p3/serviceValidate", service, ticket)).Valid() {
				t.Fatal("the other node does not know the ticket")
			}
			if atB.Get(testkit.ValidatePath("/p3/serviceValidate", service, ticket)).Valid() {
				t.Fatal("a ticket is good twice")
			}
			again := v.At(b.public).Get(testkit.LoginPath(service)).Ticket()
			if !testkit.NewVisitor(t, a.public).Get(testkit.ValidatePath("/p3/serviceValidate", service, again)).Valid() {
				t.Fatal("the session of one node gives no ticket at the other")
			}
		}
		for i, client := range cluster.Clients {
			if keys := client.DBSize(t.Context()).Val(); keys == 0 {
				t.Errorf("server %d holds nothing", i)
			}
		}
	})
	t.Run("failed logins count across nodes", func(t *testing.T) { throttledTogether(t, a, b) })
	t.Run("logout at the other node", func(t *testing.T) {
		v, ticket := login(t)
		v.At(b.public).Get("/cas/logout")
		app.toldOf(t, ticket)
		ended(t, v)
		page := testkit.NewVisitor(t, b.operations)
		testkit.Eventually(t, "the operators' page tells of it", 10*time.Second, func() bool {
			r := page.Request(http.MethodGet, "/logouts", "")
			r.SetBasicAuth("operator", password)
			got := page.Do(r)
			return got.Status == http.StatusOK && strings.Contains(got.Body, `<th scope="row">App</th>`)
		})
	})
	t.Run("operator", func(t *testing.T) {
		s.command(t, a, "sessions", "end", student)
		v, ticket := login(t)
		if list := s.command(t, b, "sessions", "list", student); strings.Count(list, "TGT-") != 1 {
			t.Errorf("list said\n%s", list)
		}
		if out := s.command(t, b, "sessions", "end", student); !strings.Contains(out, "1 session ended; 1 logout request to send.") {
			t.Errorf("end said\n%s", out)
		}
		app.toldOf(t, ticket)
		ended(t, v)
	})
	for _, n := range []*node{a, b} {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
		if log := n.Output(); strings.Contains(log, `"level":"ERROR"`) || strings.Contains(log, "CROSSSLOT") {
			t.Errorf("a node complains of the Cluster:\n%s", log)
		}
	}
}

// throttledTogether fails to log in at both nodes, in turn, until both refuse
// the right password.
func throttledTogether(t *testing.T, a, b *node) {
	t.Helper()
	try := func(n *node, password string) testkit.Answer {
		v := testkit.NewVisitor(t, n.public)
		v.From = "203.0.113.7"
		return v.Login(testkit.LoginPath(first), "dupont-a", password)
	}
	for i := range 5 {
		if got := try([]*node{a, b}[i%2], "wrong"); got.Status != http.StatusUnauthorized {
			t.Errorf("failure %d: got status %d, want 401", i, got.Status)
		}
	}
	for _, n := range []*node{a, b} {
		if got := try(n, "UnArchet4PourDeuxVoix"); got.Status != http.StatusLocked {
			t.Errorf("got status %d, want 423", got.Status)
		}
	}
}
