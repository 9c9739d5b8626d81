package conformance

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/xml"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Specification, section 2.3.3 and appendix C: applications are told.

func singleLogout() []Statement {
	needs, withProxies := []Feature{SingleLogout}, []Feature{SingleLogout, Proxies}
	return []Statement{
		{ID: "SLO1", Holds: "every service that got a ticket is told of the logout, within a second", Needs: needs, Run: everyService},
		{ID: "SLO1", Holds: "of the tickets of another session, nobody is told", Needs: needs, Run: func(t *T) {
			p := t.play("/told/")
			mine, theirs := t.browser(), t.browser()
			ticket := mine.enter(p.service)
			theirs.enter(p.service)
			mine.get("/logout")
			t.wantLogout(p.wantCalls(1)[0], ticket)
			t.wantSilence(p)
		}},
		{ID: "SLO2", Holds: "a form post, logoutRequest first, no charset, under 1024 bytes", Needs: needs, Run: logoutForm},
		{ID: "SLO2", Holds: "one line; the prefixes, the person, an instant in UTC, nothing around the session index", Needs: needs, Run: logoutText},
		{ID: "SLO2", Holds: "the person is who logged in, whatever name the service knows", Needs: needs, Run: func(t *T) {
			p := t.play("/named/")
			b := t.browser()
			ticket := b.enter(p.service)
			b.get("/logout")
			if r := t.wantLogout(p.wantCalls(1)[0], ticket); r.Name != student.UID {
				t.Errorf("NameID %q", r.Name)
			}
		}},
		{ID: "SLO3", Holds: "of several tickets of one application, each is told, also one that was not validated yet", Needs: needs, Run: everyTicket},
		{ID: "SLO3", Holds: "parallel tickets of one application stay good", Run: func(t *T) {
			b := t.session()
			one, two := b.enter(app+"a"), b.enter(app+"a")
			t.wantSuccess(t.validate(app+"a", two))
			t.wantSuccess(t.validate(app+"a", one))
		}},
		{ID: "SLO3", Holds: "a setting narrows it to the newest ticket of each address", Needs: []Feature{SingleLogout, HastyServer}, Run: newestTicket},
		{ID: "SLO4", Holds: "applications behind a proxy are told of their proxy ticket", Needs: withProxies, Run: proxiedApplications},
		{ID: "SLO5", Holds: "a logout by a program tells too", Needs: []Feature{SingleLogout, REST}, Run: func(t *T) {
			p, id := t.play("/told/"), t.restSession()
			ticket := strings.TrimSpace(t.browser().post("/v1/tickets/"+id, url.Values{"service": {p.service}}).body)
			t.restDelete(id)
			t.wantLogout(p.wantCalls(1)[0], ticket)
		}},
		{ID: "SLO5", Holds: "a login as somebody else ends the first session, and tells", Needs: needs, Run: func(t *T) {
			p, b := t.play("/told/"), t.browser()
			ticket := b.enter(p.service)
			b.login(login(app, "renew=true"), freshman)
			t.wantLogout(p.wantCalls(1)[0], ticket)
		}},
		{ID: "SLO5", Holds: "an account that the directory stops: its sessions end, and tell", Needs: []Feature{SingleLogout, Suspending}, Run: stoppedAccount},
		{ID: "SLO5", Holds: "revocation by an administrator, or by the person", Untested: "no address of the protocol does it; the tests of internal/slo hold it"},
		{ID: "SLO5", Holds: "a session that expires", Untested: "the specification leaves it open; Parvis lets it end in silence"},
		{ID: "SLO6", Holds: "a service of the front channel is told by the page, deflated, and by nothing else", Needs: needs, Run: frontChannel},
		{ID: "SLO7", Holds: "a service that does not want to be told is not", Needs: needs, Run: func(t *T) {
			untold, told, b := t.play("/untold/"), t.play("/told/"), t.browser()
			b.enter(untold.service)
			b.enter(told.service)
			b.get("/logout")
			told.wantCalls(1)
			t.wantSilence(untold)
		}},
		{ID: "SLO8", Holds: "redirects are not followed, errors are nobody's but the application's", Needs: needs, Run: logoutErrors},
		{ID: "SLO8", Holds: "an application that hangs or is gone delays neither the person nor the others", Needs: needs, Run: logoutHangs},
		{ID: "SLO9", Holds: "the entry's own address of logout is posted to", Needs: []Feature{SingleLogout, Registering}, Run: logoutAddress},
		{ID: "SLO10", Holds: "an address that nobody allowed is not called", Needs: []Feature{SingleLogout, HastyServer}, Run: func(t *T) {
			foreign, told, b := t.play("/foreign/"), t.play("/told/"), t.browserAt(t.Hasty)
			b.enter(foreign.service)
			ticket := b.enter(told.service)
			b.get("/logout")
			t.wantLogout(told.wantCalls(1)[0], ticket) // its entry allows this machine
			t.wantSilence(foreign)
		}},
		{ID: "SLO10", Holds: "workers, limits of a host and the audit of each outcome", Untested: "not seen from outside; the tests of internal/slo hold it"},
	}
}

