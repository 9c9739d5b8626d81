package cas_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parvis/cas"
	"parvis/internal/testkit"
)

// Specification, section 2.1: /login as credential requestor.

func TestL1AsksForCredentials(t *testing.T) {
	a := newCampus(t).browser().Get("/cas/login")
	wantStatus(t, a, http.StatusOK)
	wantForm(t, a)
	if got := a.Header.Get("Cache-Control"); !strings.Contains(got, "no-store") { // S26
		t.Errorf("Cache-Control = %q", got)
	}
}

func TestL2SaysAlreadyLoggedIn(t *testing.T) {
	b := newCampus(t).browser()
	b.enter(app)
	a := b.Get("/cas/login")
	wantStatus(t, a, http.StatusOK)
	if a.Form().Get("execution") != "" || !strings.Contains(a.Body, "Jean-Pierre Martin") || !strings.Contains(a.Body, "Application") {
		t.Errorf("want a page that names the person and the services visited:\n%s", a.Body)
	}
}

func TestL3FormHoldsWhatScriptsRelyOn(t *testing.T) {
	service := app + "page?a=b&c=d%20e#f"
	a := newCampus(t).browser().Get(testkit.LoginPath(service))
	wantForm(t, a)
	for _, part := range []string{`id="username"`, `name="username"`, `id="password"`, `name="password"`, `id="fm1"`, "Application"} {
		if !strings.Contains(a.Body, part) {
			t.Errorf("no %s in the form", part)
		}
	}
	form := a.Form()
	if got := form.Get("service"); got != service { // G2
		t.Errorf("service = %q, want %q", got, service)
	}
	if got := form.Get("_eventId"); got != "submit" {
		t.Errorf("_eventId = %q", got)
	}
}

// TestL4SingleSignOnNeedsNoPage covers L12: without a method, a redirect.
func TestL4SingleSignOnNeedsNoPage(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	b.enter(app)
	a := b.Get(testkit.LoginPath(other))
	wantStatus(t, a, http.StatusFound)
	if !strings.HasPrefix(a.Location, other+"?ticket=ST-") {
		t.Fatalf("Location = %q", a.Location)
	}
	if !c.validate("/serviceValidate", other, a.Ticket()).Valid() {
		t.Error("the ticket does not validate")
	}
}

// TestL5RefusesServicesThatMayNotBeServed covers S7 too: no way of asking
// leads to a redirect or a ticket.
func TestL5RefusesServicesThatMayNotBeServed(t *testing.T) {
	c := newCampus(t)
	logged := c.browser()
	logged.enter(app)
	for _, service := range []string{stranger, closed, "https://nowhere.example/", "javascript:alert(1)", "//app.univ.example/", "imap://mail.univ.example"} {
		for _, parameter := range []string{"x=1", "gateway=true", "renew=true", "method=POST", "method=HEADER", "warn=true"} {
			for name, b := range map[string]*browser{"logged in": logged, "not logged in": c.browser()} {
				a := b.Get(testkit.LoginPath(service, parameter))
				if a.Status != http.StatusForbidden || a.Location != "" || a.Header.Get("ticket") != "" || strings.Contains(a.Body, "ST-") {
					t.Errorf("%s, %s, %s: got status %d to %q", service, parameter, name, a.Status, a.Location)
				}
			}
		}
		b := c.browser()
		form := b.Get("/cas/login").Form()
		form.Set("service", service)
		form.Set("username", student)
		form.Set("password", studentPassword)
		if a := b.Post("/cas/login", form); a.Status != http.StatusForbidden || a.Location != "" || b.tgc() != "" {
			t.Errorf("%s, posted: got status %d to %q", service, a.Status, a.Location)
		}
	}
}

func TestL7RenewAsksAgain(t *testing.T) {
	c := newCampus(t)
	for _, test := range []struct {
		parameter string
		asks      bool
	}{{"renew=true", true}, {"renew", true}, {"renew=1", true}, {"renew=", true}, {"renew=false", false}, {"Renew=true", false}} {
		t.Run(test.parameter, func(t *testing.T) {
			b := c.browser()
			b.enter(app)
			a := b.Get(testkit.LoginPath(other, test.parameter))
			if asks := a.Status == http.StatusOK && a.Form().Get("execution") != ""; asks != test.asks {
				t.Errorf("asks = %v, want %v (status %d)", asks, test.asks, a.Status)
			}
		})
	}
}

