package cas_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"parvis/cas"
	"parvis/internal/testkit"
	"parvis/tickets"
)

// TestS6KindsAreNotMixed covers V3 and V16: only a service ticket validates here, and whatever
// else is shown is refused without a word more.
func TestS6KindsAreNotMixed(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	b.enter(app)
	tgt := tickets.TGT(b.tgc())
	mint := tickets.NewMinter(nil)
	for _, kind := range []tickets.Kind{tickets.ProxyTicket, tickets.ProxyGrantingTicket} {
		id, err := mint.Ticket(kind, tgt)
		check(t, err)
		_, err = c.store.Grant(t.Context(), tgt, tickets.Ticket{ID: id, Kind: kind, Service: app, Lifetime: time.Minute})
		check(t, err)
		for _, endpoint := range []string{"/serviceValidate", "/p3/serviceValidate"} {
			wantCode(t, c.validate(endpoint, app, string(id)), cas.InvalidTicket)
		}
		if a := c.validate("/validate", app, string(id)); a.Body != "no\n\n" { // V3
			t.Errorf("%s at /validate: %q", kind, a.Body)
		}
	}
	for _, ticket := range []string{string(tgt), "TGT-x", "ST-", "ST-" + strings.Repeat("é", 15), strings.Repeat("S", 10000)} {
		wantCode(t, c.validate("/serviceValidate", app, ticket), cas.InvalidTicket)
	}
	if a := b.Get(testkit.LoginPath(app)); a.Ticket() == "" {
		t.Error("showing the TGT as a ticket ended the session")
	}
}

// TestS9NothingReachesAHeader: control characters in a service are refused
// before anything is built from them.
func TestS9NothingReachesAHeader(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	b.enter(app)
	for _, service := range []string{app + "\r\nX-Evil: 1", app + "\nSet-Cookie: a=b", app + "\x00", app + "\t", app + "%0d%0aX-Evil:1", "https://app.univ.example\\@evil.example/", "https://user@app.univ.example/"} {
		a := b.Get(testkit.LoginPath(service))
		if a.Header.Get("X-Evil") != "" || strings.ContainsAny(a.Location, "\r\n\\@") {
			t.Errorf("%q: Location %q, headers %v", service, a.Location, a.Header)
		}
		if a.Location != "" && !strings.HasPrefix(a.Location, app) {
			t.Errorf("%q leads to %q", service, a.Location)
		}
	}
}

func TestS12Cookie(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*cas.CookieOptions)
		want   []string
	}{
		{"https", func(o *cas.CookieOptions) { o.Secure = true }, []string{"Path=/cas", "HttpOnly", "SameSite=Lax", "Secure"}},
		{"embedded in frames", func(o *cas.CookieOptions) { o.Secure, o.SameSite = true, http.SameSiteNoneMode }, []string{"SameSite=None", "Secure"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCampus(t, func(o *cas.Options, _ map[string]string) { test.change(&o.Cookies) })
			b := c.browser()
			page := b.Get(testkit.LoginPath(app))
			browser, _, _ := strings.Cut(strings.TrimPrefix(page.Header.Get("Set-Cookie"), "parvis_browser="), ";")
			form := page.Form()
			form.Set("username", student)
			form.Set("password", studentPassword)
			r := b.Request(http.MethodPost, "/cas/login", form.Encode())
			r.Header.Set("Cookie", "parvis_browser="+browser) // the jar keeps Secure cookies from plain http
			a := b.Do(r)
			wantStatus(t, a, http.StatusSeeOther)
			for _, set := range a.Header.Values("Set-Cookie") {
				for _, part := range test.want {
					if !strings.Contains(set, part) {
						t.Errorf("no %s in %q", part, set)
					}
				}
				if strings.Contains(set, "Domain=") {
					t.Errorf("not for this host alone: %q", set)
				}
			}
		})
	}
}

