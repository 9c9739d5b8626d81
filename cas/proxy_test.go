package cas_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"parvis/cas"
	"parvis/internal/safehttp"
	"parvis/internal/testkit"
)

// Specification, sections 2.5.4, 2.6 and 2.7: a portal that gets proxy tickets
// for its back ends.

const (
	portal  = "https://portal.univ.example/"
	backend = "https://backend.univ.example/"
	naked   = "https://naked.univ.example/"
	mail    = "imap://mail.univ.example"
)

var anyIOU = regexp.MustCompile("PGTIOU-[A-Za-z0-9]+")

// callback is a service's own server, which proxy-granting tickets are sent to.
type callback struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	granted  map[string]string // by IOU
	// answer, where set, is what the server does instead of taking the ticket.
	answer http.HandlerFunc
}

func newCallback(t *testing.T, a *testkit.Authority) *callback {
	t.Helper()
	c := &callback{granted: map[string]string{}}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.requests = append(c.requests, r)
		if c.answer != nil {
			c.answer(w, r)
			return
		}
		c.granted[r.URL.Query().Get("pgtIou")] = r.URL.Query().Get("pgtId")
	}))
	c.Config.ErrorLog = log.New(io.Discard, "", 0)
	c.TLS = &tls.Config{Certificates: []tls.Certificate{a.Certificate(t)}}
	c.StartTLS()
	t.Cleanup(c.Close)
	return c
}

// seen is how many requests came.
func (c *callback) seen() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.requests)
}

// proxies is a campus whose portal may proxy to one call-back server, and
// whose back end to another.
type proxies struct {
	*campus
	portal, backend *callback
}

func newProxies(t *testing.T, options ...option) *proxies {
	t.Helper()
	a := testkit.NewAuthority(t)
	p := &proxies{portal: newCallback(t, a), backend: newCallback(t, a)}
	client := safehttp.New(safehttp.Options{Roots: a.Pool(), Timeout: 2 * time.Second})
	entry := func(id int, name, match, callback string) option {
		return withService(name+".yaml", fmt.Sprintf("id: %d\nname: %s\nmatch: %s\nproxy: %s/\nnetworks: [127.0.0.0/8]\n%s", id, name, match, callback, release))
	}
	p.campus = newCampus(t, append([]option{
		func(o *cas.Options, _ map[string]string) { o.Callbacks = callbacks{client} },
		entry(20, "portal", portal, p.portal.URL), entry(21, "backend", backend, p.backend.URL),
		withService("naked.yaml", "id: 22\nname: Naked\nmatch: "+naked+"\nlifetimes: {proxy_ticket: 1m, proxy_ticket_uses: 3}\n"),
	}, options...)...)
	return p
}

// callbacks reaches call-back addresses as the server itself does.
type callbacks struct{ client *safehttp.Client }

func (c callbacks) Get(ctx context.Context, address string, networks []netip.Prefix) (int, error) {
	return c.client.Do(ctx, safehttp.Request{Method: http.MethodGet, URL: address, Networks: networks})
}

// granting logs the student in to the portal, and returns the proxy-granting
// ticket that it was sent.
func (p *proxies) granting(b *browser) string {
	p.t.Helper()
	ticket := b.Get(testkit.LoginPath(portal)).Ticket()
	if ticket == "" {
		ticket = b.enter(portal)
	}
	return p.claim(p.portal, p.validate("/serviceValidate", portal, ticket, pgtURL(p.portal, "/pgt")))
}

// claim finds the ticket that an answer names.
func (p *proxies) claim(at *callback, a testkit.Answer) string {
	p.t.Helper()
	_, iou, _ := strings.Cut(a.Body, "<cas:proxyGrantingTicket>")
	iou, _, _ = strings.Cut(iou, "<")
	at.mu.Lock()
	defer at.mu.Unlock()
	if iou == "" || at.granted[iou] == "" {
		p.t.Fatalf("no proxy-granting ticket at the call-back for %q\n%s", iou, a.Body)
	}
	return at.granted[iou]
}

func pgtURL(at *callback, path string) string { return "pgtUrl=" + url.QueryEscape(at.URL+path) }

func proxyPath(pgt, target string) string {
	return "/cas/proxy?pgt=" + url.QueryEscape(pgt) + "&targetService=" + url.QueryEscape(target)
}

// ticketTo asks for a proxy ticket.
func (p *proxies) ticketTo(pgt, target string) string {
	p.t.Helper()
	a := p.browser().Get(proxyPath(pgt, target))
	_, ticket, _ := strings.Cut(a.Body, "<cas:proxyTicket>")
	ticket, _, found := strings.Cut(ticket, "</cas:proxyTicket>")
	if !found {
		p.t.Fatalf("no proxy ticket to %s: %d %s", target, a.Status, a.Body)
	}
	return ticket
}

