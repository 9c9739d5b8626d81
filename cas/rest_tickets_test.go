package cas_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parvis/cas"
	"parvis/internal/testkit"
	"parvis/tickets"
)

func TestR4ServiceTickets(t *testing.T) {
	c := newCampus(t, withREST, withService("recent.yaml", "id: 30\nname: Recent\nmatch: https://recent.univ.example/\nlifetimes:\n  session: 10m\n"))
	const recent = "https://recent.univ.example/"
	path := "/tickets/" + tgtOf(t, c.rest(http.MethodPost, "/tickets", login(student, studentPassword)))
	grant := func(form url.Values) testkit.Answer { return c.rest(http.MethodPost, path, form) }
	renew := func(service, user, password string) url.Values {
		return login(user, password, "service", service, "renew", "true")
	}
	unknown, err := tickets.NewMinter(nil).TGT()
	check(t, err)

	t.Run("a ticket", func(t *testing.T) {
		a := grant(url.Values{"service": {app}})
		wantTyped(t, a, http.StatusOK, plain)
		if !strings.HasPrefix(a.Body, "ST-") || !c.validate("/serviceValidate", app, a.Body).Valid() {
			t.Errorf("body %q", a.Body)
		}
		if c.validate("/serviceValidate", app, grant(url.Values{"service": {app}}).Body, "renew=true").Valid() {
			t.Error("a ticket without a password is from a new login")
		}
	})
	t.Run("for what is no web address", func(t *testing.T) { // L6
		a := grant(url.Values{"service": {"imap://mail.univ.example"}})
		if !c.validate("/serviceValidate", "imap://mail.univ.example", a.Body).Valid() {
			t.Errorf("body %q", a.Body)
		}
	})
	t.Run("renew", func(t *testing.T) {
		for _, service := range []string{app, strict} {
			a := grant(renew(service, student, studentPassword))
			if !c.validate("/serviceValidate", service, a.Body, "renew=true").Valid() {
				t.Errorf("%s: status %d, body %q", service, a.Status, a.Body)
			}
		}
	})
	for _, test := range []struct {
		name, path string
		form       url.Values
		status     int
	}{
		{"no service", path, nil, http.StatusBadRequest},
		{"unknown service", path, url.Values{"service": {stranger}}, http.StatusForbidden},
		{"disabled service", path, url.Values{"service": {closed}}, http.StatusForbidden},
		{"person without the right", path, url.Values{"service": {admin}}, http.StatusForbidden},
		{"password wanted each time", path, url.Values{"service": {strict}}, http.StatusForbidden},
		{"the same, renew=false", path, url.Values{"service": {strict}, "renew": {"false"}}, http.StatusForbidden},
		{"the same, password without renew", path, login(student, studentPassword, "service", strict), http.StatusForbidden},
		{"renew without a password", path, url.Values{"service": {app}, "renew": {"true"}}, http.StatusBadRequest},
		{"renew as another person", path, renew(app, teacher, teacherPassword), http.StatusForbidden},
		{"renew, person without the right", path, renew(admin, student, studentPassword), http.StatusForbidden},
		{"renew as another person who has the right", path, renew(admin, staff, staffPassword), http.StatusForbidden},
		{"unknown session", "/tickets/" + string(unknown), url.Values{"service": {app}}, http.StatusNotFound},
		{"no session", "/tickets/TGT-1", url.Values{"service": {app}}, http.StatusNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := c.rest(http.MethodPost, test.path, test.form)
			wantTyped(t, a, test.status, plain)
			if strings.Contains(a.Body, "ST-") {
				t.Errorf("a ticket: %s", a.Body)
			}
		})
	}
	t.Run("renew with a wrong password", func(t *testing.T) {
		wantException(t, grant(renew(app, student, "wrong")), http.StatusUnauthorized, "FailedLoginException")
	})
	t.Run("a login that is too old", func(t *testing.T) {
		wantStatus(t, grant(url.Values{"service": {recent}}), http.StatusOK)
		c.clock.Travel(11 * time.Minute)
		wantStatus(t, grant(url.Values{"service": {recent}}), http.StatusForbidden)
		wantStatus(t, grant(renew(recent, student, studentPassword)), http.StatusOK)
	})
	t.Run("a session that expired", func(t *testing.T) { // S16
		c.clock.Travel(c.limits.Idle + time.Second)
		wantStatus(t, grant(url.Values{"service": {app}}), http.StatusNotFound)
	})
}