// TestS13NoFixation: a cookie that was there before the login never becomes
// the session.
func TestS13NoFixation(t *testing.T) {
	c := newCampus(t)
	id, err := tickets.NewMinter(nil).TGT()
	check(t, err)
	victim := c.withCookie("TGC", string(id))
	page := victim.Get(testkit.LoginPath(app))
	victim.SetCookie("TGC", string(id))
	victim.Submit(page, student, studentPassword)
	if victim.tgc() == string(id) {
		t.Error("the planted cookie was kept")
	}
	wantForm(t, c.withCookie("TGC", string(id)).Get(testkit.LoginPath(app)))
}

// TestS15CrossSitePost: another site cannot log a browser in.
func TestS15CrossSitePost(t *testing.T) {
	c := newCampus(t)
	attacker := c.browser().Get(testkit.LoginPath(app))
	victim := c.browser()
	victim.Get("/cas/login")
	a := victim.Submit(attacker, teacher, teacherPassword)
	wantStatus(t, a, http.StatusUnprocessableEntity)
	if victim.tgc() != "" {
		t.Error("the victim was logged in as the attacker")
	}
}

func TestS16BothLimitsHold(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		c := newCampus(t)
		b := c.browser()
		b.enter(app)
		c.clock.Travel(c.limits.Idle - time.Second)
		wantStatus(t, b.Get(testkit.LoginPath(app)), http.StatusFound)
		c.clock.Travel(c.limits.Idle + time.Second)
		wantForm(t, b.Get(testkit.LoginPath(app)))
	})
	t.Run("absolute", func(t *testing.T) {
		c := newCampus(t)
		b := c.browser()
		b.enter(app)
		for range 7 {
			c.clock.Travel(time.Hour)
			wantStatus(t, b.Get(testkit.LoginPath(app)), http.StatusFound)
		}
		c.clock.Travel(time.Hour + time.Second)
		wantForm(t, b.Get(testkit.LoginPath(app)))
	})
	t.Run("a service may want a recent login", func(t *testing.T) {
		c := newCampus(t, withService("recent.yaml", "id: 30\nname: Recent\nmatch: https://recent.univ.example/\nlifetimes:\n  session: 10m\n"))
		b := c.browser()
		b.enter(app)
		c.clock.Travel(11 * time.Minute)
		wantForm(t, b.Get(testkit.LoginPath("https://recent.univ.example/")))
		wantStatus(t, b.Get(testkit.LoginPath(other)), http.StatusFound)
	})
}

// TestS20NobodyLocksAnybodyOut: a stranger who tries many passwords slows
// only themselves; a browser that knew the account is never refused for it.
func TestS20NobodyLocksAnybodyOut(t *testing.T) {
	c := newCampus(t)
	owner := c.browser()
	owner.From = "198.51.100.1"
	wantStatus(t, owner.Login(testkit.LoginPath(app), student, studentPassword), http.StatusSeeOther)
	owner.Get("/cas/logout")
	refused := 0
	for i := range 20 {
		stranger := c.browser()
		stranger.From = fmt.Sprintf("203.0.113.%d", i)
		for range 6 {
			if stranger.Login(testkit.LoginPath(app), student, "guess").Status == http.StatusLocked {
				refused++
			}
		}
	}
	if refused < 20 {
		t.Errorf("%d of 120 guesses refused: the throttle does not hold", refused)
	}
	wantStatus(t, owner.Login(testkit.LoginPath(app), student, studentPassword), http.StatusSeeOther)
	elsewhere := c.browser()
	elsewhere.From = "192.0.2.9"
	wantStatus(t, elsewhere.Login(testkit.LoginPath(app), teacher, teacherPassword), http.StatusSeeOther)
	c.clock.Travel(5 * time.Minute)
	elsewhere.Get("/cas/logout")
	wantStatus(t, elsewhere.Login(testkit.LoginPath(app), student, studentPassword), http.StatusSeeOther)
}

