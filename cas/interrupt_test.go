package cas_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"parvis/cas"
	"parvis/identity"
	"parvis/internal/testkit"
	"parvis/ui"
)

// houseRules is an interrupt as another room would make one: a box to tick, once
// for each person.
type houseRules struct {
	pages cas.Pages

	mu       sync.Mutex
	accepted map[string]bool
	seen     []cas.Passage
}

func (c *houseRules) Name() string { return "charter" }

func (c *houseRules) Due(_ context.Context, p cas.Passage) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.accepted[p.Person.UID], nil
}

func (c *houseRules) Serve(w http.ResponseWriter, r *http.Request, p cas.Passage) (cas.Outcome, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, p)
	if p.Answered && p.Form.Get("accept") == "true" {
		c.accepted[p.Person.UID] = true
		return cas.Outcome{Passed: true}, nil
	}
	return cas.Outcome{}, c.pages.Write(w, r, http.StatusOK, &ui.Interruption{
		Frame: p.Frame, Title: "Charter", Paragraphs: []string{"Be kind."}, Action: p.Action, Hidden: p.Hidden,
		Choices: []ui.Choice{{Name: "accept", Label: "I accept"}}, Submit: "Go on",
	})
}

// renewal is an interrupt for a password that must be changed.
type renewal struct{ *houseRules }

func (r renewal) Name() string { return "renewal" }

func (r renewal) Due(_ context.Context, p cas.Passage) (bool, error) {
	return p.Person.State == identity.MustChange, nil
}

func (r renewal) Serve(w http.ResponseWriter, q *http.Request, p cas.Passage) (cas.Outcome, error) {
	outcome, err := r.houseRules.Serve(w, q, p)
	outcome.Mended = outcome.Passed
	return outcome, err
}

// mustChange gives one person a password that somebody else chose.
type mustChange struct {
	cas.Directory
	uid string
}

func (d mustChange) Authenticate(ctx context.Context, login, password string) (identity.Person, error) {
	person, err := d.Directory.Authenticate(ctx, login, password)
	if err == nil && person.UID == d.uid {
		return identity.Person{}, &identity.StateError{UID: d.uid, State: identity.MustChange}
	}
	return person, err
}

func withCharter(c *houseRules) option {
	return func(o *cas.Options, _ map[string]string) {
		c.pages, c.accepted = o.Pages, map[string]bool{}
		o.Interrupts = append(o.Interrupts, c)
	}
}

// accept ticks the box of a charter's page and sends it.
func (b *browser) accept(page testkit.Answer) testkit.Answer {
	form := page.Form()
	form.Set("accept", "true")
	return b.Post("/cas/login", form)
}

func wantCharter(t *testing.T, a testkit.Answer) {
	t.Helper()
	if a.Status != http.StatusOK || a.Location != "" || a.Form().Get("_eventId") != "charter" || !strings.Contains(a.Body, "Be kind.") {
		t.Fatalf("got status %d to %q and no charter\n%.2000s", a.Status, a.Location, a.Body)
	}
}

// TestInterruptStandsBeforeTheSession: nothing is open until it was passed, and
// afterwards everything is as it would have been (L30, S33).
func TestInterruptStandsBeforeTheSession(t *testing.T) {
	ch := &houseRules{}
	c := newCampus(t, withCharter(ch))
	b := c.browser()
	page := b.Login(testkit.LoginPath(app+"?a=b%26c"), student, studentPassword, "warn")
	wantCharter(t, page)
	if b.tgc() != "" {
		t.Error("a session opened before the charter was accepted")
	}
	if got := page.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control = %q", got)
	}
	again := b.Post("/cas/login", page.Form()) // the box is not ticked
	wantCharter(t, again)
	a := b.accept(again)
	if a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Location, app+"?a=b%26c&ticket=ST-") || b.tgc() == "" || b.Cookie("CASPRIVACY") == "" {
		t.Fatalf("got status %d to %q, cookie %q", a.Status, a.Location, b.tgc())
	}
	if v := c.validate("/serviceValidate", app+"?a=b%26c", a.Ticket(), "renew=true"); !v.Valid() {
		t.Errorf("the password was typed for this ticket\n%s", v.Body)
	}
	if first := ch.seen[0]; !first.Fresh || first.Service == nil || first.Service.Name != "Application" || first.Person.Attributes.First("mail") == "" {
		t.Errorf("the charter was told %+v", first)
	}
	if next := c.browser().Login(testkit.LoginPath(other), student, studentPassword); next.Ticket() == "" {
		t.Error("it is asked again of who accepted it")
	}
}

