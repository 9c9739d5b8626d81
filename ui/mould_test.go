package ui_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parvis/ui"
)

// TestQuickLoginIsTheSlowLogin: a login page that is filled in is, but for the
// choice between equal character references, the page that the template draws.
// A theme with a templates folder draws every page by its template.
func TestQuickLoginIsTheSlowLogin(t *testing.T) {
	quick := newRenderer(t, sampleOptions())
	slow := newRenderer(t, themed(t, map[string]string{"templates/parts/of-ours.html": ""}))
	words := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "jpmartin", `"><script>`, "'", "\x00", "a+b", "&amp;", `"<& parvis-hole-1.`, "https://a.example/?x=%20é#f",
	}))
	rapid.Check(t, func(t *rapid.T) {
		word := func(name string) string { return words.Draw(t, name) }
		choices := func(name string) ui.Choices {
			return ui.Choices{RememberMe: rapid.Bool().Draw(t, name+" remember"), Warn: rapid.Bool().Draw(t, name+" warn"), PublicWorkstation: rapid.Bool().Draw(t, name+" public")}
		}
		view := &ui.Login{
			Frame:     ui.Frame{Self: "/" + word("self"), Theme: word("theme")},
			Execution: word("execution"), Username: word("username"), Renew: word("renew"),
			Problem: rapid.SampledFrom([]ui.Problem{ui.NoProblem, ui.BadCredentials, ui.MissingBoth}).Draw(t, "problem"),
			Offer:   choices("offer"), Ticked: choices("ticked"),
			Lifetime: time.Duration(rapid.IntRange(0, 3).Draw(t, "lifetime")) * time.Minute,
		}
		if rapid.Bool().Draw(t, "has service") {
			view.Service = &ui.Service{
				Name: word("name"), Description: word("description"), LogoURL: word("logo"), Address: word("address"), PrivacyURL: word("privacy"),
			}
		}
		for range rapid.IntRange(0, 2).Draw(t, "fields") {
			view.Hidden = append(view.Hidden, ui.Field{Name: word("field"), Value: word("value")})
		}
		if got, want := drawn(t, quick, view), drawn(t, slow, view); got != want {
			at := 0
			for at < min(len(got), len(want)) && got[at] == want[at] {
				at++
			}
			t.Fatalf("from byte %d:\ngot  %.200q\nwant %.200q", at, got[at:], want[at:])
		}
	})
}

// drawn is a page with its character references resolved.
func drawn(t *rapid.T, pages *ui.Renderer, v ui.View) string {
	answer := httptest.NewRecorder()
	if err := pages.Write(answer, httptest.NewRequest(http.MethodGet, "/cas/login", nil), 200, v); err != nil {
		t.Fatalf("Write: %v", err)
	}
	return html.UnescapeString(answer.Body.String())
}

// TestPagesDoNotMix asks for many pages at once: each has its own values (S40).
func TestPagesDoNotMix(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for n := range 50 {
				name := fmt.Sprintf("user-%d-%d.", i, n)
				view := &ui.Login{Username: name, Execution: name, Problem: ui.BadCredentials, Lifetime: time.Duration(n) * time.Second}
				answer := httptest.NewRecorder()
				if err := pages.Write(answer, httptest.NewRequest(http.MethodGet, "/cas/login", nil), 401, view); err != nil {
					t.Errorf("Write: %v", err)
				}
				if strings.Count(answer.Body.String(), "user-") != 2 || strings.Count(answer.Body.String(), name) != 2 {
					t.Errorf("page of %s has another's values", name)
				}
			}
		})
	}
	wait.Wait()
}