func TestR5R6SessionsEnd(t *testing.T) {
	c := newCampus(t, withREST)
	id := tgtOf(t, c.rest(http.MethodPost, "/tickets", login(student, studentPassword)))
	a := c.rest(http.MethodGet, "/tickets/"+id, nil)
	wantTyped(t, a, http.StatusOK, plain)
	if a.Body != id {
		t.Errorf("body %q", a.Body)
	}
	ticket := c.rest(http.MethodPost, "/tickets/"+id, url.Values{"service": {app}}).Body
	for range 2 { // ending it twice is as well
		wantTyped(t, c.rest(http.MethodDelete, "/tickets/"+id, nil), http.StatusOK, plain)
	}
	if told := c.told.all(); len(told) != 1 || told[0].Ticket != ticket || told[0].URL != app {
		t.Errorf("told %+v, want the ticket of the one service", told)
	}
	a = c.rest(http.MethodGet, "/tickets/"+id, nil)
	wantTyped(t, a, http.StatusNotFound, plain)
	if !strings.HasPrefix(a.Body, "Ticket could not be found") {
		t.Errorf("body %q", a.Body)
	}
	wantStatus(t, c.rest(http.MethodPost, "/tickets/"+id, url.Values{"service": {app}}), http.StatusNotFound)
	wantCode(t, c.validate("/serviceValidate", app, ticket), cas.InvalidTicket) // S5
	if got := strings.Count(c.audit.String(), `"action":"logout"`); got != 1 {
		t.Errorf("%d logouts in the audit, want 1", got)
	}
}

// TestR5OnlyWholeIdentifiers covers R9 (CVE-2021-42567): parts of identifiers,
// other tickets and markup find nothing, and nothing of them comes back.
func TestR5OnlyWholeIdentifiers(t *testing.T) {
	c := newCampus(t, withREST, func(o *cas.Options, _ map[string]string) { o.Store = wholeOnly{o.Store, t} })
	id := tgtOf(t, c.rest(http.MethodPost, "/tickets", login(student, studentPassword)))
	ticket := c.rest(http.MethodPost, "/tickets/"+id, url.Values{"service": {app}}).Body
	for _, path := range []string{
		id[:len(id)-1], id + "x", strings.ToLower(id), "*", "TGT-*", ticket, "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
		"TGT-%0d%0aX:y", "%00", strings.Repeat("T", 5000), id + "%2f..",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			a := c.rest(method, "/tickets/"+path, url.Values{"service": {app}})
			wantTyped(t, a, http.StatusNotFound, plain)
			if a.Body != "Ticket could not be found\n" {
				t.Errorf("%s: body %q", path, a.Body)
			}
		}
		wantTyped(t, c.rest(http.MethodDelete, "/tickets/"+path, nil), http.StatusOK, plain)
	}
	wantStatus(t, c.rest(http.MethodGet, "/tickets/"+id, nil), http.StatusOK)
	if !c.validate("/serviceValidate", app, ticket).Valid() {
		t.Error("a service ticket was touched by its look-up")
	}
}

// wholeOnly is a store that complains of what has not the form of a session's
// identifier.
type wholeOnly struct {
	tickets.Store
	t *testing.T
}

func (s wholeOnly) Session(ctx context.Context, id tickets.TGT) (tickets.Session, error) {
	if !id.Valid() {
		s.t.Errorf("the store is asked for %q", id)
	}
	return s.Store.Session(ctx, id)
}