// TestInterruptCannotBeStepped: no form, form of another browser, used twice,
// too old, of another site, or of another page leads past it (S15, S17, S33).
func TestInterruptCannotBeStepped(t *testing.T) {
	ch := &houseRules{}
	c := newCampus(t, withCharter(ch))
	for _, test := range []struct {
		name string
		send func(b *browser, page testkit.Answer) testkit.Answer
	}{
		{"no token", func(b *browser, _ testkit.Answer) testkit.Answer {
			return b.Post("/cas/login", url.Values{"_eventId": {"charter"}, "accept": {"true"}, "service": {app}})
		}},
		{"token of a login form", func(b *browser, _ testkit.Answer) testkit.Answer {
			form := b.Get(testkit.LoginPath(app)).Form()
			form.Set("_eventId", "charter")
			form.Set("accept", "true")
			return b.Post("/cas/login", form)
		}},
		{"another browser", func(_ *browser, page testkit.Answer) testkit.Answer {
			thief := c.browser()
			thief.Get(testkit.LoginPath(app))
			return thief.accept(page)
		}},
		{"too late", func(b *browser, page testkit.Answer) testkit.Answer {
			c.clock.Travel(2 * time.Hour)
			return b.accept(page)
		}},
		{"from another site", func(b *browser, page testkit.Answer) testkit.Answer {
			form := page.Form()
			form.Set("accept", "true")
			r := b.Request(http.MethodPost, "/cas/login", form.Encode())
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			return b.Do(r)
		}},
		{"the warning's button", func(b *browser, page testkit.Answer) testkit.Answer {
			form := page.Form()
			form.Set("_eventId", "proceed")
			return b.Post("/cas/login", form)
		}},
		{"a link", func(b *browser, page testkit.Answer) testkit.Answer {
			return b.Get("/cas/login?" + page.Form().Encode())
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := c.browser()
			page := b.Login(testkit.LoginPath(app), student, studentPassword)
			wantCharter(t, page)
			a := test.send(b, page)
			if a.Ticket() != "" || b.tgc() != "" {
				t.Errorf("got status %d to %q, cookie %q", a.Status, a.Location, b.tgc())
			}
			wantForm(t, a)
		})
	}
	t.Run("twice", func(t *testing.T) {
		b := c.browser()
		page := b.Login(testkit.LoginPath(app), student, studentPassword)
		b.Post("/cas/login", page.Form())
		if a := b.accept(page); a.Ticket() != "" || b.tgc() != "" {
			t.Errorf("a form was taken twice: status %d to %q", a.Status, a.Location)
		}
	})
}

// TestInterruptWithASession: it falls due while somebody is logged in.
func TestInterruptWithASession(t *testing.T) {
	ch := &houseRules{}
	c := newCampus(t, withCharter(ch))
	b := c.browser()
	b.accept(b.Login(testkit.LoginPath(""), student, studentPassword))
	if b.tgc() == "" {
		t.Fatal("no session")
	}
	delete(ch.accepted, student)
	if a := b.Get(testkit.LoginPath(app, "gateway=true")); a.Location != app {
		t.Errorf("gateway: got status %d to %q, want back without a ticket (L8)", a.Status, a.Location)
	}
	page := b.Get(testkit.LoginPath(app))
	wantCharter(t, page)
	if last := ch.seen[len(ch.seen)-1]; last.Fresh {
		t.Error("the charter was told that a password was typed")
	}
	t.Run("in the name of who was there before", func(t *testing.T) {
		b := c.browser()
		b.accept(b.Login(testkit.LoginPath(""), student, studentPassword))
		delete(ch.accepted, student)
		page := b.Get(testkit.LoginPath(app))
		b.accept(b.Login(testkit.LoginPath("", "renew=true"), teacher, teacherPassword))
		b.accept(page)
		if ch.accepted[student] {
			t.Error("one person accepted for another")
		}
	})
	t.Run("to a service that wants the password", func(t *testing.T) {
		form := b.Get(testkit.LoginPath(app)).Form()
		form.Set("service", strict)
		form.Set("accept", "true")
		a := b.Post("/cas/login", form)
		if a.Ticket() != "" {
			t.Error("the interrupt led past the password")
		}
		wantForm(t, a)
	})
	a := b.accept(b.Get(testkit.LoginPath(app)))
	if a.Ticket() == "" {
		t.Fatalf("got status %d\n%.1000s", a.Status, a.Body)
	}
	wantCode(t, c.validate("/serviceValidate", app, a.Ticket(), "renew=true"), cas.InvalidTicket)
}

// TestInterruptMendsAnAccount: a password that must be changed opens nothing
// until an interrupt has seen to it, and then everything (L39).
func TestInterruptMendsAnAccount(t *testing.T) {
	ch := &houseRules{}
	var withState option = func(o *cas.Options, _ map[string]string) {
		o.Directory = mustChange{o.Directory, teacher}
	}
	t.Run("without one", func(t *testing.T) {
		b := newCampus(t, withState).browser()
		wantStatus(t, b.Login(testkit.LoginPath(app), teacher, teacherPassword), http.StatusForbidden)
	})
	t.Run("an interrupt that does not mend", func(t *testing.T) {
		b := newCampus(t, withState, withCharter(&houseRules{})).browser()
		page := b.Login(testkit.LoginPath(app), teacher, teacherPassword)
		wantCharter(t, page)
		a := b.accept(page)
		wantStatus(t, a, http.StatusForbidden)
		if b.tgc() != "" {
			t.Error("a session opened")
		}
	})
	c := newCampus(t, withState, func(o *cas.Options, _ map[string]string) {
		ch.pages, ch.accepted = o.Pages, map[string]bool{}
		o.Interrupts = []cas.Interrupt{renewal{ch}}
	})
	b := c.browser()
	page := b.Login(testkit.LoginPath(app), teacher, teacherPassword)
	if page.Form().Get("_eventId") != "renewal" {
		t.Fatalf("got status %d\n%.1000s", page.Status, page.Body)
	}
	a := b.accept(page)
	if v := c.validate("/serviceValidate", app, a.Ticket()); !v.Valid() || !strings.Contains(v.Body, "<cas:mail>") {
		t.Errorf("got status %d, then\n%s", a.Status, v.Body)
	}
}

