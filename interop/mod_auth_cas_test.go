package interop_test

import (
	"net/http"
	"net/url"
	"testing"
)

// What mod_auth_cas is told of a person is what the entry releases.
const released = "release: [uid, mail, displayName, eduPersonAffiliation]"

const (
	cas2 = "CASValidateURL CAS/serviceValidate"
	saml = "CASValidateURL CAS/samlValidate\n  CASValidateSAML On"
)

// TestModAuthCAS has applications of one Apache, as Debian ships it: two that
// validate by CAS 2, one by SAML 1.1.
func TestModAuthCAS(t *testing.T) {
	s := newSite(t)
	applications := s.apache(cas2, cas2, saml)
	first, second, third := applications[0], applications[1], applications[2]
	s.service(first, released)
	s.service(second)
	s.service(third, released)
	s.serve()

	for name, application := range map[string]string{
		"attributes come at serviceValidate, in headers (V10 V12 V13)": first,
		"attributes come at samlValidate, in headers (1.8)":            third,
	} {
		t.Run(name, func(t *testing.T) { headersOfModAuthCAS(t, s.browserOf(t), application) })
	}
	t.Run("the second application asks for no password (L4)", func(t *testing.T) {
		b := s.browserOf(t)
		b.login(b.get(first + "/"))
		p := b.get(second + "/")
		if got := p.header(t, "CAS-User"); got != student {
			t.Errorf("the second application knows %q", got)
		}
		if got := p.header(t, "CAS-mail"); got != "" { // its entry releases nothing
			t.Errorf("the second application was told %q", got)
		}
	})
	t.Run("the address survives, however it is escaped (G2 V27)", func(t *testing.T) {
		for _, path := range []string{"/a?x=1&y=2", "/a?q=%C3%A9t%C3%A9", "/a?q='~(,)!*", "/a%20b?u=https%3A%2F%2Fa.example%2F%3Fb%3Dc%26d"} {
			b := s.browserOf(t)
			p := b.login(b.get(first + path))
			if got := p.header(t, "CAS-User"); got != student || p.address != first+path {
				t.Errorf("%s: %q ended at %s by way of %q", path, got, p.address, p.hops)
			}
		}
	})
	t.Run("gateway", func(t *testing.T) {
		b := s.browserOf(t)
		// L8: without a session, back without a ticket. What the module then does
		// is a fault of its own with Apache 2.4: it gives nobody a name, which
		// Apache takes for a wrong set-up, and answers 500.
		p := b.get(first + "/public/")
		if p.query(s.url+"/login", "gateway") != "true" || p.address != first+"/public/" || p.asksForPassword() {
			t.Errorf("nobody: by way of %q", p.hops)
		}
		b = s.browserOf(t)
		b.login(b.get(second + "/"))
		p = b.get(first + "/public/") // L9: with one, as if nobody had asked
		if got := p.header(t, "CAS-User"); got != student || p.query(s.url+"/login", "gateway") != "true" {
			t.Errorf("with a session: got %q by way of %q", got, p.hops)
		}
	})
	t.Run("renew (L7 V18)", func(t *testing.T) {
		b := s.browserOf(t)
		b.login(b.get(first + "/"))
		form := b.get(second + "/vote/")
		if form.query(s.url+"/login", "renew") != "true" {
			t.Errorf("the module asks for no renew: %q", form.hops)
		}
		if got := b.login(form).header(t, "CAS-User"); got != student {
			t.Errorf("after the password: got %q", got)
		}
		b = s.browserOf(t)
		b.login(b.get(first + "/"))
		for rule, application := range map[string]string{"V18": second, "1.8": third} {
			p := b.get(s.url + "/login?service=" + url.QueryEscape(application+"/vote/"))
			if !p.through(application+"/vote/?ticket=ST-") || p.Status != http.StatusUnauthorized {
				t.Errorf("%s, a ticket that no password was given for: status %d by way of %q", rule, p.Status, p.hops)
			}
		}
	})
}

// headersOfModAuthCAS logs in and looks at what the application is told.
func headersOfModAuthCAS(t *testing.T, b *browser, application string) {
	t.Helper()
	p := b.login(b.get(application + "/"))
	for header, want := range map[string]string{
		"CAS-User": student, "CAS-uid": student, "CAS-mail": studentMail, "CAS-displayName": "Jean-Pierre Martin",
		"CAS-eduPersonAffiliation": "student,member",
	} {
		if got := p.header(t, header); got != want {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
	if p.address != application+"/" { // the ticket came last, and the module took it off
		t.Errorf("ended at %q", p.address)
	}
	if got := b.get(application + "/students"); got.Status != http.StatusOK {
		t.Errorf("who has the attribute is answered with status %d", got.Status)
	}
	if got := b.get(application + "/staff"); got.Status == http.StatusOK {
		t.Error("who has not the attribute comes in")
	}
}

// browserOf is a browser whose faults are a subtest's.
func (s *site) browserOf(t *testing.T) *browser {
	t.Helper()
	b := s.browser()
	b.t = t
	return b
}
