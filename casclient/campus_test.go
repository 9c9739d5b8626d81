package casclient_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gorilla/mux"

	"parvis/cas"
	"parvis/casclient"
	"parvis/internal/audit"
	"parvis/internal/demo"
	"parvis/internal/httpx"
	"parvis/internal/ratelimit"
	"parvis/internal/slo"
	"parvis/ldapstore/ldif"
	"parvis/services"
	"parvis/tickets"
	"parvis/tickets/memory"
	"parvis/ui"
)

// The people and addresses of the tests. People are the demonstration's.
const (
	student         = "o22502142"
	studentPassword = "LesPigeons9BoiventDuThe"
	teacher         = "dupont-a"
	teacherPassword = "UnArchet4PourDeuxVoix"

	casServer = "https://cas.univ.example/cas"
	app       = "https://app.univ.example"
	other     = "https://other.univ.example"
	portal    = "https://portal.univ.example"
	library   = "https://library.univ.example"
)

// registered is the registry of the tests, one file a service.
var registered = map[string]string{
	"app.yaml":     "id: 1\nname: Application\nmatch: " + app + "/\nrelease: [uid, mail, eduPersonAffiliation]\n",
	"other.yaml":   "id: 2\nname: Other\nmatch: " + other + "/\n",
	"portal.yaml":  "id: 3\nname: Portal\nmatch: " + portal + "/\nproxy: " + portal + "/cas/proxy\n",
	"library.yaml": "id: 4\nname: Library\nmatch: " + library + "/\nrelease: [uid, mail]\nproxy: " + library + "/cas/proxy\n",
}

// campus is the real server over the embedded directory and the memory store,
// with a clock that the test moves, and a network of services around it.
type campus struct {
	*network
	*clock
	t testing.TB
}

func newCampus(t testing.TB) *campus {
	t.Helper()
	c := &campus{network: newNetwork(), clock: newClock(), t: t}
	secret := make([]byte, tickets.KeySize)
	_, _ = rand.Read(secret)
	keys, err := tickets.NewKeyring(tickets.Key{ID: "test", Secret: secret})
	check(t, err)
	throttle, err := ratelimit.New(ratelimit.NewMemory(c.Now), ratelimit.DefaultLimits(), keys.Pseudonym)
	check(t, err)
	pages, err := ui.New(ui.Options{BasePath: "/cas", Now: c.Now})
	check(t, err)
	directory, err := ldif.New(demo.People(), ldif.Options{})
	check(t, err)
	files := fstest.MapFS{}
	for name, text := range registered {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	registry, err := services.OpenFS(files, slog.New(slog.DiscardHandler), services.Clock(c.Now))
	check(t, err)
	store := &ender{Store: memory.New(c.Now), network: c.network, granted: map[tickets.TGT][]tickets.Ticket{}}
	router := mux.NewRouter().SkipClean(true).UseEncodedPath()
	cas.New(cas.Options{
		Base: "/cas", MaintenanceRetry: 30 * time.Second,
		Directory: directory, Registry: registry, Store: store, Throttle: throttle,
		Gate: ratelimit.NewGate(16, 64, time.Second), Pages: pages, Auditor: audit.New(io.Discard, c.Now, nil), Sealer: keys,
		Ender: store, Callbacks: c.network,
		Cookies: cas.CookieOptions{Name: "TGC", Path: "/cas", SameSite: http.SameSiteLaxMode},
		Limits: cas.Limits{
			Idle: 2 * time.Hour, Max: 8 * time.Hour, ServiceTicket: 10 * time.Second, ProxyTicket: 10 * time.Second,
			Form: time.Hour, SessionsPerPerson: 50,
		},
		Now: c.Now,
	}).Mount(router)
	c.serve("cas.univ.example", httpx.Observe(httpx.Headers(router, httpx.HeaderOptions{}), httpx.Options{Logger: slog.New(slog.DiscardHandler)}))
	return c
}

// ender is what stands for single logout at the server: it remembers who got
// tickets, and posts each a request as the session ends.
type ender struct {
	tickets.Store
	network *network

	mu      sync.Mutex
	granted map[tickets.TGT][]tickets.Ticket
}

func (e *ender) Grant(ctx context.Context, tgt tickets.TGT, ticket tickets.Ticket) (tickets.Session, error) {
	e.mu.Lock()
	e.granted[tgt] = append(e.granted[tgt], ticket)
	e.mu.Unlock()
	return e.Store.Grant(ctx, tgt, ticket)
}

// End implements cas.Ender.
func (e *ender) End(ctx context.Context, tgt tickets.TGT, _ slo.Why) (slo.Ended, error) {
	session, err := e.Session(ctx, tgt)
	if err != nil {
		return slo.Ended{}, nil //nolint:nilerr // there is none
	}
	if err := last(e.Close(ctx, tgt)); err != nil {
		return slo.Ended{}, err
	}
	e.mu.Lock()
	granted := e.granted[tgt]
	delete(e.granted, tgt)
	e.mu.Unlock()
	for _, ticket := range granted {
		postLogout(ctx, e.network, ticket.Service, session.UID, string(ticket.ID))
	}
	return slo.Ended{UID: session.UID}, nil
}

// last is the error of a call, whatever else the call tells.
func last(results ...any) error {
	err, _ := results[len(results)-1].(error)
	return err
}

// logoutText is a logout request as servers write it.
func logoutText(name, ticket string) string {
	return `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="LR-1-x" Version="2.0" IssueInstant="2026-11-22T08:00:00Z">` +
		`<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + name + `</saml:NameID><samlp:SessionIndex>` + ticket + `</samlp:SessionIndex></samlp:LogoutRequest>`
}

func postLogout(ctx context.Context, n *network, address, name, ticket string) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader("logoutRequest="+url.QueryEscape(logoutText(name, ticket))))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := n.RoundTrip(r)
	if err != nil {
		return 0
	}
	return response.StatusCode
}

// service puts a service on the network: /open for everybody, /peek asks in
// passing, /exam wants a fresh password, /staff is for teachers, all else is for
// who is logged in. Each page says who reads it.
func (c *campus) service(base string, change ...func(*casclient.Options)) *casclient.Client {
	c.t.Helper()
	o := casclient.Options{Service: base}
	for _, f := range change {
		f(&o)
	}
	client := newClient(c.t, c.network, c.clock, o)
	c.serve(strings.TrimPrefix(base, "https://"), client.Wrap(pages(client)))
	return client
}

func pages(client *casclient.Client) http.Handler {
	who := http.HandlerFunc(hello)
	routes := http.NewServeMux()
	routes.Handle("/open", who)
	routes.Handle("/peek", client.Gateway(who))
	routes.Handle("/exam", client.RequireFresh(5*time.Minute, who))
	routes.Handle("/staff", client.Allow(func(p *casclient.Principal) bool {
		return p.Attributes.Has("eduPersonAffiliation", "staff", "faculty", "teacher")
	})(who))
	routes.Handle("/logout", client.Logout("/open"))
	routes.Handle("/leave", client.LogoutHere("/open"))
	routes.Handle("/", client.Require(who))
	return routes
}

// hello says who asks, for what, and with which form.
func hello(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	name := "nobody"
	if p := casclient.User(r.Context()); p != nil {
		name = p.Name
	}
	fmt.Fprintf(w, "%s reads %s %s %q", name, r.Method, r.RequestURI, body)
}
