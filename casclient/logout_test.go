package casclient_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"parvis/casclient"
)

func TestLogout(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	c.service(other)
	b := c.browser(t)
	b.login(b.open(app+"/"), student, studentPassword)
	b.open(other + "/")
	button := b.step(app + "/logout")
	wantStatus(t, button, http.StatusOK)
	if !strings.Contains(button.Body, `<form method="post">`) {
		t.Errorf("no button\n%s", button.Body)
	}
	wantPage(t, b.open(app+"/"), app+"/", student)
	wantPage(t, b.follow(b.send(http.MethodPost, app+"/logout", "", "Sec-Fetch-Site", "same-origin")), app+"/open", "nobody")
	for _, address := range []string{app + "/", other + "/"} { // other: by single logout
		if p := b.open(address); !strings.Contains(p.Body, `id="fm1"`) {
			t.Errorf("%s is still open: %s", address, p.Body)
		}
	}
}

func TestLogoutHere(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	b := c.browser(t)
	b.login(b.open(app+"/"), student, studentPassword)
	stolen := b.cookie(app, "__Host-cas")
	wantPage(t, b.follow(b.send(http.MethodPost, app+"/leave", "")), app+"/open", "nobody")
	wantStatus(t, c.browser(t).step(app+"/", "Cookie", "__Host-cas="+stolen), http.StatusSeeOther)
	wantPage(t, b.open(app+"/"), app+"/", student) // single sign-on goes on
}

func TestLogoutIsNotForged(t *testing.T) {
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
		{"Sec-Fetch-Site", "same-site", "Origin", "https://evil.univ.example"},
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
	} {
		c := newCampus(t)
		c.service(app)
		b := c.browser(t)
		b.login(b.open(app+"/"), student, studentPassword)
		wantStatus(t, b.send(http.MethodPost, app+"/logout", "", header...), http.StatusForbidden)
		wantPage(t, b.open(app+"/"), app+"/", student)
	}
}

// session logs a browser in and returns it with its ticket.
func session(t *testing.T, c *campus) (*browser, string) {
	t.Helper()
	b := c.browser(t)
	answer := b.submit(b.open(app+"/page"), student, studentPassword)
	b.follow(answer)
	wantPage(t, b.open(app+"/page"), app+"/page", student)
	return b, answer.Ticket()
}

func TestLogoutRequest(t *testing.T) {
	ticket := "ST-abcdefghijklmnopqrstuvwxyz0123"
	good := logoutText(student, "TICKET")
	c := newCampus(t)
	c.service(app)
	for _, test := range []struct {
		name, path, text string
		status           int
		ends             bool
	}{
		{"as servers write it", "/page", good, 200, true},
		{"at any address", "/open?x=1", good, 200, true},
		{"indented, with a declaration", "/", "<?xml version=\"1.0\" encoding='UTF-8'?>\n" + strings.ReplaceAll(good, "><", ">\n  <"), 200, true},
		{"blanks around the index", "/", strings.ReplaceAll(good, "TICKET", "\n TICKET\n"), 200, true},
		{"another prefix", "/", strings.ReplaceAll(good, "samlp", "p"), 200, true},
		{"default namespace", "/", strings.NewReplacer("samlp:", "", "xmlns:samlp", "xmlns").Replace(good), 200, true},
		{"@NOT_USED@", "/", logoutText("@NOT_USED@", "TICKET"), 200, true},
		{"empty name", "/", logoutText("", "TICKET"), 200, true},
		{"a comment in the index", "/", strings.ReplaceAll(good, "TICKET", "TICKET<!-- x -->"), 200, true},
		{"two indexes", "/", strings.ReplaceAll(good, "<samlp:SessionIndex>", "<samlp:SessionIndex>ST-1</samlp:SessionIndex><samlp:SessionIndex>"), 200, true},
		{"another's ticket", "/", logoutText(student, ticket), 200, false},
		{"DTD", "/", `<!DOCTYPE x [<!ENTITY t "TICKET">]>` + strings.ReplaceAll(good, "TICKET", "&t;"), 400, false},
		{"DTD alone", "/", "<!DOCTYPE x>" + good, 400, false},
		{"unknown entity", "/", strings.ReplaceAll(good, "TICKET", "TICKET&x;"), 400, false},
		{"wrong namespace", "/", strings.ReplaceAll(good, "SAML:2.0:protocol", "SAML:1.0:protocol"), 400, false},
		{"no namespace", "/", strings.ReplaceAll(good, ` xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"`, ""), 400, false},
		{"no index", "/", strings.ReplaceAll(good, "SessionIndex", "Session"), 400, false},
		{"index elsewhere", "/", strings.NewReplacer("<samlp:SessionIndex>", "<x><samlp:SessionIndex>", "</samlp:SessionIndex>", "</samlp:SessionIndex></x>").Replace(good), 400, false},
		{"elements in the index", "/", strings.ReplaceAll(good, "TICKET", "TICKET<x/>"), 400, false},
		{"very many indexes", "/", strings.ReplaceAll(good, "<samlp:SessionIndex>", strings.Repeat("<samlp:SessionIndex>ST-1</samlp:SessionIndex>", 16)+"<samlp:SessionIndex>"), 400, false},
		{"two roots", "/", good + good, 400, false},
		{"cut short", "/", good[:len(good)-5], 400, false},
		{"text behind", "/", good + "x", 400, false},
		{"too deep", "/", strings.Repeat("<a>", 100_000), 400, false},
		{"too long", "/", good + strings.Repeat(" ", 70_000), 400, false},
		{"nothing", "/", "", 400, false},
		{"no XML", "/", "TICKET", 400, false},
		{"a wildcard", "/", logoutText(student, "*"), 400, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, ticket := session(t, c)
			body := "logoutRequest=" + url.QueryEscape(strings.ReplaceAll(test.text, "TICKET", ticket))
			wantStatus(t, c.blind(t).send(http.MethodPost, app+test.path, body), test.status)
			p := b.step(app + "/page")
			if ended := p.Status == http.StatusSeeOther; ended != test.ends {
				t.Errorf("the session ended: %t, want %t", ended, test.ends)
			}
		})
	}
}

