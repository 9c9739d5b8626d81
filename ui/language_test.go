package ui_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parvis/ui"
)

func TestLanguage(t *testing.T) { // L18
	pages := newRenderer(t, sampleOptions())
	for _, tt := range []struct{ name, query, cookie, accept, want string }{
		{"nothing said", "", "", "", "fr"},
		{"browser", "", "", "en-GB,en;q=0.9,fr;q=0.5", "en"},
		{"browser, by weight", "", "", "de, fr-CA;q=0.8, en;q=0.2", "fr"},
		{"browser of a language we do not speak", "", "", "ja", "fr"},
		{"browser that speaks nonsense", "", "", "\x00;;q=z", "fr"},
		{"cookie before browser", "", "en", "fr", "en"},
		{"cookie of nonsense", "", "xx", "en", "en"},
		{"parameter before all", "locale=en", "fr", "fr", "en"},
		{"parameter with a region", "locale=en_US", "", "", "en"},
		{"parameter of nonsense", "locale=%00", "", "en", "en"},
		{"another parameter", "xlocale=en", "", "", "fr"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/cas/login?"+tt.query, nil)
			request.Header.Set("Accept-Language", tt.accept)
			if tt.cookie != "" {
				request.AddCookie(&http.Cookie{Name: "locale", Value: tt.cookie})
			}
			if got := pages.Language(request); got != tt.want {
				t.Errorf("Language = %q, want %q", got, tt.want)
			}
		})
	}
}

// TestServiceLocale: a service asks for a language where the person chose none.
func TestServiceLocale(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	for _, tt := range []struct{ name, query, cookie, accept, locale, want string }{
		{"before the browser", "", "", "fr", "en", "en"},
		{"before the default", "", "", "", "en", "en"},
		{"after the parameter", "locale=fr", "", "en", "en", "fr"},
		{"after the cookie", "", "fr", "en", "en", "fr"},
		{"with a region", "", "", "fr", "en-GB", "en"},
		{"as Java writes it", "", "", "fr", "en_GB", "en"},
		{"that we do not speak", "", "", "en", "de", "en"},
		{"of nonsense", "", "", "en", "\x00", "en"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/cas/login?"+tt.query, nil)
			request.Header.Set("Accept-Language", tt.accept)
			if tt.cookie != "" {
				request.AddCookie(&http.Cookie{Name: "locale", Value: tt.cookie})
			}
			if got := pages.LanguageFor(request, tt.locale); got != tt.want {
				t.Errorf("LanguageFor = %q, want %q", got, tt.want)
			}
			answer := httptest.NewRecorder()
			if err := pages.Write(answer, request, 200, &ui.Login{Frame: ui.Frame{Locale: tt.locale}}); err != nil {
				t.Fatalf("Write: %v", err)
			}
			if got := answer.Header().Get("Content-Language"); got != tt.want {
				t.Errorf("the page is in %q, want %q", got, tt.want)
			}
			if cookies := answer.Result().Cookies(); tt.query == "" && len(cookies) > 0 {
				t.Errorf("a service's choice is remembered: %v", cookies)
			}
		})
	}
}

func TestDefaultLanguage(t *testing.T) {
	options := sampleOptions()
	options.DefaultLanguage = "en"
	request := httptest.NewRequest(http.MethodGet, "/cas/login", nil)
	request.Header.Set("Accept-Language", "ja")
	if got := newRenderer(t, options).Language(request); got != "en" {
		t.Errorf("Language = %q, want en", got)
	}
}

func TestChosenLanguageIsRemembered(t *testing.T) {
	options := sampleOptions()
	options.Secure = true
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodGet, "/cas/login?locale=en", nil)
	if err := newRenderer(t, options).Write(answer, request, 200, &ui.Login{}); err != nil {
		t.Fatalf("Write: %v", err)
	}
	const want = "locale=en; Path=/cas; Max-Age=31536000; HttpOnly; Secure; SameSite=Lax"
	if got := answer.Header().Get("Set-Cookie"); got != want {
		t.Errorf("Set-Cookie = %q, want %q", got, want)
	}
}

// TestSwitchKeepsTheService: the service's bytes come back as they were.
func TestSwitchKeepsTheService(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	for _, tt := range []struct{ name, self, want string }{
		{"plain", "/cas/login", "/cas/login?locale=en"},
		{"service", "/cas/login?service=https%3A%2F%2Fa.example%2F%3Fx%3D%2520", "/cas/login?service=https%3A%2F%2Fa.example%2F%3Fx%3D%2520&locale=en"},
		{"odd bytes", "/cas/login?service=http://a/é|'\"<>%zz", "/cas/login?service=http://a/é|'\"<>%zz&locale=en"},
		{"an older choice", "/cas/login?locale=fr&service=a&locale=fr", "/cas/login?service=a&locale=en"},
		{"elsewhere", "//evil.example/", "/cas/login?locale=en"},
		{"elsewhere by a backslash", `/\evil.example/`, "/cas/login?locale=en"},
		{"nothing", "", "/cas/login?locale=en"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := render(t, pages, "fr", sample{tt.name, 200, &ui.Login{Frame: ui.Frame{Self: tt.self}}})
			link := find(parse(t, answer.Body.Bytes()), "a", "hreflang", "en")
			if link == nil || link.attributes["href"] != tt.want {
				t.Errorf("switch = %v, want %s", link, tt.want)
			}
		})
	}
}

func TestSelfOf(t *testing.T) {
	for _, tt := range []struct{ target, want string }{
		{"/cas/login", "/cas/login"},
		{"/cas/login?service=a%2Fb&locale=en", "/cas/login?service=a%2Fb"},
		{"/cas/login?locale=en", "/cas/login"},
		{"/cas/login?service=x;y+%zz", "/cas/login?service=x;y+%zz"},
	} {
		if got := ui.SelfOf(httptest.NewRequest(http.MethodGet, tt.target, nil)); got != tt.want {
			t.Errorf("SelfOf(%s) = %s, want %s", tt.target, got, tt.want)
		}
	}
}

// FuzzLanguage feeds what browsers and attackers send.
func FuzzLanguage(f *testing.F) {
	pages := newRenderer(f, sampleOptions())
	f.Add("locale=en", "fr-FR,en;q=0.1")
	f.Add("&&locale=%", strings.Repeat("a-", 500))
	f.Fuzz(func(t *testing.T, query, accept string) {
		request := httptest.NewRequest(http.MethodGet, "/cas/login", nil)
		request.URL.RawQuery = query
		request.Header.Set("Accept-Language", accept)
		if got := pages.Language(request); got != "fr" && got != "en" {
			t.Errorf("Language = %q", got)
		}
		if self := ui.SelfOf(request); strings.Contains(self, "&locale=") {
			t.Errorf("SelfOf keeps the language: %q", self)
		}
	})
}
