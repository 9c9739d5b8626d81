package casclient_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"parvis/casclient"
)

// proxied puts a portal on the network that asks the library in its reader's
// name and shows what it says.
func proxied(c *campus, target string) *casclient.Client {
	c.t.Helper()
	client := newClient(c.t, c.network, c.clock, casclient.Options{Service: portal, ProxyCallback: "/cas/proxy"})
	c.serve("portal.univ.example", client.Wrap(client.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ticket, err := client.ProxyTicket(r.Context(), target)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, err)
			return
		}
		fmt.Fprintf(w, "ticket=%s\n", ticket)
		join := "?"
		if strings.Contains(target, "?") {
			join = "&"
		}
		request, _ := http.NewRequestWithContext(r.Context(), r.Method, target+join+"ticket="+url.QueryEscape(ticket), r.Body)
		request.Header.Set("Content-Type", "application/json")
		response, err := c.RoundTrip(request)
		if err != nil {
			fmt.Fprint(w, err)
			return
		}
		defer response.Body.Close()
		_, _ = io.Copy(w, response.Body)
		fmt.Fprintf(w, " with status %d", response.StatusCode)
	}))))
	return client
}

func allow(chains ...[]string) func(*casclient.Options) {
	return func(o *casclient.Options) { o.ProxyChains = chains }
}

// TestProxy walks P1 to P13 from the client's side, against the real server.
func TestProxy(t *testing.T) {
	c := newCampus(t)
	proxied(c, library+"/loans?year=2026")
	c.service(library, allow([]string{portal + "/cas/proxy"}))
	b := c.browser(t)
	p := b.login(b.open(portal+"/"), student, studentPassword)
	wantPage(t, p, portal+"/", student+" reads GET /loans?year=2026 ")
	// A program's post comes through with its body, whose answer is no redirect.
	p = b.send(http.MethodPost, portal+"/", `{"book":1}`)
	if !strings.Contains(p.Body, student+` reads POST /loans?year=2026 "{\"book\":1}" with status 200`) &&
		!strings.Contains(p.Body, student+` reads POST /loans?year=2026 "{"book":1}" with status 200`) {
		t.Errorf("got %s", p.Body)
	}
	if len(c.calls(library+"/cas/proxy")) != 0 || len(c.calls(portal+"/cas/proxy?pgtIou=")) != 1 {
		t.Errorf("calls back: %q", c.calls("/cas/proxy?"))
	}
	// Who has logged out at the server is proxied no more.
	b.follow(b.step(casServer + "/logout"))
	wantStatus(t, b.step(portal+"/"), http.StatusSeeOther)
}

func TestProxyTicketIsForOneService(t *testing.T) {
	c := newCampus(t)
	proxied(c, library+"/a") // which is not there yet, so the tickets stay good
	b := c.browser(t)
	first := ticketOn(b.login(b.open(portal+"/"), student, studentPassword))
	second := ticketOn(b.open(portal + "/"))
	c.service(library, allow([]string{portal + "/cas/proxy"}))
	wantStatus(t, c.browser(t).step(library+"/b?ticket="+first), http.StatusForbidden)
	wantStatus(t, c.browser(t).step(library+"/a?ticket="+first), http.StatusForbidden)
	wantStatus(t, c.browser(t).step(library+"/a?ticket="+second), http.StatusOK)
	wantStatus(t, c.browser(t).step(library+"/a?ticket="+second, "Accept", "application/json"), http.StatusForbidden)
}

// ticketOn is the ticket that the portal's page shows.
func ticketOn(p page) string {
	_, rest, _ := strings.Cut(p.Body, "ticket=")
	ticket, _, _ := strings.Cut(rest, "\n")
	return ticket
}

