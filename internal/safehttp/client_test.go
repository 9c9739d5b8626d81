package safehttp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parvis/internal/safehttp"
)

func TestCertificates(t *testing.T) { // S29, P1
	a, stranger := newAuthority(t), newAuthority(t)
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	early := func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) }
	elsewhere := func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"other.example"}, nil }
	client := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }
	selfSigned := tls.Certificate{Certificate: [][]byte{stranger.certificate.Raw}, PrivateKey: stranger.key}
	tests := []struct {
		name   string
		config *tls.Config
		want   string // "" is success
	}{
		{name: "right", config: &tls.Config{Certificates: []tls.Certificate{a.server(t, nil)}}},
		{name: "TLS 1.2", config: &tls.Config{Certificates: []tls.Certificate{a.server(t, nil)}, MaxVersion: tls.VersionTLS12}},
		{name: "expired", config: &tls.Config{Certificates: []tls.Certificate{a.server(t, expired)}}, want: "expired"},
		{name: "not yet valid", config: &tls.Config{Certificates: []tls.Certificate{a.server(t, early)}}, want: "not yet valid"},
		{name: "self-signed", config: &tls.Config{Certificates: []tls.Certificate{selfSigned}}, want: "unknown authority"},
		{name: "unknown authority", config: &tls.Config{Certificates: []tls.Certificate{stranger.server(t, nil)}}, want: "unknown authority"},
		{name: "wrong host", config: &tls.Config{Certificates: []tls.Certificate{a.server(t, elsewhere)}}, want: "127.0.0.1"},
		{name: "a client's", config: &tls.Config{Certificates: []tls.Certificate{a.server(t, client)}}, want: "incompatible key usage"},
		{name: "TLS 1.1", config: &tls.Config{Certificates: []tls.Certificate{a.server(t, nil)}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, want: "protocol version"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var called atomic.Bool
			server := serve(t, test.config, func(http.ResponseWriter, *http.Request) { called.Store(true) })
			status, err := safehttp.New(safehttp.Options{Roots: a.roots(), Networks: loopback}).Do(t.Context(), safehttp.Request{URL: server.URL + "/pgt?pgtId=secret"})
			if test.want == "" {
				if status != http.StatusOK || err != nil {
					t.Fatalf("status %d, %v", status, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, safehttp.ErrForbidden) || called.Load() {
				t.Errorf("error %v (server called: %v), want one about %q", err, called.Load(), test.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the query: %v", err)
			}
		})
	}
}

func TestStatusIsTheAnswers(t *testing.T) { // S28, P3
	var elsewhere atomic.Bool
	server, client := trusted(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/elsewhere":
			elsewhere.Store(true)
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusAccepted)
		case "/fault":
			w.WriteHeader(http.StatusInternalServerError)
		case "/nothing":
			w.WriteHeader(http.StatusNoContent)
		case "/cut":
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "short")
		}
	})
	for path, want := range map[string]int{"/": 200, "/moved": 302, "/early": 202, "/fault": 500, "/nothing": 204, "/cut": 200} {
		if status, err := client.Do(t.Context(), safehttp.Request{URL: server.URL + path}); status != want || err != nil {
			t.Errorf("%s: status %d, %v, want %d", path, status, err, want)
		}
	}
	if elsewhere.Load() {
		t.Error("the redirect was followed")
	}
}

