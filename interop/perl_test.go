package interop_test

import "testing"

// perl starts an application written in Perl.
func (s *site) perl(script string) *application {
	s.t.Helper()
	installed(s.t, "/usr/share/perl5/AuthCAS.pm", "libauthcas-perl")
	installed(s.t, "/usr/share/perl5/Authen/CAS/Client.pm", "libauthen-cas-client-perl")
	return s.application("perl", "perl", "perl/"+script, "PERL_LWP_SSL_CA_FILE="+s.caFile())
}

// TestAuthCAS has applications with AuthCAS, which asks in HTTP/1.0 without a
// port in Host, and reads answers by patterns (V10 V12).
func TestAuthCAS(t *testing.T) {
	s := newSite(t)
	application := s.perl("authcas.pl")
	s.service(application.url, released)
	s.serve()

	t.Run("the login", func(t *testing.T) {
		b := s.browserOf(t)
		if got := b.login(b.get(application.url + "/")).told(t); got.User != student {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("gateway=1 (L8 L9)", func(t *testing.T) {
		b := s.browserOf(t)
		p := b.get(application.url + "/public")
		if got := p.told(t); got.User != "" || p.query(s.url+"/login", "gateway") != "1" {
			t.Errorf("nobody: got %+v by way of %q", got, p.hops)
		}
		b.login(b.get(application.url + "/"))
		if got := b.get(application.url + "/public").told(t); got.User != student {
			t.Errorf("with a session: got %+v", got)
		}
	})
	t.Run("logout (O1)", func(t *testing.T) {
		b := s.browserOf(t)
		b.login(b.get(application.url + "/"))
		b.get(application.url + "/logout")
		if p := b.get(application.url + "/"); !p.asksForPassword() {
			t.Errorf("after logout, no password is asked for: %q", p.hops)
		}
	})
}

// TestAuthenCASClient has applications with Authen::CAS::Client, which wants
// the answers of CAS 1 to the byte (V1 V2).
func TestAuthenCASClient(t *testing.T) {
	s := newSite(t)
	application := s.perl("authen.pl")
	s.service(application.url, released)
	s.serve()

	for name, path := range map[string]string{"CAS 1 (V1)": "/one", "CAS 2 (V10)": "/", "renew (L7 V18)": "/vote"} {
		t.Run(name, func(t *testing.T) {
			b := s.browserOf(t)
			if got := b.login(b.get(application.url + path)).told(t); got.User != student {
				t.Errorf("got %+v", got)
			}
		})
	}
	for name, want := range map[string]struct{ path, code string }{
		"a refusal of CAS 1 (V2)":  {"/one", "V10_AUTH_FAILURE"},
		"a refusal of CAS 2 (V15)": {"/", "INVALID_TICKET"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.browserOf(t).get(application.url + want.path + "?ticket=ST-0000000000000000000000000000").told(t); got.User != "" || got.Code != want.code {
				t.Errorf("got %+v, want %s", got, want.code)
			}
		})
	}
}
