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

// Specification, section 2.2: /login as credential acceptor.

func TestL30RedirectsWithAGet(t *testing.T) {
	a := newCampus(t).browser().Login(testkit.LoginPath(app), student, studentPassword)
	wantStatus(t, a, http.StatusSeeOther)
	if !strings.HasPrefix(a.Location, app+"?ticket=ST-") || strings.Contains(a.Location, studentPassword) {
		t.Errorf("Location = %q", a.Location)
	}
	for header, want := range map[string]string{"Cache-Control": "no-store", "Pragma": "no-cache"} {
		if got := a.Header.Get(header); got != want {
			t.Errorf("%s = %q, want %q", header, got, want)
		}
	}
}

func TestL31SaysTheSessionIsOpen(t *testing.T) {
	b := newCampus(t).browser()
	a := b.Login("/cas/login", student, studentPassword)
	wantStatus(t, a, http.StatusOK)
	if b.tgc() == "" || !strings.Contains(a.Body, "Jean-Pierre Martin") {
		t.Errorf("no cookie, or a page that names nobody:\n%s", a.Body)
	}
}

// TestL32OneAnswerForWrongPasswordAndUnknownUser covers S19.
func TestL32OneAnswerForWrongPasswordAndUnknownUser(t *testing.T) {
	c := newCampus(t)
	var pages []string
	for _, user := range []string{student, "nobody-1", "roux-p", "o22609001"} {
		b := c.browser()
		a := b.Login(testkit.LoginPath(app), user, "wrong password")
		wantStatus(t, a, http.StatusUnauthorized)
		wantForm(t, a)
		if b.tgc() != "" || strings.Contains(a.Body, "wrong password") {
			t.Errorf("%s: a cookie, or the password in the page", user)
		}
		body := strings.ReplaceAll(a.Body, user, "USER")
		pages = append(pages, strings.ReplaceAll(body, a.Form().Get("execution"), "TOKEN"))
	}
	for i, page := range pages {
		if page != pages[0] {
			t.Errorf("page %d differs from the first", i)
		}
	}
}

func TestL33MissingFields(t *testing.T) {
	b := newCampus(t).browser()
	for _, test := range []struct{ name, user, password string }{
		{"no password", student, ""}, {"no login", "", studentPassword}, {"neither", "", ""}, {"blank login", "  ", "x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := b.Login(testkit.LoginPath(app), test.user, test.password)
			wantStatus(t, a, http.StatusOK)
			wantForm(t, a)
			if b.tgc() != "" {
				t.Error("logged in")
			}
		})
	}
}

