package cas_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"parvis/cas"
	"parvis/internal/testkit"
)

// Specification, section 2.5.4: the call-back of pgtUrl.

// TestP2Callback: one request, the query of the address kept, and both tickets
// of the promised form, with nothing in common (P3, P4, S1, S30).
func TestP2Callback(t *testing.T) {
	p := newProxies(t)
	ticket := p.browser().enter(portal)
	a := p.validate("/p3/serviceValidate", portal, ticket, pgtURL(p.portal, "/pgt?a=b%26c&d=%C3%A9"))
	pgt := p.claim(p.portal, a)
	if p.portal.seen() != 1 {
		t.Fatalf("%d requests at the call-back, want 1", p.portal.seen())
	}
	r := p.portal.requests[0]
	iou := r.URL.Query().Get("pgtIou")
	if want := "/pgt?a=b%26c&d=%C3%A9&pgtIou=" + iou + "&pgtId=" + pgt; r.Method != http.MethodGet || r.RequestURI != want {
		t.Errorf("got %s %s, want GET %s", r.Method, r.RequestURI, want)
	}
	if !strings.HasPrefix(pgt, "PGT-") || len(pgt) != 64 || !strings.HasPrefix(iou, "PGTIOU-") || len(iou) > 64 {
		t.Errorf("PGT of %d characters, %s", len(pgt), iou)
	}
	for at := len("PGT-") + 2; at+6 <= len(pgt); at++ { // two characters are the slot's, and no secret
		if strings.Contains(iou, pgt[at:at+6]) {
			t.Error("the IOU tells a part of the ticket")
		}
	}
	for _, place := range []struct{ name, text string }{
		{"the answer", a.Body}, {"the log", p.log.String()}, {"the audit", p.audit.String()},
	} {
		if strings.Contains(place.text, pgt) || place.name != "the answer" && strings.Contains(place.text, iou) {
			t.Errorf("%s tells the ticket", place.name)
		}
	}
}

// TestV20RefusedCallback: the whole validation fails, and the ticket is spent
// (S3, S28, S29, P1, P3).
func TestV20RefusedCallback(t *testing.T) {
	untrusted := newCallback(t, testkit.NewAuthority(t))
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	elsewhere := newCallback(t, testkit.NewAuthority(t))
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(code)
		}
	}
	for _, test := range []struct {
		name     string
		callback string // "" for the portal's own
		answer   http.HandlerFunc
		code     cas.Code
	}{
		{name: "not found", answer: status(404), code: cas.InvalidProxyCallback},
		{name: "redirect", answer: status(302), code: cas.InvalidProxyCallback},
		{name: "accepted is not 200", answer: status(202), code: cas.InvalidProxyCallback},
		{name: "breakdown", answer: status(500), code: cas.InvalidProxyCallback},
		{name: "slow", answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, code: cas.InvalidProxyCallback},
		{name: "hangs up", answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, code: cas.InvalidProxyCallback},
		{name: "untrusted", callback: untrusted.URL + "/", code: cas.InvalidProxyCallback},
		{name: "nobody there", callback: "https://127.0.0.1:1/", code: cas.InvalidProxyCallback},
		{name: "plain http", callback: plain.URL + "/", code: cas.InvalidProxyCallback},
		{name: "private address", callback: "https://10.1.2.3/", code: cas.InvalidProxyCallback},
		{name: "not registered", callback: "https://evil.example/", code: cas.UnauthorizedServiceProxy},
		{name: "no address", callback: "javascript:alert(1)", code: cas.UnauthorizedServiceProxy},
	} {
		t.Run(test.name, func(t *testing.T) {
			options := []option{}
			if test.callback != "" && test.code == cas.InvalidProxyCallback {
				options = append(options, withService("portal.yaml", "id: 20\nname: portal\nmatch: "+portal+"\nproxy: "+test.callback+"\nnetworks: [127.0.0.0/8]\n"))
			}
			p := newProxies(t, options...)
			p.portal.answer = test.answer
			b := p.browser()
			ticket := b.enter(portal)
			parameter := pgtURL(p.portal, "/pgt")
			if test.callback != "" {
				parameter = "pgtUrl=" + url.QueryEscape(test.callback)
			}
			a := p.validate("/serviceValidate", portal, ticket, parameter)
			wantCode(t, a, test.code)
			if strings.Contains(a.Body, "proxyGrantingTicket") || elsewhere.seen() > 0 {
				t.Errorf("a ticket went out\n%s", a.Body)
			}
			wantCode(t, p.validate("/serviceValidate", portal, ticket), cas.InvalidTicket)
		})
	}
}

// TestV23UnknownFormatCallsNobody: nobody could read of the ticket.
func TestV23UnknownFormatCallsNobody(t *testing.T) {
	p := newProxies(t)
	ticket := p.browser().enter(portal)
	wantCode(t, p.validate("/serviceValidate", portal, ticket, pgtURL(p.portal, "/"), "format=FOO"), cas.InvalidRequest)
	if p.portal.seen() != 0 {
		t.Error("the call-back was called")
	}
}

// TestV28OneGrantForATicket: a ticket of several uses makes one proxy.
func TestV28OneGrantForATicket(t *testing.T) {
	p := newProxies(t, func(_ *cas.Options, files map[string]string) {
		files["backend.yaml"] += "lifetimes: {proxy_ticket_uses: 5}\n"
	})
	ticket := p.ticketTo(p.granting(p.browser()), backend)
	p.claim(p.backend, p.validate("/proxyValidate", backend, ticket, pgtURL(p.backend, "/")))
	wantCode(t, p.validate("/proxyValidate", backend, ticket, pgtURL(p.backend, "/")), cas.InvalidProxyGranting)
	// Whatever is refused leaves nothing of a ticket (S3).
	wantCode(t, p.validate("/proxyValidate", backend, ticket), cas.InvalidTicket)
}
