package conformance

import (
	"net/http"
	"strings"
)

// What people choose at the form, and what they are told when it does not let
// them in.

func acceptorChoices() []Statement {
	return []Statement{
		{ID: "L35", Holds: "warn: a question before each other service, no ticket in its page", Run: warnAsks},
		{ID: "L35", Holds: "the answer may end the questions", Run: func(t *T) {
			b := t.browser()
			b.login(login(app), student, "warn")
			form := b.get(login(other)).form()
			form.Set("ignorewarn", "true")
			t.wantTicket(b.post("/login", form), other)
			t.wantTicket(b.get(login(app)), app)
		}},
		{ID: "L35", Holds: "the answer is no way around a login that must be new", Run: func(t *T) {
			b := t.browser()
			b.login(login(app), student, "warn")
			form := b.get(login(other)).form()
			form.Set("renew", "true")
			t.wantForm(b.post("/login", form))
		}},
		{ID: "L36", Holds: "the box is there, not ticked; ticked, the cookie lasts, three months at most", Run: rememberMe},
		{ID: "L36", Holds: "not offered: no box, and the parameter is ignored", Needs: []Feature{HastyServer}, Run: func(t *T) {
			b := t.browserAt(t.Hasty)
			page := b.get(login(app))
			if strings.Contains(page.body, "rememberMe") {
				t.Error("the box is there")
			}
			a := b.submit(page, student, "rememberMe")
			for _, c := range (&http.Response{Header: a.header}).Cookies() {
				if c.Name == "TGC" && (c.MaxAge != 0 || !c.Expires.IsZero()) {
					t.Errorf("the cookie lasts: %v", c)
				}
			}
			if got := t.wantSuccess(b.get(validation("/serviceValidate", app, a.ticket()))); got.attributes[longTerm][0] != "false" {
				t.Errorf("told to the service:\n%s", got.text)
			}
		}},
		{ID: "L37", Holds: "too many failures: 423 with Retry-After, even for the right password, until the time is over", Needs: []Feature{HastyServer}, Run: throttled},
		{ID: "L38", Holds: "a person without the right: a page, no ticket, the session stays", Run: withoutRight},
		{ID: "L38", Holds: "or the address that the entry gives for them", Run: func(t *T) {
			a := t.session().get(login(away))
			if a.status != http.StatusFound || a.location != refusedAt {
				t.Errorf("status %d, Location %q", a.status, a.location)
			}
		}},
		{ID: "L39", Holds: "suspended, ended, not activated, password too old, password to be changed: a page each", Needs: []Feature{AccountStates}, Run: accountStates},
		{ID: "L39", Holds: "a locked account, an hour or a computer that is not allowed", Untested: "only a directory's own lock and Active Directory's codes say so; the directory's tests hold them"},
		{ID: "L40", Holds: "whatever name a person types, the service is told their uid", Run: func(t *T) {
			for _, typed := range []string{"O22502142", " o22502142 ", "jpmartin", "JPMartin", "Jean-Pierre.MARTIN@etu.univ.example"} {
				a := t.browser().login(login(app), Account{typed, student.Password})
				if got := t.wantSuccess(t.validate(app, t.wantTicket(a, app))); got.user != student.UID {
					t.Errorf("%q: user %q", typed, got.user)
				}
			}
		}},
		{ID: "L41", Holds: "two tabs: both logins succeed, both tickets are good, the first cookie is dead", Run: twoTabs},
		{ID: "L42", Holds: "a public computer keeps no session", Run: publicComputer},
	}
}

const longTerm = "longTermAuthenticationRequestTokenUsed"

func warnAsks(t *T) {
	b := t.browser()
	t.wantTicket(b.login(login(app), student, "warn"), app)
	page := b.get(login(other))
	t.wantStatus(page, http.StatusOK)
	if strings.Contains(page.body, "ST-") || page.location != "" || strings.Contains(page.body, `name="password"`) {
		t.Fatalf("no question:\n%.1500s", page.body)
	}
	ticket := t.wantTicket(b.post("/login", page.form()), other)
	t.wantSuccess(t.validate(other, ticket))
	t.wantStatus(b.get(login(app)), http.StatusOK)
	if a := b.post("/login", page.form()); a.ticket() != "" {
		t.Error("one answer was taken twice")
	}
}