// TestS20ACampusSharesOneAddress: failures of many people behind one address
// do not close it to the next one.
func TestS20ACampusSharesOneAddress(t *testing.T) {
	c := newCampus(t)
	for i := range 100 {
		b := c.browser()
		b.From = "192.0.2.1"
		wantStatus(t, b.Login(testkit.LoginPath(app), fmt.Sprintf("person-%d", i), "typo"), http.StatusUnauthorized)
	}
	b := c.browser()
	b.From = "192.0.2.1"
	wantStatus(t, b.Login(testkit.LoginPath(app), student, studentPassword), http.StatusSeeOther)
}

// TestS21SpoofedAddresses: only the last hop that a trusted proxy reports
// counts, so an attacker cannot invent addresses to go on guessing.
func TestS21SpoofedAddresses(t *testing.T) {
	c := newCampus(t)
	last := 0
	for i := range 7 {
		b := c.browser()
		b.From = fmt.Sprintf("10.9.8.%d, 203.0.113.50", i)
		last = b.Login(testkit.LoginPath(app), student, "guess").Status
	}
	if last != http.StatusLocked {
		t.Errorf("got status %d after 7 guesses from one address, want 423", last)
	}
}

func TestS22Injection(t *testing.T) {
	c := newCampus(t)
	for _, login := range []string{"*", "o2250214*", ")(uid=*", "o22502142)(uid=*", "o22502142\x00", "o22502142,ou=people", strings.Repeat("a", 5000)} {
		b := c.browser()
		b.From = "192.0.2.77"
		a := b.Login(testkit.LoginPath(app), login, studentPassword)
		if a.Ticket() != "" || b.tgc() != "" {
			t.Errorf("%.40q logged in", login)
		}
	}
}

// TestS25NothingIsEchoedRaw: what a client sends is text on every page.
func TestS25NothingIsEchoedRaw(t *testing.T) {
	c := newCampus(t)
	const probe = `"><script>alert(1)</script>'`
	b := c.browser()
	pages := []testkit.Answer{
		b.Get(testkit.LoginPath(app + "?" + probe)),
		b.Get(testkit.LoginPath("https://evil.example/" + probe)),
		b.Get("/cas/login?method=" + url.QueryEscape(probe) + "&service=" + url.QueryEscape(app)),
		b.Get("/cas/login?locale=" + url.QueryEscape(probe)),
		b.Get("/cas/logout?service=" + url.QueryEscape(probe)),
		b.Login(testkit.LoginPath(app), probe, "wrong"),
		b.Login(testkit.LoginPath(app), probe, ""),
	}
	answers := []testkit.Answer{
		c.validate("/serviceValidate", app, probe),
		c.validate("/serviceValidate", probe, c.browser().enter(app)),
	}
	for _, a := range slices.Concat(pages, answers) {
		if strings.Contains(a.Body, "<script>alert") {
			t.Errorf("raw in the page:\n%s", a.Body)
		}
		if a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("headers: %v", a.Header)
		}
	}
	for _, a := range answers {
		if kind := a.Header.Get("Content-Type"); kind != "text/xml; charset=utf-8" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers of an answer: %v", a.Header)
		}
	}
	for _, a := range pages {
		csp := a.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("no %s in %q", part, csp)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("policy: %s", csp)
		}
	}
}

// TestS27NoOtherOriginReadsAnswers: no header opens the endpoints to scripts
// of other origins, and no callback parameter makes script of an answer.
func TestS27NoOtherOriginReadsAnswers(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	for _, path := range []string{"/cas/login?callback=x", testkit.ValidatePath("/serviceValidate", app, "ST-1", "callback=x", "format=JSON")} {
		r := b.Request(http.MethodGet, path, "")
		r.Header.Set("Origin", "https://evil.example")
		a := b.Do(r)
		if a.Header.Get("Access-Control-Allow-Origin") != "" || strings.HasPrefix(a.Body, "x(") {
			t.Errorf("%s: headers %v", path, a.Header)
		}
	}
}

