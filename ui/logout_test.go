package ui_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"parvis/internal/httpx"
	"parvis/ui"
)

// TestLoggedOutTells: each address is called as an image, byte for byte, and
// the content policy is opened for these origins alone (S25, S27).
func TestLoggedOutTells(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	const awkward = "https://b.example:8443/out?logoutRequest=a%2Bb%2F%3D&x='\"|é;#f"
	view := &ui.LoggedOut{
		Tell: []string{"https://a.example/out?1", awkward, "javascript:alert(1)", "/cas/logout", "//c.example/", "imap://d.example/"},
		Next: "https://a.example/é?x=1;url='\"&y",
	}
	answer := httptest.NewRecorder()
	httpx.Headers(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := pages.Write(w, r, 200, view); err != nil {
			t.Errorf("Write: %v", err)
		}
	}), httpx.HeaderOptions{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/cas/logout", nil))

	var called []string
	elements := parse(t, answer.Body.Bytes())
	for _, e := range elements {
		if !e.is("img") || e.attributes["class"] != "told" {
			continue
		}
		called = append(called, e.attributes["src"])
		_, hidden := e.attributes["hidden"]
		if alt, found := e.attributes["alt"]; !hidden || !found || alt != "" || e.attributes["referrerpolicy"] != "no-referrer" || e.attributes["loading"] != "" {
			t.Errorf("image = %v", e)
		}
	}
	if want := []string{"https://a.example/out?1", awkward}; !slices.Equal(called, want) {
		t.Errorf("calls %q, want %q", called, want)
	}
	policy := answer.Header().Get("Content-Security-Policy")
	if want := "; img-src 'self' https://a.example https://b.example:8443; "; !strings.Contains(policy, want) {
		t.Errorf("policy %q, want %q in it", policy, want)
	}
	if meta := find(elements, "meta", "http-equiv", "refresh"); meta == nil || meta.attributes["content"] != "2; url="+view.Next {
		t.Errorf("without scripts the browser goes nowhere: %v", meta)
	}
	if link := find(elements, "a", "href", view.Next); link == nil {
		t.Error("no link leads on")
	}
}

func TestLoggedOutStays(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	for _, next := range []string{"", "javascript:alert(1)", "/cas/login", "//a.example/", "imap://a.example/"} {
		body := render(t, pages, "fr", sample{"logged-out", 200, &ui.LoggedOut{Next: next}}).Body.String()
		for _, sign := range []string{"refresh", "tell.", "<img class=\"told\""} {
			if strings.Contains(body, sign) {
				t.Errorf("next %q: the page holds %s", next, sign)
			}
		}
	}
}

func TestLoggedOutCountsServices(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	for _, tt := range []struct {
		name, lang string
		tell       []string
		want       string
	}{
		{"one", "fr", []string{"https://a.example/?1"}, "un service ouvert…"},
		{"one, two sessions", "en", []string{"https://a.example/?1", "https://a.example/?2"}, "one open service…"},
		{"two", "fr", []string{"https://a.example/?1", "https://b.example/?2", "data:x"}, "2 services ouverts…"},
		{"two of one host", "en", []string{"https://a.example/x?1", "https://a.example/y?2"}, "2 open services…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := render(t, pages, tt.lang, sample{tt.name, 200, &ui.LoggedOut{Tell: tt.tell}}).Body.String()
			if !strings.Contains(body, tt.want) {
				t.Errorf("no %q in\n%s", tt.want, body)
			}
		})
	}
}

// campus is a few applications and a page that logs out of them.
type campus struct {
	url, service string

	mu     sync.Mutex
	called []string
	view   *ui.LoggedOut
}

