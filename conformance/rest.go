package conformance

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The interface for programs, which the specification does not know.

func rest() []Statement {
	needs := []Feature{REST}
	return []Statement{
		{ID: "R1", Holds: "a right password: 201, the session in Location, a form in the body or, for text, its identifier", Needs: needs, Run: restLogin},
		{ID: "R2", Holds: "a wrong password: 401 with the exceptions; nothing given: 400; a service refused: 403; another media type: 415", Needs: needs, Run: restRefusals},
		{ID: "R2", Holds: "the state of an account shows to who knows the password alone", Needs: needs, Run: func(t *T) {
			if a := t.restLogin(Account{suspended.UID, "wrong"}); a.status != http.StatusUnauthorized || strings.Contains(a.body, "Disabled") {
				t.Errorf("wrong password: status %d, %s", a.status, a.body)
			}
			if a := t.restLogin(suspended); a.status == http.StatusCreated || a.location != "" {
				t.Errorf("right password: status %d, %s", a.status, a.body)
			}
		}},
		{ID: "R3", Holds: "GET of the list: 405", Needs: needs, Run: func(t *T) {
			t.wantStatus(t.browser().get("/v1/tickets"), http.StatusMethodNotAllowed)
		}},
		{ID: "R4", Holds: "a service ticket for a session: 200 and the ticket, which validates", Needs: needs, Run: restGrant},
		{ID: "R4", Holds: "renew takes the password again", Needs: needs, Run: restRenew},
		{ID: "R5", Holds: "a session that is there: 200 and its identifier; else 404", Needs: needs, Run: func(t *T) {
			id := t.restSession()
			if a := t.browser().get("/v1/tickets/" + id); a.status != http.StatusOK || strings.TrimSpace(a.body) != id {
				t.Errorf("status %d, %s", a.status, a.body)
			}
			t.wantStatus(t.browser().get("/v1/tickets/TGT-"+strings.Repeat("a", 60)), http.StatusNotFound)
			t.wantStatus(t.browser().get("/v1/tickets/x"), http.StatusNotFound)
		}},
		{ID: "R6", Holds: "DELETE: 200, known or not; then it is gone, and what it gave", Needs: needs, Run: func(t *T) {
			id := t.restSession()
			ticket := t.browser().post("/v1/tickets/"+id, url.Values{"service": {app}}).body
			t.wantStatus(t.restDelete(id), http.StatusOK)
			t.wantStatus(t.browser().get("/v1/tickets/"+id), http.StatusNotFound)
			t.wantStatus(t.browser().post("/v1/tickets/"+id, url.Values{"service": {app}}), http.StatusNotFound)
			t.wantCode(t.validate(app, strings.TrimSpace(ticket)), "INVALID_TICKET")
			t.wantStatus(t.restDelete(id), http.StatusOK)
			t.wantStatus(t.restDelete("x"), http.StatusOK)
		}},
		{ID: "R6", Holds: "the services are told", Needs: []Feature{REST, SingleLogout}, Run: func(t *T) {
			p, id := t.play("/told/"), t.restSession()
			ticket := strings.TrimSpace(t.browser().post("/v1/tickets/"+id, url.Values{"service": {p.service}}).body)
			t.restDelete(id)
			t.wantLogout(p.wantCalls(1)[0], ticket)
		}},
		{ID: "R7", Holds: "a password is checked, and nothing opened", Needs: needs, Run: restUsers},
		{ID: "R8", Holds: "an entry is taken from who has the right, and counts at once", Needs: needs, Run: restServices},
		{ID: "R9", Holds: "what was sent does not come back as markup", Needs: needs, Run: restEchoes},
		{ID: "R9", Holds: "guessing is slowed as at the form", Needs: []Feature{REST}, Run: restThrottle},
		{ID: "R9", Holds: "off unless asked for", Needs: []Feature{HastyServer}, Run: func(t *T) {
			b := t.browserAt(t.Hasty)
			for _, path := range []string{"/v1/tickets", "/v1/users", "/v1/services", "/v1/tickets/TGT-1"} {
				t.wantStatus(b.post(path, url.Values{"username": {student.UID}, "password": {student.Password}}), http.StatusNotFound)
			}
		}},
	}
}

