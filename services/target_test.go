package services_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"parvis/services"
)

// TestUnsafeServices is S8, S9 and S10: whatever the entries allow, a service
// that a browser may read differently is refused.
func TestUnsafeServices(t *testing.T) {
	wide := open(t, "Wide-1.json", apereo(1, `(?s).*`, ""))
	for _, tt := range []struct{ name, service string }{
		{"S8 empty", ""},
		{"S8 user name", "https://ok.univ.fr@evil.com/"},
		{"S8 user and password", "https://ok.univ.fr:x@evil.com/"},
		{"S8 session id hides a user name", "https://ok.univ.fr;jsessionid=@evil.com/"},
		{"S8 semicolon in the host", "https://ok.univ.fr;jsessionid=1.evil.com/"},
		{"S8 no scheme", "//evil.com/"},
		{"S8 path only", "/login"},
		{"S8 query only", "?x"},
		{"S8 dot", "./x"},
		{"S8 backslash for slash", `https:\\evil.com/`},
		{"S8 backslash in the host", `https://ok.univ.fr\@evil.com/`},
		{"S8 backslash before the host", `\\evil.com`},
		{"S8 one slash", "https:/evil.com/"},
		{"S8 no slash", "https:evil.com/"},
		{"S8 three slashes", "https:///evil.com/"},
		{"S8 tab in the scheme", "java\tscript:alert(1)"},
		{"S8 tab", "https://ok.univ.fr/\tx"},
		{"S8 leading blank", " https://ok.univ.fr/"},
		{"S8 trailing blank", "https://ok.univ.fr/ "},
		{"S8 international name, not in its ASCII form", "https://ök.univ.fr/"},
		{"S8 full-width dot", "https://ok。univ。fr/"},
		{"S8 escaped dot in the host", "https://ok.univ.fr%2eevil.com/"},
		{"S8 escaped slash in the host", "https://ok.univ.fr%2f.evil.com/"},
		{"S8 blank in the host", "https://ok.univ.fr .evil.com/"},
		{"S8 empty label", "https://ok..univ.fr/"},
		{"S8 bad port", "https://ok.univ.fr:80x/"},
		{"S8 empty port", "https://ok.univ.fr:/"},
		{"S8 bad IPv6", "https://[::1]evil.com/"},
		{"S8 dot segments", "https://ok.univ.fr/app/../other"},
		{"S8 escaped dot segments", "https://ok.univ.fr/app/%2E%2e/other"},
		{"S8 half-escaped dot segment", "https://ok.univ.fr/app/.%2e"},
		{"S8 dot segments behind escaped slashes", "https://ok.univ.fr/app/..%2f..%2Fadmin"},
		{"S8 dot segment behind an escaped backslash", "https://ok.univ.fr/app/..%5cadmin"},
		{"S8 escaped escapes", "https://ok.univ.fr/app/%252e%252e/x"},
		{"S8 dot segment with a parameter", "https://ok.univ.fr/app/..;x=1/other"},
		{"S9 CR LF", "https://ok.univ.fr/\r\nSet-Cookie: a=b"},
		{"S9 LF", "https://ok.univ.fr/\n"},
		{"S9 NUL", "https://ok.univ.fr/\x00"},
		{"S9 DEL", "https://ok.univ.fr/\x7f"},
		{"S9 C1 control", "https://ok.univ.fr/\u0085"},
		{"S9 line separator", "https://ok.univ.fr/\u2028"},
		{"S10 javascript", "javascript:alert(1)"},
		{"S10 javascript, mixed case", "JavaScript:alert(1)//https://ok.univ.fr/"},
		{"S10 data", "data:text/html,x"},
		{"S10 file", "file:///etc/passwd"},
		{"S10 vbscript", "vbscript:x"},
		{"S10 blob", "blob:https://ok.univ.fr/1"},
		{"S39 too long", "https://ok.univ.fr/" + strings.Repeat("x", 20000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := wide.Find(tt.service)
			if !errors.Is(err, services.ErrUnsafe) || !errors.Is(err, services.ErrUnknown) || s != nil {
				t.Errorf("Find = %v, %v", s, err)
			}
			if services.Redirectable(tt.service) {
				t.Error("redirectable")
			}
		})
	}
}

