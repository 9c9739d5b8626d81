package conformance

import (
	"net/http"
	"strings"
)

// Specification, section 2.1.1, "method", and what else a request for the form
// may bring.

func requestorMethods() []Statement {
	return []Statement{
		{ID: "L12", Holds: "method=GET, or none: a redirect", Run: func(t *T) {
			b := t.session()
			for _, path := range []string{login(app), login(app, "method=GET"), login(app, "method=get"), login(postApp, "method=GET")} {
				t.wantStatus(b.get(path), http.StatusFound)
			}
		}},
		{ID: "L13", Holds: "method=POST, in any case: a form that posts the ticket, with a button, everything escaped", Run: postMethod},
		{ID: "L14", Holds: "method=HEADER: service and ticket are headers", Run: func(t *T) {
			a := t.session().get(login(app, "method=HEADER"))
			t.wantStatus(a, http.StatusOK)
			if a.header.Get("service") != app || !strings.HasPrefix(a.header.Get("ticket"), "ST-") || a.location != "" {
				t.Fatalf("headers: %v", a.header)
			}
			t.wantSuccess(t.validate(app, a.header.Get("ticket")))
		}},
		{ID: "L15", Holds: "an unknown method is the default: a redirect, or the entry's own", Run: func(t *T) {
			b := t.session()
			t.wantTicket(b.get(login(app, "method=NOSUCH")), app)
			if a := b.get(login(postApp, "method=NOSUCH")); a.status != http.StatusOK || a.form().Get("ticket") == "" {
				t.Errorf("the entry asks for POST: status %d, Location %q", a.status, a.location)
			}
		}},
		{ID: "L16", Holds: "an old or forged cookie is ignored, and removed at every path where one may be", Run: staleCookie},
		{ID: "L16", Holds: "stale cookies of the same name do not hide the live one", Run: func(t *T) {
			b := t.session()
			r := t.browser().request(http.MethodGet, login(app), "")
			r.Header.Set("Cookie", "TGC=TGT-"+strings.Repeat("0", 60)+"; TGC=stale; TGC="+b.tgc()+"; TGC=eyJh.e30.x_y")
			t.wantTicket(t.browser().do(r), app)
		}},
		{ID: "L17", Holds: "a login by ticket of the desktop or by certificate", Untested: "Parvis has no such login yet"},
		{ID: "L18", Holds: "pages in French and English, as the browser or locale asks", Run: languages},
		{ID: "L19", Holds: "the ticket goes before the fragment, and one # stays one", Run: func(t *T) {
			b := t.session()
			for service, want := range map[string]string{app + "#top": app + "?ticket=ST-*#top", app + "?a=b#x?y": app + "?a=b&ticket=ST-*#x?y"} {
				before, after, _ := strings.Cut(want, "*")
				a := b.get(login(service))
				if !strings.HasPrefix(a.location, before) || !strings.HasSuffix(a.location, after) || strings.Count(a.location, "#") != 1 {
					t.Errorf("%s: Location %q", service, a.location)
				}
				t.wantSuccess(t.validate(service, a.ticket()))
			}
		}},
	}
}

func postMethod(t *T) {
	service := app + `?a="><script>&b=c`
	b := t.session()
	for _, path := range []string{login(service, "method=POST"), login(service, "method=post"), login(service, "method=PoSt")} {
		a := b.get(path)
		t.wantStatus(a, http.StatusOK)
		form := a.form()
		if strings.Contains(a.body, "><script>&") || !strings.HasPrefix(form.Get("ticket"), "ST-") || a.location != "" {
			t.Fatalf("no form with the ticket, or something unescaped:\n%s", a.body)
		}
		if !strings.Contains(a.body, `method="post"`) || !strings.Contains(a.body, "<button") && !strings.Contains(a.body, `type="submit"`) {
			t.Errorf("no post, or no button for those without scripts:\n%s", a.body)
		}
		if !strings.Contains(a.body, `action="https://app.univ.example/?a=`) {
			t.Errorf("the form does not post to the service:\n%s", a.body)
		}
		t.wantSuccess(t.validate(service, form.Get("ticket")))
	}
	if a := t.browser().login(login(postApp), student); a.form().Get("ticket") == "" {
		t.Errorf("after the password, where the entry asks for POST: status %d", a.status)
	}
	if a := t.browser().login(login(app, "method=POST"), student); a.form().Get("ticket") == "" {
		t.Errorf("after the password: status %d, Location %q", a.status, a.location)
	}
}

func staleCookie(t *T) {
	old := t.session()
	ended := old.tgc()
	old.get("/logout")
	for _, value := range []string{ended, "TGT-" + strings.Repeat("0", 60), "garbage", "eyJhbGciOiJIUzUxMiJ9.e30.x_y"} {
		b := t.browser().with(value)
		a := b.get(login(app))
		t.wantForm(a)
		paths := map[string]bool{}
		for _, c := range (&http.Response{Header: a.header}).Cookies() {
			if c.Name == "TGC" && c.MaxAge < 0 && c.Value == "" {
				paths[c.Path] = true
			}
		}
		own := strings.TrimSuffix(b.address().Path, "/login")
		if !paths[own] || !paths[own+"/"] || !paths["/"] {
			t.Errorf("%.20s…: removed at %v, want %s, %[3]s/ and /", value, paths, own)
		}
		t.wantTicket(b.submit(a, student), app)
	}
}

func languages(t *T) {
	for _, test := range []struct{ name, accept, locale, want string }{
		{"French", "fr-FR,fr;q=0.9,en;q=0.1", "", "fr"},
		{"English", "en-GB,en;q=0.9", "", "en"},
		{"French weighs less", "fr;q=0.1,en;q=0.9", "", "en"},
		{"asked for French", "en", "&locale=fr", "fr"},
		{"asked for English", "fr", "&locale=en", "en"},
		{"asked for nothing known", "en", "&locale=tlh", "en"},
	} {
		for _, path := range []string{login(app) + test.locale, login(stranger) + test.locale} {
			b := t.browser()
			r := b.request(http.MethodGet, path, "")
			r.Header.Set("Accept-Language", test.accept)
			if a := b.do(r); !strings.Contains(a.body, `<html lang="`+test.want+`"`) {
				t.Errorf("%s: no page in %s:\n%.300s", test.name, test.want, a.body)
			}
		}
	}
}
