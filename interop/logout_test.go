package interop_test

import (
	"path/filepath"
	"testing"

	"parvis/internal/testkit"
)

// TestSingleLogout has one person in applications of every client that takes
// logout requests, and one in a second browser, who must stay.
func TestSingleLogout(t *testing.T) {
	s := newSite(t)
	apache := s.apache(cas2, saml, cas2+"\n  CASSSOEnabled Off")
	cas2, cas3, saml := s.php("2"), s.php("3"), s.php("saml")
	for _, address := range []string{apache[0], apache[1], cas2.url, cas3.url, saml.url} {
		s.service(address, released)
	}
	s.service(apache[2], "logout: {url: "+apache[0]+"/logout}")
	s.serve()

	leaving, staying := s.browser(), s.browser()
	for _, b := range []*browser{leaving, staying} {
		b.login(b.get(apache[0] + "/"))
		for _, address := range []string{apache[1], apache[2], cas2.url, cas3.url, saml.url} {
			b.get(address + "/")
		}
	}
	leaving.get(s.url + "/logout")
	for name, address := range map[string]string{"CAS 2": cas2.url, "CAS 3": cas3.url, "SAML 1.1": saml.url} {
		t.Run("phpCAS, "+name, func(t *testing.T) {
			testkit.Eventually(t, "the application forgets who logged out", soon, func() bool {
				return leaving.get(address+"/session").told(t).User == ""
			})
			if got := staying.get(address + "/session").told(t); got.User != student {
				t.Errorf("the other browser's session is %+v", got)
			}
		})
	}
	for name, address := range map[string]string{"CAS 2": apache[0], "SAML 1.1": apache[1], "another host takes the request": apache[2]} {
		t.Run("mod_auth_cas, "+name, func(t *testing.T) {
			testkit.Eventually(t, "the application forgets who logged out", soon, func() bool {
				return leaving.get(address + "/").asksForPassword()
			})
			p := staying.get(address + "/")
			if got := p.header(t, "CAS-User"); got != student || len(p.hops) != 0 {
				t.Errorf("the other browser's session is %q, by way of %q", got, p.hops)
			}
		})
	}
}

// TestSingleLogoutOfEveryTicket has a person come to one application twice with
// one login, as from two tabs: both sessions there end, not the newer alone.
func TestSingleLogoutOfEveryTicket(t *testing.T) {
	s := newSite(t)
	application := s.php("3")
	s.service(application.url, released)
	s.serve()

	b := s.browser()
	b.login(b.get(application.url + "/"))
	b.forget(application.url)
	b.get(application.url + "/")
	if got := len(sessions(t, application)); got != 2 {
		t.Fatalf("the application has %d sessions, want 2", got)
	}
	b.get(s.url + "/logout")
	testkit.Eventually(t, "no session is left", soon, func() bool { return len(sessions(t, application)) == 0 })
}

// TestSingleLogoutBehindAPortal has a portal and an application behind it: the
// session that a proxy ticket opened ends too.
func TestSingleLogoutBehindAPortal(t *testing.T) {
	s := newSite(t)
	portal, behind := s.php("3"), s.php("3")
	portal.set("APP_PROXY", "yes")
	portal.set("APP_TARGET", behind.url+"/")
	behind.set("APP_BEHIND", portal.url)
	s.service(portal.url, released, "proxy: "+portal.url+"/callback")
	s.service(behind.url, released)
	s.serve()

	b := s.browser()
	if got := b.login(b.get(portal.url + "/ask")).told(t).behind(t); got.User != student {
		t.Fatalf("the application behind was told %+v", got)
	}
	if got := len(sessions(t, behind)); got != 1 {
		t.Fatalf("the application behind has %d sessions", got)
	}
	b.get(s.url + "/logout")
	testkit.Eventually(t, "the application behind has no session", soon, func() bool { return len(sessions(t, behind)) == 0 })
	testkit.Eventually(t, "the portal has none", soon, func() bool { return b.get(portal.url+"/session").told(t).User == "" })
}

// sessions are the files of an application with phpCAS, one a session.
func sessions(t *testing.T, a *application) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(a.folder, "sess_*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}