func credentials(who Account, more ...string) url.Values {
	form := url.Values{"username": {who.UID}, "password": {who.Password}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

func (t *T) restLogin(who Account, more ...string) answer {
	t.Helper()
	return t.browser().post("/v1/tickets", credentials(who, more...))
}

// restSession is the identifier of a session that a program opened.
func (t *T) restSession() string {
	t.Helper()
	a := t.restLogin(student)
	t.wantStatus(a, http.StatusCreated)
	return a.location[strings.LastIndex(a.location, "/")+1:]
}

func (t *T) restDelete(id string) answer {
	t.Helper()
	b := t.browser()
	return b.do(b.request(http.MethodDelete, "/v1/tickets/"+id, ""))
}

func restLogin(t *T) {
	for accept, html := range map[string]bool{"": true, "*/*": true, "text/html": true, "text/plain": false, "application/json": false} {
		b := t.browser()
		r := b.request(http.MethodPost, "/v1/tickets", credentials(student).Encode())
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		a := b.do(r)
		t.wantStatus(a, http.StatusCreated)
		base, id, _ := strings.Cut(a.location, "/v1/tickets/")
		if base != t.URL || !strings.HasPrefix(id, "TGT-") || b.tgc() != "" {
			t.Errorf("Accept %q: Location %q, cookie %q", accept, a.location, b.tgc())
		}
		if html && !strings.Contains(a.body, `action="`+a.location+`"`) || !html && strings.TrimSpace(a.body) != id {
			t.Errorf("Accept %q: body %s", accept, a.body)
		}
		if html != strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || !strings.Contains(a.header.Get("Cache-Control"), "no-store") {
			t.Errorf("Accept %q: headers %v", accept, a.header)
		}
	}
}

func restRefusals(t *T) {
	a := t.restLogin(Account{freshman.UID, "wrong"})
	unknown := t.restLogin(Account{"nobody-at-all", "wrong"})
	if a.status != http.StatusUnauthorized || !strings.Contains(a.body, `"authentication_exceptions":[`) || a.body != unknown.body || unknown.status != a.status {
		t.Errorf("wrong password: status %d, %s; unknown person: status %d, %s", a.status, a.body, unknown.status, unknown.body)
	}
	if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("Content-Type %q", kind)
	}
	for _, form := range []url.Values{{}, {"username": {student.UID}}, {"password": {"x"}}, {"username": {student.UID}, "password": {""}}} {
		t.wantStatus(t.browser().post("/v1/tickets", form), http.StatusBadRequest)
	}
	for _, service := range []string{stranger, closed} {
		t.wantStatus(t.restLogin(student, "service", service), http.StatusForbidden)
	}
	b := t.browser()
	r := b.request(http.MethodPost, "/v1/tickets", `{"username":"x","password":"y"}`)
	r.Header.Set("Content-Type", "application/json")
	t.wantStatus(b.do(r), http.StatusUnsupportedMediaType)
	t.wantStatus(t.restLogin(freshman), http.StatusCreated)
}

func restGrant(t *T) {
	id := t.restSession()
	grant := func(form url.Values) answer { return t.browser().post("/v1/tickets/"+id, form) }
	a := grant(url.Values{"service": {app}})
	t.wantStatus(a, http.StatusOK)
	if got := t.wantSuccess(t.validate(app, strings.TrimSpace(a.body))); got.user != student.UID {
		t.Errorf("user %q", got.user)
	}
	for _, service := range []string{stranger, closed, admin} {
		t.wantStatus(grant(url.Values{"service": {service}}), http.StatusForbidden)
	}
	t.wantStatus(grant(url.Values{"service": {""}}), http.StatusBadRequest)
	t.wantStatus(t.browser().post("/v1/tickets/TGT-"+strings.Repeat("a", 60), url.Values{"service": {app}}), http.StatusNotFound)
}

func restRenew(t *T) {
	id := t.restSession()
	grant := func(form url.Values) answer { return t.browser().post("/v1/tickets/"+id, form) }
	a := grant(credentials(student, "service", app, "renew", "true"))
	t.wantStatus(a, http.StatusOK)
	t.wantSuccess(t.validate(app, strings.TrimSpace(a.body), "renew=true"))
	plain := grant(url.Values{"service": {app}})
	t.wantCode(t.validate(app, strings.TrimSpace(plain.body), "renew=true"), "INVALID_TICKET")
	for _, who := range []Account{{student.UID, "wrong"}, freshman} {
		if a := grant(credentials(who, "service", app, "renew", "true")); a.status == http.StatusOK || strings.Contains(a.body, "ST-") {
			t.Errorf("%s: status %d, %s", who.UID, a.status, a.body)
		}
	}
}

func restUsers(t *T) {
	b := t.browser()
	a := b.post("/v1/users", credentials(student, "service", app))
	t.wantStatus(a, http.StatusOK)
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") || !strings.Contains(a.body, `"`+student.UID+`"`) || !strings.Contains(a.body, "jean-pierre.martin@") {
		t.Errorf("headers %v, body %s", a.header, a.body)
	}
	if strings.Contains(a.body, "TGT-") || b.tgc() != "" {
		t.Errorf("a session was opened: %s", a.body)
	}
	if a := b.post("/v1/users", credentials(student, "service", bare)); strings.Contains(a.body, "jean-pierre.martin@") {
		t.Errorf("a service without a policy is told: %s", a.body)
	}
	t.wantStatus(b.post("/v1/users", credentials(Account{student.UID, "wrong"})), http.StatusUnauthorized)
	t.wantStatus(b.post("/v1/users", credentials(student, "service", stranger)), http.StatusForbidden)
}

