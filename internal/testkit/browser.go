package testkit

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browserStart bounds how long a browser may take to open its first tab on a
// busy machine.
const browserStart = 30 * time.Second

// Browser starts a headless Chromium with a profile of its own and returns the
// context of its first tab, for [chromedp.Do] and [chromedp.Run]. The browser
// and its profile are gone when the test ends.
//
// More tabs of the same browser come from chromedp.NewContext(ctx); a second
// person, who must share no cookie with the first, from
// chromedp.NewContext(ctx, chromedp.WithNewBrowserContext()).
func Browser(t testing.TB) context.Context {
	t.Helper()
	path := lookBrowser(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.DisableGPU,
		chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	if os.Getuid() == 0 {
		// Chromium's sandbox refuses to run as root, as in a container.
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(allocator, chromedp.WithErrorf(t.Logf))
	t.Cleanup(closeTab)

	// The browser lives as long as the context of its first Do, so the limit
	// on its start cannot be a context: it is a timer that closes the tab.
	late := time.AfterFunc(browserStart, closeTab)
	err := chromedp.Do(ctx)
	late.Stop()
	if err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// lookBrowser finds the browser's program or fails the test.
func lookBrowser(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("chromium is not installed: this test needs it (Debian package chromium)")
	return ""
}
