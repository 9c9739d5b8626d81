package casclient_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"parvis/casclient"
	"parvis/internal/testkit"
)

// network is the Internet of a test: hosts by name, each a handler.
type network struct {
	mu    sync.Mutex
	hosts map[string]http.Handler
	asked []string // addresses that programs, not browsers, asked for
}

func newNetwork() *network { return &network{hosts: map[string]http.Handler{}} }

func (n *network) serve(host string, h http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[host] = h
}

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	handler, ok := n.hosts[r.URL.Host]
	n.asked = append(n.asked, r.URL.String())
	n.mu.Unlock()
	if !ok {
		return nil, errNoRoute
	}
	return serve(handler, r), nil
}

// calls are the addresses asked for so far that hold part.
func (n *network) calls(part string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var found []string
	for _, address := range n.asked {
		if strings.Contains(address, part) {
			found = append(found, address)
		}
	}
	return found
}

// Get is how the server reaches call-backs.
func (n *network) Get(ctx context.Context, address string, _ []netip.Prefix) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := n.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, nil
}

// serve hands a client's request to a handler, as a server would read it.
func serve(handler http.Handler, r *http.Request) *http.Response {
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	in.URL, _ = url.ParseRequestURI(in.RequestURI)
	in.RemoteAddr = "192.0.2.7:4711"
	if r.Host == "" {
		in.Host = r.URL.Host
	}
	if r.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{}
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, in)
	response := recorder.Result()
	response.Request = r
	return response
}

type noRoute struct{}

func (noRoute) Error() string { return "no route to host" }

var errNoRoute = noRoute{}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) travel(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// browser is a person's browser: it keeps cookies.
type browser struct {
	t    testing.TB
	jar  http.CookieJar
	http *http.Client
}

// page is what a browser shows.
type page struct {
	testkit.Answer
	address string   // in the address bar
	hops    []string // all addresses on the way
}

func (n *network) browser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	check(t, err)
	return &browser{t: t, jar: jar, http: &http.Client{
		Transport: n, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// blind is a browser that keeps no cookies.
func (n *network) blind(t testing.TB) *browser {
	t.Helper()
	b := n.browser(t)
	b.http.Jar = nil
	return b
}

// send makes one request and follows nothing.
func (b *browser) send(method, address, body string, headers ...string) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(body))
	check(b.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.http.Do(r)
	check(b.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	check(b.t, err)
	return page{
		Answer:  testkit.Answer{Status: response.StatusCode, Header: response.Header, Body: string(text), Location: response.Header.Get("Location")},
		address: address, hops: []string{address},
	}
}

// step asks for a page and follows nothing.
func (b *browser) step(address string, headers ...string) page {
	b.t.Helper()
	return b.send(http.MethodGet, address, "", headers...)
}

// open asks for a page and goes where it is sent.
func (b *browser) open(address string, headers ...string) page {
	b.t.Helper()
	return b.follow(b.step(address, headers...))
}

func (b *browser) follow(p page) page {
	b.t.Helper()
	const patience = 20
	for p.Location != "" && p.Status < 400 {
		if len(p.hops) > patience {
			b.t.Fatalf("the browser is sent round: %q", p.hops)
		}
		base, err := url.Parse(p.address)
		check(b.t, err)
		next, err := base.Parse(p.Location)
		check(b.t, err)
		hops := p.hops
		p = b.step(next.String())
		p.hops = append(hops, p.hops...)
	}
	return p
}

// login fills in the form that is shown and goes on.
func (b *browser) login(p page, user, password string) page {
	b.t.Helper()
	return b.follow(b.submit(p, user, password))
}

// submit fills in the form that is shown and stops there.
func (b *browser) submit(p page, user, password string) page {
	b.t.Helper()
	if !strings.Contains(p.Body, `id="fm1"`) {
		b.t.Fatalf("got %s with status %d, want the login form\n%.500s", p.address, p.Status, p.Body)
	}
	form := p.Form()
	form.Set("username", user)
	form.Set("password", password)
	return b.send(http.MethodPost, casServer+"/login", form.Encode(), "Origin", "https://cas.univ.example", "Sec-Fetch-Site", "same-origin")
}

// cookie is the value of a cookie for an address, "" for none.
func (b *browser) cookie(address, name string) string {
	b.t.Helper()
	u, err := url.Parse(address)
	check(b.t, err)
	for _, c := range b.jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantStatus(t *testing.T, p page, status int) {
	t.Helper()
	if p.Status != status {
		t.Fatalf("%s: got status %d, want %d\n%.1000s", p.address, p.Status, status, p.Body)
	}
}

// wantPage checks where a browser came and what it reads there.
func wantPage(t *testing.T, p page, address, text string) {
	t.Helper()
	if p.Status != http.StatusOK || p.address != address || !strings.Contains(p.Body, text) {
		t.Fatalf("got %s with status %d, want %s with %q; on the way %q\n%.1000s", p.address, p.Status, address, text, p.hops, p.Body)
	}
}

// newClient is a client on this network and clock.
func newClient(t testing.TB, n *network, c *clock, o casclient.Options) *casclient.Client {
	t.Helper()
	if o.Server == "" {
		o.Server = casServer
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Transport: n}
	}
	o.Now = c.Now
	client, err := casclient.New(o)
	check(t, err)
	return client
}
