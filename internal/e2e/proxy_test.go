package e2e_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"parvis/internal/testkit"
)

// proxyingApplication is one that proxies: it keeps the proxy-granting tickets
// that the server brings, by their names.
type proxyingApplication struct {
	*application
	address string
	grants  sync.Map
}

// newProxyingApplication serves over TLS: the server brings nothing in clear.
func newProxyingApplication(t *testing.T, certificate tls.Certificate) *proxyingApplication {
	t.Helper()
	p := &proxyingApplication{application: newApplication(t)}
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/pgt" {
			p.Config.Handler.ServeHTTP(w, r)
			return
		}
		if q := r.URL.Query(); q.Has("pgtId") {
			p.grants.Store(q.Get("pgtIou"), q.Get("pgtId"))
		}
	}))
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	p.address = secure.URL
	return p
}

var (
	grantName   = regexp.MustCompile(`<cas:proxyGrantingTicket>([^<]+)<`)
	proxyTicket = regexp.MustCompile(`<cas:proxyTicket>([^<]+)<`)
)

// grant validates a ticket and returns the proxy-granting ticket that comes of
// it.
func (p *proxyingApplication) grant(t *testing.T, v *testkit.Visitor, ticket string) string {
	t.Helper()
	answer := v.Get(testkit.ValidatePath("/p3/serviceValidate", p.address+"/", ticket, "pgtUrl="+url.QueryEscape(p.address+"/pgt")))
	name := grantName.FindStringSubmatch(answer.Body)
	if name == nil {
		t.Fatalf("no proxy-granting ticket in\n%s", answer.Body)
	}
	grant, found := p.grants.Load(name[1])
	if !found {
		t.Fatal("the answer names a proxy-granting ticket that nobody brought")
	}
	return grant.(string) //nolint:errcheck // nothing else is stored
}

// proxied asks for a ticket to a service, "" for a refusal.
func proxied(v *testkit.Visitor, grant, service string) (string, testkit.Answer) {
	answer := v.Get("/cas/proxy?pgt=" + grant + "&targetService=" + url.QueryEscape(service))
	if found := proxyTicket.FindStringSubmatch(answer.Body); found != nil {
		return found[1], answer
	}
	return "", answer
}

// TestProxy: a portal that proxies gets its ticket at one node, uses it at
// another, and nowhere once the person has logged out. It hears of the logout,
// and so do the services that it called, of each of their tickets (S14).
func TestProxy(t *testing.T) {
	s := newSite(t)
	authority := testkit.NewAuthority(t)
	authority.Write(t, s.dir)
	portal := newProxyingApplication(t, authority.Certificate(t))
	back := newApplication(t)
	s.write("services/portal.yaml", fmt.Sprintf("id: 900\nname: Portal\nmatch: %s/\nproxy: %s/pgt\n", portal.address, portal.address))
	s.write("services/back.yaml", fmt.Sprintf("id: 901\nname: Back end\nmatch: %s/\n", back.URL))
	outgoing := fmt.Sprintf("outgoing: {ca_file: %q, networks: [127.0.0.0/8]}", filepath.Join(s.dir, "ca.pem"))
	nodes := []*node{s.node(outgoing), s.node(outgoing)}
	atA, atB := testkit.NewVisitor(t, nodes[0].public), testkit.NewVisitor(t, nodes[1].public)
	service := back.URL + "/loans?of=today"

	person := testkit.NewVisitor(t, nodes[0].public)
	ticket := person.Login(testkit.LoginPath(portal.address+"/"), student, studentPassword).Ticket()
	grant := portal.grant(t, atA, ticket)

	one, answer := proxied(atB, grant, service)
	if one == "" {
		t.Fatalf("no proxy ticket:\n%s", answer.Body)
	}
	valid := atA.Get(testkit.ValidatePath("/p3/proxyValidate", service, one)).Body
	for _, part := range []string{"<cas:user>" + student + "</cas:user>", "<cas:proxy>" + portal.address + "/pgt</cas:proxy>"} {
		if !strings.Contains(valid, part) {
			t.Errorf("no %s in\n%s", part, valid)
		}
	}
	if again := atB.Get(testkit.ValidatePath("/p3/proxyValidate", service, one)); again.Code() != "INVALID_TICKET" {
		t.Errorf("a proxy ticket twice: got\n%s", again.Body)
	}
	direct, _ := proxied(atB, grant, service)
	if got := atB.Get(testkit.ValidatePath("/p3/serviceValidate", service, direct)); got.Valid() {
		t.Errorf("a proxy ticket where none is taken: got\n%s", got.Body)
	}

	many := proxiedAtOnce(t, nodes, grant, service)
	unused, _ := proxied(atB, grant, service)
	person.At(nodes[1].public).Get("/cas/logout")
	for i, v := range []*testkit.Visitor{atA, atB} {
		if late, answer := proxied(v, grant, service); late != "" || answer.Code() != "INVALID_TICKET" {
			t.Errorf("node %d still proxies after the logout:\n%s", i, answer.Body)
		}
	}
	if late := atA.Get(testkit.ValidatePath("/p3/proxyValidate", service, unused)); late.Valid() {
		t.Error("a proxy ticket outlives the session")
	}
	portal.toldOf(t, ticket)
	for _, told := range append(many, one) {
		back.toldOf(t, told)
	}
}

// proxiedAtOnce gets and validates a hundred tickets, each at another node than
// the one that gave it.
func proxiedAtOnce(t *testing.T, nodes []*node, grant, service string) []string {
	t.Helper()
	got := make([]string, 100)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			ticket, answer := proxied(testkit.NewVisitor(t, nodes[i%2].public), grant, service)
			valid := testkit.NewVisitor(t, nodes[(i+1)%2].public).Get(testkit.ValidatePath("/p3/proxyValidate", service, ticket))
			if !strings.Contains(valid.Body, "<cas:user>"+student+"</cas:user>") {
				t.Errorf("call %d: got\n%s\nthen\n%s", i, answer.Body, valid.Body)
			}
			got[i] = ticket
		})
	}
	wg.Wait()
	distinct := map[string]bool{}
	for _, ticket := range got {
		distinct[ticket] = true
	}
	if len(distinct) != len(got) {
		t.Errorf("%d calls got %d tickets", len(got), len(distinct))
	}
	return got
}
