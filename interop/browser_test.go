package interop_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"parvis/internal/testkit"
)

// browser is a person's, which follows redirects from one application to
// another and keeps the cookies of all.
type browser struct {
	t      *testing.T
	client *http.Client
	hops   []string
}

// page is where a browser ended up.
type page struct {
	testkit.Answer
	// address is the page's, hops those of the redirects that led to it.
	address string
	hops    []string
}

// browser returns a new person's browser, without a cookie.
func (s *site) browser() *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	b := &browser{t: s.t}
	b.client = &http.Client{
		Jar: jar, Timeout: soon,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.authority.Pool()}},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			b.hops = append(b.hops, r.URL.String())
			if len(via) > 10 {
				b.t.Errorf("redirects without an end: %q", b.hops)
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
	s.t.Cleanup(b.client.CloseIdleConnections)
	return b
}

func (b *browser) get(address string) page {
	b.t.Helper()
	return b.do(http.MethodGet, address, "")
}

// login fills in the login form that a page must be, and sends it.
func (b *browser) login(form page) page {
	b.t.Helper()
	if !form.asksForPassword() {
		b.t.Fatalf("%s is not the login form: status %d, by way of %q\n%.2000s", form.address, form.Status, form.hops, form.Body)
	}
	fields := form.Form()
	fields.Set("username", student)
	fields.Set("password", studentPassword)
	action, _, _ := strings.Cut(form.address, "?")
	return b.do(http.MethodPost, action, fields.Encode())
}

func (b *browser) do(method, address, body string) page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	b.hops = nil
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{
		Answer:  testkit.Answer{Status: response.StatusCode, Header: response.Header, Body: string(text)},
		address: response.Request.URL.String(), hops: b.hops,
	}
}

// forget loses the cookies that an application with phpCAS gave.
func (b *browser) forget(application string) {
	b.t.Helper()
	address, err := url.Parse(application)
	if err != nil {
		b.t.Fatal(err)
	}
	b.client.Jar.SetCookies(address, []*http.Cookie{{Name: "php" + address.Port(), Path: "/", MaxAge: -1}})
}

// asksForPassword tells whether the page is the server's login form.
func (p page) asksForPassword() bool { return p.Form().Get("execution") != "" }

// through tells whether one of the redirects that led here went to an address
// that begins so.
func (p page) through(start string) bool {
	for _, hop := range p.hops {
		if strings.HasPrefix(hop, start) {
			return true
		}
	}
	return false
}

// query is a parameter of the first redirect that began so, "" for none.
func (p page) query(start, name string) string {
	for _, hop := range p.hops {
		if address, err := url.Parse(hop); err == nil && strings.HasPrefix(hop, start) {
			return address.Query().Get(name)
		}
	}
	return ""
}
