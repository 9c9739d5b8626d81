package casclient_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"parvis/casclient"
)

func TestLogin(t *testing.T) {
	c := newCampus(t)
	client := newClient(t, c.network, c.clock, casclient.Options{Service: app})
	c.serve("app.univ.example", client.Require(http.HandlerFunc(hello)))
	for _, test := range []struct{ name, path string }{
		{"root", "/"},
		{"page", "/page"},
		{"query kept to the byte", "/page?b=2&a=%c3%a9&c=%2F+x&&d=a%20b;e"},
		{"another's ticket parameter", "/page?ticket=4711"},
		{"escaped slash", "/a%2Fb/%c3%a9?x"},
		{"two slashes", "//evil.example/page?x=1"},
		{"path parameters", "/a;b=c/d'(e)"},
		{"service inside", "/page?service=https://evil.example/?ticket%3dST-1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := c.browser(t)
			form := b.open(app + test.path)
			if want := casServer + "/login?service=" + url.QueryEscape(app+test.path); form.address != want {
				t.Fatalf("sent to %s, want %s", form.address, want)
			}
			wantPage(t, b.login(form, student, studentPassword), app+test.path, student+" reads GET "+test.path+" ")
		})
	}
}

// TestHostIsNotBelieved: a service built from the Host header lets one
// application's ticket be used at another (CVE-2022-39369).
func TestHostIsNotBelieved(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	c.serve("evil.example", c.hosts["app.univ.example"])
	b := c.browser(t)
	p := b.step("https://evil.example/page", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "Forwarded", "host=evil.example")
	if want := casServer + "/login?service=" + url.QueryEscape(app+"/page"); p.Location != want {
		t.Errorf("sent to %s, want %s", p.Location, want)
	}
	p = b.step("https://evil.example/page?ticket=ST-1")
	calls := c.calls("/p3/serviceValidate")
	if len(calls) != 1 || !strings.Contains(calls[0], "service="+url.QueryEscape(app+"/page")+"&") {
		t.Errorf("validated with %q", calls)
	}
	wantStatus(t, p, http.StatusForbidden)
}

func TestPathPrefix(t *testing.T) {
	c := newCampus(t)
	client := newClient(t, c.network, c.clock, casclient.Options{Service: app + "/portal/"})
	inner := client.Wrap(http.StripPrefix("/deep", client.Require(http.HandlerFunc(hello))))
	c.serve("app.univ.example", http.StripPrefix("/portal", inner))
	b := c.browser(t)
	p := b.login(b.open(app+"/portal/deep/page?x=1"), student, studentPassword)
	wantPage(t, p, app+"/portal/deep/page?x=1", student)
	if b.cookie(app, "__Host-cas-portal") == "" {
		t.Error("the cookie of a service below a path has not its name")
	}
}

func TestSecondServiceNeedsNoPassword(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	c.service(other, func(o *casclient.Options) { o.CAS2 = true })
	b := c.browser(t)
	wantPage(t, b.login(b.open(app+"/"), student, studentPassword), app+"/", student)
	wantPage(t, b.open(other+"/page?x=1"), other+"/page?x=1", student)
	if len(c.calls(casServer+"/serviceValidate")) != 1 || len(c.calls(casServer+"/p3/serviceValidate")) != 1 {
		t.Errorf("validated at %q", c.calls("alidate"))
	}
}

func TestPrincipal(t *testing.T) {
	c := newCampus(t)
	var got casclient.Principal
	var ids []string
	client := newClient(t, c.network, c.clock, casclient.Options{Service: app})
	c.serve("app.univ.example", client.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = *casclient.User(r.Context())
		ids = append(ids, casclient.SessionID(r.Context()))
	})))
	b := c.browser(t)
	started := c.Now()
	b.login(b.open(app+"/"), teacher, teacherPassword)
	c.travel(time.Minute)
	b.open(app + "/")
	if got.Name != teacher || !got.AuthTime.Equal(started) || !got.FromNewLogin || got.RememberMe || len(got.Proxies) != 0 {
		t.Errorf("got %+v", got)
	}
	if got.Attributes.Get("uid") != teacher || len(got.Attributes["eduPersonAffiliation"]) < 2 || got.Attributes.Has("authenticationDate") {
		t.Errorf("got attributes %v", got.Attributes)
	}
	if len(ids) != 2 || ids[0] != ids[1] || strings.Contains(b.cookie(app, "__Host-cas"), ids[0]) {
		t.Errorf("got session ids %q", ids)
	}
}

