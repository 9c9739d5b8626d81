package conformance

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Specification, section 2.2: /login as credential acceptor.

// formExpired is what a login is answered with whose form is used, forged or
// not this browser's.
const formExpired = http.StatusUnprocessableEntity

func credentialAcceptor() []Statement {
	return []Statement{
		{ID: "L30", Holds: "a right password: a redirect that is a GET, with a ticket and nothing of the credentials", Run: redirectAfterPost},
		{ID: "L30", Holds: "the redirect may not be stored", Run: func(t *T) {
			a := t.browser().login(login(app), student)
			expires, err := http.ParseTime(a.header.Get("Expires"))
			if !strings.Contains(a.header.Get("Cache-Control"), "no-store") || a.header.Get("Pragma") != "no-cache" || err != nil || expires.After(time.Now()) {
				t.Errorf("headers: %v", a.header)
			}
		}},
		{ID: "L31", Holds: "a right password and no service: a page that says so, and the cookie", Run: func(t *T) {
			b := t.browser()
			a := b.login("/login", student)
			t.wantPage(a, http.StatusOK)
			if b.tgc() == "" || !strings.Contains(a.body, "Martin") && !strings.Contains(a.body, student.UID) {
				t.Errorf("cookie %q, page:\n%.1500s", b.tgc(), a.body)
			}
			t.wantTicket(b.get(login(app)), app)
		}},
		{ID: "L32", Holds: "a wrong password and an unknown person: one answer, 401 with the form and a reason", Run: oneRefusal},
		{ID: "L32", Holds: "the state of an account shows only to who knows its password", Run: func(t *T) {
			wrong := t.browser().login(login(app), Account{suspended.UID, "wrong"})
			t.wantStatus(wrong, http.StatusUnauthorized)
			right := t.browser().login(login(app), suspended)
			t.wantPage(right, http.StatusForbidden)
		}},
		{ID: "L33", Holds: "an empty login or password: the form again, no session", Run: emptyFields},
		{ID: "L34", Holds: "a form without a token, or with a forged one: no login, a fresh form, the service kept", Run: badTokens},
		{ID: "L34", Holds: "a form is good once, whatever came of it", Run: usedTokens},
		{ID: "L34", Holds: "a form is good in its own browser alone", Run: func(t *T) {
			page := t.browser().get(login(app))
			without := t.browser()
			t.wantRetry(without, without.submit(page, student))
			stranger := t.browser()
			stranger.get(login(app))
			t.wantRetry(stranger, stranger.submit(page, student))
		}},
	}
}

func redirectAfterPost(t *T) {
	b := t.browser()
	a := b.login(login(app+"?a=b"), student)
	t.wantStatus(a, http.StatusSeeOther)
	ticket := t.wantTicket(a, app+"?a=b&ticket=ST-")
	for _, secret := range []string{student.Password, student.UID, url.QueryEscape(student.Password)} {
		if strings.Contains(a.location+a.body, secret) {
			t.Errorf("the answer holds %q", secret)
		}
	}
	t.wantSuccess(t.validate(app+"?a=b", ticket, "renew=true"))
}

func oneRefusal(t *T) {
	var first string
	for i, uid := range []string{teacher.UID, "nobody-at-all", suspended.UID, "o22609001"} {
		b := t.browser()
		a := b.login(login(app), Account{uid, "WrongPassword1"})
		t.wantStatus(a, http.StatusUnauthorized)
		t.wantForm(a)
		if b.tgc() != "" || strings.Contains(a.body, "WrongPassword1") || a.form().Get("service") != app {
			t.Errorf("%s: cookie %q, or the password in the page, or the service lost", uid, b.tgc())
		}
		page := strings.ReplaceAll(strings.ReplaceAll(a.body, a.form().Get("execution"), "TOKEN"), uid, "LOGIN")
		if i == 0 {
			first = page
		}
		if page != first {
			t.Errorf("the page for %s differs from the first", uid)
		}
	}
	blank := t.browser().get(login(app))
	if strings.ReplaceAll(blank.body, blank.form().Get("execution"), "TOKEN") == first {
		t.Error("the page gives no reason")
	}
	t.browser().login(login(app), teacher) // what this check counted against them is forgiven
}

func emptyFields(t *T) {
	for _, who := range []Account{{student.UID, ""}, {"", student.Password}, {"", ""}, {"  ", "x"}} {
		b := t.browser()
		a := b.login(login(app), who)
		t.wantForm(a)
		if b.tgc() != "" || a.form().Get("service") != app {
			t.Errorf("%q: cookie %q, service %q", who.UID, b.tgc(), a.form().Get("service"))
		}
	}
	b := t.browser()
	form := b.get(login(app)).form()
	t.wantForm(b.post("/login", form)) // neither field is there
}

// wantRetry reads the answer to a form that could not be taken.
func (t *T) wantRetry(b *browser, a answer) {
	t.Helper()
	t.wantStatus(a, formExpired)
	t.wantForm(a)
	if a.form().Get("service") != app || b.tgc() != "" {
		t.Errorf("service %q, cookie %q", a.form().Get("service"), b.tgc())
	}
}

func badTokens(t *T) {
	for _, change := range []func(url.Values){
		func(f url.Values) { f.Del("execution") },
		func(f url.Values) { f.Set("execution", "") },
		func(f url.Values) { f.Set("execution", "e1s1") },
		func(f url.Values) {
			token := f.Get("execution")
			f.Set("execution", token[:len(token)-4]+"AAAA")
		},
	} {
		b := t.browser()
		form := b.get(login(app)).form()
		form.Set("username", student.UID)
		form.Set("password", student.Password)
		change(form)
		again := b.post("/login", form)
		t.wantRetry(b, again)
		t.wantTicket(b.submit(again, student), app)
	}
}

func usedTokens(t *T) {
	b := t.browser()
	page := b.get(login(app))
	t.wantStatus(b.submit(page, Account{student.UID, "wrong"}), http.StatusUnauthorized)
	t.wantRetry(b, b.submit(page, student))

	b = t.browser()
	page = b.get(login(app))
	t.wantTicket(b.submit(page, student), app)
	b.get("/logout")
	t.wantRetry(b, b.submit(page, student))
}