// TestL34FormTokenIsSingleUseAndBound covers S15 and S17.
func TestL34FormTokenIsSingleUseAndBound(t *testing.T) {
	c := newCampus(t)
	stale := func(t *testing.T, b *browser, a testkit.Answer) {
		t.Helper()
		wantStatus(t, a, http.StatusUnprocessableEntity)
		wantForm(t, a)
		if a.Form().Get("service") != app || b.tgc() != "" {
			t.Errorf("the service is lost, or the login worked:\n%s", a.Body)
		}
	}
	t.Run("missing", func(t *testing.T) {
		b := c.browser()
		page := b.Get(testkit.LoginPath(app))
		page.Body = strings.ReplaceAll(page.Body, `name="execution"`, `name="nothing"`)
		stale(t, b, b.Submit(page, student, studentPassword))
	})
	t.Run("forged", func(t *testing.T) {
		b := c.browser()
		page := b.Get(testkit.LoginPath(app))
		token := page.Form().Get("execution")
		page.Body = strings.ReplaceAll(page.Body, token, token[:len(token)-4]+"AAAA")
		stale(t, b, b.Submit(page, student, studentPassword))
	})
	t.Run("used by a failure", func(t *testing.T) {
		b := c.browser()
		page := b.Get(testkit.LoginPath(app))
		wantStatus(t, b.Submit(page, student, "wrong"), http.StatusUnauthorized)
		stale(t, b, b.Submit(page, student, studentPassword))
	})
	t.Run("used by a success", func(t *testing.T) {
		b := c.browser()
		page := b.Get(testkit.LoginPath(app))
		wantStatus(t, b.Submit(page, student, studentPassword), http.StatusSeeOther)
		b.Get("/cas/logout")
		stale(t, b, b.Submit(page, student, studentPassword))
	})
	t.Run("of another browser", func(t *testing.T) {
		page := c.browser().Get(testkit.LoginPath(app))
		b := c.browser()
		b.Get(testkit.LoginPath(app))
		stale(t, b, b.Submit(page, student, studentPassword))
	})
	t.Run("without the cookie", func(t *testing.T) {
		page := c.browser().Get(testkit.LoginPath(app))
		b := c.browser()
		stale(t, b, b.Submit(page, student, studentPassword))
	})
	t.Run("too old", func(t *testing.T) {
		b := c.browser()
		page := b.Get(testkit.LoginPath(app))
		c.clock.Travel(c.limits.Form + time.Second)
		stale(t, b, b.Submit(page, student, studentPassword))
	})
	t.Run("two tokens are never the same", func(t *testing.T) {
		b := c.browser()
		if b.Get("/cas/login").Form().Get("execution") == b.Get("/cas/login").Form().Get("execution") {
			t.Error("same token twice")
		}
	})
}

func TestL35WarnAsksBeforeEachOtherService(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	first := b.Login(testkit.LoginPath(app), student, studentPassword, "warn")
	wantStatus(t, first, http.StatusSeeOther)
	page := b.Get(testkit.LoginPath(other))
	wantStatus(t, page, http.StatusOK)
	if strings.Contains(page.Body, "ST-") || !strings.Contains(page.Body, "Other") {
		t.Fatalf("want a question that names the service:\n%s", page.Body)
	}
	a := b.Post("/cas/login", page.Form())
	wantStatus(t, a, http.StatusSeeOther)
	if !c.validate("/serviceValidate", other, a.Ticket()).Valid() {
		t.Error("the ticket does not validate")
	}
	wantStatus(t, b.Post("/cas/login", page.Form()), http.StatusOK) // the consent is single use
	form := b.Get(testkit.LoginPath(other)).Form()
	form.Set("ignorewarn", "true")
	wantStatus(t, b.Post("/cas/login", form), http.StatusSeeOther)
	wantStatus(t, b.Get(testkit.LoginPath(app)), http.StatusFound)
}

func TestL36RememberMe(t *testing.T) {
	remembers := withLimits(func(l *cas.Limits) { l.RememberMe = true })
	t.Run("off: the box is not there and the parameter is ignored", func(t *testing.T) {
		c := newCampus(t)
		b := c.browser()
		if strings.Contains(b.Get("/cas/login").Body, `name="rememberMe"`) {
			t.Error("the box is shown")
		}
		a := b.Login(testkit.LoginPath(app), student, studentPassword, "rememberMe")
		if got := c.validate("/p3/serviceValidate", app, a.Ticket()); !strings.Contains(got.Body, "TokenUsed>false<") {
			t.Errorf("remembered:\n%s", got.Body)
		}
	})
	t.Run("on", func(t *testing.T) {
		c := newCampus(t, remembers)
		b := c.browser()
		page := b.Get(testkit.LoginPath(app))
		if !strings.Contains(page.Body, `name="rememberMe"`) || strings.Contains(page.Body, "checked") {
			t.Error("the box is not shown, or ticked by default")
		}
		a := b.Submit(page, student, studentPassword, "rememberMe")
		if set := strings.Join(a.Header.Values("Set-Cookie"), "\n"); !strings.Contains(set, "Max-Age=2592000") { // S16
			t.Errorf("the cookie does not last: %s", set)
		}
		if got := c.validate("/p3/serviceValidate", app, a.Ticket()); !strings.Contains(got.Body, "<cas:longTermAuthenticationRequestTokenUsed>true<") {
			t.Errorf("not told to the service:\n%s", got.Body)
		}
		c.clock.Travel(24 * time.Hour)
		wantStatus(t, b.Get(testkit.LoginPath(other)), http.StatusFound)
		c.clock.Travel(8 * 24 * time.Hour)
		wantForm(t, b.Get(testkit.LoginPath(other)))
	})
}

