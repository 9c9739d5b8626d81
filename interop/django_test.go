package interop_test

import "testing"

// TestDjango has applications with django-casclient, which validates the
// tickets of people at proxyValidate (V11 V13).
func TestDjango(t *testing.T) {
	installed(t, "/usr/lib/python3/dist-packages/cas/backends.py", "python3-django-casclient")
	s := newSite(t)
	var applications []*application
	for _, protocol := range []string{"2", "3"} {
		application := s.application("/usr/bin/python3", "python3-django-casclient", "django/application.py",
			"SSL_CERT_FILE="+s.caFile(), "APP_PROTOCOL="+protocol)
		s.service(application.url, released)
		applications = append(applications, application)
	}
	s.serve()

	b := s.browser()
	if got := b.login(b.get(applications[0].url + "/")).told(t); got.User != student {
		t.Errorf("CAS 2: got %+v", got)
	}
	if got := b.get(applications[1].url + "/").told(t); got.User != student { // L4
		t.Errorf("CAS 3, without a password: got %+v", got)
	}
	b.get(applications[1].url + "/logout")
	if p := b.get(applications[1].url + "/"); !p.asksForPassword() { // O1
		t.Errorf("after logout, no password is asked for: %q", p.hops)
	}
}