// logoutRequest is what an application reads.
type logoutRequest struct {
	XMLName xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:protocol LogoutRequest"`
	ID      string   `xml:"ID,attr"`
	Version string   `xml:"Version,attr"`
	Instant string   `xml:"IssueInstant,attr"`
	Name    string   `xml:"urn:oasis:names:tc:SAML:2.0:assertion NameID"`
	Index   string   `xml:"urn:oasis:names:tc:SAML:2.0:protocol SessionIndex"`
}

// wantLogout reads a call that must be the logout request for a ticket.
func (t *T) wantLogout(c call, ticket string) logoutRequest {
	t.Helper()
	r := t.readLogout(c)
	if r.Index != ticket {
		t.Fatalf("told of %q, want %q", r.Index, ticket)
	}
	return r
}

func (t *T) readLogout(c call) logoutRequest {
	t.Helper()
	form, err := url.ParseQuery(c.body)
	if err != nil || c.method != http.MethodPost {
		t.Fatalf("no form post: %+v", c)
	}
	var r logoutRequest
	if err := xml.Unmarshal([]byte(form.Get("logoutRequest")), &r); err != nil {
		t.Fatalf("no logout request: %v: %+v", err, c)
	}
	return r
}

// wantSilence waits a moment, in which what is sent at once would have come.
func (t *T) wantSilence(p *player) {
	t.Helper()
	time.Sleep(400 * time.Millisecond)
	p.wantQuiet()
}

func everyService(t *T) {
	b := t.browser()
	players, issued := []*player{t.play("/told/"), t.play("/told/"), t.play("/told/"), t.play("/portal/")}, []string{}
	for _, p := range players {
		issued = append(issued, b.enter(p.service))
	}
	begun := time.Now()
	t.wantPage(b.get("/logout"), http.StatusOK)
	for i, p := range players {
		c := p.wantCalls(1)[0]
		t.wantLogout(c, issued[i])
		if took := c.at.Sub(begun); took > time.Second {
			t.Errorf("told after %v", took)
		}
		if !strings.HasSuffix(p.service, c.path) {
			t.Errorf("posted to %s, not to %s", c.path, p.service)
		}
	}
	b.get("/logout")
	for _, p := range players {
		p.wantQuiet()
	}
}

// told is one logout request to an application.
func (t *T) told() (call, string) {
	t.Helper()
	p, b := t.play("/told/"), t.browser()
	ticket := b.enter(p.service + "page?a=b")
	b.get("/logout")
	return p.wantCalls(1)[0], ticket
}

func logoutForm(t *T) {
	c, ticket := t.told()
	if c.contentType != "application/x-www-form-urlencoded" || !strings.HasPrefix(c.body, "logoutRequest=") || len(c.body) >= 1024 {
		t.Errorf("%s, %d bytes: %s", c.contentType, len(c.body), c.body)
	}
	if c.path != "/told/page" || c.query.Get("a") != "b" {
		t.Errorf("posted to %s?%s", c.path, c.query.Encode())
	}
	t.wantLogout(c, ticket)
}

func logoutText(t *T) {
	c, ticket := t.told()
	form, err := url.ParseQuery(c.body)
	if err != nil {
		t.Fatal(err)
	}
	text := form.Get("logoutRequest")
	for _, part := range []string{
		`<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="LR-`, `Version="2.0"`, "</samlp:LogoutRequest>",
		"<samlp:SessionIndex>" + ticket + "</samlp:SessionIndex>", `xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`, ">" + student.UID + "</saml:NameID>",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in\n%s", part, text)
		}
	}
	r := t.readLogout(c)
	at, err := time.Parse(time.RFC3339, r.Instant)
	if err != nil || !strings.HasSuffix(r.Instant, "Z") || time.Since(at).Abs() > time.Minute || r.Version != "2.0" || r.Name != student.UID {
		t.Errorf("read %+v: %v", r, err)
	}
	if strings.Contains(strings.TrimSpace(text), "\n") {
		t.Errorf("more than one line:\n%s", text)
	}
}