func TestL37ThrottledEvenWithTheRightPassword(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	for range 5 {
		wantStatus(t, b.Login(testkit.LoginPath(app), student, "wrong"), http.StatusUnauthorized)
	}
	a := b.Login(testkit.LoginPath(app), student, studentPassword)
	wantStatus(t, a, http.StatusLocked)
	if a.Header.Get("Retry-After") == "" || b.tgc() != "" {
		t.Errorf("Retry-After = %q", a.Header.Get("Retry-After"))
	}
	c.clock.Travel(2 * time.Minute)
	wantStatus(t, b.Login(testkit.LoginPath(app), student, studentPassword), http.StatusSeeOther)
}

// TestL38PersonWithoutTheRight: no ticket, and the session stays.
func TestL38PersonWithoutTheRight(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	a := b.Login(testkit.LoginPath(admin), student, studentPassword)
	wantStatus(t, a, http.StatusForbidden)
	if a.Location != "" || strings.Contains(a.Body, "ST-") || b.tgc() == "" {
		t.Error("a ticket, or no session")
	}
	wantStatus(t, b.Get(testkit.LoginPath(admin)), http.StatusForbidden)
	wantStatus(t, b.Get(testkit.LoginPath(app)), http.StatusFound)
	wantStatus(t, c.browser().Login(testkit.LoginPath(admin), staff, staffPassword), http.StatusSeeOther)
}

func TestL39AccountStateShowsAfterTheRightPassword(t *testing.T) {
	b := newCampus(t).browser()
	a := b.Login(testkit.LoginPath(app), "roux-p", "MilleVents2SurLaColline")
	wantStatus(t, a, http.StatusForbidden)
	if b.tgc() != "" || a.Form().Get("execution") != "" {
		t.Error("logged in, or the form again")
	}
}

func TestL40PrincipalIsTheCanonicalUID(t *testing.T) {
	c := newCampus(t)
	for _, typed := range []string{student, "O22502142", " o22502142 ", "jpmartin", "JPMartin", "Jean-Pierre.MARTIN@etu.univ.example", "ｏ22502142"} {
		a := c.browser().Login(testkit.LoginPath(app), typed, studentPassword)
		if got := c.validate("/serviceValidate", app, a.Ticket()); !strings.Contains(got.Body, "<cas:user>"+student+"</cas:user>") {
			t.Errorf("%q: %s", typed, got.Body)
		}
	}
}

// TestL41TwoTabs: both logins work, both tickets are good, the first cookie is
// dead, and one logout ends it all.
func TestL41TwoTabs(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	tabA, tabB := b.Get(testkit.LoginPath(app)), b.Get(testkit.LoginPath(other))
	a := b.Submit(tabA, student, studentPassword)
	first := b.tgc()
	d := b.Submit(tabB, student, studentPassword)
	wantStatus(t, a, http.StatusSeeOther)
	wantStatus(t, d, http.StatusSeeOther)
	if b.tgc() == first {
		t.Error("the cookie of the first login was kept")
	}
	wantForm(t, c.withCookie("TGC", first).Get(testkit.LoginPath(app)))
	if !c.validate("/serviceValidate", app, a.Ticket()).Valid() || !c.validate("/serviceValidate", other, d.Ticket()).Valid() {
		t.Error("a ticket of one of the two tabs was lost")
	}
	if page := b.Get("/cas/login"); !strings.Contains(page.Body, "Application") || !strings.Contains(page.Body, "Other") {
		t.Error("the session forgot a service of the first tab")
	}
}

