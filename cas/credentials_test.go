package cas_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"parvis/cas"
	"parvis/internal/testkit"
)

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
		one, two := b.Get("/cas/login").Form().Get("execution"), b.Get("/cas/login").Form().Get("execution")
		if one == two {
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

// TestAServiceMayWantASessionShort: the entry of the service that a session is
// opened for bounds it, for other services too (S16).
func TestAServiceMayWantASessionShort(t *testing.T) {
	const brief = "https://brief.univ.example/"
	c := newCampus(t, withService("brief.yaml", "id: 50\nname: Brief\nmatch: "+brief+"\nlifetimes: {session: 10m}\n"))
	b, long := c.browser(), c.browser()
	b.enter(brief)
	long.enter(app)
	if b.Get(testkit.LoginPath(app)).Ticket() == "" {
		t.Fatal("no session")
	}
	c.clock.Travel(11 * time.Minute)
	wantForm(t, b.Get(testkit.LoginPath(app)))
	if long.Get(testkit.LoginPath(app)).Ticket() == "" {
		t.Error("a session of another service ended as well")
	}
}

// TestL38DeniedAddressIsFitForAHeader: whatever the owner wrote, and a GET after
// the password.
func TestL38DeniedAddressIsFitForAHeader(t *testing.T) {
	const denying = "https://denying.univ.example/"
	c := newCampus(t, withService("denying.yaml", "id: 51\nname: Denying\nmatch: "+denying+
		"\naccess: {users: [nobody], denied_url: \"https://www.univ.example/accès refusé\"}\n"))
	a := c.browser().Login(testkit.LoginPath(denying), student, studentPassword)
	if a.Status != http.StatusSeeOther || a.Location != "https://www.univ.example/acc%C3%A8s%20refus%C3%A9" {
		t.Errorf("got status %d to %q", a.Status, a.Location)
	}
}
