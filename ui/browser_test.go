package ui_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"parvis/internal/testkit"
)

var (
	gallery        = flag.String("gallery", "", "write a picture of every page into this folder, and check nothing")
	galleryOnly    = flag.String("gallery-only", "", "only pages whose name starts so")
	galleryTheme   = flag.String("gallery-theme", "", "the theme folder to take pictures of")
	galleryService = flag.String("gallery-service", "", "the theme of services, within that folder, to take pictures of")
)

// tab is one browser tab that keeps what went wrong in it.
type tab struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // chromedp knows a tab by its context

	mu     sync.Mutex
	faults []string
}

func newTab(t *testing.T) *tab {
	t.Helper()
	tab := &tab{t: t, ctx: testkit.Browser(t)}
	if err := chromedp.Listen(tab.ctx, tab.hear); err != nil {
		t.Fatalf("listen to the tab: %v", err)
	}
	return tab
}

// hear notes uncaught errors, refusals by the content policy, and requests that
// leave this machine.
func (b *tab) hear(event any) {
	var fault string
	switch e := event.(type) {
	case *log.EventEntryAdded:
		// A page's own status is no fault of the page.
		if e.Entry.Source != log.EntrySourceNetwork {
			fault = e.Entry.Text
		}
	case *runtime.EventExceptionThrown:
		fault = e.ExceptionDetails.Text
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "http://127.0.0.1") && e.Type != network.ResourceTypeDocument {
			fault = "asks for " + e.Request.URL
		}
	}
	if fault != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.faults = append(b.faults, fault)
	}
}

func (b *tab) takeFaults() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	faults := b.faults
	b.faults = nil
	return faults
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatalf("drive the browser: %v", err)
	}
}

func (b *tab) media(theme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"},
			},
		})
		return err
	})
}

func eval[T any](b *tab, script string) T {
	b.t.Helper()
	result, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("run script: %v", err)
	}
	return result
}

func (b *tab) picture(name string) {
	b.t.Helper()
	if *gallery == "" {
		return
	}
	image, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatalf("take a picture: %v", err)
	}
	if err := os.WriteFile(filepath.Join(*gallery, name+".png"), image, 0o644); err != nil {
		b.t.Fatalf("keep a picture: %v", err)
	}
}

// size is a window; the two that the look is drawn for.
type size struct {
	name          string
	width, height int64
}

var sizes = []size{{"phone", 390, 844}, {"wide", 1280, 720}}

// TestEveryPageInABrowser holds the pages to WCAG 2.2 AA as far as a program can
// tell, under the content policy of the server (S25).
func TestEveryPageInABrowser(t *testing.T) {
	axe, err := os.ReadFile("testdata/axe/axe.min.js")
	if err != nil {
		t.Fatalf("read axe-core: %v", err)
	}
	options := sampleOptions()
	options.ThemeDir = *galleryTheme
	base := serveSamples(t, newRenderer(t, options))
	b := newTab(t)
	for _, s := range samples() {
		if s.name == "handoff" {
			continue // it leaves at once; it has a test of its own
		}
		if *gallery != "" && !strings.HasPrefix(s.name, *galleryOnly) {
			continue
		}
		for _, window := range sizes {
			for _, lang := range []string{"fr", "en"} {
				b.do(chromedp.EmulateViewport(window.width, window.height), b.media("light"),
					chromedp.Navigate(base+s.name+"?locale="+lang))
				for _, theme := range []string{"light", "dark"} {
					name := fmt.Sprintf("%s-%s-%s-%s", s.name, window.name, lang, theme)
					b.do(b.media(theme))
					b.picture(name)
					if *gallery != "" {
						continue
					}
					b.checkAxe(name, string(axe))
				}
			}
		}
		b.do(chromedp.EmulateViewport(320, 640))
		if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("%s: scrolls sideways by %d px at 320 px", s.name, over)
		}
		for _, fault := range b.takeFaults() {
			t.Errorf("%s: %s", s.name, fault)
		}
	}
}

func (b *tab) checkAxe(name, axe string) {
	b.t.Helper()
	found := eval[[]string](b, `(async () => {
		if (!window.axe) { `+axe+` }
		const result = await axe.run(document, {resultTypes: ["violations"]});
		return result.violations.map(v => v.id + ": " + v.nodes.map(n => n.target + " " + n.failureSummary).join("; "));
	})()`)
	for _, violation := range found {
		b.t.Errorf("%s: %s", name, violation)
	}
}
