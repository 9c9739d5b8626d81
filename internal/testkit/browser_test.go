package testkit_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"parvis/internal/testkit"
)

func TestBrowserOpensAPage(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><html lang="fr"><title>Bonjour</title><h1>Bonjour</h1>`)
	}))
	t.Cleanup(page.Close)

	ctx := testkit.Browser(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(page.URL)); err != nil {
		t.Fatalf("open the page: %v", err)
	}
	title, err := chromedp.Run(ctx, chromedp.Title())
	if err != nil {
		t.Fatalf("read the title: %v", err)
	}
	if title != "Bonjour" {
		t.Errorf("title = %q, want %q", title, "Bonjour")
	}
}
