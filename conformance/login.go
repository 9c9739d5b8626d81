package conformance

import (
	"net/http"
	"strings"
)

// Specification, section 2.1: /login as credential requestor.

func credentialRequestor() []Statement {
	return []Statement{
		{ID: "L1", Holds: "nobody logged in, no service: the form", Run: func(t *T) {
			a := t.browser().get("/login")
			t.wantStatus(a, http.StatusOK)
			t.wantForm(a)
		}},
		{ID: "L2", Holds: "logged in, no service: a page that says so", Run: func(t *T) {
			b := t.session()
			a := b.get("/login")
			t.wantPage(a, http.StatusOK)
			if !strings.Contains(a.body, "Martin") && !strings.Contains(a.body, student.UID) {
				t.Errorf("the page does not say who is logged in:\n%.1500s", a.body)
			}
		}},
		{ID: "L3", Holds: "the form holds its fields, the service, and the ids that scripts know", Run: formFields},
		{ID: "L4", Holds: "logged in: a redirect with a service ticket, no page", Run: func(t *T) {
			b := t.session()
			a := b.get(login(app))
			t.wantStatus(a, http.StatusFound)
			ticket := t.wantTicket(a, app)
			if !strings.HasPrefix(ticket, "ST-") {
				t.Errorf("ticket = %q", ticket)
			}
			t.wantSuccess(t.validate(app, ticket))
		}},
		{ID: "L5", Holds: "a service that is not registered, or disabled, gets a 403 page, logged in or not", Run: refusedServices},
		{ID: "L5", Holds: "what the registry says counts for whom already has the form", Needs: []Feature{Registering}, Run: registryCountsLater},
		{ID: "L6", Holds: "an identifier that is no address may be registered, and leads no browser anywhere", Run: func(t *T) {
			for _, b := range []*browser{t.browser(), t.session()} {
				if a := b.get(login(imap)); a.location != "" || strings.Contains(a.body, "ST-") {
					t.Errorf("status %d, Location %q", a.status, a.location)
				}
			}
		}},
		{ID: "L6", Holds: "javascript: and data: are never redirected to", Run: func(t *T) {
			for _, service := range []string{"javascript:alert(1)//https://app.univ.example/", "data:text/html,x", "//app.univ.example/", "https:app.univ.example"} {
				for _, b := range []*browser{t.browser(), t.session()} {
					for _, parameter := range []string{"x=1", "gateway=true", "method=POST", "method=HEADER"} {
						if a := b.get(login(service, parameter)); a.status != http.StatusForbidden || a.location != "" || a.header.Get("ticket") != "" {
							t.Errorf("%s, %s: status %d, Location %q", service, parameter, a.status, a.location)
						}
					}
				}
			}
		}},
		{ID: "L7", Holds: "renew asks for the password again, unless it is false", Run: renewAsks},
		{ID: "L7", Holds: "a service registered without single sign-on asks each time", Run: func(t *T) {
			b := t.session()
			t.wantForm(b.get(login(strict)))
			t.wantSuccess(t.validate(strict, t.wantTicket(b.login(login(strict), student), strict), "renew=true"))
		}},
		{ID: "L7", Holds: "renewed as somebody else: the ticket is theirs, the first session is over", Run: renewAsOther},
		{ID: "L7", Holds: "a renewed login has a new cookie", Run: func(t *T) {
			b := t.session()
			before := b.tgc()
			b.login(login(app, "renew=true"), student)
			if b.tgc() == "" || b.tgc() == before {
				t.Errorf("cookie before %q, after %q", before, b.tgc())
			}
			t.wantForm(t.browser().with(before).get(login(app)))
		}},
		{ID: "L8", Holds: "gateway, nobody logged in: back without a ticket, the service as it was", Run: gatewayOut},
		{ID: "L9", Holds: "gateway, logged in: a ticket", Run: func(t *T) {
			b := t.session()
			for _, parameter := range []string{"gateway=true", "gateway=1", "gateway"} {
				t.wantTicket(b.get(login(app, parameter)), app)
			}
		}},
		{ID: "L9", Holds: "gateway where no ticket can be had: back without one, no page", Run: func(t *T) {
			b := t.session()
			for _, service := range []string{admin, strict} {
				a := b.get(login(service, "gateway=true"))
				t.wantStatus(a, http.StatusFound)
				if a.location != service {
					t.Errorf("Location = %q, want %s", a.location, service)
				}
			}
		}},
		{ID: "L10", Holds: "gateway without a service changes nothing", Run: func(t *T) {
			t.wantForm(t.browser().get("/login?gateway=true"))
			t.wantPage(t.session().get("/login?gateway=true"), http.StatusOK)
		}},
		{ID: "L11", Holds: "renew overrules gateway", Run: func(t *T) {
			for _, b := range []*browser{t.browser(), t.session()} {
				t.wantForm(b.get(login(app, "renew=true", "gateway=true")))
			}
		}},
	}
}

