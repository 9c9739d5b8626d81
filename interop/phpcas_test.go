package interop_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestPHPCAS has applications that speak each of the protocols of phpCAS, as
// Debian ships it.
func TestPHPCAS(t *testing.T) {
	s := newSite(t)
	cas1, cas2, cas3, saml := s.php("1"), s.php("2"), s.php("3"), s.php("saml")
	for _, application := range []*application{cas1, cas2, cas3, saml} {
		s.service(application.url, released)
	}
	s.serve()

	attributes := map[string]string{
		"uid": student, "mail": studentMail, "displayName": "Jean-Pierre Martin", "eduPersonAffiliation": "[student member]",
	}
	t.Run("CAS 1 tells the login (V1)", func(t *testing.T) {
		b := s.browserOf(t)
		if got := b.login(b.get(cas1.url + "/")).told(t); got.User != student {
			t.Errorf("got %+v", got)
		}
	})
	for name, application := range map[string]*application{"CAS 2 (V10 V13)": cas2, "CAS 3 (V11 V13)": cas3, "SAML 1.1 (1.8)": saml} {
		t.Run(name+" tells attributes", func(t *testing.T) {
			b := s.browserOf(t)
			checkPHP(t, b.login(b.get(application.url+"/?q=%C3%A9t%C3%A9&x=a+b")), attributes)
		})
	}
	t.Run("the second application asks for no password (L4)", func(t *testing.T) {
		b := s.browserOf(t)
		b.login(b.get(cas2.url + "/"))
		if got := b.get(cas3.url + "/").told(t); got.User != student {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("gateway", func(t *testing.T) {
		b := s.browserOf(t)
		p := b.get(cas3.url + "/public") // L8
		if got := p.told(t); got.User != "" || p.query(s.url+"/login", "gateway") != "true" {
			t.Errorf("nobody: got %+v by way of %q", got, p.hops)
		}
		b = s.browserOf(t)
		b.login(b.get(cas2.url + "/"))
		p = b.get(cas3.url + "/public") // L9
		if got := p.told(t); got.User != student || p.query(s.url+"/login", "gateway") != "true" {
			t.Errorf("with a session: got %+v by way of %q", got, p.hops)
		}
	})
	t.Run("renew (L7 V18)", func(t *testing.T) {
		b := s.browserOf(t)
		b.login(b.get(cas2.url + "/"))
		form := b.get(cas3.url + "/vote")
		if form.query(s.url+"/login", "renew") != "true" {
			t.Errorf("phpCAS asks for no renew: %q", form.hops)
		}
		if got := b.login(form).told(t); got.User != student {
			t.Errorf("after the password: got %+v", got)
		}
		// A ticket that no password was given for does not do.
		b = s.browserOf(t)
		b.login(b.get(cas3.url + "/"))
		for rule, application := range map[string]*application{"V4": cas1, "V18": cas2, "1.8": saml} {
			p := b.get(s.url + "/login?service=" + url.QueryEscape(application.url+"/vote"))
			if !p.through(application.url+"/vote?ticket=ST-") || !strings.Contains(p.Body, "CAS Authentication failed!") {
				t.Errorf("%s, without a password: status %d by way of %q\n%s", rule, p.Status, p.hops, p.Body)
			}
		}
	})
	t.Run("logout returns to the application (O1 O2)", func(t *testing.T) {
		b := s.browserOf(t)
		b.login(b.get(cas2.url + "/"))
		if p := b.get(cas2.url + "/logout"); p.address != cas2.url+"/session" || p.told(t).User != "" {
			t.Errorf("logout ended at %s, by way of %q\n%.500s", p.address, p.hops, p.Body)
		}
		if p := b.get(cas3.url + "/"); !p.asksForPassword() {
			t.Errorf("after logout, no password is asked for: %q", p.hops)
		}
	})
}

// checkPHP holds what an application was told, lists as [a b].
func checkPHP(t *testing.T, p page, attributes map[string]string) {
	t.Helper()
	got := p.told(t)
	if got.User != student {
		t.Errorf("the application knows %q", got.User)
	}
	for name, want := range attributes {
		if told := fmt.Sprint(got.Attributes[name]); told != want {
			t.Errorf("%s: got %s, want %s", name, told, want)
		}
	}
	if strings.Contains(p.address, "ticket=") {
		t.Errorf("the ticket stays in %s", p.address)
	}
}
