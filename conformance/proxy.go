package conformance

import (
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Specification, sections 2.5.4, 2.6 and 2.7.

func proxyCallback() []Statement {
	needs := []Feature{Proxies}
	return []Statement{
		{ID: "P1", Holds: "pgtUrl over plain http is refused, and not called", Needs: needs, Run: func(t *T) {
			p := t.playAs("/portal/", nil)
			t.wantRefusedCallback(p.service)
			p.wantQuiet()
		}},
		{ID: "P1", Holds: "its certificate must be trusted, for this host, and not expired", Needs: needs, Run: untrusted},
		{ID: "P1", Holds: "an address that is not the entry's is refused, and not called", Needs: needs, Run: func(t *T) {
			for _, path := range []string{"/middle/", "/elsewhere/", "/elsewhere?x=/portal/"} {
				p := t.play(path)
				t.wantRefusedCallback(p.service)
				p.wantQuiet()
			}
		}},
		{ID: "P1", Holds: "an address that nobody allowed is not called", Needs: []Feature{Proxies, HastyServer}, Run: forbiddenAddress},
		{ID: "P1", Holds: "an entry may allow an address", Needs: []Feature{Proxies, HastyServer}, Run: func(t *T) {
			p, b := t.play("/near/"), t.browserAt(t.Hasty)
			if p.grantingTicket(b) == "" {
				t.Error("no proxy-granting ticket")
			}
		}},
		{ID: "P2", Holds: "a GET with pgtIou and pgtId; the query of pgtUrl is kept", Needs: needs, Run: callbackShape},
		{ID: "P3", Holds: "called once; answered with 200, the validation names the IOU", Needs: needs, Run: func(t *T) {
			p := t.play("/portal/")
			got := t.wantSuccess(t.validate(p.service, t.ticket(p.service), pair("pgtUrl", p.service)))
			if calls := p.take(); len(calls) != 1 || calls[0].query.Get("pgtIou") != got.iou || got.iou == "" {
				t.Errorf("%d calls, IOU %q", len(calls), got.iou)
			}
		}},
		{ID: "P3", Holds: "answered with anything else: the validation fails", Needs: needs, Run: otherStatus},
		{ID: "P3", Holds: "no redirect is followed", Needs: needs, Run: func(t *T) {
			p, elsewhere := t.play("/portal/"), t.play("/portal/")
			p.answer(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.service, http.StatusFound) })
			t.wantRefusedCallback(p.service)
			elsewhere.wantQuiet()
		}},
		{ID: "P3", Holds: "the call-back has ended before the validation is answered", Needs: needs, Run: func(t *T) {
			p := t.play("/portal/")
			ended := make(chan time.Time, 1)
			p.answer(func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(200 * time.Millisecond)
				w.WriteHeader(http.StatusOK)
				ended <- time.Now()
			})
			t.wantSuccess(t.validate(p.service, t.ticket(p.service), pair("pgtUrl", p.service)))
			if answered := time.Now(); answered.Before(<-ended) {
				t.Error("the validation was answered first")
			}
		}},
		{ID: "P4", Holds: "ticket and IOU share nothing, and the ticket is in no answer", Needs: needs, Run: unrelated},
		{ID: "P5", Holds: "a service ticket gives one proxy-granting ticket", Needs: needs, Run: func(t *T) {
			p := t.play("/portal/")
			ticket := t.ticket(p.service)
			path := validation("/serviceValidate", p.service, ticket, pair("pgtUrl", p.service))
			var group sync.WaitGroup
			for range 10 {
				b := t.browser()
				r := b.request(http.MethodGet, path, "")
				group.Go(func() { _, _ = b.try(r) }) // what counts is what the application got
			}
			group.Wait()
			if calls := p.take(); len(calls) != 1 {
				t.Errorf("%d proxy-granting tickets", len(calls))
			}
		}},
		{ID: "P5", Holds: "a proxy ticket validated with pgtUrl gives a chained one", Needs: needs, Run: func(t *T) {
			t.wantSuccess(t.ask("/proxyValidate", backend, t.chain().ticket))
		}},
	}
}

