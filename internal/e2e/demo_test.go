package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parvis/internal/testkit"
)

// startDemo runs the demonstration on free ports and returns where its login
// and its first service are.
func startDemo(t *testing.T) (*testkit.Program, string, int) {
	t.Helper()
	port, services := testkit.FreePort(t), testkit.FreePorts(t, 5)
	begun := time.Now()
	p := start(t, "demo", "-listen", fmt.Sprintf("localhost:%d", port), "-services", fmt.Sprint(services))
	base := fmt.Sprintf("http://localhost:%d", port)
	p.Answers(base+"/cas/login", 10*time.Second)
	t.Logf("answered after %v, with the race detector", time.Since(begun))
	return p, base, services
}

// TestDemo: what a newcomer does, without a browser. One login, a second
// service, logout, Ctrl-C.
func TestDemo(t *testing.T) {
	p, base, services := startDemo(t)
	service := fmt.Sprintf("http://localhost:%d/any/path?x=1", services)
	v := testkit.NewVisitor(t, base)
	a := v.Login(testkit.LoginPath(service), "jpmartin", studentPassword)
	if a.Ticket() == "" {
		t.Fatalf("login: got status %d", a.Status)
	}
	page := testkit.NewVisitor(t, "").Get(a.Location)
	if page.Status != http.StatusOK || !strings.Contains(page.Body, student) || !strings.Contains(page.Body, "Jean-Pierre Martin") {
		t.Errorf("the service shows no ticket: status %d\n%s", page.Status, page.Body)
	}
	for i, want := range []int{http.StatusFound, http.StatusFound, http.StatusFound, http.StatusForbidden, http.StatusForbidden} {
		got := v.Get(testkit.LoginPath(fmt.Sprintf("http://localhost:%d/", services+i)))
		if got.Status != want {
			t.Errorf("service %d: got status %d, want %d", services+i, got.Status, want)
		}
	}
	v.Get("/cas/logout")
	if got := v.Get(testkit.LoginPath(service)); got.Form().Get("execution") == "" {
		t.Error("still logged in after logout")
	}
	p.Signal(syscall.SIGINT)
	if err := p.Wait(); err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
	for _, line := range []string{"http://localhost:", student, studentPassword, "Stopped"} {
		if !strings.Contains(p.Output(), line) {
			t.Errorf("the demonstration does not say %q:\n%s", line, p.Output())
		}
	}
}

func TestDemoPortTaken(t *testing.T) {
	_, base, _ := startDemo(t)
	p := start(t, "demo", "-listen", strings.TrimPrefix(base, "http://"), "-services", fmt.Sprint(testkit.FreePorts(t, 5)))
	var exit *exec.ExitError
	if err := p.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(p.Output(), "another program has this port") {
		t.Errorf("%v, said:\n%s", err, p.Output())
	}
}

// TestBrowserLogsIn is the same way in a real browser: the form's scripts and
// policies, the redirect to the service, the second service, logout.
func TestBrowserLogsIn(t *testing.T) {
	_, base, services := startDemo(t)
	browser := testkit.Browser(t)
	service := func(i int) string { return fmt.Sprintf("http://localhost:%d/", services+i) }
	text := func(steps ...chromedp.Action[chromedp.Void]) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(browser, 30*time.Second)
		defer cancel()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatal(err)
		}
		body, err := chromedp.Run(ctx, chromedp.Text("body"))
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	got := text(
		chromedp.Navigate(service(0)),
		chromedp.WaitVisible("#username"),
		chromedp.SendKeys("#username", "Jean-Pierre.Martin@etu.univ.example"),
		chromedp.SendKeys("#password", studentPassword),
		chromedp.Submit("#fm1"),
		chromedp.WaitNotPresent("#fm1"),
	)
	if !strings.Contains(got, student) || !strings.Contains(got, "Jean-Pierre Martin") {
		t.Fatalf("the service shows:\n%s", got)
	}
	if got := text(chromedp.Navigate(service(1)), chromedp.WaitReady("body")); !strings.Contains(got, student) {
		t.Errorf("the second service shows:\n%s", got)
	}
	if got := text(chromedp.Navigate(base+"/cas/login"), chromedp.WaitReady("body")); !strings.Contains(got, "Bureau virtuel") {
		t.Errorf("the login page does not name the services visited:\n%s", got)
	}
	text(chromedp.Navigate(base+"/cas/logout"), chromedp.WaitReady("body"))
	text(chromedp.Navigate(service(0)), chromedp.WaitVisible("#username"))
}
