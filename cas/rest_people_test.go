package cas_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parvis/cas"
	"parvis/internal/testkit"
	"parvis/services"
)

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

// shelf is where entries go in the tests.
type shelf struct {
	entries []string
	err     error
}

func (s *shelf) Put(data []byte) (*services.Service, error) {
	if s.err != nil {
		return nil, s.err
	}
	s.entries = append(s.entries, string(data))
	return &services.Service{ID: 7, Name: "New <b>", File: "New-7.json"}, nil
}

// publishing is a campus whose administrators may add services.
func publishing(t *testing.T, s *shelf) *campus {
	return newCampus(t, func(o *cas.Options, _ map[string]string) {
		o.REST = &cas.RESTOptions{URL: publicURL, Publishing: &cas.RESTPublishing{
			Publisher: s, Attribute: "memberOf", Value: "CN=ent-admins,ou=groups,dc=univ,dc=example",
		}}
	})
}

// publish sends an entry as somebody, or as nobody.
func (c *campus) publish(user, password, contentType, entry string) testkit.Answer {
	c.t.Helper()
	b := c.browser()
	r := b.Request(http.MethodPost, "/cas/v1/services", entry)
	r.Header.Set("Content-Type", contentType)
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	return b.Do(r)
}

const someEntry = `{"@class": "org.apereo.cas.services.CasRegisteredService", "id": 7}`

func TestR8Services(t *testing.T) {
	t.Run("an administrator", func(t *testing.T) {
		s := &shelf{}
		c := publishing(t, s)
		a := c.publish(staff, staffPassword, "application/json; charset=utf-8", someEntry)
		wantTyped(t, a, http.StatusOK, jsonType)
		if len(s.entries) != 1 || s.entries[0] != someEntry {
			t.Errorf("kept %q", s.entries)
		}
		if want := `{"id":7,"name":"New \u003cb\u003e"}` + "\n"; a.Body != want {
			t.Errorf("body %q, want %q", a.Body, want)
		}
		if !strings.Contains(c.audit.String(), `"service_published","outcome":"success","user":"`+staff) {
			t.Errorf("not in the audit: %s", c.audit)
		}
		wantTyped(t, c.rest(http.MethodGet, "/services", nil), http.StatusMethodNotAllowed, plain)
	})
	for _, test := range []struct {
		name, user, password, contentType, entry string
		status                                   int
	}{
		{"nobody", "", "", jsonType, someEntry, http.StatusUnauthorized},
		{"no password", staff, "", jsonType, someEntry, http.StatusUnauthorized},
		{"wrong password", staff, "wrong", jsonType, someEntry, http.StatusUnauthorized},
		{"person without the right", student, studentPassword, jsonType, someEntry, http.StatusForbidden},
		{"a form", staff, staffPassword, "application/x-www-form-urlencoded", someEntry, http.StatusUnsupportedMediaType},
		{"no media type", staff, staffPassword, "", someEntry, http.StatusUnsupportedMediaType},
		{"too large", staff, staffPassword, jsonType, strings.Repeat(" ", 100<<10), http.StatusRequestEntityTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &shelf{}
			c := publishing(t, s)
			a := c.publish(test.user, test.password, test.contentType, test.entry)
			wantStatus(t, a, test.status)
			if got := a.Header.Get("WWW-Authenticate") != ""; got != (test.status == http.StatusUnauthorized) {
				t.Errorf("WWW-Authenticate: %v", got)
			}
			if len(s.entries) > 0 || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("kept %q, headers %v", s.entries, a.Header)
			}
		})
	}
	t.Run("throttled", func(t *testing.T) { // S20
		c := publishing(t, &shelf{})
		for range 5 {
			wantStatus(t, c.publish(staff, "wrong", jsonType, someEntry), http.StatusUnauthorized)
		}
		wantStatus(t, c.publish(staff, staffPassword, jsonType, someEntry), http.StatusLocked)
	})
	t.Run("an entry with faults", func(t *testing.T) {
		fault := services.Fault{File: "New-7.json", Key: "id", Level: services.Broken, Message: "<b>must be positive</b>"}
		c := publishing(t, &shelf{err: &services.EntryError{Faults: []services.Fault{fault}}})
		a := c.publish(staff, staffPassword, jsonType, someEntry)
		wantTyped(t, a, http.StatusBadRequest, plain)
		if !strings.Contains(a.Body, "must be positive") || strings.Contains(c.log.String(), "must be positive") {
			t.Errorf("body %q, log %s", a.Body, c.log)
		}
		if !strings.Contains(c.audit.String(), `"service_published","outcome":"refused"`) {
			t.Errorf("not in the audit: %s", c.audit)
		}
	})
	t.Run("an id that another entry has", func(t *testing.T) {
		a := publishing(t, &shelf{err: fmt.Errorf("%w: 7", services.ErrTaken)}).publish(staff, staffPassword, jsonType, someEntry)
		wantTyped(t, a, http.StatusConflict, plain)
	})
	t.Run("a folder that is read only", func(t *testing.T) {
		c := publishing(t, &shelf{err: fmt.Errorf("write: %w", services.ErrUnwritable)})
		wantTyped(t, c.publish(staff, staffPassword, jsonType, someEntry), http.StatusServiceUnavailable, plain)
	})
	t.Run("a disk that is full", func(t *testing.T) {
		c := publishing(t, &shelf{err: errors.New("disk is full")})
		a := c.publish(staff, staffPassword, jsonType, someEntry)
		wantTyped(t, a, http.StatusInternalServerError, plain)
		if strings.Contains(a.Body, "disk") || !strings.Contains(c.log.String(), "disk is full") { // S45
			t.Errorf("body %q, log %s", a.Body, c.log)
		}
	})
}