// wantRefusedCallback validates a ticket for a portal whose call-back must
// fail, and holds that the ticket is spent (V20).
func (t *T) wantRefusedCallback(pgtURL string) {
	t.Helper()
	service := t.play("/portal/").service
	ticket := t.ticket(service)
	a := t.validate(service, ticket, pair("pgtUrl", pgtURL))
	t.wantCode(a, "INVALID_PROXY_CALLBACK", "UNAUTHORIZED_SERVICE_PROXY")
	if strings.Contains(a.body, "PGTIOU") || strings.Contains(a.body, "PGT-") {
		t.Errorf("a refusal brings a ticket:\n%s", a.body)
	}
	t.wantCode(t.validate(service, ticket), "INVALID_TICKET")
}

func untrusted(t *T) {
	own, err := selfSigned("localhost")
	if err != nil {
		t.Fatal(err)
	}
	expired, err := t.Authority.issue(-time.Hour, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := t.Authority.issue(time.Hour, "other.univ.example")
	if err != nil {
		t.Fatal(err)
	}
	for name, certificate := range map[string]*tls.Certificate{"self-signed": &own, "expired": &expired, "of another host": &foreign} {
		p := t.playAs("/portal/", certificate)
		t.wantRefusedCallback(p.service)
		if calls := p.take(); len(calls) > 0 {
			t.Errorf("%s: called all the same", name)
		}
	}
}

func forbiddenAddress(t *T) {
	p, b := t.play("/portal/"), t.browserAt(t.Hasty)
	ticket := b.enter(p.service)
	t.wantCode(b.get(validation("/serviceValidate", p.service, ticket, pair("pgtUrl", p.service))), "INVALID_PROXY_CALLBACK")
	p.wantQuiet()
}

func callbackShape(t *T) {
	p := t.play("/portal/")
	for _, more := range []string{"", "?a=b&c=%C3%A9+d", "?flag"} {
		a := t.validate(p.service, t.ticket(p.service), pair("pgtUrl", p.service+more))
		got := t.wantSuccess(a)
		calls := p.take()
		if len(calls) != 1 {
			t.Fatalf("%d calls", len(calls))
		}
		c := calls[0]
		if c.method != http.MethodGet || c.path != "/portal/" || !strings.HasPrefix(c.query.Get("pgtId"), "PGT-") || c.query.Get("pgtIou") != got.iou {
			t.Errorf("call: %+v", c)
		}
		_, flag := c.query["flag"]
		if more == "?flag" && !flag || strings.Contains(more, "a=b") && (c.query.Get("a") != "b" || c.query.Get("c") != "é d") {
			t.Errorf("the query of %s is lost: %v", more, c.query)
		}
	}
}

func otherStatus(t *T) {
	for _, status := range []int{201, 202, 204, 301, 302, 304, 400, 404, 500, 503} {
		p := t.play("/portal/").with(status)
		t.wantRefusedCallback(p.service)
	}
}

func unrelated(t *T) {
	p := t.play("/portal/")
	seen := map[string]bool{}
	for range 3 {
		a := t.validate(p.service, t.ticket(p.service), pair("pgtUrl", p.service))
		iou := t.wantSuccess(a).iou
		calls := p.take()
		if len(calls) != 1 {
			t.Fatalf("%d calls", len(calls))
		}
		pgt := calls[0].query.Get("pgtId")
		if strings.Contains(a.body, "PGT-") || strings.Contains(a.body, pgt) {
			t.Errorf("the answer holds the ticket:\n%s", a.body)
		}
		secret, label := strings.TrimPrefix(pgt, "PGT-"), strings.TrimPrefix(iou, "PGTIOU-")
		for i := 0; i+8 <= len(label); i++ {
			if strings.Contains(secret, label[i:i+8]) {
				t.Errorf("ticket and IOU share %q", label[i:i+8])
			}
		}
		if seen[pgt] || seen[iou] || len(secret) < 22 || len(label) < 22 {
			t.Errorf("seen before, or short: %q, %q", pgt, iou)
		}
		seen[pgt], seen[iou] = true, true
		t.wantProxyCode(t.proxy(iou, backend), "INVALID_TICKET")
	}
}

func failedCallBacks(t *T) {
	gone := t.play("/portal/").service
	for _, address := range []string{"https://localhost:1/portal/", "https://does-not-exist.invalid/", "garbage", "ftp://localhost/portal/", "https://"} {
		t.wantRefusedCallback(address)
	}
	p := t.play("/portal/").with(http.StatusNotFound)
	ticket := t.ticket(gone)
	t.wantCode(t.validate(gone, ticket, pair("pgtUrl", p.service)), "INVALID_PROXY_CALLBACK")
	t.wantCode(t.validate(gone, ticket, pair("pgtUrl", gone)), "INVALID_TICKET")
}

// slowCallBack asks the hasty server, which waits for less than the call-back
// takes.
func slowCallBack(t *T) {
	p, b := t.play("/near/"), t.browserAt(t.Hasty)
	released := make(chan struct{})
	t.Cleanup(func() { close(released) })
	p.answer(func(http.ResponseWriter, *http.Request) { <-released })
	path := validation("/serviceValidate", p.service, b.enter(p.service), pair("pgtUrl", p.service))
	begun := time.Now()
	t.wantCode(b.get(path), "INVALID_PROXY_CALLBACK")
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("refused after %v", took)
	}
	t.wantCode(b.get(path), "INVALID_TICKET")
}