// TestL7RenewAsSomebodyElse covers S13: the session of the first person ends.
func TestL7RenewAsSomebodyElse(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	first := b.enter(app)
	before := b.tgc()
	a := b.Login(testkit.LoginPath(other, "renew=true"), teacher, teacherPassword)
	if got := c.validate("/serviceValidate", other, a.Ticket()); !strings.Contains(got.Body, "<cas:user>dupont-a</cas:user>") {
		t.Fatalf("validated as somebody else:\n%s", got.Body)
	}
	wantCode(t, c.validate("/serviceValidate", app, first), cas.InvalidTicket)
	if b.tgc() == before {
		t.Fatal("the cookie did not change")
	}
	wantForm(t, c.withCookie("TGC", before).Get(testkit.LoginPath(app)))
}

func TestL8L9Gateway(t *testing.T) {
	c := newCampus(t)
	for _, parameter := range []string{"gateway=true", "gateway=1", "gateway"} {
		a := c.browser().Get(testkit.LoginPath(app+"?a=b", parameter))
		wantStatus(t, a, http.StatusFound)
		if a.Location != app+"?a=b" {
			t.Errorf("%s without a session: Location = %q", parameter, a.Location)
		}
	}
	a := c.withCookie("TGC", "TGT-"+strings.Repeat("x", 60)).Get(testkit.LoginPath(app, "gateway=true"))
	if a.Location != app {
		t.Errorf("with a dead cookie: status %d, Location %q", a.Status, a.Location)
	}
	b := c.browser()
	b.enter(other)
	if a := b.Get(testkit.LoginPath(app, "gateway=true")); a.Ticket() == "" {
		t.Errorf("with a session: status %d, Location %q", a.Status, a.Location)
	}
	if a := b.Get(testkit.LoginPath(admin, "gateway=true")); a.Location != admin {
		t.Errorf("without the right: status %d, Location %q", a.Status, a.Location)
	}
	wantForm(t, c.browser().Get(testkit.LoginPath(app, "gateway=false")))
	wantForm(t, c.browser().Get("/cas/login?gateway=true"))                       // L10
	wantForm(t, c.browser().Get(testkit.LoginPath(app, "gateway=true", "renew"))) // L11
}

func TestL13PostsTheTicket(t *testing.T) {
	c := newCampus(t)
	service := app + `?a="><script>&b=c`
	b := c.browser()
	a := b.Login(testkit.LoginPath(service, "method=post"), student, studentPassword)
	wantStatus(t, a, http.StatusOK)
	form := a.Form()
	if strings.Contains(a.Body, "><script>") || !strings.HasPrefix(form.Get("ticket"), "ST-") {
		t.Fatalf("want a form with the ticket and nothing unescaped:\n%s", a.Body)
	}
	if !c.validate("/serviceValidate", service, form.Get("ticket")).Valid() {
		t.Error("the ticket does not validate")
	}
	wantStatus(t, b.Get(testkit.LoginPath(app, "method=POST")), http.StatusOK)
	if a := b.Get(testkit.LoginPath(postApp)); a.Form().Get("ticket") == "" {
		t.Errorf("the entry asks for POST: status %d", a.Status)
	}
	wantStatus(t, b.Get(testkit.LoginPath(postApp, "method=GET")), http.StatusFound)
}

func TestL14L15OtherMethods(t *testing.T) {
	b := newCampus(t).browser()
	b.enter(other)
	a := b.Get(testkit.LoginPath(app, "method=HEADER"))
	wantStatus(t, a, http.StatusOK)
	if a.Header.Get("service") != app || !strings.HasPrefix(a.Header.Get("ticket"), "ST-") {
		t.Errorf("headers: %v", a.Header)
	}
	wantStatus(t, b.Get(testkit.LoginPath(app, "method=NOSUCH")), http.StatusFound)
}