func TestS39Limits(t *testing.T) {
	t.Run("sessions of one person", func(t *testing.T) {
		c := newCampus(t, withLimits(func(l *cas.Limits) { l.SessionsPerPerson = 3 }))
		var all []*browser
		for range 4 {
			b := c.browser()
			b.enter(app)
			all = append(all, b)
			c.clock.Travel(time.Second)
		}
		wantForm(t, all[0].Get(testkit.LoginPath(app)))
		for _, b := range all[1:] {
			wantStatus(t, b.Get(testkit.LoginPath(app)), http.StatusFound)
		}
	})
	t.Run("a large body", func(t *testing.T) {
		b := newCampus(t).browser()
		a := b.Post("/cas/login", url.Values{"username": {strings.Repeat("a", 1<<20)}})
		wantStatus(t, a, http.StatusRequestEntityTooLarge)
	})
	t.Run("another type of body", func(t *testing.T) {
		b := newCampus(t).browser()
		r := b.Request(http.MethodPost, "/cas/login", `{"username":"x"}`)
		r.Header.Set("Content-Type", "application/json")
		wantStatus(t, b.Do(r), http.StatusUnsupportedMediaType)
	})
}

// TestS45ErrorsSayNothingOfTheInside reads every kind of refusal.
func TestS45ErrorsSayNothingOfTheInside(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	for _, a := range []testkit.Answer{
		b.Get("/cas/login?service=%zz"), b.Get("/cas/login?renew&renew"), b.Get("/cas/serviceValidate?ticket=a&ticket=b"),
		b.Get(testkit.LoginPath("https://evil.example/")), b.Post("/cas/login", url.Values{"username": {strings.Repeat("a", 1<<20)}}),
	} {
		if a.Status < 400 || a.Status >= 500 {
			t.Errorf("got status %d", a.Status)
		}
		for _, leak := range []string{".go", "goroutine", "panic", "/work", "regexp"} {
			if strings.Contains(a.Body, leak) {
				t.Errorf("status %d says %q", a.Status, leak)
			}
		}
	}
}

// TestConsentHasAFormOfItsOwn: the token of a login form is no consent, and
// consent is no way around a service that wants a recent login.
func TestConsentHasAFormOfItsOwn(t *testing.T) {
	const recent = "https://recent.univ.example/"
	c := newCampus(t, withService("recent.yaml", "id: 30\nname: Recent\nmatch: "+recent+"\nlifetimes:\n  session: 10m\n"))
	b := c.browser()
	b.enter(app)
	form := b.Get(testkit.LoginPath(other, "renew=true")).Form()
	form.Del("renew")
	form.Set("_eventId", "proceed")
	if a := b.Post("/cas/login", form); a.Ticket() != "" {
		t.Errorf("a login form's token was taken for consent: status %d", a.Status)
	}
	c.clock.Travel(11 * time.Minute)
	form = b.Get(testkit.LoginPath(recent)).Form()
	form.Set("_eventId", "proceed")
	a := b.Post("/cas/login", form)
	wantForm(t, a)
	if a.Ticket() != "" {
		t.Error("an old session entered a service that wants a new one")
	}
}

// TestG2BytesThatAreNoUTF8: old applications send other encodings. The form
// brings back the very bytes.
func TestG2BytesThatAreNoUTF8(t *testing.T) {
	c := newCampus(t)
	b := c.browser()
	page := b.Get("/cas/login?service=https%3A%2F%2Fapp.univ.example%2F%3Fq%3D%E9")
	wantForm(t, page)
	if !utf8.ValidString(page.Body) {
		t.Error("the page is no UTF-8")
	}
	_, rest, _ := strings.Cut(page.Body, `action="`)
	action, _, _ := strings.Cut(rest, `"`)
	form := page.Form()
	form.Set("username", student)
	form.Set("password", studentPassword)
	a := b.Post(html.UnescapeString(action), form)
	if !strings.HasPrefix(a.Location, app+"?q=%E9&ticket=ST-") {
		t.Fatalf("Location = %q", a.Location)
	}
	if !c.browser().Get("/cas/serviceValidate?service=https%3A%2F%2Fapp.univ.example%2F%3Fq%3D%E9&ticket=" + a.Ticket()).Valid() {
		t.Error("the ticket does not validate")
	}
}