func mayNotProxy(t *T) {
	p := t.play("/portal/")
	for _, endpoint := range []string{"/serviceValidate", "/p3/serviceValidate", "/proxyValidate", "/p3/proxyValidate"} {
		ticket := t.ticket(app)
		t.wantCode(t.ask(endpoint, app, ticket, pair("pgtUrl", p.service)), "UNAUTHORIZED_SERVICE_PROXY")
		t.wantCode(t.validate(app, ticket), "INVALID_TICKET")
	}
	p.wantQuiet()
}

func proxyTickets() []Statement {
	needs := []Feature{Proxies}
	return []Statement{
		{ID: "P6", Holds: "/proxy gives a proxy ticket, which validates", Needs: needs, Run: func(t *T) {
			pt := t.proxyTicket(t.grantingTicket(), backend)
			if got := t.wantSuccess(t.ask("/proxyValidate", backend, pt)); got.user != student.UID {
				t.Errorf("user %q", got.user)
			}
		}},
		{ID: "P6", Holds: "the target need not be an address", Needs: needs, Run: func(t *T) {
			pt := t.proxyTicket(t.grantingTicket(), imap)
			t.wantSuccess(t.ask("/proxyValidate", imap, pt))
		}},
		{ID: "P7", Holds: "a parameter missing: INVALID_REQUEST", Needs: needs, Run: func(t *T) {
			pgt := t.grantingTicket()
			for _, path := range []string{"/proxy", "/proxy?" + pair("pgt", pgt), "/proxy?" + pair("targetService", backend), "/proxy?pgt=&targetService="} {
				t.wantProxyCode(t.browser().get(path), "INVALID_REQUEST")
			}
		}},
		{ID: "P8", Holds: "an unknown or expired proxy-granting ticket: a failure, status 200", Needs: needs, Run: func(t *T) {
			t.wantProxyCode(t.proxy("PGT-"+strings.Repeat("a", 60), backend), "INVALID_TICKET")
			pgt := t.play("/brief/").grantingTicket(t.browser())
			time.Sleep(quickEnds)
			t.wantProxyCode(t.proxy(pgt, backend), "INVALID_TICKET")
		}},
		{ID: "P9", Holds: "a target that is not registered: UNAUTHORIZED_SERVICE", Needs: needs, Run: func(t *T) {
			pgt := t.grantingTicket()
			for _, target := range []string{stranger, closed, "https://nowhere.example/", "imap://other.example"} {
				t.wantProxyCode(t.proxy(pgt, target), "UNAUTHORIZED_SERVICE")
			}
			t.proxyTicket(pgt, backend)
		}},
		{ID: "P10", Holds: "no other ticket passes for a proxy-granting ticket, and none is spent by trying", Needs: needs, Run: otherKinds},
		{ID: "P11", Holds: "proxies: the most recent first, each by its pgtUrl", Needs: needs, Run: proxyOrder},
		{ID: "P11", Holds: "no proxies element for a service ticket", Needs: needs, Run: func(t *T) {
			if got := t.wantSuccess(t.ask("/proxyValidate", app, t.ticket(app))); strings.Contains(got.text, "proxies") {
				t.Errorf("answer:\n%s", got.text)
			}
		}},
		{ID: "P12", Holds: "a proxy ticket is good once, for its target alone", Needs: needs, Run: proxyTicketOnce},
		{ID: "P12", Holds: "and not for long; an entry may give it more uses", Needs: needs, Run: proxyTicketPolicies},
		{ID: "P12", Holds: "100 requests at once with one proxy-granting ticket all get a ticket", Needs: needs, Run: parallelProxies},
		{ID: "P13", Holds: "after the logout there are no more proxy tickets", Needs: needs, Run: func(t *T) {
			b := t.browser()
			front, back := t.play("/portal/"), t.play("/middle/")
			pgt := front.grantingTicket(b)
			chained := back.redeem(t.ask("/proxyValidate", back.service, t.proxyTicket(pgt, back.service), pair("pgtUrl", back.service)))
			t.proxyTicket(chained, backend)
			b.get("/logout")
			t.wantProxyCode(t.proxy(pgt, backend), "INVALID_TICKET")
			t.wantProxyCode(t.proxy(chained, backend), "INVALID_TICKET")
		}},
	}
}

