package conformance

import (
	"net/http"
	"net/url"
	"strings"
)

// Specification, section 2.3.

func logout() []Statement {
	return []Statement{
		{ID: "O1", Holds: "a page, the cookie removed where it was set, its value not said back", Run: logoutForgets},
		{ID: "O2", Holds: "a registered service gets the browser back, its address as it was", Run: func(t *T) {
			b := t.session()
			a := b.get("/logout?" + pair("service", app+"bye?a=%C3%A9&b=c#d"))
			if a.status != http.StatusFound && a.status != http.StatusSeeOther || a.location != app+"bye?a=%C3%A9&b=c#d" {
				t.Errorf("status %d, Location %q", a.status, a.location)
			}
			if b.tgc() != "" {
				t.Error("the cookie is still there")
			}
		}},
		{ID: "O3", Holds: "no other service is redirected to, and the session ends all the same", Run: func(t *T) {
			for _, service := range []string{stranger, closed, "https://nowhere.example/", "javascript:alert(1)", "//app.univ.example/", imap, app + "\r\nX-Evil: 1"} {
				b := t.session()
				before := b.tgc()
				a := b.get("/logout?" + pair("service", service))
				if a.location != "" || a.header.Get("X-Evil") != "" || a.header.Get("Refresh") != "" || b.tgc() != "" {
					t.Errorf("%q: Location %q, cookie %q, headers %v", service, a.location, b.tgc(), a.header)
				}
				t.wantForm(t.browser().with(before).get(login(app)))
			}
		}},
		{ID: "O4", Holds: "url is ignored", Run: func(t *T) {
			for _, address := range []string{app, "https://nowhere.example/"} {
				a := t.session().get("/logout?" + pair("url", address))
				t.wantPage(a, http.StatusOK)
				if strings.Contains(a.body, address) {
					t.Errorf("the page leads to %s", address)
				}
			}
		}},
		{ID: "O5", Holds: "without a session it is the same, as often as one likes", Run: func(t *T) {
			b := t.browser()
			t.wantPage(b.get("/logout"), http.StatusOK)
			t.wantPage(b.get("/logout"), http.StatusOK)
			t.wantPage(b.with("TGT-"+strings.Repeat("0", 60)).get("/logout"), http.StatusOK)
			a := t.browser().get("/logout?" + pair("service", app))
			if a.location != app {
				t.Errorf("with a service: status %d, Location %q", a.status, a.location)
			}
		}},
		{ID: "O6", Holds: "the old cookie opens nothing any more", Run: func(t *T) {
			b := t.session()
			before := b.tgc()
			b.get("/logout")
			t.wantForm(t.browser().with(before).get(login(app)))
			if a := t.browser().with(before).get(login(app, "gateway=true")); a.location != app {
				t.Errorf("gateway: Location %q", a.location)
			}
		}},
		{ID: "O6", Holds: "a ticket that was not validated yet is worth nothing", Run: func(t *T) {
			b := t.browser()
			ticket := b.enter(app)
			b.get("/logout")
			t.wantCode(t.validate(app, ticket), "INVALID_TICKET")
		}},
		{ID: "O6", Holds: "a proxy-granting ticket ends", Needs: []Feature{Proxies}, Run: func(t *T) {
			b := t.browser()
			pgt := t.grantingTicketOf(b)
			t.proxyTicket(pgt, backend)
			b.get("/logout")
			t.wantProxyCode(t.proxy(pgt, backend), "INVALID_TICKET")
		}},
		{ID: "O6", Holds: "a proxy ticket that was not validated yet is worth nothing", Needs: []Feature{Proxies}, Run: func(t *T) {
			b := t.browser()
			pt := t.proxyTicket(t.grantingTicketOf(b), backend)
			b.get("/logout")
			t.wantCode(t.ask("/proxyValidate", backend, pt), "INVALID_TICKET")
		}},
		{ID: "O7", Holds: "one request is enough: nobody is asked to confirm", Run: func(t *T) {
			b := t.session()
			before := b.tgc()
			t.wantPage(b.get("/logout"), http.StatusOK)
			t.wantForm(t.browser().with(before).get(login(app)))
		}},
		{ID: "O8", Holds: "a page of another site sends no cookie along, but for links: SameSite", Run: func(t *T) {
			if c := t.wantCookie(t.browser().login(login(app), student)); c.SameSite != http.SameSiteLaxMode && c.SameSite != http.SameSiteStrictMode {
				t.Errorf("SameSite = %v", c.SameSite)
			}
		}},
		{ID: "O8", Holds: "a posted form logs out too", Run: func(t *T) {
			b := t.session()
			a := b.post("/logout", url.Values{"service": {app}})
			if a.location != app || b.tgc() != "" {
				t.Errorf("status %d, Location %q, cookie %q", a.status, a.location, b.tgc())
			}
		}},
	}
}

func logoutForgets(t *T) {
	b := t.browser()
	given := t.wantCookie(b.login(login(app), student))
	a := b.get("/logout")
	t.wantPage(a, http.StatusOK)
	removed := false
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == given.Name && c.Path == given.Path && c.Domain == given.Domain {
			removed = c.MaxAge < 0 && c.Value == ""
		}
	}
	if !removed || b.tgc() != "" {
		t.Errorf("Set-Cookie: %q", a.header.Values("Set-Cookie"))
	}
	if strings.Contains(a.body+strings.Join(a.header.Values("Set-Cookie"), " "), given.Value) {
		t.Error("the value of the old cookie is said back")
	}
	t.wantForm(b.get(login(app)))
}