// TestP6ProxyAnswers holds the bytes of the answers (P5, P6, P7, P8, P9, P10,
// P11, V11, V16, S31, S32).
func TestP6ProxyAnswers(t *testing.T) {
	p := newProxies(t)
	b := p.browser()
	pgt := p.granting(b)
	ask := func(endpoint, service string, more ...string) func() testkit.Answer {
		return func() testkit.Answer { return p.validate(endpoint, service, p.ticketTo(pgt, service), more...) }
	}
	get := func(path string) func() testkit.Answer {
		return func() testkit.Answer { return p.browser().Get(path) }
	}
	for _, test := range []struct {
		name string
		ask  func() testkit.Answer
	}{
		{"ticket", get(proxyPath(pgt, backend))},
		{"ticket in JSON", get(proxyPath(pgt, backend) + "&format=JSON")},
		{"ticket to what is no web address", get(proxyPath(pgt, mail))},
		{"no target", get("/cas/proxy?pgt=" + pgt)},
		{"service is no target", get("/cas/proxy?pgt=" + pgt + "&service=" + url.QueryEscape(backend))}, // G8
		{"no granting ticket", get("/cas/proxy?targetService=" + url.QueryEscape(backend))},
		{"unknown granting ticket", get(proxyPath("PGT-"+strings.Repeat("x", 60), backend))},
		{"service ticket for a granting one", get(proxyPath(b.Get(testkit.LoginPath(app)).Ticket(), backend))},
		{"session for a granting ticket", get(proxyPath(b.tgc(), backend))},
		{"proxy ticket for a granting one", get(proxyPath(p.ticketTo(pgt, backend), backend))},
		{"unregistered target", get(proxyPath(pgt, stranger))},
		{"closed target", get(proxyPath(pgt, closed))},
		{"target for others", get(proxyPath(pgt, admin))},
		{"target that wants the password", get(proxyPath(pgt, strict))},
		{"unknown format", get(proxyPath(pgt, backend) + "&format=FOO")},
		{"failure in JSON", get("/cas/proxy?format=json")},
		{"proxyValidate", ask("/proxyValidate", backend)},
		{"p3 proxyValidate", ask("/p3/proxyValidate", backend)},
		{"p3 proxyValidate in JSON", ask("/p3/proxyValidate", backend, "format=JSON")},
		{"proxied without a release policy", ask("/proxyValidate", naked)},
		{"p3 proxied without a release policy", ask("/p3/proxyValidate", naked)},
		{"service ticket at proxyValidate", func() testkit.Answer {
			return p.validate("/proxyValidate", bare, b.Get(testkit.LoginPath(bare)).Ticket())
		}},
		{"proxy ticket at serviceValidate", ask("/serviceValidate", backend)},
		{"proxy ticket at p3 serviceValidate", ask("/p3/serviceValidate", backend)},
		{"proxy ticket at validate", ask("/validate", backend)},
		{"granting ticket", func() testkit.Answer {
			return p.validate("/serviceValidate", portal, b.Get(testkit.LoginPath(portal)).Ticket(), pgtURL(p.portal, "/pgt"))
		}},
		{"granting ticket in JSON", func() testkit.Answer {
			return p.validate("/p3/serviceValidate", portal, b.Get(testkit.LoginPath(portal)).Ticket(), pgtURL(p.portal, "/pgt"), "format=JSON")
		}},
		{"granting ticket for a proxied service", ask("/p3/proxyValidate", backend, pgtURL(p.backend, "/pgt"))},
		{"call-back that does not read the same to everybody", func() testkit.Answer {
			return p.validate("/serviceValidate", portal, b.Get(testkit.LoginPath(portal)).Ticket(), pgtURL(p.portal, "/pg\xfft"))
		}},
		{"call-back of another service", func() testkit.Answer {
			return p.validate("/serviceValidate", portal, b.Get(testkit.LoginPath(portal)).Ticket(), pgtURL(p.backend, "/pgt"))
		}},
		{"proxy ticket and renew", ask("/proxyValidate", backend, "renew=true")},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := test.ask()
			wantStatus(t, a, http.StatusOK)
			if got := a.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control = %q", got)
			}
			a.Body = anyIOU.ReplaceAllString(a.Body, "PGTIOU-NAME")
			a.Body = strings.NewReplacer(p.portal.URL, "https://PORTAL", p.backend.URL, "https://BACKEND").Replace(a.Body)
			golden(t, a)
		})
	}
}