func otherKinds(t *T) {
	b := t.browser()
	st := b.enter(app)
	pt := t.proxyTicket(t.grantingTicket(), backend)
	for _, id := range []string{st, pt, b.tgc(), "x", "PGT-", strings.Repeat("P", 5000), "PGT-<&>"} {
		t.wantProxyCode(t.proxy(id, backend), "INVALID_TICKET")
	}
	t.wantSuccess(t.validate(app, st))
	t.wantSuccess(t.ask("/proxyValidate", backend, pt))
	t.wantTicket(b.get(login(app)), app)
}

func proxyOrder(t *T) {
	one := t.play("/portal/")
	got := t.wantSuccess(t.ask("/proxyValidate", backend, t.proxyTicket(one.grantingTicket(t.browser()), backend)))
	if !slices.Equal(got.proxies, []string{one.service}) {
		t.Errorf("one proxy: %v", got.proxies)
	}
	for _, endpoint := range []string{"/proxyValidate", "/p3/proxyValidate"} {
		c := t.chain()
		got := t.wantSuccess(t.ask(endpoint, backend, c.ticket))
		if want := []string{c.back.service, c.front.service}; !slices.Equal(got.proxies, want) {
			t.Errorf("%s: proxies %v, want %v", endpoint, got.proxies, want)
		}
	}
	c := t.chain()
	s := t.readJSON(t.ask("/p3/proxyValidate", backend, c.ticket, "format=JSON")).Success
	if s == nil || !slices.Equal(s.Proxies, []string{c.back.service, c.front.service}) {
		t.Errorf("JSON: %+v", s)
	}
}

func proxyTicketOnce(t *T) {
	pgt := t.grantingTicket()
	for _, endpoint := range []string{"/proxyValidate", "/p3/proxyValidate"} {
		pt := t.proxyTicket(pgt, backend)
		t.wantSuccess(t.ask(endpoint, backend, pt))
		t.wantCode(t.ask(endpoint, backend, pt), "INVALID_TICKET")
		pt = t.proxyTicket(pgt, backend)
		t.wantCode(t.ask(endpoint, app, pt), "INVALID_SERVICE")
		t.wantCode(t.ask(endpoint, backend, pt), "INVALID_TICKET")
	}
}

func proxyTicketPolicies(t *T) {
	pgt := t.grantingTicket()
	old := t.proxyTicket(pgt, quickEnd)
	time.Sleep(quickEnds)
	t.wantCode(t.ask("/proxyValidate", quickEnd, old), "INVALID_TICKET")
	t.wantSuccess(t.ask("/proxyValidate", quickEnd, t.proxyTicket(pgt, quickEnd)))
	twice := t.proxyTicket(pgt, twiceEnd)
	t.wantSuccess(t.ask("/proxyValidate", twiceEnd, twice))
	t.wantSuccess(t.ask("/proxyValidate", twiceEnd, twice))
	t.wantCode(t.ask("/proxyValidate", twiceEnd, twice), "INVALID_TICKET")
}

func parallelProxies(t *T) {
	pgt := t.grantingTicket()
	const callers = 100
	tickets := make(chan string, callers)
	var group sync.WaitGroup
	for range callers {
		b := t.browser()
		r := b.request(http.MethodGet, query("/proxy", pair("pgt", pgt), pair("targetService", backend)), "")
		group.Go(func() {
			a, err := b.try(r)
			_, rest, _ := strings.Cut(a.body, "<cas:proxyTicket>")
			id, _, _ := strings.Cut(rest, "<")
			if err != nil {
				id = ""
			}
			tickets <- id
		})
	}
	group.Wait()
	close(tickets)
	seen := map[string]bool{}
	for id := range tickets {
		if !strings.HasPrefix(id, "PT-") || seen[id] {
			t.Fatalf("%q is no ticket, or one given twice", id)
		}
		seen[id] = true
	}
	for id := range seen {
		t.wantSuccess(t.ask("/proxyValidate", backend, id))
	}
}