// TestS15OtherSitesSendNoForms: a sibling host may plant the cookie that forms
// are bound to, so the browser's own word counts too, and over https the
// cookie's name keeps it out.
func TestS15OtherSitesSendNoForms(t *testing.T) {
	c := newCampus(t)
	for site, want := range map[string]int{"cross-site": 422, "same-site": 422, "same-origin": 303, "none": 303, "": 303} {
		b := c.browser()
		form := b.Get(testkit.LoginPath(app)).Form()
		form.Set("username", student)
		form.Set("password", studentPassword)
		r := b.Request(http.MethodPost, "/cas/login", form.Encode())
		r.Header.Set("Sec-Fetch-Site", site)
		if a := b.Do(r); a.Status != want {
			t.Errorf("Sec-Fetch-Site %q: got status %d, want %d", site, a.Status, want)
		}
	}
	secure := newCampus(t, func(o *cas.Options, _ map[string]string) { o.Cookies.Secure = true })
	set := secure.browser().Get("/cas/login").Header.Get("Set-Cookie")
	if !strings.HasPrefix(set, "__Host-parvis_browser=") || !strings.Contains(set, "Path=/;") || !strings.Contains(set, "Secure") {
		t.Errorf("Set-Cookie: %s", set)
	}
}

// TestCookiesOfTwoPersons: a browser that shows two live sessions opens
// neither, and a login ends all of them but its own.
func TestCookiesOfTwoPersons(t *testing.T) {
	c := newCampus(t)
	eva, sophie := c.browser(), c.browser()
	eva.enter(app)
	sophie.Login(testkit.LoginPath(app), staff, staffPassword)
	both := func(b *browser, method, body string) testkit.Answer {
		r := b.Request(method, testkit.LoginPath(app), body)
		r.Header.Set("Cookie", "TGC="+sophie.tgc()+"; TGC="+eva.tgc()+"; parvis_browser="+b.Cookie("parvis_browser"))
		return b.Do(r)
	}
	b := c.browser()
	b.Get("/cas/login")
	page := both(b, http.MethodGet, "")
	wantForm(t, page)
	form := page.Form()
	form.Set("username", student)
	form.Set("password", studentPassword)
	a := both(b, http.MethodPost, form.Encode())
	wantStatus(t, a, http.StatusSeeOther)
	if removed := strings.Count(strings.Join(a.Header.Values("Set-Cookie"), "\n"), "TGC=;"); removed != 2 {
		t.Errorf("removed at %d other paths, want 2", removed)
	}
	for _, old := range []*browser{eva, sophie} {
		wantForm(t, c.withCookie("TGC", old.tgc()).Get(testkit.LoginPath(app)))
	}
}

// TestAllowNamesTheMethods: RFC 9110, section 15.5.6.
func TestAllowNamesTheMethods(t *testing.T) {
	b := newCampus(t).browser()
	for _, test := range []struct{ method, path, allow string }{
		{http.MethodDelete, "/cas/login", "GET, HEAD, POST"},
		{http.MethodOptions, "/cas/logout", "GET, HEAD, POST"},
		{http.MethodHead, "/cas/serviceValidate", "GET, POST"},
		{http.MethodPut, "/cas/validate", "GET, POST"},
	} {
		a := b.Do(b.Request(test.method, test.path, ""))
		if a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != test.allow {
			t.Errorf("%s %s: got status %d, Allow %q", test.method, test.path, a.Status, a.Header.Get("Allow"))
		}
	}
}