func formFields(t *T) {
	service := app + "page?a=b&c=d%20e#f"
	a := t.browser().get(login(service))
	t.wantForm(a)
	for _, part := range []string{`name="username"`, `id="username"`, `name="password"`, `id="password"`, `id="fm1"`, `type="password"`, `method="post"`} {
		if !strings.Contains(a.body, part) {
			t.Errorf("no %s", part)
		}
	}
	form := a.form()
	if form.Get("service") != service || form.Get("execution") == "" || form.Get("_eventId") != "submit" {
		t.Errorf("hidden fields: %v", form)
	}
	if _, has := t.browser().get("/login").form()["service"]; has {
		t.Error("a form without a service has the field")
	}
}

func refusedServices(t *T) {
	logged := t.session()
	for _, service := range []string{stranger, closed, "https://nowhere.example/", "http://app.univ.example/"} {
		for _, parameter := range []string{"x=1", "gateway=true", "renew=true", "method=POST", "method=HEADER", "warn=true"} {
			for _, b := range []*browser{t.browser(), logged} {
				a := b.get(login(service, parameter))
				if a.status != http.StatusForbidden || a.location != "" || a.header.Get("ticket") != "" || strings.Contains(a.body, "ST-") {
					t.Errorf("%s, %s: status %d, Location %q", service, parameter, a.status, a.location)
				}
			}
		}
		b := t.browser()
		page := b.get("/login")
		form := page.form()
		form.Set("service", service)
		form.Set("username", student.UID)
		form.Set("password", student.Password)
		if a := b.post("/login", form); a.status != http.StatusForbidden || a.location != "" || b.tgc() != "" {
			t.Errorf("%s, posted: status %d, Location %q", service, a.status, a.location)
		}
	}
	if a := logged.get(login(closed)); !strings.Contains(a.body, "scolarite@univ.example") {
		t.Error("the page of a disabled service says nothing useful: no contact")
	}
}

func registryCountsLater(t *T) {
	const service = "https://fleeting.univ.example/"
	entry := "id: 900\nname: Fleeting\nmatch: " + service + "\n"
	t.register("fleeting", entry, service, http.StatusOK)
	b := t.browser()
	page := b.get(login(service))
	t.register("fleeting", entry+"enabled: false\n", service, http.StatusForbidden)
	a := b.submit(page, student)
	if a.status != http.StatusForbidden || a.location != "" {
		t.Errorf("status %d, Location %q", a.status, a.location)
	}
}

func renewAsks(t *T) {
	for parameter, asks := range map[string]bool{
		"renew=true": true, "renew": true, "renew=1": true, "renew=": true, "renew=TRUE": true, "renew=false": false, "Renew=true": false,
	} {
		a := t.session().get(login(app, parameter))
		if asks {
			t.wantForm(a)
		} else {
			t.wantTicket(a, app)
		}
	}
	b := t.session()
	page := b.get(login(app, "renew=true"))
	ticket := t.wantTicket(b.submit(page, student), app)
	t.wantSuccess(t.validate(app, ticket, "renew=true"))
}

func renewAsOther(t *T) {
	b := t.browser()
	pending := b.enter(app)
	before := b.tgc()
	ticket := t.wantTicket(b.login(login(other, "renew=true"), freshman), other)
	if got := t.wantSuccess(t.validate(other, ticket)); got.user != freshman.UID {
		t.Errorf("user = %q", got.user)
	}
	t.wantForm(t.browser().with(before).get(login(app)))
	t.wantCode(t.validate(app, pending), "INVALID_TICKET")
}

func gatewayOut(t *T) {
	stale := t.session()
	value := stale.tgc()
	stale.get("/logout")
	for _, service := range []string{app, app + "?a=b&c=d", app + "x#y"} {
		for _, parameter := range []string{"gateway=true", "gateway=1", "gateway", "gateway=true&renew=false"} {
			for name, b := range map[string]*browser{
				"no cookie": t.browser(), "an old one": t.browser().with(value), "a forged one": t.browser().with("TGT-" + strings.Repeat("a", 60)),
			} {
				a := b.get(login(service, parameter))
				if a.status != http.StatusFound || a.location != service {
					t.Errorf("%s, %s: status %d, Location %q, want %s", parameter, name, a.status, a.location, service)
				}
			}
		}
	}
	t.wantForm(t.browser().get(login(app, "gateway=false")))
}