func TestLogoutRequestPath(t *testing.T) {
	c := newCampus(t)
	c.service(app, func(o *casclient.Options) { o.LogoutRequests = "/cas/logout" })
	b, ticket := session(t, c)
	postLogout(t.Context(), c.network, app+"/open", student, ticket)
	wantPage(t, b.step(app+"/page"), app+"/page", student)
	if status := postLogout(t.Context(), c.network, app+"/cas/logout", student, ticket); status != http.StatusOK {
		t.Errorf("got status %d", status)
	}
	wantStatus(t, b.step(app+"/page"), http.StatusSeeOther)
}

func pack(t *testing.T, text string, bare bool) string {
	t.Helper()
	var packed bytes.Buffer
	if bare {
		w, err := flate.NewWriter(&packed, 9)
		check(t, err)
		_, _ = w.Write([]byte(text))
		check(t, w.Close())
	} else {
		w := zlib.NewWriter(&packed)
		_, _ = w.Write([]byte(text))
		check(t, w.Close())
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes())
}

func TestFrontChannel(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	for _, test := range []struct {
		name   string
		bare   bool
		query  func(packed string) string
		status int
		ends   bool
		body   string
	}{
		{"image", false, func(p string) string { return "logoutRequest=" + url.QueryEscape(p) }, 200, true, ""},
		{"without zlib's head", true, func(p string) string { return "logoutRequest=" + url.QueryEscape(p) }, 200, true, ""},
		{"plus signs unescaped", false, func(p string) string { return "logoutRequest=" + p }, 200, true, ""},
		{"jsonp", false, func(p string) string {
			return "callback=jQuery34_17&logoutRequest=" + url.QueryEscape(p) + "&_=1"
		}, 200, true, "/**/jQuery34_17();"},
		{"jsonp with a script", false, func(p string) string {
			return "callback=alert(1)//&logoutRequest=" + url.QueryEscape(p)
		}, 200, true, ""},
		{"no base64", false, func(string) string { return "logoutRequest=%3Ca%3E" }, 400, false, "can"},
		{"not deflated", false, func(string) string {
			return "logoutRequest=" + base64.StdEncoding.EncodeToString([]byte(logoutText("x", "ST-1")))
		}, 400, false, "can"},
		{"a bomb", false, func(string) string {
			return "logoutRequest=" + url.QueryEscape(pack(t, strings.Repeat(" ", 4<<20), false))
		}, 400, false, "can"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, ticket := session(t, c)
			p := c.blind(t).step(app + "/page?" + test.query(pack(t, logoutText(student, ticket), test.bare)))
			wantStatus(t, p, test.status)
			if test.status == 200 && p.Body != test.body || p.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("got %q, header %v", p.Body, p.Header)
			}
			if ended := b.step(app+"/page").Status == http.StatusSeeOther; ended != test.ends {
				t.Errorf("the session ended: %t, want %t", ended, test.ends)
			}
		})
	}
}

// TestLogoutRequestDuringLogin: the server ends a session whose ticket is just
// being validated here.
func TestLogoutRequestDuringLogin(t *testing.T) {
	n, k := newNetwork(), newClock()
	client := newClient(t, n, k, casclient.Options{Service: app})
	n.serve("app.univ.example", client.Require(http.HandlerFunc(hello)))
	const ticket = "ST-1-abc"
	n.serve("cas.univ.example", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "Validate") {
			postLogout(r.Context(), n, app+"/", "x", ticket)
			_, _ = w.Write([]byte(success("<cas:user>x</cas:user>")))
		}
	}))
	p := n.browser(t).step(app + "/?ticket=" + ticket)
	wantStatus(t, p, http.StatusForbidden)
	if len(p.Header.Values("Set-Cookie")) != 0 {
		t.Errorf("got a session: %v", p.Header)
	}
}