func rememberMe(t *T) {
	b := t.browser()
	page := b.get(login(app))
	if !strings.Contains(page.body, `name="rememberMe"`) || strings.Contains(page.body, " checked") {
		t.Error("the box is not there, or ticked")
	}
	unticked := b.submit(page, student)
	ticked := t.browser().login(login(app), student, "rememberMe")
	for _, test := range []struct {
		a     answer
		lasts bool
	}{{unticked, false}, {ticked, true}} {
		lasting := 0
		for _, c := range (&http.Response{Header: test.a.header}).Cookies() {
			if c.Name == "TGC" && c.MaxAge > 0 {
				lasting = c.MaxAge
			}
		}
		if (lasting > 0) != test.lasts || lasting > 93*24*60*60 {
			t.Errorf("Max-Age = %d, want one: %v", lasting, test.lasts)
		}
		got := t.wantSuccess(t.validate(app, test.a.ticket()))
		if told := got.attributes[longTerm]; len(told) != 1 || (told[0] == "true") != test.lasts {
			t.Errorf("%s = %v, want %v", longTerm, told, test.lasts)
		}
	}
}

func throttled(t *T) {
	b := t.browserAt(t.Hasty)
	refused := answer{}
	for range 20 {
		if refused = b.login(login(app), Account{teacher.UID, "wrong"}); refused.status != http.StatusUnauthorized {
			break
		}
	}
	t.wantStatus(refused, http.StatusLocked)
	a := b.login(login(app), teacher)
	t.wantStatus(a, http.StatusLocked)
	if a.header.Get("Retry-After") == "" || b.tgc() != "" {
		t.Errorf("Retry-After %q, cookie %q", a.header.Get("Retry-After"), b.tgc())
	}
	t.wantTicket(b.login(login(app), student), app) // nobody else pays for it
	t.eventually("the right password is taken again", func() bool {
		return t.browserAt(t.Hasty).login(login(app), teacher).ticket() != ""
	})
}

func withoutRight(t *T) {
	b := t.browser()
	a := b.login(login(admin), student)
	t.wantPage(a, http.StatusForbidden)
	if strings.Contains(a.body, "ST-") || b.tgc() == "" {
		t.Errorf("a ticket in the page, or no session: cookie %q", b.tgc())
	}
	t.wantPage(b.get(login(admin)), http.StatusForbidden)
	t.wantTicket(b.get(login(app)), app)
	t.wantTicket(t.browser().login(login(admin), staff), admin)
}

func accountStates(t *T) {
	pages := map[string]string{}
	for _, who := range []Account{
		suspended, {"ended", statePassword}, {"waiting", statePassword}, {"stale", statePassword}, {"reset", statePassword},
	} {
		b := t.browser()
		a := b.login(login(app), who)
		t.wantPage(a, http.StatusForbidden)
		if b.tgc() != "" {
			t.Errorf("%s: logged in", who.UID)
		}
		page := strings.ReplaceAll(a.body, who.UID, "LOGIN")
		if same, known := pages[page]; known {
			t.Errorf("%s and %s see one page", who.UID, same)
		}
		pages[page] = who.UID
	}
}

func twoTabs(t *T) {
	b := t.browser()
	one, two := b.get(login(app)), b.get(login(other))
	first := t.wantTicket(b.submit(one, student), app)
	cookie := b.tgc()
	second := t.wantTicket(b.submit(two, student), other)
	if b.tgc() == cookie {
		t.Error("the cookie of the first login was kept")
	}
	t.wantForm(t.browser().with(cookie).get(login(app)))
	t.wantSuccess(t.validate(app, first))
	t.wantSuccess(t.validate(other, second))
}

func publicComputer(t *T) {
	b := t.browser()
	page := b.get(login(app))
	if !strings.Contains(page.body, `name="publicWorkstation"`) {
		t.Error("the box is not there")
	}
	ticket := t.wantTicket(b.submit(page, student, "publicWorkstation"), app)
	if b.tgc() != "" {
		t.Errorf("cookie %q", b.tgc())
	}
	t.wantSuccess(t.validate(app, ticket))
	t.wantForm(b.get(login(other)))
}