func everyTicket(t *T) {
	p, b := t.play("/told/"), t.browser()
	expected := map[string]bool{}
	for range 3 {
		ticket := b.enter(p.service)
		expected[ticket] = true
		if len(expected) == 1 {
			t.wantSuccess(t.validate(p.service, ticket))
		}
	}
	b.get("/logout")
	for _, c := range p.wantCalls(3) {
		if index := t.readLogout(c).Index; !expected[index] {
			t.Errorf("told of %q", index)
		} else {
			delete(expected, index)
		}
	}
}

func newestTicket(t *T) {
	p, b := t.play("/told/"), t.browserAt(t.Hasty)
	b.enter(p.service)
	newest := b.enter(p.service)
	b.get("/logout")
	t.wantLogout(p.wantCalls(1)[0], newest)
	t.wantSilence(p)
}

func proxiedApplications(t *T) {
	front, back, b := t.play("/portal/"), t.play("/middle/"), t.browser()
	pgt := front.grantingTicket(b)
	pt := t.proxyTicket(pgt, back.service)
	t.wantSuccess(t.ask("/proxyValidate", back.service, pt))
	b.get("/logout")
	t.wantLogout(back.wantCalls(1)[0], pt)
	front.wantCalls(1)
}

func stoppedAccount(t *T) {
	p, b, bystander := t.play("/told/"), t.browser(), t.session()
	ticket := t.wantTicket(b.login(login(p.service), freshman), p.service)
	reopen := t.Suspend(t, freshman)
	defer reopen()
	t.wantLogout(p.wantCalls(1)[0], ticket)
	t.wantForm(b.get(login(app)))
	t.wantTicket(bystander.get(login(app)), app)
}

func frontChannel(t *T) {
	p, b := t.play("/front/"), t.browser()
	ticket := b.enter(p.service)
	page := b.get("/logout?" + pair("service", app))
	address := regexp.MustCompile(regexp.QuoteMeta(strings.TrimSuffix(p.service, "/")) + `[^"' ]*`).FindString(html.UnescapeString(page.body))
	if address == "" {
		t.Fatalf("status %d, Location %q: the page calls nobody\n%.2000s", page.status, page.location, page.body)
	}
	read, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := base64.StdEncoding.DecodeString(read.Query().Get("logoutRequest"))
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	inflater, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	text, err := io.ReadAll(inflater)
	var r logoutRequest
	if err != nil || xml.Unmarshal(text, &r) != nil || r.Index != ticket {
		t.Errorf("%v: %s", err, text)
	}
	if !strings.Contains(page.body, app) {
		t.Error("the page does not lead on to the service")
	}
	t.wantSilence(p)
}

func logoutErrors(t *T) {
	elsewhere, good, b := t.play("/told/"), t.play("/told/"), t.browser()
	away := t.play("/told/")
	away.answer(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.service, http.StatusFound) })
	broken := t.play("/told/").with(http.StatusInternalServerError)
	for _, p := range []*player{away, broken, good} {
		b.enter(p.service)
	}
	t.wantPage(b.get("/logout"), http.StatusOK)
	good.wantCalls(1)
	away.wantCalls(1)
	t.eventually("the broken one is told", func() bool { return len(broken.take()) > 0 })
	t.wantSilence(elsewhere)
	away.wantQuiet()
}

func logoutHangs(t *T) {
	hangs, good, b := t.play("/told/"), t.play("/told/"), t.browser()
	released := make(chan struct{})
	t.Cleanup(func() { close(released) })
	hangs.answer(func(http.ResponseWriter, *http.Request) { <-released })
	for range 5 {
		b.enter(hangs.service)
	}
	b.enter("https://localhost:1/told/")
	ticket := b.enter(good.service)
	begun := time.Now()
	t.wantPage(b.get("/logout"), http.StatusOK)
	if took := time.Since(begun); took > time.Second {
		t.Errorf("the logout took %v", took)
	}
	c := good.wantCalls(1)[0]
	t.wantLogout(c, ticket)
	if took := c.at.Sub(begun); took > time.Second {
		t.Errorf("the good one is told after %v", took)
	}
}

func logoutAddress(t *T) {
	const service = "https://elsewhere.univ.example/"
	p, b := t.play("/told/"), t.browser()
	t.register("elsewhere", "id: 903\nname: Elsewhere\nmatch: "+service+"\nlogout: {url: '"+p.service+"bye?a=b'}\n", service, http.StatusOK)
	ticket := b.enter(service)
	b.get("/logout")
	c := p.wantCalls(1)[0]
	t.wantLogout(c, ticket)
	if c.path != "/told/bye" || c.query.Get("a") != "b" {
		t.Errorf("posted to %s?%s", c.path, c.query.Encode())
	}
}