// TestMatchingTable is S8 against entries as they should be written.
func TestMatchingTable(t *testing.T) {
	registries := map[string]*services.Registry{
		"own":    open(t, "ok.yaml", "name: OK\nmatch: https://ok.univ.fr/\n"),
		"apereo": open(t, "OK-1.json", apereo(1, `^https://ok\.univ\.fr(:443)?(/.*|\?.*)?$`, "")),
	}
	for _, tt := range []struct {
		name, service string
		ok            bool
	}{
		{"itself", "https://ok.univ.fr/", true},
		{"without a path", "https://ok.univ.fr", true},
		{"query right after the host", "https://ok.univ.fr?a=b", true},
		{"below", "https://ok.univ.fr/a/b?c=d&e=https://evil.com/#f", true},
		{"S8 mixed case of host and scheme", "HTTPS://OK.Univ.FR/", true},
		{"S8 its own port", "https://ok.univ.fr:443/", true},
		{"V27 session id", "https://ok.univ.fr/a;jsessionid=0123?x=1", true},
		{"Latin-1 query", "https://ok.univ.fr/?q=\xe9", true},
		{"accents and blanks in the query", "https://ok.univ.fr/?q=é è", true},
		{"escapes in the path", "https://ok.univ.fr/%2e%2e%2e/%2fx", true},
		{"S8 longer host", "https://ok.univ.fr.evil.com/", false},
		{"S8 in a fragment", "https://evil.com/#https://ok.univ.fr/", false},
		{"S8 in a query", "https://evil.com/?https://ok.univ.fr/", false},
		{"S8 another port", "https://ok.univ.fr:8443/", false},
		{"S8 trailing dot", "https://ok.univ.fr./", false},
		{"S8 punycode look-alike", "https://xn--k-jga.univ.fr/", false},
		{"S8 dot", "https://okxuniv.fr/", false},
		{"S8 sub-domain", "https://a.ok.univ.fr/", false},
		{"S8 user name", "https://ok.univ.fr@evil.com/", false},
		{"S8 session id over the host", "https://ok.univ.fr;jsessionid=.evil.com/", false},
		{"S8 another scheme", "http://ok.univ.fr/", false},
		{"S8 Kelvin sign", "https://o\u212a.univ.fr/", false},
	} {
		for kind, registry := range registries {
			t.Run(tt.name+" "+kind, func(t *testing.T) {
				s, err := registry.Find(tt.service)
				if tt.ok != (err == nil) || !tt.ok && !errors.Is(err, services.ErrUnknown) {
					t.Errorf("Find = %v, %v", s, err)
				}
			})
		}
	}
}

