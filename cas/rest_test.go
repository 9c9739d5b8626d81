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

// TestRESTIsNoFormOfAPage: a page that somebody looks at cannot have their
// browser guess passwords (S20).
func TestRESTIsNoFormOfAPage(t *testing.T) {
	c := newCampus(t, withREST)
	for name, header := range map[string][2]string{
		"another site": {"Sec-Fetch-Site", "cross-site"}, "another host of ours": {"Sec-Fetch-Site", "same-site"},
		"a script": {"Origin", "https://evil.example"}, "a sandbox": {"Origin", "null"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 6 {
				r := c.browser().Request(http.MethodPost, "/cas/v1/tickets", login(student, "wrong").Encode())
				r.Header.Set(header[0], header[1])
				wantTyped(t, c.browser().Do(r), http.StatusForbidden, plain)
			}
		})
	}
	if a := c.browser().Login(testkit.LoginPath(app), student, studentPassword); a.Ticket() == "" {
		t.Errorf("a page used up the person's tries: status %d", a.Status)
	}
}
