package httpx_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"parvis/internal/httpx"
)

func TestHeaders(t *testing.T) {
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
			"connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
		"Strict-Transport-Security":    "max-age=31536000",
	}
	w := httptest.NewRecorder()
	httpx.Headers(http.NotFoundHandler(), httpx.HeaderOptions{HTTPS: true}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	for name, value := range want {
		if got := w.Header().Get(name); got != value {
			t.Errorf("S25 %s: %q, want %q", name, got, value)
		}
	}
	w = httptest.NewRecorder()
	httpx.Headers(http.NotFoundHandler(), httpx.HeaderOptions{}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if got := w.Header().Get("Strict-Transport-Security"); got != "" {
		t.Errorf("Strict-Transport-Security over http: %q", got)
	}
}

// S25: an answer for applications keeps what is not about pages.
func TestNoPage(t *testing.T) {
	w := httptest.NewRecorder()
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { httpx.NoPage(w.Header()) })
	httpx.Headers(answer, httpx.HeaderOptions{HTTPS: true}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	want := http.Header{
		"X-Content-Type-Options": {"nosniff"}, "Referrer-Policy": {"no-referrer"}, "Strict-Transport-Security": {"max-age=31536000"},
	}
	if !reflect.DeepEqual(w.Header(), want) {
		t.Errorf("headers %v, want %v", w.Header(), want)
	}
}

func TestAllowFormTo(t *testing.T) {
	tests := []struct{ name, target, want string }{
		{"https", "https://app.example/", "form-action http: https:"},
		{"http", "http://app.example/", "form-action http: https:"},
		{"native application", "MyApp+1://open", "form-action http: https: myapp+1:"},
		{"S10 javascript", "JavaScript:alert(1)", "form-action http: https:"},
		{"S10 data", "data:text/html,x", "form-action http: https:"},
		{"injection", "a; script-src *:x", "form-action http: https:"},
		{"line break", "a\r\nb:x", "form-action http: https:"},
		{"no scheme", "//app.example", "form-action http: https:"},
		{"empty", "", "form-action http: https:"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := httpx.Headers(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/away" {
					httpx.AllowFormTo(w.Header(), test.target)
					httpx.AllowFormTo(w.Header(), test.target)
				}
			}), httpx.HeaderOptions{})
			if got := policy(h, "/away"); !strings.HasSuffix(got, "frame-ancestors 'none'; "+test.want) {
				t.Errorf("policy %q", got)
			}
			if got := policy(h, "/"); !strings.HasSuffix(got, "form-action 'self'") {
				t.Errorf("another answer's policy %q", got)
			}
		})
	}
}

// S25, S27: images only from the origins named, and nothing else is widened.
func TestAllowImagesFrom(t *testing.T) {
	tests := []struct {
		name      string
		addresses []string
		want      string
	}{
		{"none", nil, "img-src 'self'"},
		{"two", []string{"https://a.example/logout?x=1", "http://b.example:8080/"}, "img-src 'self' https://a.example http://b.example:8080"},
		{"one origin twice", []string{"https://a.example/1", "https://a.example/2"}, "img-src 'self' https://a.example"},
		{"capitals", []string{"HTTPS://A.example/"}, "img-src 'self' https://A.example"},
		{"userinfo", []string{"https://b.example@a.example/"}, "img-src 'self' https://a.example"},
		{"every host", []string{"https://*/", "https://*.example/"}, "img-src 'self'"},
		{"another directive in the host", []string{"https://a.example;script-src/", "https://a.example;script-src */"}, "img-src 'self'"},
		{"another directive in the path", []string{"https://a.example/;script-src *"}, "img-src 'self' https://a.example"},
		{"another policy", []string{"https://a,b/"}, "img-src 'self'"},
		{"IPv6", []string{"https://[::1]/"}, "img-src 'self'"},
		{"letters outside ASCII", []string{"https://café.example/"}, "img-src 'self'"},
		{"no host", []string{"https:///x", "https:x", "https://:443/"}, "img-src 'self'"},
		{"other schemes", []string{"data:image/png,x", "imap://a.example/", "//a.example/", ""}, "img-src 'self'"},
		{"line break", []string{"https://a.example\r\n/"}, "img-src 'self'"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := httpx.Headers(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/away" {
					httpx.AllowImagesFrom(w.Header(), test.addresses...)
				}
			}), httpx.HeaderOptions{})
			plain := policy(h, "/")
			if got, want := policy(h, "/away"), strings.Replace(plain, "img-src 'self'", test.want, 1); got != want {
				t.Errorf("policy\n%q, want\n%q", got, want)
			}
			if strings.Count(plain, "img-src 'self';") != 1 {
				t.Errorf("another answer's policy %q", plain)
			}
		})
	}
	bare := http.Header{}
	if httpx.AllowImagesFrom(bare, "https://a.example/"); len(bare) != 0 {
		t.Errorf("an answer without a policy got %v", bare)
	}
}

// FuzzAllowImagesFrom: whatever the address, one directive only is widened, by
// one plain origin at most.
func FuzzAllowImagesFrom(f *testing.F) {
	f.Add("https://a.example:8443/x?y#z")
	f.Add("https://a.example;script-src *")
	f.Add("http://u:p@[fe80::1%25en0]:80/")
	f.Add("https://*.example/")
	origin := regexp.MustCompile(`^ https?://[A-Za-z0-9._-]+(:[0-9]*)?$`)
	f.Fuzz(func(t *testing.T, address string) {
		before := "default-src 'none'; img-src 'self'; form-action 'self'"
		h := http.Header{"Content-Security-Policy": {before}}
		httpx.AllowImagesFrom(h, address)
		after := h.Get("Content-Security-Policy")
		added, plain := strings.CutPrefix(after, "default-src 'none'; img-src 'self'")
		added, whole := strings.CutSuffix(added, "; form-action 'self'")
		if !plain || !whole || added != "" && !origin.MatchString(added) {
			t.Errorf("policy %q", after)
		}
	})
}

func policy(h http.Handler, path string) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Header().Get("Content-Security-Policy")
}

// discard is the cheapest ResponseWriter, so that a benchmark measures us.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkOverhead compares a bare handler with the same one observed, with
// a JSON line each, and with the headers too.
func BenchmarkOverhead(b *testing.B) {
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	o := httpx.Options{
		Logger:  slog.New(slog.NewJSONHandler(io.Discard, nil)), //nolint:sloglint // the cost of writing is what is measured
		Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}
	named := httpx.Named("serviceValidate", bare)
	for _, test := range []struct {
		name string
		h    http.Handler
	}{
		{"bare", bare},
		{"headers", httpx.Headers(bare, httpx.HeaderOptions{HTTPS: true})},
		{"observe", httpx.Observe(named, o)},
		{"both", httpx.Observe(httpx.Headers(named, httpx.HeaderOptions{HTTPS: true}), o)},
	} {
		b.Run(test.name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/cas/serviceValidate?ticket=x", nil)
			r.RemoteAddr = "127.0.0.1:5000"
			r.Header.Set("X-Forwarded-For", "192.0.2.7")
			b.ReportAllocs()
			for b.Loop() {
				test.h.ServeHTTP(&discard{http.Header{}}, r)
			}
		})
	}
}