func TestForbiddenAddresses(t *testing.T) { // S28
	_, client := trusted(t, func(http.ResponseWriter, *http.Request) { t.Error("the server was called") })
	for _, address := range []string{
		"", "/pgt", "127.0.0.1/pgt", "//127.0.0.1/pgt", "https:///pgt", "https:127.0.0.1", "http://127.0.0.1/", "HTTP://127.0.0.1/",
		"ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "imap://mail.univ.example", "javascript:alert(1)",
		"https://user@127.0.0.1/", "https://user:secret@127.0.0.1/", "https://@127.0.0.1/", "https://127.0.0.1:port/", "https://[::1/", "https://a\nb/", "https://é.example/", "\x00",
	} {
		status, err := client.Do(t.Context(), safehttp.Request{URL: address})
		if status != 0 || !errors.Is(err, safehttp.ErrForbidden) {
			t.Errorf("%q: status %d, %v, want ErrForbidden", address, status, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

func TestPlainHTTPOnlyWhereAllowed(t *testing.T) { // S28, P1
	address := "http://" + listen(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", nil)) + "/"
	client := safehttp.New(safehttp.Options{Networks: loopback, Timeout: time.Second})
	if _, err := client.Do(t.Context(), safehttp.Request{URL: address}); !errors.Is(err, safehttp.ErrForbidden) {
		t.Errorf("not allowed: %v, want ErrForbidden", err)
	}
	if status, err := client.Do(t.Context(), safehttp.Request{URL: address, AllowHTTP: true}); status != http.StatusOK || err != nil {
		t.Errorf("allowed: status %d, %v", status, err)
	}
}

// What counts is the address that is dialled: a name that was harmless when
// somebody looked it up is refused when it leads inside.
func TestRebinding(t *testing.T) { // S28
	var called atomic.Int32
	server, _ := trusted(t, func(http.ResponseWriter, *http.Request) { called.Add(1) })
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	public, private := netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("127.0.0.1")
	resolver := names(t, func(asked int) netip.Addr {
		if asked == 0 {
			return public
		}
		return private
	})
	before, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.example")
	if err != nil || len(before) != 1 || before[0].Unmap() != public {
		t.Fatalf("looked up %v, %v", before, err)
	}
	client := safehttp.New(safehttp.Options{Resolver: resolver, Timeout: time.Second})
	for _, scheme := range []string{"https", "http"} {
		_, err := client.Do(t.Context(), safehttp.Request{URL: scheme + "://rebind.example:" + port + "/", AllowHTTP: true})
		if !errors.Is(err, safehttp.ErrForbidden) {
			t.Errorf("%s: %v, want ErrForbidden", scheme, err)
		}
	}
	// The same name is reached where its network is open: it was the address
	// that was refused.
	open := safehttp.New(safehttp.Options{Resolver: resolver, Networks: loopback, Timeout: time.Second})
	if _, err := open.Do(t.Context(), safehttp.Request{URL: "https://rebind.example:" + port + "/"}); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("network open: %v, want to get as far as the certificate", err)
	}
	if called.Load() != 0 {
		t.Errorf("the server was called %d times", called.Load())
	}
}

// The proxy that the environment names would be asked for what must not be
// reached.
func TestNoProxyOfTheEnvironment(t *testing.T) { // S28
	var asked atomic.Bool
	proxy := listen(t, answer("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", func(string) { asked.Store(true) }))
	for _, name := range []string{"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"} {
		t.Setenv(name, "http://"+proxy)
	}
	client := safehttp.New(safehttp.Options{
		Resolver: names(t, func(int) netip.Addr { return netip.MustParseAddr("10.0.0.1") }), Timeout: time.Second,
	})
	if _, err := client.Do(t.Context(), safehttp.Request{URL: "https://app.example/"}); !errors.Is(err, safehttp.ErrForbidden) || asked.Load() {
		t.Errorf("%v (proxy asked: %v), want ErrForbidden", err, asked.Load())
	}
}

func TestRightsAreOneRequests(t *testing.T) { // S28
	a := newAuthority(t)
	server := serve(t, &tls.Config{Certificates: []tls.Certificate{a.server(t, nil)}}, func(http.ResponseWriter, *http.Request) {})
	client := safehttp.New(safehttp.Options{Timeout: time.Second, Roots: a.roots()})
	for range 3 {
		if _, err := client.Do(t.Context(), safehttp.Request{URL: server.URL, Networks: loopback}); err != nil {
			t.Fatalf("with the right: %v", err)
		}
		if _, err := client.Do(t.Context(), safehttp.Request{URL: server.URL}); !errors.Is(err, safehttp.ErrForbidden) {
			t.Fatalf("without the right: %v, want ErrForbidden", err)
		}
	}
}

func TestCancelled(t *testing.T) {
	started := make(chan struct{})
	server, client := trusted(t, func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-started
		cancel()
	}()
	if _, err := client.Do(ctx, safehttp.Request{URL: server.URL}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	if _, err := client.Do(ctx, safehttp.Request{URL: server.URL}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v, want context.Canceled", err)
	}
}