func newCampus(t *testing.T) *campus {
	t.Helper()
	c := &campus{}
	stop := make(chan struct{})
	apps := http.NewServeMux()
	note := func(r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.called = append(c.called, r.URL.Path+"?"+r.URL.RawQuery+" "+r.Header.Get("Referer"))
	}
	apps.HandleFunc("/quick", func(w http.ResponseWriter, r *http.Request) {
		note(r)
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write([]byte("document.title = 'taken over'"))
	})
	apps.HandleFunc("/hangs", func(_ http.ResponseWriter, r *http.Request) {
		note(r)
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	})
	apps.HandleFunc("/home", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<!doctype html><title>Service</title>"))
	})
	service := httptest.NewServer(apps)
	t.Cleanup(service.Close)
	t.Cleanup(func() { close(stop) })
	c.service = service.URL

	pages := newRenderer(t, sampleOptions())
	mux := http.NewServeMux()
	mux.Handle("/cas/static/", pages.Static())
	mux.HandleFunc("/cas/logout", func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if err := pages.Write(w, r, http.StatusOK, c.view); err != nil {
			t.Errorf("write page: %v", err)
		}
	})
	server := httptest.NewServer(httpx.Headers(mux, httpx.HeaderOptions{}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// open shows a logout page without waiting for its images, as Navigate would.
func (c *campus) open(b *tab, view *ui.LoggedOut) {
	b.t.Helper()
	c.mu.Lock()
	c.view, c.called = view, nil
	c.mu.Unlock()
	b.do(chromedp.Navigate("about:blank"), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.Navigate, page.NavigateParams{URL: c.url + "/cas/logout?locale=fr"})
		return err
	}))
}

func (c *campus) calls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(slices.Values(c.called))
}

const (
	atTheService = `document.title === "Service"`
	isDone       = `document.querySelector("#telling").textContent === "C’est fait\u00a0: les services ouverts sont prévenus. À bientôt."`
	isTelling    = `document.querySelector("#telling")?.textContent === "Nous fermons aussi 2 services ouverts…"`
)

// TestLogoutCallsServices in a browser: each once, with no word of where the
// person comes from, and nothing of theirs runs.
func TestLogoutCallsServices(t *testing.T) {
	c, b := newCampus(t), newTab(t)
	const query = "?logoutRequest=a%2Bb%2F%3D&y=1"

	c.open(b, &ui.LoggedOut{Tell: []string{c.service + "/quick" + query, "http://127.0.0.1:1/dead"}})
	b.until("all were called", isDone)
	if want := []string{"/quick" + query + " "}; !slices.Equal(c.calls(), want) {
		t.Errorf("called %q, want %q", c.calls(), want)
	}
	if title := eval[string](b, "document.title"); !strings.HasPrefix(title, "Session fermée") {
		t.Errorf("the page is called %q", title)
	}

	start := time.Now()
	c.open(b, &ui.LoggedOut{Tell: []string{c.service + "/quick" + query}, Next: c.service + "/home"})
	b.until("the browser goes on", atTheService)
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("went on after %s, and every service had answered", took)
	}
	if len(c.calls()) != 1 {
		t.Errorf("called %q before it went on", c.calls())
	}
	b.noFaults()
}

// TestLogoutDoesNotWaitForADeadService: 4 seconds at most, and long before the
// refresh that is there for browsers without scripts.
func TestLogoutDoesNotWaitForADeadService(t *testing.T) {
	c, b := newCampus(t), newTab(t)
	b.do(chromedp.EmulateViewport(390, 844))
	start := time.Now()
	c.open(b, &ui.LoggedOut{
		Frame: ui.Frame{Service: sampleService()},
		Tell:  []string{c.service + "/hangs", c.service + "/quick"}, Next: c.service + "/home",
	})
	b.until("that is said", isTelling)
	b.picture("logged-out-telling-phone-fr-light")
	b.do(chromedp.EmulateViewport(1280, 720), b.media("dark"))
	b.picture("logged-out-telling-wide-fr-dark")
	b.until("the browser goes on", atTheService)
	if took := time.Since(start); took < 4*time.Second {
		t.Errorf("went on after %s, and a service had not answered", took)
	}
	if want := []string{"/hangs? ", "/quick? "}; !slices.Equal(c.calls(), want) {
		t.Errorf("called %q, want %q", c.calls(), want)
	}
	b.noFaults()
}

func TestLogoutWithoutScripts(t *testing.T) {
	c, b := newCampus(t), newTab(t)
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	c.open(b, &ui.LoggedOut{Tell: []string{c.service + "/quick?1", "http://127.0.0.1:1/dead"}, Next: c.service + "/home"})
	b.until("that is said", isTelling)
	b.until("the browser goes on", atTheService)
	if want := []string{"/quick?1 "}; !slices.Equal(c.calls(), want) {
		t.Errorf("called %q, want %q", c.calls(), want)
	}
}
