package ui_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"parvis/internal/httpx"
	"parvis/ui"
)

// desk is a small server behind the pages: it counts what forms send.
type desk struct {
	url string

	mu     sync.Mutex
	forms  int
	posted []string // password fields, or tickets
	down   bool
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{down: true}
	pages := newRenderer(t, sampleOptions())
	show := func(w http.ResponseWriter, r *http.Request, status int, v ui.View) {
		if err := pages.Write(w, r, status, v); err != nil {
			t.Errorf("write page: %v", err)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/cas/static/", pages.Static())
	mux.HandleFunc("GET /cas/login", func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		d.forms++
		execution := fmt.Sprintf("e%d", d.forms)
		d.mu.Unlock()
		show(w, r, 200, &ui.Login{Frame: ui.Frame{Self: ui.SelfOf(r)}, Execution: execution, Lifetime: time.Second})
	})
	mux.HandleFunc("POST /cas/login", func(w http.ResponseWriter, r *http.Request) {
		d.receive(r.PostFormValue("execution") + " " + r.PostFormValue("password"))
		show(w, r, 200, &ui.Welcome{User: "jpmartin"})
	})
	mux.HandleFunc("/cas/handoff", func(w http.ResponseWriter, r *http.Request) {
		action := d.url + "/service?a=1&b=2"
		httpx.AllowFormTo(w.Header(), action)
		show(w, r, 200, &ui.Handoff{Action: action, Fields: []ui.Field{{Name: "ticket", Value: "ST-1"}}})
	})
	mux.HandleFunc("POST /service", func(w http.ResponseWriter, r *http.Request) {
		d.receive(r.PostFormValue("ticket") + " " + r.URL.RawQuery)
		fmt.Fprint(w, "<!doctype html><title>Service</title>")
	})
	mux.HandleFunc("/cas/throttled", func(w http.ResponseWriter, r *http.Request) {
		show(w, r, 423, &ui.Throttled{Retry: time.Second})
	})
	mux.HandleFunc("/cas/down", func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		down := d.down
		d.down = false
		d.mu.Unlock()
		if down {
			show(w, r, 503, &ui.Maintenance{Frame: ui.Frame{Self: "/cas/down"}, Retry: time.Second})
			return
		}
		show(w, r, 200, &ui.LoggedOut{})
	})
	server := httptest.NewServer(httpx.Headers(mux, httpx.HeaderOptions{}))
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

func (d *desk) receive(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.posted = append(d.posted, what)
}

func (d *desk) received() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.posted, "; ")
}

// until waits for a script to answer true.
func (b *tab) until(what, script string) {
	b.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+script+")")); err == nil && ok {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.t.Fatalf("waited in vain: %s", what)
}

func TestScriptsImprovePages(t *testing.T) {
	desk, b := newDesk(t), newTab(t)

	b.do(chromedp.Navigate(desk.url + "/cas/login"))
	b.until("the username has the focus", `document.activeElement.id === "username"`)
	b.until("there is a button that shows the password", `document.querySelector("button.show[type=button]")?.textContent === "Show"`)
	b.do(chromedp.Click(chromedp.CSS("button.show")))
	b.until("the password is shown", `document.querySelector("#password").type === "text"`)
	b.until("that is said", `document.querySelector(".secret + [role=status]").textContent === "Your password is visible."`)

	press := `document.querySelector("#password").dispatchEvent(new KeyboardEvent("keydown", {key: "A", modifierCapsLock: %t}))`
	eval[bool](b, fmt.Sprintf(press, true))
	b.until("Caps Lock is said", `document.querySelector(".caps").textContent === "Caps Lock is on."`)
	eval[bool](b, fmt.Sprintf(press, false))
	b.until("and no more", `document.querySelector(".caps").textContent === ""`)

	b.do(chromedp.SendKeys(chromedp.CSS("#username"), "jpmartin"), chromedp.SendKeys(chromedp.CSS("#password"), "secret"))
	b.until("the form is renewed with what was typed", `(document.dispatchEvent(new Event("visibilitychange")),
		document.querySelector("[name=execution]").value !== "e1" && document.querySelector("#password").value === "secret")`)
	execution := eval[string](b, `document.querySelector("[name=execution]").value`)
	kind := eval[string](b, `(() => {
		const button = document.querySelector("#fm1 [type=submit]");
		button.click(); button.click();
		return document.querySelector("#password").type + " " + button.textContent;
	})()`)
	if kind != "password Logging in…" {
		t.Errorf("while it is sent: %q", kind)
	}
	b.until("the welcome page", `document.title.startsWith("Logged in")`)
	if got, want := desk.received(), execution+" secret"; got != want {
		t.Errorf("received %q, want %q once", got, want)
	}
	b.do(chromedp.NavigateBack())
	b.until("the button is ready again", `document.querySelector("#fm1 [type=submit]").textContent === "Log in"`)
	b.noFaults()
}

