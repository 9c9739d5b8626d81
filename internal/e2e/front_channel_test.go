package e2e_test

import (
	"compress/zlib"
	"context"
	"encoding/base64"
	"fmt"
	"io"
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

	"parvis/internal/testkit"
)

// frontApplication is a service that browsers tell of a logout, and that would
// run a script on the page that calls it.
type frontApplication struct {
	*httptest.Server
	hangs bool

	mu sync.Mutex
	// given and told are the tickets of logins and of logout requests.
	given, told []string
	faults      []string
}

func newFrontApplication(t *testing.T, hangs bool) *frontApplication {
	t.Helper()
	a := &frontApplication{hangs: hangs}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *frontApplication) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	query := r.URL.Query()
	switch {
	case r.URL.Path == "/ran":
		a.faults = append(a.faults, "its script runs")
	case query.Has("logoutRequest"):
		a.hear(r, query.Get("logoutRequest"))
		if a.hangs {
			a.mu.Unlock()
			<-r.Context().Done()
			a.mu.Lock()
			return
		}
		answerWithScript(w, r.Header.Get("Sec-Fetch-Dest"))
	case query.Has("ticket"):
		a.given = append(a.given, query.Get("ticket"))
		fmt.Fprint(w, "<!doctype html><p>At the application")
	default:
		http.NotFound(w, r)
	}
}

// hear notes a logout request, and what is wrong with how it came.
func (a *frontApplication) hear(r *http.Request, packed string) {
	message, err := inflated(packed)
	found := sessionIndex.FindStringSubmatch(message)
	if err != nil || found == nil {
		a.faults = append(a.faults, fmt.Sprintf("the logout request cannot be read: %v %q", err, message))
		return
	}
	a.told = append(a.told, found[1])
	if from := r.Header.Get("Referer"); r.Method != http.MethodGet || from != "" {
		a.faults = append(a.faults, fmt.Sprintf("told by %s from %q", r.Method, from))
	}
}

// inflated is a logout request as applications read it.
func inflated(packed string) (string, error) {
	r, err := zlib.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(packed)))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

// answerWithScript answers with a script, in whichever form the place that asks
// could run. It calls back before anything after it is loaded.
func answerWithScript(w http.ResponseWriter, place string) {
	const script = `const call = new XMLHttpRequest(); call.open("GET", "/ran", false); call.send();`
	switch place {
	case "script":
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, script)
	case "image":
		w.Header().Set("Content-Type", "image/svg+xml")
		fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><script>%s</script></svg>`, script)
	default:
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><script>%s</script>`, script)
	}
}

// ticket is that of the last login.
func (a *frontApplication) ticket(t *testing.T) string {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.given) == 0 {
		t.Fatal("the application got no ticket")
	}
	return a.given[len(a.given)-1]
}

// heard fails the test unless the application was told of the ticket, once, and
// as it should.
func (a *frontApplication) heard(t *testing.T, ticket string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.told, []string{ticket}) {
		t.Errorf("the application was told of %q, want %q", a.told, ticket)
	}
	for _, fault := range a.faults {
		t.Error(fault)
	}
	a.told, a.faults = nil, nil
}

// frontCampus is a node, three applications that browsers tell, a service to go
// on to, and a person's browser.
type frontCampus struct {
	t                    *testing.T
	cas                  string
	quick, dead, hanging *frontApplication
	onward               string
	browser              context.Context //nolint:containedctx // chromedp knows a tab by its context
}

func newFrontCampus(t *testing.T) *frontCampus {
	t.Helper()
	s := newSite(t)
	onward := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<!doctype html><p id=onward>The next service")
	}))
	t.Cleanup(onward.Close)
	c := &frontCampus{t: t, quick: newFrontApplication(t, false), dead: newFrontApplication(t, false), hanging: newFrontApplication(t, true)}
	c.onward = onward.URL + "/next"
	for i, a := range []*frontApplication{c.quick, c.dead, c.hanging} {
		s.write(fmt.Sprintf("services/front-%d.yaml", i), fmt.Sprintf("id: %d\nname: Front %d\nmatch: %s/\nlogout: front\n", 900+i, i, a.URL))
	}
	s.write("services/onward.yaml", fmt.Sprintf("id: 910\nname: Onward\nmatch: %s/\n", onward.URL))
	c.cas = strings.Replace(s.node().public, "127.0.0.1", "localhost", 1)
	c.browser = testkit.Browser(t)
	return c
}

func (c *frontCampus) do(steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.browser, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		c.t.Fatal(err)
	}
}

// visit logs in through the page for the first application, and goes on to the
// others.
func (c *frontCampus) visit(applications ...*frontApplication) {
	c.t.Helper()
	for i, a := range applications {
		c.do(chromedp.Navigate(c.cas + testkit.LoginPath(a.URL+"/")))
		if i > 0 {
			continue
		}
		c.do(
			chromedp.WaitVisible("#username"), chromedp.SendKeys("#username", student), chromedp.SendKeys("#password", studentPassword),
			chromedp.Click("#fm1 [type=submit]"), chromedp.WaitNotPresent("#fm1"),
		)
	}
	for _, a := range applications {
		a.ticket(c.t)
	}
}

// leave opens the logout page, and does not wait until all of it is loaded.
func (c *frontCampus) leave() {
	c.t.Helper()
	c.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.Navigate, page.NavigateParams{URL: c.cas + "/cas/logout?service=" + c.onward})
		return err
	}))
}

// arrives waits until the browser is at the service that the person goes on to.
func (c *frontCampus) arrives() {
	c.t.Helper()
	c.do(chromedp.WaitVisible("#onward"))
	address, err := chromedp.Run(c.browser, chromedp.Location())
	if err != nil || address != c.onward {
		c.t.Errorf("the browser is at %q, %v, want %q", address, err, c.onward)
	}
}

// TestFrontChannel: a person's browser tells applications of a logout by
// images, in which nothing runs, and goes on by itself, whatever becomes of the
// applications.
func TestFrontChannel(t *testing.T) {
	c := newFrontCampus(t)
	for _, tt := range []struct {
		name    string
		visited []*frontApplication
		before  func()
		within  time.Duration
	}{
		{"answers", []*frontApplication{c.quick}, func() {}, 4 * time.Second},
		{"hangs", []*frontApplication{c.hanging, c.quick}, func() {}, 10 * time.Second},
		{"dead", []*frontApplication{c.dead, c.quick}, c.dead.Close, 4 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			c.visit(tt.visited...)
			tt.before()
			begun := time.Now()
			c.leave()
			c.arrives()
			if took := time.Since(begun); took > tt.within {
				t.Errorf("went on after %v", took)
			}
			for _, a := range tt.visited {
				if a != c.dead {
					a.heard(t, a.ticket(t))
				}
			}
			c.do(chromedp.Navigate(c.cas+testkit.LoginPath(c.quick.URL+"/")), chromedp.WaitVisible("#username"))
		})
	}
	t.Run("without scripts", func(t *testing.T) {
		c.t = t
		c.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
			return err
		}))
		c.visit(c.hanging, c.quick)
		c.leave()
		c.do(chromedp.Click(fmt.Sprintf(`a.button[href=%q]`, c.onward)))
		c.arrives()
		c.quick.heard(t, c.quick.ticket(t))
		c.hanging.heard(t, c.hanging.ticket(t))
	})
}