// TestP5Chain: a back end that proxies on; the most recent proxy comes first.
func TestP5Chain(t *testing.T) {
	p := newProxies(t)
	pgt := p.granting(p.browser())
	first := p.ticketTo(pgt, backend)
	second := p.claim(p.backend, p.validate("/proxyValidate", backend, first, pgtURL(p.backend, "/deep")))
	a := p.validate("/p3/proxyValidate", mail, p.ticketTo(second, mail))
	want := "<cas:proxies><cas:proxy>" + p.backend.URL + "/deep</cas:proxy><cas:proxy>" + p.portal.URL + "/pgt</cas:proxy></cas:proxies>"
	if !a.Valid() || !strings.Contains(a.Body, want) {
		t.Errorf("got\n%s\nwant it to hold\n%s", a.Body, want)
	}
}

// TestS31ChainIsBounded: a service that proxies to itself comes to an end.
func TestS31ChainIsBounded(t *testing.T) {
	p := newProxies(t)
	pgt := p.granting(p.browser())
	for range 20 {
		a := p.validate("/proxyValidate", backend, p.ticketTo(pgt, backend), pgtURL(p.backend, "/"))
		if a.Code() == string(cas.UnauthorizedServiceProxy) {
			if n := p.backend.seen(); n < 3 || n > 10 {
				t.Errorf("it ended after %d proxies", n)
			}
			return
		}
		pgt = p.claim(p.backend, a)
	}
	t.Error("a chain of 20 proxies was let through")
}

// TestP12ProxyTickets: spent once, for its target alone, and not for long;
// while a granting ticket serves a hundred requests at once.
func TestP12ProxyTickets(t *testing.T) {
	p := newProxies(t)
	pgt := p.granting(p.browser())
	var wg sync.WaitGroup
	tickets := make(chan string, 100)
	for range cap(tickets) {
		wg.Go(func() {
			a := p.browser().Get(proxyPath(pgt, backend))
			_, ticket, _ := strings.Cut(a.Body, "<cas:proxyTicket>")
			ticket, _, _ = strings.Cut(ticket, "<")
			tickets <- ticket
		})
	}
	wg.Wait()
	close(tickets)
	all := map[string]bool{}
	for ticket := range tickets {
		if len(ticket) != 32 || !strings.HasPrefix(ticket, "PT-") || all[ticket] {
			t.Fatalf("got %q", ticket)
		}
		all[ticket] = true
		if !p.validate("/proxyValidate", backend, ticket).Valid() {
			t.Fatal("a proxy ticket is not good")
		}
		wantCode(t, p.validate("/proxyValidate", backend, ticket), cas.InvalidTicket)
	}
	other := p.ticketTo(pgt, backend)
	wantCode(t, p.validate("/proxyValidate", mail, other), cas.InvalidService)
	wantCode(t, p.validate("/proxyValidate", backend, other), cas.InvalidTicket)
	late, patient := p.ticketTo(pgt, backend), p.ticketTo(pgt, naked)
	p.clock.Travel(11 * time.Second)
	wantCode(t, p.validate("/proxyValidate", backend, late), cas.InvalidTicket)
	for range 3 { // its entry gives it a minute, and three uses
		if !p.validate("/proxyValidate", naked, patient).Valid() {
			t.Error("a ticket of several uses is not good")
		}
	}
	wantCode(t, p.validate("/proxyValidate", naked, patient), cas.InvalidTicket)
}

// TestP13LogoutEndsProxying covers O6 and S5.
func TestP13LogoutEndsProxying(t *testing.T) {
	p := newProxies(t)
	b := p.browser()
	pgt := p.granting(b)
	ticket := p.ticketTo(pgt, backend)
	b.Get("/cas/logout")
	wantCode(t, p.browser().Get(proxyPath(pgt, backend)), cas.InvalidTicket)
	wantCode(t, p.validate("/proxyValidate", backend, ticket), cas.InvalidTicket)
}

// TestV17RefusalSpendsEveryUse: a ticket of several uses that was shown in the
// wrong place is good nowhere.
func TestV17RefusalSpendsEveryUse(t *testing.T) {
	p := newProxies(t)
	pgt := p.granting(p.browser())
	for name, show := range map[string]func(ticket string) testkit.Answer{
		"wrong service":  func(ticket string) testkit.Answer { return p.validate("/proxyValidate", backend, ticket) },
		"wrong endpoint": func(ticket string) testkit.Answer { return p.validate("/serviceValidate", naked, ticket) },
		"no service":     func(ticket string) testkit.Answer { return p.validate("/proxyValidate", "", ticket) },
		"wrong format":   func(ticket string) testkit.Answer { return p.validate("/proxyValidate", naked, ticket, "format=FOO") },
		"CAS 1":          func(ticket string) testkit.Answer { return p.validate("/validate", naked, ticket) },
	} {
		t.Run(name, func(t *testing.T) {
			ticket := p.ticketTo(pgt, naked)
			if show(ticket).Valid() {
				t.Fatal("it was taken")
			}
			wantCode(t, p.validate("/proxyValidate", naked, ticket), cas.InvalidTicket)
		})
	}
}