func TestHandoffSendsItself(t *testing.T) { // L13
	desk, b := newDesk(t), newTab(t)
	b.do(chromedp.Navigate(desk.url + "/cas/handoff"))
	b.until("the service", `document.title === "Service"`)
	if got := desk.received(); got != "ST-1 a=1&b=2" {
		t.Errorf("the service received %q", got)
	}
	b.noFaults()
}

func TestWaitingPages(t *testing.T) {
	desk, b := newDesk(t), newTab(t)
	b.do(chromedp.Navigate(desk.url + "/cas/throttled"))
	b.until("the end of the wait is said", `document.querySelector("#countdown-status").textContent === "You can try again."`)
	b.do(chromedp.Navigate(desk.url + "/cas/down"))
	b.until("the page came back by itself", `document.title.startsWith("Logged out")`)
	b.noFaults()
}

func TestPagesWorkWithoutScripts(t *testing.T) {
	desk, b := newDesk(t), newTab(t)
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	b.do(chromedp.Navigate(desk.url+"/cas/login"),
		chromedp.SendKeys(chromedp.CSS("#username"), "jpmartin"), chromedp.SendKeys(chromedp.CSS("#password"), "secret\n"),
		chromedp.WaitVisible(chromedp.CSS(".facts")))
	b.do(chromedp.Navigate(desk.url+"/cas/handoff"), chromedp.Click(chromedp.CSS("#handoff button")))
	b.until("the service", `document.title === "Service"`)
	if got := desk.received(); got != "e1 secret; ST-1 a=1&b=2" {
		t.Errorf("received %q", got)
	}
}

// TestFormIsAboveTheFold at the smallest wide window that the look is drawn for.
func TestFormIsAboveTheFold(t *testing.T) {
	base := serveSamples(t, newRenderer(t, sampleOptions()))
	b := newTab(t)
	b.do(chromedp.EmulateViewport(1280, 720))
	for _, name := range []string{"login", "login-bare", "login-renew", "login-credentials", "login-expired", "login-cookies"} {
		b.do(chromedp.Navigate(base + name + "?locale=fr"))
		if bottom := eval[float64](b, `document.querySelector("#fm1 [type=submit]").getBoundingClientRect().bottom`); bottom > 720 {
			t.Errorf("%s: the button ends at %.0f px", name, bottom)
		}
	}
}

func TestFocus(t *testing.T) {
	base := serveSamples(t, newRenderer(t, sampleOptions()))
	b := newTab(t)
	for _, tt := range []struct{ page, want string }{
		{"login", "username"}, {"login-renew", "password"}, {"login-credentials", "summary"}, {"login-both", "summary"},
	} {
		b.do(chromedp.Navigate(base + tt.page))
		b.until(tt.page+": focus on "+tt.want, `document.activeElement.id === "`+tt.want+`"`)
	}
	b.do(chromedp.Click(chromedp.CSS(`.summary a[href="#password"]`)))
	b.until("the summary's link leads to the field", `document.activeElement.id === "password"`)
	b.do(chromedp.Navigate(base+"logged-out"), chromedp.KeyEvent("\t"))
	b.until("the first stop is the way to the content", `document.activeElement.classList.contains("skip")`)
}

func (b *tab) noFaults() {
	b.t.Helper()
	for _, fault := range b.takeFaults() {
		b.t.Errorf("the browser says: %s", fault)
	}
}