func restServices(t *T) {
	const service = "https://published.univ.example/"
	entry := `{"@class":"org.apereo.cas.services.CasRegisteredService","serviceId":"^https://published\\.univ\\.example/.*","name":"Published","id":950}`
	publish := func(who Account) answer {
		b := t.browser()
		r := b.request(http.MethodPost, "/v1/services", entry)
		r.Header.Set("Content-Type", "application/json")
		if who.UID != "" {
			r.SetBasicAuth(who.UID, who.Password)
		}
		return b.do(r)
	}
	t.wantStatus(publish(Account{}), http.StatusUnauthorized)
	t.wantStatus(publish(Account{staff.UID, "wrong"}), http.StatusUnauthorized)
	t.wantStatus(publish(student), http.StatusForbidden)
	t.wantStatus(t.browser().get(login(service)), http.StatusForbidden)
	t.wantStatus(publish(staff), http.StatusOK)
	t.wantForm(t.browser().get(login(service)))
}

func restEchoes(t *T) {
	const probe = `<script>alert(1)</script>`
	for _, a := range []answer{
		t.restLogin(Account{probe, "wrong"}), t.restLogin(student, "service", probe), t.browser().get("/v1/tickets/" + url.PathEscape(probe)),
		t.browser().post("/v1/tickets/"+url.PathEscape(probe), url.Values{"service": {probe}}), t.restDelete(url.PathEscape(probe)),
		t.browser().post("/v1/users", credentials(Account{probe, "wrong"})),
	} {
		if strings.Contains(a.body, "<script>") || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("status %d, headers %v, body %s", a.status, a.header, a.body)
		}
	}
}

func restThrottle(t *T) {
	who := Account{"guessed-" + time.Now().Format("150405.000"), "wrong"}
	statuses := make([]int, 0, 20)
	for range 20 {
		a := t.restLogin(who)
		statuses = append(statuses, a.status)
		if a.status == http.StatusLocked || a.status == http.StatusTooManyRequests {
			t.wantStatus(t.browser().login(login(app), who), http.StatusLocked) // one count for both doors
			return
		}
	}
	t.Errorf("20 wrong passwords: %v", statuses)
}
