package cas_test

import (
	"net/http"
	"strings"
	"testing"

	"parvis/cas"
	"parvis/internal/testkit"
)

// Specification, section 2.3.

// TestO1LogoutDestroys covers O6, S5 and S14: the cookie, the session and a
// ticket that was not validated yet.
func TestO1LogoutDestroys(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	ticket := b.enter(app)
	cookie := b.tgc()
	a := b.Get("/cas/logout")
	wantStatus(t, a, http.StatusOK)
	if b.tgc() != "" || strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), ""), cookie) {
		t.Error("the cookie is still there, or its value is said back")
	}
	wantCode(t, c.validate("/serviceValidate", app, ticket), cas.InvalidTicket)
	wantForm(t, c.withCookie("TGC", cookie).Get(testkit.LoginPath(app)))
}

func TestO2O3O4WhereLogoutLeads(t *testing.T) {
	c := newCampus(t)
	for _, test := range []struct {
		name, query, location string
	}{
		{"registered", "?service=https%3A%2F%2Fapp.univ.example%2Fbye%3Fa%3Db", app + "bye?a=b"},
		{"unregistered", "?service=https%3A%2F%2Fevil.example%2F", ""},
		{"disabled", "?service=https%3A%2F%2Fclosed.univ.example%2F", ""},
		{"look-alike", "?service=https%3A%2F%2Fapp.univ.example.evil.example%2F", ""},
		{"not for a browser", "?service=imap%3A%2F%2Fmail.univ.example", ""},
		{"url is ignored", "?url=https%3A%2F%2Fapp.univ.example%2F", ""},
		{"header injection", "?service=https%3A%2F%2Fapp.univ.example%2F%0d%0aX-Evil%3A1", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := c.browser()
			b.enter(app)
			a := b.Get("/cas/logout" + test.query)
			want := http.StatusOK
			if test.location != "" {
				want = http.StatusFound
			}
			wantStatus(t, a, want)
			if a.Location != test.location || b.tgc() != "" || a.Header.Get("X-Evil") != "" {
				t.Errorf("Location = %q, want %q; cookie %q", a.Location, test.location, b.tgc())
			}
		})
	}
}

// TestO5LogoutWithoutASession covers O8 too: a logout that another site causes
// costs a person no more than a login.
func TestO5LogoutWithoutASession(t *testing.T) {
	b := newCampus(t).browser()
	wantStatus(t, b.Get("/cas/logout"), http.StatusOK)
	wantStatus(t, b.Get("/cas/logout"), http.StatusOK)
}

// TestLogoutForgetsTheWishToBeAsked: the next person at this browser did not
// ask for it.
func TestLogoutForgetsTheWishToBeAsked(t *testing.T) {
	b := newCampus(t).browser()
	b.Login(testkit.LoginPath(app), student, studentPassword, "warn")
	if b.Cookie("CASPRIVACY") == "" {
		t.Fatal("the wish was not kept")
	}
	b.Get("/cas/logout")
	if b.Cookie("CASPRIVACY") != "" {
		t.Error("the wish outlives the logout")
	}
}

// TestO1LogoutTellsServices: each ticket that a service got, whatever became of
// it (SLO; specification, section 2.3.3).
func TestO1LogoutTellsServices(t *testing.T) {
	c := newCampus(t,
		withService("silent.yaml", "id: 30\nname: Silent\nmatch: https://silent.univ.example/\nlogout: {type: none}\n"),
		withService("front.yaml", "id: 31\nname: Front\nmatch: https://front.univ.example/\nlogout: {type: front, url: https://front.univ.example/out}\n"))
	b := c.browser()
	want := []string{app, b.enter(app)}
	for _, service := range []string{app + "tab", other, app} {
		want = append(want, service, b.Get(testkit.LoginPath(service)).Ticket())
	}
	b.Get(testkit.LoginPath("https://silent.univ.example/"))
	b.Get(testkit.LoginPath("https://front.univ.example/"))
	page := b.Get("/cas/logout?service=" + other)
	var got []string
	for _, notice := range c.told.all() {
		got = append(got, notice.URL, notice.Ticket)
		if notice.Name != student {
			t.Errorf("told of %q", notice.Name)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("told %q, want %q", got, want)
	}
	wantStatus(t, page, http.StatusOK) // the browser has something to do before it goes on
	if !strings.Contains(page.Body, `src="https://front.univ.example/out?logoutRequest=`) || !strings.Contains(page.Body, other) {
		t.Errorf("the page does not call the service, or does not lead on\n%s", page.Body)
	}
	b.Get("/cas/logout")
	if again := c.told.all(); len(again) > 0 {
		t.Errorf("a second logout told %d services", len(again))
	}
}

// TestSessionsThatEndOtherwiseTellServices: another person at the same browser,
// and one session too many.
func TestSessionsThatEndOtherwiseTellServices(t *testing.T) {
	c := newCampus(t, withLimits(func(l *cas.Limits) { l.SessionsPerPerson = 2 }))
	b := c.browser()
	ticket := b.enter(app)
	b.Login(testkit.LoginPath(other, "renew=true"), teacher, teacherPassword)
	if got := c.told.all(); len(got) != 1 || got[0].Ticket != ticket || got[0].Name != student {
		t.Errorf("replaced by another person: told %+v", got)
	}
	oldest := c.browser().enter(app)
	c.browser().enter(app)
	c.browser().enter(app)
	if got := c.told.all(); len(got) != 1 || got[0].Ticket != oldest {
		t.Errorf("one too many: told %+v", got)
	}
}
