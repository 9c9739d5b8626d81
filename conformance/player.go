package conformance

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// player is an application that the suite plays: it listens on this machine
// and remembers what the server sent to it.
type player struct {
	t *T
	// service is its address, which stands for itself and for its call-back:
	// "https://localhost:4321/portal/".
	service string

	mu sync.Mutex
	// reply answers a call, 200 and nothing else where it is nil.
	reply http.HandlerFunc
	calls []call
}

// call is a request that an application received.
type call struct {
	method, path string
	query        url.Values
	contentType  string
	body         string
	at           time.Time
}

// play opens an application at a path of this machine, for which the server
// trusts the certificate.
func (t *T) play(path string) *player {
	t.Helper()
	certificate, err := t.Authority.issue(time.Hour, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	return t.playAs(path, &certificate)
}

// playAs does it with another certificate, or over plain http with none.
func (t *T) playAs(path string, certificate *tls.Certificate) *player {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &player{t: t}
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	scheme := "http"
	if certificate != nil {
		scheme = "https"
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12})
	}
	go func() { _ = server.Serve(listener) }() // until Close
	t.Cleanup(func() { _ = server.Close() })   // nothing of it is needed any more
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p.service = scheme + "://localhost:" + port + path
	return p
}

// ServeHTTP remembers a call and answers it.
func (p *player) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	p.mu.Lock()
	p.calls = append(p.calls, call{
		method: r.Method, path: r.URL.Path, query: r.URL.Query(),
		contentType: r.Header.Get("Content-Type"), body: string(body), at: time.Now(),
	})
	reply := p.reply
	p.mu.Unlock()
	if reply != nil {
		reply(w, r)
	}
}

// answer says how calls are answered from now on.
func (p *player) answer(reply http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reply = reply
}

// with answers every call with a status.
func (p *player) with(status int) *player {
	p.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	return p
}

// take returns the calls so far, and forgets them.
func (p *player) take() []call {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := p.calls
	p.calls = nil
	return calls
}

// wantCalls waits for so many calls and returns them.
func (p *player) wantCalls(count int) []call {
	p.t.Helper()
	var calls []call
	deadline := time.Now().Add(slow)
	for len(calls) < count {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s got %d calls, want %d: %+v", p.service, len(calls), count, calls)
		}
		calls = append(calls, p.take()...)
		time.Sleep(2 * time.Millisecond)
	}
	if len(calls) > count {
		p.t.Fatalf("%s got %d calls, want %d: %+v", p.service, len(calls), count, calls)
	}
	return calls
}

// wantQuiet fails where the application was called.
func (p *player) wantQuiet() {
	p.t.Helper()
	if calls := p.take(); len(calls) > 0 {
		p.t.Errorf("%s was called: %+v", p.service, calls)
	}
}

// slow is how long something may take that takes a moment, on a busy machine.
const slow = 20 * time.Second

// eventually waits until something is so.
func (t *T) eventually(what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(slow); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", slow, what)
		}
	}
}

// register writes an entry for a service and waits until the server knows it:
// until its login has this status.
func (t *T) register(name, entry, service string, status int) {
	t.Helper()
	t.Register(t, name+".yaml", entry)
	t.eventually("the registry is read again", func() bool { return t.browser().get(login(service)).status == status })
}

// grantingTicket is the proxy-granting ticket that a portal got for somebody.
func (t *T) grantingTicket() string {
	t.Helper()
	return t.grantingTicketOf(t.browser())
}

func (t *T) grantingTicketOf(b *browser) string {
	t.Helper()
	return t.play("/portal/").grantingTicket(b)
}

// grantingTicket lets the application ask for a proxy-granting ticket, and
// returns what its call-back received.
func (p *player) grantingTicket(b *browser) string {
	p.t.Helper()
	ticket := b.enter(p.service)
	return p.redeem(b.get(validation("/serviceValidate", p.service, ticket, pair("pgtUrl", p.service))))
}

// redeem finds the proxy-granting ticket that a validation announces.
func (p *player) redeem(a answer) string {
	p.t.Helper()
	got := p.t.wantSuccess(a)
	for _, c := range p.take() {
		if c.query.Get("pgtIou") == got.iou && got.iou != "" {
			return c.query.Get("pgtId")
		}
	}
	p.t.Fatalf("no call-back brought the ticket for %q:\n%s", got.iou, a.body)
	return ""
}

// proxy asks for a proxy ticket.
func (t *T) proxy(pgt, target string) answer {
	t.Helper()
	return t.browser().get(query("/proxy", pair("pgt", pgt), pair("targetService", target)))
}

// proxyTicket is one that must be given.
func (t *T) proxyTicket(pgt, target string) string {
	t.Helper()
	a := t.proxy(pgt, target)
	r := t.read(a)
	if r.ProxySuccess == nil || !strings.HasPrefix(r.ProxySuccess.Ticket, "PT-") {
		t.Fatalf("no proxy ticket for %s:\n%s", target, a.body)
	}
	return r.ProxySuccess.Ticket
}

// chained is a ticket that went through two proxies.
type chained struct {
	front, back *player
	// validation is the answer to the second proxy, which asked for a
	// proxy-granting ticket too.
	validation answer
	// ticket is for backend, through both.
	ticket string
}

func (t *T) chain() chained {
	t.Helper()
	c := chained{front: t.play("/portal/"), back: t.play("/middle/")}
	first := t.proxyTicket(c.front.grantingTicket(t.browser()), c.back.service)
	c.validation = t.ask("/p3/proxyValidate", c.back.service, first, pair("pgtUrl", c.back.service))
	c.ticket = t.proxyTicket(c.back.redeem(c.validation), backend)
	return c
}