func TestL42PublicWorkstation(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	a := b.Login(testkit.LoginPath(app), student, studentPassword, "publicWorkstation")
	wantStatus(t, a, http.StatusSeeOther)
	if b.tgc() != "" {
		t.Error("a cookie is left behind")
	}
	if !c.validate("/serviceValidate", app, a.Ticket()).Valid() {
		t.Error("the ticket does not validate")
	}
	wantForm(t, b.Get(testkit.LoginPath(other)))
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

// TestL35ConsentCannotReplaceAPassword: the answer to the question is no way
// around a login that must be new.
func TestL35ConsentCannotReplaceAPassword(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	b.Login(testkit.LoginPath(app), student, studentPassword, "warn")
	form := b.Get(testkit.LoginPath(other)).Form()
	form.Set("renew", "true")
	a := b.Post("/cas/login", form)
	wantForm(t, a)
	if a.Form().Get("renew") != "true" {
		t.Error("the form forgets that a new login was asked")
	}
}

// TestL42PublicWorkstationEndsWhatWasOpen: who says that the computer is
// shared leaves no session behind, not even an older one.
func TestL42PublicWorkstationEndsWhatWasOpen(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	pending := b.enter(app)
	before := b.tgc()
	b.Login(testkit.LoginPath(other, "renew=true"), student, studentPassword, "publicWorkstation")
	wantCode(t, c.validate("/serviceValidate", app, pending), cas.InvalidTicket)
	if b.tgc() != "" {
		t.Error("the cookie is still there")
	}
	wantForm(t, c.withCookie("TGC", before).Get(testkit.LoginPath(app)))
}

// TestRedirectURL: an entry may say where its tickets go.
func TestRedirectURL(t *testing.T) {
	c := newCampus(t, withService("moved.yaml", "id: 40\nname: Moved\nmatch: https://moved.univ.example/\nredirect_url: https://moved.univ.example/entry\n"))
	a := c.browser().Login(testkit.LoginPath("https://moved.univ.example/page"), student, studentPassword)
	if !strings.HasPrefix(a.Location, "https://moved.univ.example/entry?ticket=ST-") {
		t.Errorf("Location = %q", a.Location)
	}
}

// TestARightPasswordForgives: who mistypes now and then is never slowed down.
func TestARightPasswordForgives(t *testing.T) {
	c := newCampus(t)
	for range 3 {
		b := c.browser()
		for range 4 {
			wantStatus(t, b.Login(testkit.LoginPath(app), student, "typo"), http.StatusUnauthorized)
		}
		wantStatus(t, b.Login(testkit.LoginPath(app), student, studentPassword), http.StatusSeeOther)
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

func TestL36L42RememberMeAndPublicWorkstation(t *testing.T) {
	t.Run("both ticked: nothing is remembered", func(t *testing.T) {
		c := newCampus(t, withLimits(func(l *cas.Limits) { l.RememberMe = true }))
		a := c.browser().Login(testkit.LoginPath(app), student, studentPassword, "rememberMe", "publicWorkstation")
		if got := c.validate("/serviceValidate", app, a.Ticket()); !strings.Contains(got.Body, "TokenUsed>false<") {
			t.Errorf("remembered:\n%s", got.Body)
		}
	})
	t.Run("the box can be taken away", func(t *testing.T) {
		c := newCampus(t, withLimits(func(l *cas.Limits) { l.PublicWorkstation = false }))
		b := c.browser()
		if strings.Contains(b.Get("/cas/login").Body, "publicWorkstation") {
			t.Error("the box is shown")
		}
		b.Login(testkit.LoginPath(app), student, studentPassword, "publicWorkstation")
		if b.tgc() == "" {
			t.Error("the parameter is obeyed all the same")
		}
	})
}