// only is an interrupt that stands before one service.
type only struct {
	*houseRules
	service string
}

func (o only) Due(ctx context.Context, p cas.Passage) (bool, error) {
	if p.Service == nil || p.Service.Name != o.service {
		return false, nil
	}
	return o.houseRules.Due(ctx, p)
}

// withOnly puts the house rules before one service.
func withOnly(rules *houseRules, service string) option {
	return func(o *cas.Options, _ map[string]string) {
		rules.pages, rules.accepted = o.Pages, map[string]bool{}
		o.Interrupts = append(o.Interrupts, only{rules, service})
	}
}

// TestInterruptIsPassedWhereItStands: neither the warning's button, nor the
// form of another service, nor a proxy leads around it (S33).
func TestInterruptIsPassedWhereItStands(t *testing.T) {
	t.Run("the warning of another service", func(t *testing.T) {
		c := newCampus(t, withOnly(&houseRules{}, "Application"))
		b := c.browser()
		b.Login(testkit.LoginPath(bare), student, studentPassword, "warn")
		form := b.Get(testkit.LoginPath(other)).Form()
		form.Set("service", app)
		if a := b.Post("/cas/login", form); a.Ticket() != "" || a.Form().Get("_eventId") != "charter" {
			t.Errorf("got status %d to %q", a.Status, a.Location)
		}
	})
	t.Run("asked once, then the warning", func(t *testing.T) {
		c := newCampus(t, withOnly(&houseRules{}, "Application"))
		b := c.browser()
		b.Login(testkit.LoginPath(bare), student, studentPassword, "warn")
		warning := b.accept(b.Get(testkit.LoginPath(app)))
		if a := b.Post("/cas/login", warning.Form()); a.Ticket() == "" {
			t.Errorf("got status %d\n%.500s", a.Status, a.Body)
		}
	})
	t.Run("passed for another service", func(t *testing.T) {
		first, second := &houseRules{}, &houseRules{}
		c := newCampus(t, withCharter(first), func(o *cas.Options, _ map[string]string) {
			second.pages, second.accepted = o.Pages, map[string]bool{}
			o.Interrupts = append(o.Interrupts, only{second, "Application"})
		})
		b := c.browser()
		form := b.Login(testkit.LoginPath(other), student, studentPassword).Form()
		form.Set("service", app)
		form.Set("accept", "true")
		a := b.Post("/cas/login", form)
		if b.tgc() != "" || a.Ticket() != "" || first.accepted[student] {
			t.Errorf("got status %d to %q", a.Status, a.Location)
		}
	})
	t.Run("a proxy", func(t *testing.T) {
		p := newProxies(t, withOnly(&houseRules{}, "backend"))
		pgt := p.granting(p.browser())
		wantCode(t, p.browser().Get(proxyPath(pgt, backend)), cas.UnauthorizedService)
		p.ticketTo(pgt, naked)
	})
}

// TestInterruptDoesNotOutliveItsLogin: nobody goes on where somebody else left
// off, be it hours later (S15, S16).
func TestInterruptDoesNotOutliveItsLogin(t *testing.T) {
	c := newCampus(t, withCharter(&houseRules{}))
	t.Run("kept open by answers", func(t *testing.T) {
		b := c.browser()
		page := b.Login(testkit.LoginPath(app), student, studentPassword)
		for range 5 {
			c.clock.Travel(20 * time.Minute)
			page = b.Post("/cas/login", page.Form())
		}
		if a := b.accept(page); a.Ticket() != "" {
			t.Error("a password of hours ago opened a session")
		}
	})
	t.Run("after a logout", func(t *testing.T) {
		b := c.browser()
		page := b.Login(testkit.LoginPath(app), student, studentPassword)
		b.Get("/cas/logout")
		a := b.accept(page)
		wantStatus(t, a, http.StatusUnprocessableEntity)
		wantForm(t, a)
	})
	t.Run("after another person's login", func(t *testing.T) {
		b := c.browser()
		page := b.Login(testkit.LoginPath(app), student, studentPassword)
		b.accept(b.Login(testkit.LoginPath(""), teacher, teacherPassword))
		session := b.tgc()
		a := b.accept(page)
		v := c.validate("/serviceValidate", app, a.Ticket())
		if session == "" || b.tgc() != session || !strings.Contains(v.Body, "<cas:user>"+teacher) {
			t.Errorf("got status %d to %q, then\n%s", a.Status, a.Location, v.Body)
		}
	})
}