func TestAllow(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	b := c.browser(t)
	wantPage(t, b.login(b.open(app+"/staff"), teacher, teacherPassword), app+"/staff", teacher)
	b = c.browser(t)
	wantStatus(t, b.login(b.open(app+"/staff"), student, studentPassword), http.StatusForbidden)
}

func TestCookieFlags(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	b := c.browser(t)
	back := b.submit(b.open(app+"/"), student, studentPassword).Location
	p := b.step(back)
	cookies := (&http.Response{Header: p.Header}).Cookies()
	if len(cookies) != 2 {
		t.Fatalf("got cookies %v", cookies)
	}
	k := cookies[0]
	if k.Name != "__Host-cas" || k.Path != "/" || k.Domain != "" || !k.Secure || !k.HttpOnly || k.SameSite != http.SameSiteLaxMode || k.MaxAge != 0 || len(k.Value) != 43 {
		t.Errorf("got cookie %v", k)
	}
	if p.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got Cache-Control %q where the ticket goes", p.Header.Get("Cache-Control"))
	}
}

func TestPostedTicket(t *testing.T) {
	c := newCampus(t)
	c.service(app, func(o *casclient.Options) { o.Post = true })
	b := c.browser(t)
	form := b.open(app + "/page?x=1")
	if !strings.Contains(form.address, "method=POST") {
		t.Fatalf("sent to %s", form.address)
	}
	handover := b.submit(form, student, studentPassword)
	ticket := handover.Form().Get("ticket")
	wantPage(t, b.follow(b.send(http.MethodPost, app+"/page?x=1", "ticket="+ticket, "Origin", "https://cas.univ.example", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate")),
		app+"/page?x=1", student+" reads GET /page?x=1 ")
}

// TestPostsArriveWhole: a form that is not for the client arrives whole.
func TestPostsArriveWhole(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	b := c.browser(t)
	for _, body := range []string{
		"", "a=1", "ticket=", "ticket=12", "ticket=ST-1&x=2", "ticketing=1", "logoutReq", "logoutRequests=<a/>", "x=1&logoutRequest=%3C",
		"ticket=ST-" + strings.Repeat("a", 5000), "x=" + strings.Repeat("y", 100_000),
	} {
		p := b.send(http.MethodPost, app+"/open?q=1", body)
		if !strings.HasSuffix(p.Body, ` reads POST /open?q=1 "`+body+`"`) {
			t.Errorf("sent %.40q, got %.100q", body, p.Body)
		}
	}
}

func TestScriptsGet401(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	for _, test := range []struct {
		name   string
		header []string
		status int
	}{
		{"fetch", []string{"Sec-Fetch-Mode", "cors", "Accept", "*/*"}, 401},
		{"image", []string{"Sec-Fetch-Mode", "no-cors", "Accept", "image/png"}, 401},
		{"jquery", []string{"X-Requested-With", "XMLHttpRequest", "Accept", "*/*"}, 401},
		{"json", []string{"Accept", "application/json"}, 401},
		{"axios", []string{"Accept", "application/json, text/plain, */*"}, 401},
		{"page", []string{"Sec-Fetch-Mode", "navigate", "Accept", "application/json"}, 303},
		{"old browser", []string{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"}, 303},
		{"curl", []string{"Accept", "*/*"}, 303},
		{"nothing said", nil, 303},
	} {
		p := c.browser(t).step(app+"/page", test.header...)
		if p.Status != test.status || (p.Status == 401) != (p.Header.Get("WWW-Authenticate") == "CAS") {
			t.Errorf("%s: got status %d, header %v", test.name, p.Status, p.Header)
		}
	}
}

// TestTicketTwice: a double click brings a ticket twice, the back button once
// more. Nobody sees an error, and nobody gets a session of a used ticket.
func TestTicketTwice(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	b := c.browser(t)
	back := b.submit(b.open(app+"/page"), student, studentPassword).Location
	var wait sync.WaitGroup
	pages := make([]page, 8)
	for i := range pages {
		wait.Go(func() { pages[i] = b.step(back) })
	}
	wait.Wait()
	sessions := 0
	for _, p := range pages {
		if p.Status != http.StatusSeeOther || p.Location != app+"/page" {
			t.Errorf("got status %d, Location %q", p.Status, p.Location)
		}
		if strings.Contains(p.Header.Get("Set-Cookie"), "__Host-cas=") {
			sessions++
		}
	}
	if sessions != 1 || len(c.calls("/p3/serviceValidate")) != 1 {
		t.Errorf("%d sessions after %d validations", sessions, len(c.calls("/p3/serviceValidate")))
	}
	wantPage(t, b.open(back), app+"/page", student)
	c.travel(time.Hour)
	wantPage(t, b.open(back), app+"/page", student)
	if calls := c.calls("/p3/serviceValidate"); len(calls) != 1 {
		t.Errorf("asked about the session's own ticket again: %q", calls)
	}
	thief := c.browser(t)
	wantStatus(t, thief.open(back), http.StatusForbidden)
	wantPage(t, b.open(app+"/page"), app+"/page", student)
}

// TestTicketsOfOtherServers: Keycloak's have dots, django-cas-server sorts the
// parameters and so the ticket may stand anywhere, some are very long.
func TestTicketsOfOtherServers(t *testing.T) {
	for _, test := range []struct{ name, query, service, ticket string }{
		{"dots", "a=1&ticket=ST-6f1c.77ab.90de", "?a=1", "ST-6f1c.77ab.90de"},
		{"host behind", "ticket=ST-12-ab_c~d-cas1.univ.example", "", "ST-12-ab_c~d-cas1.univ.example"},
		{"in the middle", "a=1&ticket=ST-1-x&z=2", "?a=1&z=2", "ST-1-x"},
		{"escaped hyphen", "ticket=ST-1%2Dx", "", "ST-1-x"},
		{"256 characters", "ticket=ST-" + strings.Repeat("a", 253), "", "ST-" + strings.Repeat("a", 253)},
		{"behind an old one", "ticket=ST-1-old&a=1&ticket=ST-2-new", "?a=1", "ST-2-new"},
		{"behind a query that ends with &", "a=1&&ticket=ST-1-x", "?a=1", "ST-1-x"},
	} {
		c := newCampus(t)
		c.service(app)
		c.browser(t).step(app + "/page?" + test.query)
		calls := c.calls("/p3/serviceValidate?service=" + url.QueryEscape(app+"/page"+test.service) + "&ticket=" + test.ticket)
		if len(calls) != 1 {
			t.Errorf("%s: validated with %q", test.name, c.calls("alidate"))
		}
	}
}

// TestOldTicketWithASession: an address of last time, from the history.
func TestOldTicketWithASession(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	b := c.browser(t)
	b.login(b.open(app+"/page"), student, studentPassword)
	wantPage(t, b.open(app+"/page?ticket=ST-99999999999999999999999999999"), app+"/page", student)
}

func TestSessionLimits(t *testing.T) {
	c := newCampus(t)
	c.service(app, func(o *casclient.Options) { o.Idle, o.Lifetime = 10*time.Minute, time.Hour })
	b := c.browser(t)
	b.login(b.open(app+"/"), student, studentPassword)
	for range 6 {
		c.travel(9 * time.Minute)
		wantPage(t, b.step(app+"/"), app+"/", student)
	}
	c.travel(6 * time.Minute)
	wantStatus(t, b.step(app+"/"), http.StatusSeeOther) // an hour is over
	wantPage(t, b.open(app+"/"), app+"/", student)
	c.travel(10 * time.Minute)
	wantStatus(t, b.step(app+"/"), http.StatusSeeOther) // nobody came for ten minutes
}

// TestFixation: a session identifier that somebody planted is never taken over.
func TestFixation(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	planted := strings.Repeat("A", 43)
	b := c.browser(t)
	u, err := url.Parse(app)
	check(t, err)
	b.jar.SetCookies(u, []*http.Cookie{{Name: "__Host-cas", Value: planted, Path: "/", Secure: true}})
	wantPage(t, b.login(b.open(app+"/"), student, studentPassword), app+"/", student)
	if b.cookie(app, "__Host-cas") == planted {
		t.Error("the planted identifier became a session")
	}
}

// TestAnotherPerson: who logs in as another leaves nothing of the first.
func TestAnotherPerson(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	b := c.browser(t)
	b.login(b.open(app+"/"), student, studentPassword)
	first := b.cookie(app, "__Host-cas")
	c.travel(6 * time.Minute)
	wantPage(t, b.login(b.open(app+"/exam"), teacher, teacherPassword), app+"/exam", teacher)
	old := c.browser(t)
	p := old.step(app+"/", "Cookie", "__Host-cas="+first)
	wantStatus(t, p, http.StatusSeeOther)
}