func TestProxyChains(t *testing.T) {
	one, two := "https://one.example/cb", "https://two.example/cb"
	for _, test := range []struct {
		name    string
		allowed [][]string
		came    []string
		in      bool
	}{
		{"nobody allowed", nil, []string{one}, false},
		{"the one", [][]string{{one}}, []string{one}, true},
		{"another", [][]string{{one}}, []string{two}, false},
		{"nobody between", [][]string{{one}}, nil, true},
		{"two in order", [][]string{{one, two}}, []string{one, two}, true},
		{"two in the other order", [][]string{{one, two}}, []string{two, one}, false},
		{"one more behind", [][]string{{one}}, []string{one, two}, false},
		{"one more before", [][]string{{one}}, []string{two, one}, false},
		{"one less", [][]string{{one, two}}, []string{one}, false},
		{"second chain", [][]string{{two}, {one, two}}, []string{one, two}, true},
		{"pattern", [][]string{{`^https://[a-z]+\.example/cb`}}, []string{one}, true},
		{"pattern is of the whole", [][]string{{`^https://one\.example/cb`}}, []string{one + ".evil.example"}, false},
		{"alternatives too", [][]string{{`^https://one\.example/|https://two`}}, []string{two}, false},
		{"alternatives from the start", [][]string{{`^https://one\.example/cb|https://two`}}, []string{one + ".evil.example"}, false},
		{"pattern over lines", [][]string{{`^https://one\.example/cb$`}}, []string{one + "\nx"}, false},
		{"an address is no pattern", [][]string{{"https://one.example/cb"}}, []string{"https://oneXexample/cb"}, false},
		{"empty", [][]string{{one}}, []string{""}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := "<cas:user>x</cas:user>"
			if test.came != nil {
				body += "<cas:proxies><cas:proxy>" + strings.Join(test.came, "</cas:proxy>\n<cas:proxy>") + "</cas:proxy></cas:proxies>"
			}
			got := tell(t, 200, success(body), allow(test.allowed...))
			want := map[bool]int{true: 303, false: 403}[test.in]
			if test.in && test.came != nil {
				want = 200 // in place
			}
			if got.status != want || (got.who != nil) != test.in {
				t.Errorf("got status %d, %v; want %d", got.status, got.who, want)
			}
		})
	}
}

func TestProxyTicketRefused(t *testing.T) {
	n, k := newNetwork(), newClock()
	client := newClient(t, n, k, casclient.Options{Service: portal, ProxyCallback: "/cas/proxy"})
	var answer string
	var withPGT bool
	n.serve("cas.univ.example", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/proxy") {
			fmt.Fprint(w, answer)
			return
		}
		iou := ""
		if withPGT {
			iou = "<cas:proxyGrantingTicket>PGTIOU-1</cas:proxyGrantingTicket>"
			_, _ = n.Get(r.Context(), portal+"/cas/proxy?pgtIou=PGTIOU-1&pgtId=PGT-secret", nil)
		}
		fmt.Fprint(w, success("<cas:user>x</cas:user>"+iou))
	}))
	var err error
	n.serve("portal.univ.example", client.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err = client.ProxyTicket(r.Context(), "imap://mail.univ.example")
	})))
	b := n.browser(t)
	b.open(portal + "/?ticket=ST-1")
	if !errors.Is(err, casclient.ErrNoProxy) {
		t.Errorf("without a proxy-granting ticket: got %v", err)
	}
	withPGT = true
	b.open(portal + "/?ticket=ST-2")
	const open, end = "<cas:serviceResponse xmlns:cas='http://www.yale.edu/tp/cas'>", "</cas:serviceResponse>"
	for _, test := range []struct{ name, answer, want string }{
		{"ticket", open + "<cas:proxySuccess><cas:proxyTicket>PT-1</cas:proxyTicket></cas:proxySuccess>" + end, ""},
		{"refused", open + "<cas:proxyFailure code='INVALID_TICKET'>gone</cas:proxyFailure>" + end, "INVALID_TICKET"},
		{"junk for a ticket", open + "<cas:proxySuccess><cas:proxyTicket>PT-1&amp;service=x</cas:proxyTicket></cas:proxySuccess>" + end, "no answer"},
		{"a validation's answer", success("<cas:user>x</cas:user>"), "no answer"},
		{"nothing", "", "read the server's answer"},
	} {
		answer = test.answer
		b.open(portal + "/")
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "PGT-secret") {
			t.Errorf("%s: the error holds a secret: %v", test.name, err)
		}
	}
	if calls := n.calls("/proxy?pgt=PGT-secret&targetService=imap%3A%2F%2Fmail.univ.example"); len(calls) != 6 {
		t.Errorf("asked %q", n.calls("/proxy?"))
	}
}

func TestProxyCallback(t *testing.T) {
	n := newNetwork()
	client := newClient(t, n, newClock(), casclient.Options{Service: portal, ProxyCallback: "/cas/proxy"})
	n.serve("portal.univ.example", client.Wrap(http.NotFoundHandler()))
	for _, test := range []struct {
		method, query string
		status        int
	}{
		{"GET", "", 200}, // Apereo tries the address first
		{"HEAD", "", 200},
		{"GET", "?pgtIou=PGTIOU-1&pgtId=PGT-1", 200},
		{"GET", "?pgtIou=PGTIOU-1", 400},
		{"GET", "?pgtId=PGT-1", 400},
		{"GET", "?pgtIou=%00&pgtId=PGT-1", 400},
		{"GET", "?pgtIou=PGTIOU-1&pgtId=" + strings.Repeat("P", 600), 400},
		{"POST", "?pgtIou=PGTIOU-1&pgtId=PGT-1", 405},
	} {
		if p := n.blind(t).send(test.method, portal+"/cas/proxy"+test.query, ""); p.Status != test.status {
			t.Errorf("%s %.40s: got status %d, want %d", test.method, test.query, p.Status, test.status)
		}
	}
}
