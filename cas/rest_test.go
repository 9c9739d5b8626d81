package cas_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parvis/cas"
	"parvis/identity"
	"parvis/internal/testkit"
	"parvis/tickets"
)

const publicURL = "https://cas.univ.example/cas"

// withREST opens the REST addresses.
func withREST(o *cas.Options, _ map[string]string) { o.REST = &cas.RESTOptions{URL: publicURL} }

// rest sends a form to a REST address, as a program does: no cookies.
func (c *campus) rest(method, path string, form url.Values, headers ...string) testkit.Answer {
	c.t.Helper()
	b := c.browser()
	r := b.Request(method, "/cas/v1"+path, form.Encode())
	r.Host = "evil.example" // S21
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.Do(r)
}

func login(user, password string, more ...string) url.Values {
	form := url.Values{"username": {user}, "password": {password}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

// tgtOf is the identifier in the Location of an answer.
func tgtOf(t *testing.T, a testkit.Answer) string {
	t.Helper()
	wantStatus(t, a, http.StatusCreated)
	id, found := strings.CutPrefix(a.Location, publicURL+"/v1/tickets/")
	if !found || !tickets.TGT(id).Valid() {
		t.Fatalf("Location = %q", a.Location)
	}
	return id
}

// wantTyped covers R9: no cache keeps an answer, and no browser guesses at it.
func wantTyped(t *testing.T, a testkit.Answer, status int, contentType string) {
	t.Helper()
	wantStatus(t, a, status)
	want := map[string]string{"Content-Type": contentType, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
	for name, value := range want {
		if got := a.Header.Get(name); got != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
	for _, name := range []string{"Set-Cookie", "Access-Control-Allow-Origin"} { // S27
		if got := a.Header.Get(name); got != "" {
			t.Errorf("%s = %q", name, got)
		}
	}
}

const (
	plain    = "text/plain; charset=utf-8"
	jsonType = "application/json"
)

func wantException(t *testing.T, a testkit.Answer, status int, name string) {
	t.Helper()
	wantTyped(t, a, status, jsonType)
	var got map[string][]string
	check(t, json.Unmarshal([]byte(a.Body), &got))
	if diff := cmp.Diff(map[string][]string{"authentication_exceptions": {name}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRESTIsOffByDefault(t *testing.T) {
	c := newCampus(t)
	for _, path := range []string{"/tickets", "/tickets/TGT-1", "/users", "/services"} {
		wantStatus(t, c.rest(http.MethodPost, path, login(student, studentPassword)), http.StatusNotFound)
	}
	wantStatus(t, newCampus(t, withREST).rest(http.MethodPost, "/services", nil), http.StatusNotFound)
}

func TestR1OpensASession(t *testing.T) {
	c := newCampus(t, withREST)
	for _, test := range []struct {
		name, accept string
		html         bool
	}{
		{"nothing said", "", true},
		{"anything", "*/*", true},
		{"HTML", "text/html", true},
		{"browser", "application/xhtml+xml, TEXT/HTML;q=0.9", true},
		{"text", "text/plain", false},
		{"JSON", "application/json, text/plain", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := c.rest(http.MethodPost, "/tickets", login(student, studentPassword), "Accept", test.accept)
			id := tgtOf(t, a)
			if !test.html {
				wantTyped(t, a, http.StatusCreated, plain)
				if a.Body != id {
					t.Errorf("body %q, want the identifier", a.Body)
				}
				return
			}
			wantTyped(t, a, http.StatusCreated, "text/html; charset=utf-8")
			if !strings.Contains(a.Body, `action="`+a.Location+`"`) {
				t.Errorf("no form for %s in\n%s", a.Location, a.Body)
			}
		})
	}
	t.Run("with a service", func(t *testing.T) {
		tgtOf(t, c.rest(http.MethodPost, "/tickets", login(student, studentPassword, "service", app)))
	})
	t.Run("the principal is the uid", func(t *testing.T) { // L40
		id := tgtOf(t, c.rest(http.MethodPost, "/tickets", login("JPMartin", studentPassword)))
		ticket := c.rest(http.MethodPost, "/tickets/"+id, url.Values{"service": {app}}).Body
		if a := c.validate("/serviceValidate", app, ticket); !strings.Contains(a.Body, "<cas:user>"+student+"</cas:user>") {
			t.Error(a.Body)
		}
	})
	t.Run("cookies are not looked at", func(t *testing.T) {
		b := c.browser()
		b.enter(app)
		a := b.Do(b.Request(http.MethodPost, "/cas/v1/tickets", login(teacher, teacherPassword).Encode()))
		tgtOf(t, a)
		if again := b.Get(testkit.LoginPath(app)); again.Ticket() == "" {
			t.Error("the browser's own session ended")
		}
	})
}

// TestR2Refusals: one answer for an unknown person and a wrong password (S19),
// nothing of what was sent in it (R9), no session.
func TestR2Refusals(t *testing.T) {
	c := newCampus(t, withREST)
	var bodies []string
	for _, user := range []string{student, "nobody-1", "roux-p", "<script>"} {
		a := c.rest(http.MethodPost, "/tickets", login(user, "wrong password"))
		wantException(t, a, http.StatusUnauthorized, "FailedLoginException")
		bodies = append(bodies, a.Body)
	}
	for _, body := range bodies {
		if body != bodies[0] {
			t.Errorf("%q differs from %q", body, bodies[0])
		}
	}
	for _, test := range []struct {
		name   string
		form   url.Values
		status int
	}{
		{"no password", login(student, ""), http.StatusBadRequest},
		{"no login", login("", studentPassword), http.StatusBadRequest},
		{"nothing", nil, http.StatusBadRequest},
		{"login of control characters", login("a\x00b", "x"), http.StatusBadRequest},
		{"unknown service", login(student, studentPassword, "service", stranger), http.StatusForbidden},
		{"disabled service", login(student, studentPassword, "service", closed), http.StatusForbidden},
		{"unsafe service", login(student, studentPassword, "service", app+"\r\nX: y"), http.StatusForbidden},
		{"person without the right", login(student, studentPassword, "service", admin), http.StatusForbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := c.rest(http.MethodPost, "/tickets", test.form)
			wantTyped(t, a, test.status, plain)
			if a.Location != "" {
				t.Errorf("Location = %q", a.Location)
			}
		})
	}
	t.Run("another media type", func(t *testing.T) {
		a := c.rest(http.MethodPost, "/tickets", login(student, studentPassword), "Content-Type", jsonType)
		wantTyped(t, a, http.StatusUnsupportedMediaType, plain)
	})
	t.Run("too large", func(t *testing.T) {
		a := c.rest(http.MethodPost, "/tickets", login(student, strings.Repeat("x", 100<<10)))
		wantTyped(t, a, http.StatusRequestEntityTooLarge, plain)
	})
	sessions, err := c.store.SessionsOf(t.Context(), student)
	if err != nil || len(sessions) != 0 {
		t.Errorf("%d sessions are open, error %v", len(sessions), err)
	}
}

// TestR2CredentialsInTheAddress covers S11.
func TestR2CredentialsInTheAddress(t *testing.T) {
	c := newCampus(t, withREST)
	id := tgtOf(t, c.rest(http.MethodPost, "/tickets", login(student, studentPassword)))
	for _, path := range []string{"/tickets", "/tickets/" + id, "/users"} {
		a := c.rest(http.MethodPost, path+"?username="+student+"&password=secret-in-query", nil)
		wantTyped(t, a, http.StatusBadRequest, plain)
	}
	wantTyped(t, c.rest(http.MethodGet, "/tickets/"+id+"?password=secret-in-query", nil), http.StatusBadRequest, plain)
	if strings.Contains(c.log.String(), "secret-in-query") {
		t.Error("the log holds what was in the query")
	}
}

// TestR2AccountStates: the state shows after the right password alone, and
// opens nothing.
func TestR2AccountStates(t *testing.T) {
	for state, name := range map[identity.State]string{
		identity.Suspended: "AccountDisabledException", identity.PreCreated: "AccountDisabledException",
		identity.Locked: "AccountLockedException", identity.Closed: "AccountExpiredException",
		identity.PasswordExpired: "CredentialExpiredException", identity.MustChange: "AccountPasswordMustChangeException",
		identity.OutOfHours: "InvalidLoginTimeException", identity.OtherWorkstation: "InvalidLoginLocationException",
	} {
		t.Run(string(state), func(t *testing.T) {
			c := newCampus(t, withREST, func(o *cas.Options, _ map[string]string) {
				o.Directory = directoryFunc(func(_ context.Context, login, password string) (identity.Person, error) {
					if password != "right" {
						return identity.Person{UID: login}, identity.ErrBadCredentials
					}
					return identity.Person{}, &identity.StateError{UID: login, State: state}
				})
			})
			for _, path := range []string{"/tickets", "/users"} {
				wantException(t, c.rest(http.MethodPost, path, login("x", "wrong")), http.StatusUnauthorized, "FailedLoginException")
				wantException(t, c.rest(http.MethodPost, path, login("x", "right")), http.StatusUnauthorized, name)
			}
		})
	}
}

// TestRESTIsThrottled covers S20: the counts are those of the login form, in
// both directions.
func TestRESTIsThrottled(t *testing.T) {
	c := newCampus(t, withREST)
	for range 2 {
		wantStatus(t, c.rest(http.MethodPost, "/tickets", login(student, "wrong")), http.StatusUnauthorized)
		wantStatus(t, c.rest(http.MethodPost, "/users", login(student, "wrong")), http.StatusUnauthorized)
	}
	wantStatus(t, c.browser().Login(testkit.LoginPath(app), student, "wrong"), http.StatusUnauthorized)
	for _, path := range []string{"/tickets", "/users"} {
		a := c.rest(http.MethodPost, path, login(student, studentPassword))
		wantTyped(t, a, http.StatusLocked, plain)
		if a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	wantStatus(t, c.browser().Login(testkit.LoginPath(app), student, studentPassword), http.StatusLocked)
	c.clock.Travel(2 * time.Minute)
	tgtOf(t, c.rest(http.MethodPost, "/tickets", login(student, studentPassword)))
}

func TestRESTMaintenance(t *testing.T) {
	c := newCampus(t, withREST, func(o *cas.Options, _ map[string]string) {
		o.Directory = directoryFunc(func(context.Context, string, string) (identity.Person, error) {
			return identity.Person{}, identity.ErrUnavailable
		})
	})
	a := c.rest(http.MethodPost, "/tickets", login(student, studentPassword))
	wantTyped(t, a, http.StatusServiceUnavailable, plain)
	if got := a.Header.Get("Retry-After"); got != "30" {
		t.Errorf("Retry-After = %q", got)
	}
}

// TestR3OtherMethods: 405 says which there are.
func TestR3OtherMethods(t *testing.T) {
	c := newCampus(t, withREST)
	for _, test := range []struct{ method, path, allow string }{
		{http.MethodGet, "/tickets", "POST"},
		{http.MethodOptions, "/tickets", "POST"},
		{http.MethodDelete, "/tickets", "POST"},
		{http.MethodPut, "/tickets/TGT-1", "GET, HEAD, POST, DELETE"},
		{http.MethodGet, "/users", "POST"},
	} {
		a := c.rest(test.method, test.path, nil)
		wantTyped(t, a, http.StatusMethodNotAllowed, plain)
		if got := a.Header.Get("Allow"); got != test.allow {
			t.Errorf("%s %s: Allow = %q", test.method, test.path, got)
		}
	}
}

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
	c := newCampus(t, withREST)
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

// TestR7Users: the password is checked and nothing opens; a service is told
// what its policy says (S32), nobody else anything but the name.
func TestR7Users(t *testing.T) {
	c := newCampus(t, withREST, withService("alias.yaml",
		"id: 51\nname: Alias\nmatch: https://alias.univ.example/\nrelease: [sn]\nusername: mail\n"))
	type principal struct {
		ID         string              `json:"id"`
		Attributes map[string][]string `json:"attributes"`
	}
	for _, test := range []struct {
		name, service string
		want          principal
	}{
		{"no service", "", principal{student, map[string][]string{}}},
		{"nothing released", bare, principal{student, map[string][]string{}}},
		{"its own name and attributes", "https://alias.univ.example/", principal{"jean-pierre.martin@etu.univ.example", map[string][]string{"sn": {"Martin"}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := c.rest(http.MethodPost, "/users", login(student, studentPassword, "service", test.service))
			wantTyped(t, a, http.StatusOK, jsonType)
			var got struct {
				Authentication struct {
					Principal principal `json:"principal"`
					Date      string    `json:"authenticationDate"`
				} `json:"authentication"`
			}
			check(t, json.Unmarshal([]byte(a.Body), &got))
			if diff := cmp.Diff(test.want, got.Authentication.Principal); diff != "" {
				t.Error(diff)
			}
			if got.Authentication.Date != "2026-11-22T08:00:00Z" {
				t.Errorf("date %q", got.Authentication.Date)
			}
		})
	}
	wantException(t, c.rest(http.MethodPost, "/users", login(student, "wrong")), http.StatusUnauthorized, "FailedLoginException")
	wantTyped(t, c.rest(http.MethodPost, "/users", login(student, studentPassword, "service", stranger)), http.StatusForbidden, plain)
	wantTyped(t, c.rest(http.MethodPost, "/users", login(student, studentPassword, "service", admin)), http.StatusForbidden, plain)
	if sessions, err := c.store.SessionsOf(t.Context(), student); err != nil || len(sessions) != 0 {
		t.Errorf("%d sessions were opened, error %v", len(sessions), err)
	}
}

// TestR1RememberMe: where the site offers it.
func TestR1RememberMe(t *testing.T) {
	for name, on := range map[string]bool{"on": true, "off": false} {
		t.Run(name, func(t *testing.T) {
			c := newCampus(t, withREST, withLimits(func(l *cas.Limits) { l.RememberMe = on }))
			id := tgtOf(t, c.rest(http.MethodPost, "/tickets", login(student, studentPassword, "rememberMe", "true")))
			c.clock.Travel(24 * time.Hour)
			want := http.StatusNotFound
			if on {
				want = http.StatusOK
			}
			wantStatus(t, c.rest(http.MethodGet, "/tickets/"+id, nil), want)
		})
	}
}

// TestRESTCountsTheSessions: a program's sessions are among those that a person
// may have.
func TestRESTCountsTheSessions(t *testing.T) {
	c := newCampus(t, withREST, withLimits(func(l *cas.Limits) { l.SessionsPerPerson = 2 }))
	first := tgtOf(t, c.rest(http.MethodPost, "/tickets", login(student, studentPassword)))
	for range 2 {
		c.clock.Travel(time.Second)
		tgtOf(t, c.rest(http.MethodPost, "/tickets", login(student, studentPassword)))
	}
	wantStatus(t, c.rest(http.MethodGet, "/tickets/"+first, nil), http.StatusNotFound)
}

// TestRESTWritesNoSecretDown covers S23 and S38: neither the log nor the audit
// holds a password or a whole identifier, whichever way a request ends.
func TestRESTWritesNoSecretDown(t *testing.T) {
	c := newCampus(t, withREST)
	id := tgtOf(t, c.rest(http.MethodPost, "/tickets", login(student, studentPassword)))
	secrets := []string{id, id[len(id)-20:], studentPassword, "wrong-password"}
	for _, service := range []string{app, stranger, "", admin, strict} {
		a := c.rest(http.MethodPost, "/tickets/"+id, url.Values{"service": {service}})
		if strings.HasPrefix(a.Body, "ST-") {
			secrets = append(secrets, a.Body)
		}
	}
	c.rest(http.MethodPost, "/tickets/"+id, login(student, "wrong-password", "service", app, "renew", "true"))
	c.rest(http.MethodPut, "/tickets/"+id, nil)
	c.rest(http.MethodGet, "/tickets/"+id+"?a=%zz", nil)
	c.rest(http.MethodDelete, "/tickets/"+id, nil)
	c.rest(http.MethodGet, "/tickets/"+id, nil)
	written := c.log.String() + c.audit.String()
	for _, secret := range secrets {
		if strings.Contains(written, secret) {
			t.Errorf("%s was written down", secret)
		}
	}
	for _, want := range []string{`"route":"rest_ticket"`, `"route":"rest_tickets"`, `"action":"logout"`, `"reason":"needs_password"`} {
		if !strings.Contains(written, want) {
			t.Errorf("no %s in\n%s", want, written)
		}
	}
}

// TestRESTConcurrently covers S40: many programs at once get each their own
// person's tickets.
func TestRESTConcurrently(t *testing.T) {
	c := newCampus(t, withREST)
	people := map[string]string{student: studentPassword, teacher: teacherPassword, staff: staffPassword}
	var wg sync.WaitGroup
	for range 8 {
		for user, password := range people {
			wg.Go(func() {
				a := c.rest(http.MethodPost, "/tickets", login(user, password), "Accept", "text/plain")
				ticket := c.rest(http.MethodPost, "/tickets/"+a.Body, url.Values{"service": {app}}).Body
				if got := c.validate("/serviceValidate", app, ticket); !strings.Contains(got.Body, "<cas:user>"+user+"</cas:user>") {
					t.Errorf("%s: got %s", user, got.Body)
				}
			})
		}
	}
	wg.Wait()
}