func TestL16StaleCookieDoesNotTrap(t *testing.T) {
	c := newCampus(t)
	for _, value := range []string{"TGT-" + strings.Repeat("0", 60), "garbage", "eyJhbGciOiJIUzUxMiJ9.e30.x_y"} {
		a := c.withCookie("TGC", value).Get(testkit.LoginPath(app))
		wantForm(t, a)
		removed := 0
		for _, set := range a.Header.Values("Set-Cookie") {
			if strings.HasPrefix(set, "TGC=;") && strings.Contains(set, "Max-Age=0") {
				removed++
			}
		}
		if removed != 3 {
			t.Errorf("%s: removed at %d paths, want /, /cas and /cas/", value, removed)
		}
	}
	b := c.browser()
	b.enter(app)
	live := b.tgc()
	r := c.browser().Request(http.MethodGet, testkit.LoginPath(other), "")
	r.Header.Set("Cookie", "TGC=TGT-"+strings.Repeat("0", 60)+"; TGC=stale; TGC="+live)
	if a := c.browser().Do(r); a.Ticket() == "" {
		t.Errorf("a stale cookie of the same name hides the live one: status %d", a.Status)
	}
}

func TestL18Languages(t *testing.T) {
	c := newCampus(t)
	for _, test := range []struct{ name, accept, query, want string }{
		{"French browser", "fr-FR,fr;q=0.9", "", "fr"},
		{"English browser", "en-GB,en;q=0.9", "", "en"},
		{"another browser", "zh", "", "fr"},
		{"no header", "", "", "fr"},
		{"asked for", "fr", "&locale=en", "en"},
		{"asked for what is not there", "en", "&locale=xx", "en"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := c.browser().Request(http.MethodGet, testkit.LoginPath(app+"?x=1&y=%41")+test.query, "")
			r.Header.Set("Accept-Language", test.accept)
			a := c.browser().Do(r)
			if got := a.Header.Get("Content-Language"); got != test.want || !strings.Contains(a.Body, `<html lang="`+test.want+`"`) {
				t.Errorf("language = %q, want %q", got, test.want)
			}
			if !strings.Contains(a.Body, "service="+url.QueryEscape(app+"?x=1&y=%41")) {
				t.Error("the language switch loses the service")
			}
		})
	}
}

func TestL19TicketGoesBeforeTheFragment(t *testing.T) {
	c := newCampus(t)
	for _, test := range []struct{ service, prefix, suffix string }{
		{app + "#top", app + "?ticket=ST-", "#top"},
		{app + "?a=b#x?y", app + "?a=b&ticket=ST-", "#x?y"},
		{app + "?a=%C3%A9&b=c+d", app + "?a=%C3%A9&b=c+d&ticket=ST-", ""}, // G2
		{app + "?q=é", app + "?q=%C3%A9&ticket=ST-", ""},
		{app + "a;jsessionid=1?x", app + "a;jsessionid=1?x&ticket=ST-", ""},
	} {
		a := c.browser().Login(testkit.LoginPath(test.service), student, studentPassword)
		if !strings.HasPrefix(a.Location, test.prefix) || !strings.HasSuffix(a.Location, test.suffix) || strings.Count(a.Location, "#") > 1 {
			t.Errorf("%s: Location = %q", test.service, a.Location)
		}
	}
}

// TestServiceWithoutSingleSignOn: an entry may ask for the password each time.
func TestServiceWithoutSingleSignOn(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	b.enter(app)
	wantForm(t, b.Get(testkit.LoginPath(strict)))
	a := b.Login(testkit.LoginPath(strict), student, studentPassword)
	if !c.validate("/serviceValidate", strict, a.Ticket(), "renew=true").Valid() {
		t.Error("the ticket is not from a new login")
	}
}

// TestL5SaysWhomToCall: the page of a service that is switched off names who
// answers for it.
func TestL5SaysWhomToCall(t *testing.T) {
	a := newCampus(t).browser().Get(testkit.LoginPath(closed))
	wantStatus(t, a, http.StatusForbidden)
	if !strings.Contains(a.Body, "scolarite@univ.example") || !strings.Contains(a.Body, "Closed") {
		t.Errorf("the page names neither the service nor a contact:\n%s", a.Body)
	}
}

