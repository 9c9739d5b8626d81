package conformance

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Specification, section 3: tickets and cookies.

func tickets() []Statement {
	return []Statement{
		{ID: "T1", Holds: "a service ticket begins with ST-, has 32 characters at most, and none is like another", Run: func(t *T) {
			b := t.session()
			t.wantTickets("ST-", 32, func() string { return b.enter(app) })
		}},
		{ID: "T1", Holds: "it is good once, and no longer than its entry says", Run: func(t *T) {
			ticket := t.ticket(quickApp)
			t.wantSuccess(t.validate(quickApp, ticket))
			t.wantCode(t.validate(quickApp, ticket), "INVALID_TICKET")
			old := t.ticket(quickApp)
			time.Sleep(quickEnds)
			t.wantCode(t.validate(quickApp, old), "INVALID_TICKET")
		}},
		{ID: "T1", Holds: "ten seconds where nobody says otherwise", Untested: "nobody waits so long here; the tests of cas hold it"},
		{ID: "T2", Holds: "a proxy ticket begins with PT- and is as short", Needs: []Feature{Proxies}, Run: func(t *T) {
			pgt := t.grantingTicket()
			t.wantTickets("PT-", 32, func() string { return t.proxyTicket(pgt, backend) })
		}},
		{ID: "T3", Holds: "proxy-granting tickets and IOUs begin with PGT- and PGTIOU- and have 64 characters at most", Needs: []Feature{Proxies}, Run: func(t *T) {
			p := t.play("/portal/")
			t.wantTickets("PGT-", 64, func() string { return p.grantingTicket(t.browser()) })
			t.wantTickets("PGTIOU-", 64, func() string {
				return t.wantSuccess(t.validate(p.service, t.ticket(p.service), pair("pgtUrl", p.service))).iou
			})
		}},
		{ID: "T4", Holds: "a ticket-granting ticket begins with TGT-", Needs: []Feature{REST}, Run: func(t *T) {
			t.wantTickets("TGT-", 256, t.restSession)
		}},
		{ID: "T4", Holds: "it ends when it is not used, and at its longest in any case", Untested: "no session is shorter than a minute; the tests of cas hold it, by a clock of their own"},
		{ID: "T5", Holds: "a form's token is never the same", Run: func(t *T) {
			b := t.browser()
			seen := map[string]bool{}
			for range 20 {
				token := b.get(login(app)).form().Get("execution")
				if token == "" || seen[token] {
					t.Fatalf("token %q", token)
				}
				seen[token] = true
			}
		}},
		{ID: "T6", Holds: "the cookie: TGC, for this path and host, of the session, Secure, HttpOnly, SameSite", Run: cookieFlags},
		{ID: "T6", Holds: "its value is opaque, new at each login, and says nothing of the person", Run: cookieValue},
		{ID: "T6", Holds: "another address or browser version does not end the session", Run: func(t *T) {
			b := t.session()
			r := b.request(http.MethodGet, login(app), "")
			r.Header.Set("User-Agent", "Another/2.0")
			t.wantTicket(b.do(r), app)
			r = b.request(http.MethodGet, login(app), "")
			r.Header.Set("X-Forwarded-For", "203.0.113.9")
			t.wantTicket(b.do(r), app)
		}},
		{ID: "T6", Holds: "a browser that does not say who it is can log in", Run: func(t *T) {
			b := t.browser()
			r := b.request(http.MethodGet, login(app), "")
			r.Header["User-Agent"] = nil
			form := b.do(r).form()
			form.Set("username", student.UID)
			form.Set("password", student.Password)
			r = b.request(http.MethodPost, "/login", form.Encode())
			r.Header["User-Agent"] = nil
			t.wantTicket(b.do(r), app)
		}},
		{ID: "T7", Holds: "a lasting cookie lasts three months at most", Run: func(t *T) {
			c := t.wantCookie(t.browser().login(login(app), student, "rememberMe"))
			if c.MaxAge <= 0 || c.MaxAge > 93*24*60*60 {
				t.Errorf("Max-Age = %d", c.MaxAge)
			}
		}},
		{ID: "T8", Holds: "the wish to be warned is a cookie of its own, and ends with the logout", Run: func(t *T) {
			b := t.browser()
			b.login(login(app), student, "warn")
			if b.cookie("CASPRIVACY") == "" {
				t.Error("no cookie")
			}
			b.get("/logout")
			if b.cookie("CASPRIVACY") != "" {
				t.Error("it outlives the logout")
			}
		}},
		{ID: "T9", Holds: "the transient tickets of second factors", Untested: "Parvis has no second factor yet"},
	}
}

// fewestCharacters hold 128 bits, in letters and digits.
const fewestCharacters = 22

// wantTickets draws some tickets: each begins with a prefix, is no longer than
// most, has 128 bits at least, and none shares a run with another, as those
// with a counter or a clock in them do.
func (t *T) wantTickets(prefix string, most int, draw func() string) {
	t.Helper()
	const run = 6
	shape := regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	seen := map[string]bool{}
	for range 5 {
		id := draw()
		secret, ok := strings.CutPrefix(id, prefix)
		if !ok || len(id) > most || len(secret) < fewestCharacters || !shape.MatchString(id) {
			t.Fatalf("%q: want %s and letters or digits, %d characters at most", id, prefix, most)
		}
		for i := 0; i+run <= len(secret); i++ {
			if seen[secret[i:i+run]] {
				t.Errorf("two tickets share %q", secret[i:i+run])
			}
		}
		for i := 0; i+run <= len(secret); i++ {
			seen[secret[i:i+run]] = true
		}
	}
}

// wantCookie finds the ticket-granting cookie that an answer sets.
func (t *T) wantCookie(a answer) *http.Cookie {
	t.Helper()
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if strings.Contains(c.Name, "TGC") && c.Value != "" {
			return c
		}
	}
	t.Fatalf("no ticket-granting cookie: %q", a.header.Values("Set-Cookie"))
	return nil
}

func cookieFlags(t *T) {
	b := t.browser()
	c := t.wantCookie(b.login(login(app), student))
	path := strings.TrimSuffix(b.address().Path, "/login")
	if c.Name != "TGC" && c.Name != "__Host-TGC" || c.Path != path || c.Domain != "" {
		t.Errorf("name %q, path %q, domain %q", c.Name, c.Path, c.Domain)
	}
	if c.MaxAge != 0 || !c.Expires.IsZero() {
		t.Errorf("it outlives the browser: %v", c)
	}
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != (b.address().Scheme == "https") {
		t.Errorf("flags: %v", c)
	}
}

func cookieValue(t *T) {
	value := func(b *browser) string {
		value := t.wantCookie(b.login(login(app, "renew=true"), student)).Value
		if strings.Contains(value, student.UID) {
			t.Errorf("the cookie names the person: %q", value)
		}
		return strings.TrimPrefix(value, "TGT-")
	}
	t.wantTickets("", 256, func() string { return value(t.browser()) })
	b := t.browser()
	before, after := value(b), value(b)
	same := 0
	for same < min(len(before), len(after)) && before[same] == after[same] {
		same++
	}
	if len(after)-same < fewestCharacters {
		t.Errorf("a new login changes %d characters of the cookie", len(after)-same)
	}
}