func TestRedirectable(t *testing.T) {
	for _, tt := range []struct {
		name, service string
		want          bool
	}{
		{"https", "https://app.univ.fr/x", true},
		{"http", "http://localhost:9081/", true},
		{"IPv6", "http://[::1]:9081/", true},
		{"L6 imap", "imap://mail.univ.fr", false},
		{"L6 plain words", "my service", false},
		{"S10 javascript", "javascript:x", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := services.Redirectable(tt.service); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestSessionIDHidesNothing: what follows a session id in the path is matched.
func TestSessionIDHidesNothing(t *testing.T) {
	r := open(t, "a.yaml", "name: A\nmatch:\n  exact: https://a.univ.fr/app\n")
	if _, err := r.Find("https://a.univ.fr/app;jsessionid=1"); err != nil {
		t.Error(err)
	}
	for _, service := range []string{"https://a.univ.fr/app;jsessionid=1/other", "https://a.univ.fr/app;jsessionid=1;x", "https://a.univ.fr/app?;jsessionid=1"} {
		if _, err := r.Find(service); !errors.Is(err, services.ErrUnknown) {
			t.Errorf("%s: %v", service, err)
		}
	}
}

// TestSame is V27.
func TestSame(t *testing.T) {
	for _, tt := range []struct {
		name, a, b string
		want       bool
	}{
		{"itself", "https://a/", "https://a/", true},
		{"session id on one side", "https://a/x;jsessionid=1F?q=1", "https://a/x?q=1", true},
		{"session id, another case", "https://a/x;JSESSIONID=1F", "https://a/x", true},
		{"two session ids", "https://a/x;jsessionid=1", "https://a/x;jsessionid=2", true},
		{"fragment", "https://a/x#top", "https://a/x", true},
		{"escapes of the same characters", "https://a/?q=%C3%A9", "https://a/?q=é", true},
		{"case of escapes", "https://a/?q=%c3%a9", "https://a/?q=%C3%A9", true},
		{"escaped blank", "https://a/?q=a%20b", "https://a/?q=a b", true},
		{"not an escape", "https://a/?q=100%", "https://a/?q=100%", true},
		{"case counts", "https://a/X", "https://a/x", false},
		{"case of the host counts", "https://A/", "https://a/", false},
		{"another path", "https://a/x", "https://a/y", false},
		{"another query", "https://a/?x=1", "https://a/?x=2", false},
		{"decoded once only", "https://a/?q=%2541", "https://a/?q=A", false},
		{"plus is a blank of a query", "https://a/?q=a+b", "https://a/?q=a b", true},
		{"an escaped plus is a plus", "https://a/?q=a%2Bb", "https://a/?q=a b", false},
		{"plus is a plus in a path", "https://a/x+y", "https://a/x y", false},
		{"an empty query is one", "https://a/x?", "https://a/x", false},
		{"slash at the end", "https://a/x/", "https://a/x", false},
		{"escaped hash is no fragment", "https://a/x%23top", "https://a/x", false},
		{"session id in the query", "https://a/?x;jsessionid=1", "https://a/?x", false},
		{"path behind a session id", "https://a/x;jsessionid=1/y", "https://a/x", false},
		{"prefix", "https://a/", "https://a/x", false},
	} {
		t.Run("V27 "+tt.name, func(t *testing.T) {
			if services.Same(tt.a, tt.b) != tt.want || services.Same(tt.b, tt.a) != tt.want {
				t.Errorf("Same(%q, %q) is not %v", tt.a, tt.b, tt.want)
			}
		})
	}
}

func TestAppended(t *testing.T) {
	for _, tt := range []struct{ name, service, want string }{
		{"bare", "https://a", "https://a?ticket=ST-1"},
		{"path", "https://a/x", "https://a/x?ticket=ST-1"},
		{"query", "https://a/?b=c", "https://a/?b=c&ticket=ST-1"},
		{"G2 whole URL", "https://a/?a=b&c=d#f", "https://a/?a=b&c=d&ticket=ST-1#f"},
		{"trailing question mark", "https://a/?", "https://a/?ticket=ST-1"},
		{"trailing ampersand", "https://a/?b&", "https://a/?b&ticket=ST-1"},
		{"lone ampersand", "https://a/?&", "https://a/?&ticket=ST-1"},
		{"L19 fragment", "https://a/#x", "https://a/?ticket=ST-1#x"},
		{"L19 question mark in the fragment", "https://a/#x?y=z", "https://a/?ticket=ST-1#x?y=z"},
		{"L19 second hash", "https://a/#x#y", "https://a/?ticket=ST-1#x#y"},
		{"L19 empty fragment", "https://a/#", "https://a/?ticket=ST-1#"},
		{"UTF-8", "https://a/?q=é", "https://a/?q=%C3%A9&ticket=ST-1"},
		{"Latin-1", "https://a/?q=\xe9", "https://a/?q=%E9&ticket=ST-1"},
		{"blank", "https://a/?q=a b", "https://a/?q=a%20b&ticket=ST-1"},
		{"S9 CR LF", "https://a/\r\nX: y", "https://a/%0D%0AX:%20y?ticket=ST-1"},
		{"G2 escapes are kept", "https://a/%2F?q=%26+%C3%A9&&=", "https://a/%2F?q=%26+%C3%A9&&=&ticket=ST-1"},
		{"G2 order and repeats are kept", "https://a/?z=1&a=2&z=3", "https://a/?z=1&a=2&z=3&ticket=ST-1"},
		{"session id is kept", "https://a/x;jsessionid=1?b", "https://a/x;jsessionid=1?b&ticket=ST-1"},
		{"a ticket of its own", "https://a/?ticket=x", "https://a/?ticket=x&ticket=ST-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := services.Appended(tt.service, "ticket", "ST-1"); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
	if got := services.Appended("https://a/?b", "SAMLart", "ST-1"); got != "https://a/?b&SAMLart=ST-1" {
		t.Errorf("SAMLart: %q", got)
	}
}

func FuzzAppended(f *testing.F) {
	for _, seed := range []string{"", "https://a", "https://a/?b#c", "https://é/\r\n", "#", "?&#", "https://a/%zz?%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, service string) {
		location := services.Appended(service, "ticket", "ST-1")
		for i := range len(location) {
			if location[i] <= ' ' || location[i] >= 0x7f {
				t.Fatalf("byte %#x in %q", location[i], location)
			}
		}
		// net/http sends the header as it is.
		w := httptest.NewRecorder()
		http.Redirect(w, httptest.NewRequest(http.MethodGet, "/", nil), services.Location(location), http.StatusSeeOther)
		base, fragment, _ := strings.Cut(location, "#")
		if !strings.HasSuffix(base, "ticket=ST-1") {
			t.Fatalf("the ticket is not last in %q", location)
		}
		_, wanted, _ := strings.Cut(services.Location(service), "#")
		if fragment != wanted {
			t.Fatalf("fragment %q, want %q", fragment, wanted)
		}
		if !strings.HasPrefix(base, strings.Split(services.Location(service), "#")[0]) {
			t.Fatalf("%q does not keep %q", location, service)
		}
		services.Same(service, location)
		if !services.Same(service, service) {
			t.Fatal("not the same as itself")
		}
	})
}

// FuzzFind holds that what is found has one reading: net/url, which reads
// strictly, sees the host that was matched.
func FuzzFind(f *testing.F) {
	r, err := services.OpenFS(folder("ok.yaml", "name: OK\nmatch: https://ok.univ.fr/app\n", "OK-1.json", apereo(1, `https://ok\.univ\.fr/.*`, "")), discard())
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"https://ok.univ.fr/app", "https://ok.univ.fr@evil/", "https://ok.univ.fr/app/..", "HTTPS://OK.univ.fr:443/app?x", "\\"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, service string) {
		if _, err := r.Find(service); err != nil {
			return
		}
		base, _, _ := strings.Cut(service, "?")
		base, _, _ = strings.Cut(base, "#")
		// Stray percent signs and blanks are the application's business.
		base = strings.NewReplacer("%", "x", " ", "x").Replace(base)
		u, err := url.Parse(base)
		if err != nil {
			t.Fatalf("%q: %v", service, err)
		}
		if !strings.EqualFold(u.Hostname(), "ok.univ.fr") || u.User != nil || !services.Redirectable(service) {
			t.Fatalf("%q goes to %q", service, u.Host)
		}
	})
}