// TestRedirectURL: an entry may say where its tickets go.
func TestRedirectURL(t *testing.T) {
	c := newCampus(t, withService("moved.yaml", "id: 40\nname: Moved\nmatch: https://moved.univ.example/\nredirect_url: https://moved.univ.example/entry\n"))
	a := c.browser().Login(testkit.LoginPath("https://moved.univ.example/page"), student, studentPassword)
	if !strings.HasPrefix(a.Location, "https://moved.univ.example/entry?ticket=ST-") {
		t.Errorf("Location = %q", a.Location)
	}
}

// TestL8GatewayNeverAsks: a service whose entry wants a password each time, or
// a person who wants to be asked, sends a gateway request back as it came.
func TestL8GatewayNeverAsks(t *testing.T) {
	c := newCampus(t)
	if a := c.browser().Get(testkit.LoginPath(strict, "gateway=true")); a.Location != strict {
		t.Errorf("not logged in: status %d, Location %q", a.Status, a.Location)
	}
	b := c.browser()
	b.Login(testkit.LoginPath(app), student, studentPassword, "warn")
	for _, service := range []string{strict, other} {
		if a := b.Get(testkit.LoginPath(service, "gateway=true")); a.Location != service {
			t.Errorf("%s: status %d, Location %q", service, a.Status, a.Location)
		}
	}
}

func TestL15UnknownMethodLeavesTheEntrysOwn(t *testing.T) {
	b := newCampus(t).browser()
	b.enter(app)
	if a := b.Get(testkit.LoginPath(postApp, "method=NOSUCH")); a.Form().Get("ticket") == "" {
		t.Errorf("got status %d to %q", a.Status, a.Location)
	}
}

// TestL7WhatTheEntrySaysOfOpenSessions: how old a login may be, for whom an open
// session is enough, and whether a password asked for anew leaves a cookie.
func TestL7WhatTheEntrySaysOfOpenSessions(t *testing.T) {
	const aged, staffOnly, aside, rare = "https://aged.univ.example/", "https://some.univ.example/", "https://aside.univ.example/", "https://rare.univ.example/"
	c := newCampus(t,
		withService("aged.yaml", "id: 40\nname: Aged\nmatch: "+aged+"\nsso: {max_age: 10m}\n"),
		withService("some.yaml", "id: 41\nname: Some\nmatch: "+staffOnly+"\nsso: {who: {require: {eduPersonAffiliation: staff}}}\n"),
		withService("aside.yaml", "id: 42\nname: Aside\nmatch: "+aside+"\nsso: {cookie_on_renew: false}\n"),
		withService("rare.yaml", "id: 43\nname: Rare\nmatch: "+rare+"\nsso: {max_age: 5m, cookie_on_renew: false}\n"))
	b := c.browser()
	b.enter(app)
	wantForm(t, b.Get(testkit.LoginPath(staffOnly)))
	if b.Get(testkit.LoginPath(aged)).Ticket() == "" {
		t.Error("a fresh login is not enough")
	}
	before := b.tgc()
	if a := b.Login(testkit.LoginPath(aside, "renew=true"), student, studentPassword); a.Ticket() == "" || b.tgc() != before {
		t.Errorf("got status %d; the browser's session was changed: %t", a.Status, b.tgc() != before)
	}
	c.clock.Travel(11 * time.Minute)
	wantForm(t, b.Get(testkit.LoginPath(aged)))
	if a := b.Login(testkit.LoginPath(rare), student, studentPassword); a.Ticket() == "" || b.tgc() != before {
		t.Errorf("asked anew by the entry: got status %d; the session was changed: %t", a.Status, b.tgc() != before)
	}
	if first := c.browser(); first.Login(testkit.LoginPath(rare), student, studentPassword).Ticket() == "" || first.tgc() == "" {
		t.Error("a first login opened no session")
	}
	if b.Get(testkit.LoginPath(app)).Ticket() == "" {
		t.Error("the session is gone")
	}
}