// TestR8AServiceServedAtOnce: an entry that was sent opens its service.
func TestR8AServiceServedAtOnce(t *testing.T) {
	const added = "https://added.univ.example/"
	registry, err := services.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	check(t, err)
	c := newCampus(t, func(o *cas.Options, _ map[string]string) {
		o.Registry = registry
		o.REST = &cas.RESTOptions{URL: publicURL, Publishing: &cas.RESTPublishing{
			Publisher: registry, Attribute: "memberOf", Value: "cn=ent-admins,ou=groups,dc=univ,dc=example",
		}}
	})
	wantStatus(t, c.browser().Get(testkit.LoginPath(added)), http.StatusForbidden)
	entry := `{"@class": "org.apereo.cas.services.CasRegisteredService", "id": 7, "name": "Added", "serviceId": "^https://added\\.univ\\.example/.*"}`
	wantStatus(t, c.publish(staff, staffPassword, jsonType, entry), http.StatusOK)
	if !c.validate("/serviceValidate", added, c.browser().enter(added)).Valid() {
		t.Error("the service is not served")
	}
	wide := strings.Replace(entry, `^https://added\\.univ\\.example/.*`, "^https://.*", 1)
	wantTyped(t, c.publish(staff, staffPassword, jsonType, wide), http.StatusBadRequest, plain)
	wantStatus(t, c.browser().Get(testkit.LoginPath(stranger)), http.StatusForbidden)
}

// notice is a page that everybody must pass.
type notice struct{ err error }

func (notice) Name() string                                     { return "notice" }
func (c notice) Due(context.Context, cas.Passage) (bool, error) { return c.err == nil, c.err }

func (notice) Serve(http.ResponseWriter, *http.Request, cas.Passage) (cas.Outcome, error) {
	return cas.Outcome{}, errors.New("a program cannot read a page")
}

// TestRESTIsNoWayAroundAnInterrupt: what a browser would have to show first
// keeps a program out as well, and one that cannot be asked keeps everybody
// out.
func TestRESTIsNoWayAroundAnInterrupt(t *testing.T) {
	with := func(i cas.Interrupt) option {
		return func(o *cas.Options, _ map[string]string) { o.Interrupts = []cas.Interrupt{i} }
	}
	c := newCampus(t, withREST, with(notice{}))
	for _, path := range []string{"/tickets", "/users"} {
		wantException(t, c.rest(http.MethodPost, path, login(student, studentPassword)), http.StatusForbidden, "InterruptRequiredException")
		wantException(t, c.rest(http.MethodPost, path, login(student, "wrong")), http.StatusUnauthorized, "FailedLoginException")
	}
	if sessions, err := c.store.SessionsOf(t.Context(), student); err != nil || len(sessions) != 0 {
		t.Errorf("%d sessions are open, error %v", len(sessions), err)
	}
	t.Run("that became due", func(t *testing.T) {
		var due fickle
		c := newCampus(t, withREST, with(&due))
		id := tgtOf(t, c.rest(http.MethodPost, "/tickets", login(student, studentPassword)))
		due.now = true
		wantException(t, c.rest(http.MethodPost, "/tickets/"+id, url.Values{"service": {app}}), http.StatusForbidden, "InterruptRequiredException")
	})
	t.Run("that cannot be asked", func(t *testing.T) {
		c := newCampus(t, withREST, with(notice{errors.New("no answer")}))
		wantTyped(t, c.rest(http.MethodPost, "/tickets", login(student, studentPassword)), http.StatusInternalServerError, plain)
	})
}

// fickle is due when a test says so.
type fickle struct {
	notice
	now bool
}

func (f *fickle) Due(context.Context, cas.Passage) (bool, error) { return f.now, nil }
