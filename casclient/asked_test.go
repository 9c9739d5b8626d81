package casclient_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parvis/casclient"
)

func TestGateway(t *testing.T) {
	t.Run("nobody is logged in: once to the server and back, then no more", func(t *testing.T) {
		c := newCampus(t)
		c.service(app)
		b := c.browser(t)
		p := b.open(app + "/peek?x=1")
		wantPage(t, p, app+"/peek?x=1", "nobody reads GET /peek?x=1 ")
		if len(c.calls("gateway=true")) != 1 {
			t.Errorf("the way was %q", p.hops)
		}
		if p = b.open(app + "/peek?x=2"); len(p.hops) != 1 {
			t.Errorf("asked again: %q", p.hops)
		}
		c.travel(3 * time.Hour)
		wantPage(t, b.login(b.open(app+"/page"), student, studentPassword), app+"/page", student)
		wantPage(t, b.open(app+"/peek"), app+"/peek", student)
	})
	t.Run("somebody is", func(t *testing.T) {
		c := newCampus(t)
		c.service(app)
		c.service(other)
		b := c.browser(t)
		b.login(b.open(other+"/"), student, studentPassword)
		wantPage(t, b.open(app+"/peek?x=1"), app+"/peek?x=1", student+" reads GET /peek?x=1 ")
	})
	t.Run("no cookies: served, not sent round", func(t *testing.T) {
		c := newCampus(t)
		c.service(app)
		p := c.blind(t).open(app + "/peek?x=1")
		wantStatus(t, p, http.StatusOK)
		if !strings.Contains(p.Body, "nobody reads GET /peek?x=1 ") || len(p.hops) != 3 {
			t.Errorf("got %q by %q", p.Body, p.hops)
		}
	})
	t.Run("a script is not sent away", func(t *testing.T) {
		c := newCampus(t)
		c.service(app)
		wantPage(t, c.browser(t).step(app+"/peek", "Sec-Fetch-Mode", "cors"), app+"/peek", "nobody")
	})
	t.Run("not right after leaving", func(t *testing.T) {
		c := newCampus(t)
		c.service(app)
		b := c.browser(t)
		b.login(b.open(app+"/"), student, studentPassword)
		b.follow(b.send(http.MethodPost, app+"/leave", ""))
		wantPage(t, b.open(app+"/peek"), app+"/peek", "nobody")
	})
}

func TestFresh(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	c.service(other)
	b := c.browser(t)
	b.login(b.open(other+"/"), student, studentPassword)
	wantPage(t, b.open(app+"/"), app+"/", student)
	form := b.open(app + "/exam?n=1")
	if !strings.HasSuffix(form.address, "&renew=true") {
		t.Fatalf("sent to %s", form.address)
	}
	before := b.cookie(app, "__Host-cas")
	wantPage(t, b.login(form, student, studentPassword), app+"/exam?n=1", student+" reads GET /exam?n=1 ")
	if calls := c.calls("/p3/serviceValidate"); !strings.HasSuffix(calls[len(calls)-1], "&renew=true") {
		t.Errorf("validated with %q", calls)
	}
	if b.cookie(app, "__Host-cas") == before {
		t.Error("the session kept its identifier over a login")
	}
	c.travel(4 * time.Minute)
	wantPage(t, b.open(app+"/exam?n=2"), app+"/exam?n=2", student)
	c.travel(2 * time.Minute)
	if p := b.open(app + "/exam?n=2"); !strings.Contains(p.Body, `id="fm1"`) {
		t.Errorf("let in after six minutes: %s", p.Body)
	}
}

// TestFreshAtOnce: an age that nobody can meet sends nobody round.
func TestFreshAtOnce(t *testing.T) {
	c := newCampus(t)
	client := newClient(t, c.network, c.clock, casclient.Options{Service: app})
	c.serve("app.univ.example", client.RequireFresh(0, http.HandlerFunc(hello)))
	b := c.browser(t)
	back := b.submit(b.open(app+"/"), student, studentPassword)
	c.travel(time.Second)
	back = b.step(back.Location)
	c.travel(time.Second)
	wantPage(t, b.follow(back), app+"/", student)
}

// TestFreshIsChecked: who takes "renew" out of the login's address gets in by
// single sign-on, but not to where a password is asked for.
func TestFreshIsChecked(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	c.service(other)
	b := c.browser(t)
	b.login(b.open(other+"/"), student, studentPassword)
	forged := casServer + "/login?service=" + url.QueryEscape(app+"/exam")
	if p := b.open(forged); !strings.Contains(p.address, "renew=true") {
		t.Errorf("got in: %q\n%s", p.hops, p.Body)
	}
	forged = casServer + "/login?service=" + url.QueryEscape(app+"/exam?casclient=renew")
	p := b.open(forged)
	wantStatus(t, p, http.StatusForbidden)
}
