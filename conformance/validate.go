package conformance

import (
	"encoding/xml"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Specification, sections 2.4 and 2.5: whose is this ticket?

const refused1 = "no\n\n"

// quickEnds is how long to wait until what lives for one second has ended.
const quickEnds = 1200 * time.Millisecond

func validation1() []Statement {
	return []Statement{
		{ID: "V1", Holds: "yes, then the name, a line feed after each", Run: func(t *T) {
			if a := t.ask("/validate", app, t.ticket(app)); a.status != http.StatusOK || a.body != "yes\n"+student.UID+"\n" {
				t.Errorf("status %d, %q", a.status, a.body)
			}
		}},
		{ID: "V2", Holds: "every refusal is no and two line feeds, and spends the ticket", Run: refusals1},
		{ID: "V3", Holds: "a proxy ticket is refused", Needs: []Feature{Proxies}, Run: func(t *T) {
			t.want1(t.ask("/validate", backend, t.proxyTicket(t.grantingTicket(), backend)))
		}},
		{ID: "V4", Holds: "renew refuses a ticket that took no password", Run: func(t *T) {
			t.want1(t.ask("/validate", app, t.signOn(), "renew=true"))
			if a := t.ask("/validate", app, t.ticket(app), "renew=true"); !strings.HasPrefix(a.body, "yes\n") {
				t.Errorf("after a password: %q", a.body)
			}
			if a := t.ask("/validate", app, t.signOn(), "renew=false"); !strings.HasPrefix(a.body, "yes\n") {
				t.Errorf("renew=false: %q", a.body)
			}
		}},
		{ID: "V5", Holds: "a service of another protocol alone is refused", Run: func(t *T) {
			t.want1(t.ask("/validate", samlApp, t.ticket(samlApp)))
			if a := t.ask("/validate", oldApp, t.ticket(oldApp)); !strings.HasPrefix(a.body, "yes\n") {
				t.Errorf("a service of CAS 1.0: %q", a.body)
			}
		}},
	}
}

func (t *T) want1(a answer) {
	t.Helper()
	if a.status != http.StatusOK || a.body != refused1 {
		t.Fatalf("status %d, %q, want %q", a.status, a.body, refused1)
	}
}

func refusals1(t *T) {
	t.want1(t.browser().get("/validate"))
	t.want1(t.browser().get("/validate?" + pair("service", app)))
	t.want1(t.ask("/validate", app, "ST-unknown"))
	t.want1(t.ask("/validate", app, "<>&"))
	for _, ask := range []func(ticket string) answer{
		func(ticket string) answer { return t.ask("/validate", other, ticket) },
		func(ticket string) answer { return t.ask("/validate", stranger, ticket) },
		func(ticket string) answer { return t.browser().get("/validate?" + pair("ticket", ticket)) },
		func(ticket string) answer { return t.ask("/validate", app, ticket, "renew=true") },
	} {
		ticket := t.signOn()
		t.want1(ask(ticket))
		t.want1(t.ask("/validate", app, ticket))
	}
	ticket, old := t.ticket(app), t.ticket(quickApp)
	if a := t.ask("/validate", app, ticket); a.body == refused1 {
		t.Fatal("a good ticket is refused")
	}
	t.want1(t.ask("/validate", app, ticket))
	time.Sleep(quickEnds)
	t.want1(t.ask("/validate", quickApp, old))
}

func validation2() []Statement {
	return []Statement{
		{ID: "V10", Holds: "a success names the person, in the namespace of CAS", Run: func(t *T) {
			for _, endpoint := range []string{"/serviceValidate", "/p3/serviceValidate"} {
				if got := t.wantSuccess(t.ask(endpoint, app, t.ticket(app))); got.user != student.UID {
					t.Errorf("%s: user %q", endpoint, got.user)
				}
			}
		}},
		{ID: "V10", Holds: "the proxy endpoints take service tickets too", Needs: []Feature{Proxies}, Run: func(t *T) {
			for _, endpoint := range []string{"/proxyValidate", "/p3/proxyValidate"} {
				got := t.wantSuccess(t.ask(endpoint, app, t.ticket(app)))
				if got.user != student.UID || got.attributes["mail"] == nil {
					t.Errorf("%s:\n%s", endpoint, got.text)
				}
			}
		}},
		{ID: "V11", Holds: "user, attributes, proxyGrantingTicket, proxies: in this order", Run: func(t *T) {
			t.wantOrder(t.validate(app, t.ticket(app)).body, "user", "attributes")
		}},
		{ID: "V11", Holds: "the same with all four", Needs: []Feature{Proxies}, Run: func(t *T) {
			c := t.chain()
			t.wantOrder(c.validation.body, "user", "attributes", "proxyGrantingTicket", "proxies")
		}},
		{ID: "V12", Holds: "the prefix is cas, nothing stands in user's tag, and no XML declaration before", Run: literalShape},
		{ID: "V13", Holds: "all endpoints give the attributes that the service's policy releases", Run: sameAttributes},
		{ID: "V13", Holds: "a proxied service with a policy is told the same at /proxyValidate and /p3/proxyValidate", Needs: []Feature{Proxies}, Run: func(t *T) {
			pgt := t.grantingTicket()
			for _, endpoint := range []string{"/proxyValidate", "/p3/proxyValidate"} {
				got := t.wantSuccess(t.ask(endpoint, app, t.proxyTicket(pgt, app)))
				if got.attributes["mail"] == nil || got.attributes["authenticationDate"] == nil || got.attributes["isFromNewLogin"][0] != "false" {
					t.Errorf("%s:\n%s", endpoint, got.text)
				}
			}
		}},
		{ID: "V13", Holds: "a service may be held to one protocol", Run: func(t *T) {
			t.wantCode(t.validate(oldApp, t.ticket(oldApp)), "UNAUTHORIZED_SERVICE", "INVALID_SERVICE")
		}},
		{ID: "V14", Holds: "without service or ticket: INVALID_REQUEST", Run: func(t *T) {
			for _, endpoint := range []string{"/serviceValidate", "/p3/serviceValidate"} {
				t.wantCode(t.browser().get(endpoint), "INVALID_REQUEST")
				t.wantCode(t.browser().get(endpoint+"?"+pair("service", app)), "INVALID_REQUEST")
				t.wantCode(t.browser().get(endpoint+"?"+pair("ticket", t.ticket(app))), "INVALID_REQUEST")
				t.wantCode(t.ask(endpoint, "", ""), "INVALID_REQUEST")
			}
		}},
		{ID: "V15", Holds: "an unknown, used or old ticket: INVALID_TICKET, and the text names it, escaped", Run: invalidTickets},
		{ID: "V16", Holds: "a proxy ticket at serviceValidate: INVALID_TICKET, and the text says why", Needs: []Feature{Proxies}, Run: func(t *T) {
			for _, endpoint := range []string{"/serviceValidate", "/p3/serviceValidate"} {
				pt := t.proxyTicket(t.grantingTicket(), backend)
				if text := t.wantCode(t.ask(endpoint, backend, pt), "INVALID_TICKET"); !strings.Contains(strings.ToLower(text), "proxy") {
					t.Errorf("the text does not say why: %s", text)
				}
				t.wantCode(t.ask("/proxyValidate", backend, pt), "INVALID_TICKET") // spent
			}
		}},
		{ID: "V17", Holds: "another service: INVALID_SERVICE, and the ticket is spent", Run: mismatchSpends},
		{ID: "V18", Holds: "renew refuses a ticket that took no password: INVALID_TICKET, and it is spent", Run: renewUnmet},
		{ID: "V19", Holds: "a service disabled since: UNAUTHORIZED_SERVICE or INVALID_SERVICE", Needs: []Feature{Registering}, Run: disabledSince},
		{ID: "V19", Holds: "a person who lost the right since: the same", Needs: []Feature{Registering}, Run: rightLostSince},
		{ID: "V20", Holds: "a pgtUrl that cannot be called fails the validation and spends the ticket", Needs: []Feature{Proxies}, Run: failedCallBacks},
		{ID: "V20", Holds: "so does one that does not answer in time", Needs: []Feature{Proxies, HastyServer}, Run: slowCallBack},
		{ID: "V21", Holds: "a service that may not proxy: UNAUTHORIZED_SERVICE_PROXY, no call, ticket spent", Needs: []Feature{Proxies}, Run: mayNotProxy},
		{ID: "V22", Holds: "an internal fault: INTERNAL_ERROR, nothing of the inside, and all is well after it", Needs: []Feature{Outages}, Run: internalFault},
		{ID: "V26", Holds: "of many validations of one ticket at once, exactly one succeeds", Run: parallelValidations},
		{ID: "V27", Holds: "how services are compared", Run: comparedServices},
		{ID: "V28", Holds: "a ticket spent with one pgtUrl gives no second proxy-granting ticket", Needs: []Feature{Proxies}, Run: func(t *T) {
			p := t.play("/portal/")
			ticket := t.ticket(p.service)
			t.wantSuccess(t.validate(p.service, ticket, pair("pgtUrl", p.service)))
			p.take()
			t.wantCode(t.validate(p.service, ticket, pair("pgtUrl", p.service)), "INVALID_TICKET", "INVALID_PROXY_GRANTING_TICKET")
			p.wantQuiet()
		}},
		{ID: "V28", Holds: "the codes of second factors and authentication policies", Untested: "Parvis has neither"},
		{ID: "V29", Holds: "an entry may forbid an endpoint's protocol, and the ticket is spent", Run: forbiddenProtocols},
	}
}

// wantOrder holds the order of the elements of a success.
func (t *T) wantOrder(body string, names ...string) {
	t.Helper()
	var r struct {
		Success struct {
			Children []struct{ XMLName xml.Name } `xml:",any"`
		} `xml:"authenticationSuccess"`
	}
	if err := xml.Unmarshal([]byte(body), &r); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, child := range r.Success.Children {
		got = append(got, child.XMLName.Local)
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("elements %v, want %v\n%s", got, names, body)
	}
}

func literalShape(t *T) {
	yes, no := t.validate(app, t.ticket(app)).body, t.validate(app, "ST-unknown").body
	if !strings.Contains(yes, "<cas:user>"+student.UID+"</cas:user>") || !strings.Contains(yes, "<cas:authenticationSuccess>") || !strings.Contains(yes, "</cas:serviceResponse>") {
		t.Errorf("success:\n%s", yes)
	}
	if !strings.Contains(no, `<cas:authenticationFailure code="INVALID_TICKET">`) {
		t.Errorf("failure:\n%s", no)
	}
	for _, body := range []string{yes, no} {
		if strings.Contains(body, "<?xml") || strings.Contains(body, "<![CDATA[") || !strings.HasPrefix(body, "<cas:serviceResponse xmlns:cas=") {
			t.Errorf("some clients cannot read:\n%s", body)
		}
	}
}

func sameAttributes(t *T) {
	for _, endpoint := range []string{"/serviceValidate", "/p3/serviceValidate"} {
		got := t.wantSuccess(t.ask(endpoint, app, t.ticket(app)))
		for name, want := range map[string]string{
			"uid": student.UID, "mail": "jean-pierre.martin@etu.univ.example", "displayName": "Jean-Pierre Martin",
			"givenName": "Jean-Pierre", "sn": "Martin", "eduPersonAffiliation": "student,member",
		} {
			if have := strings.Join(got.attributes[name], ","); have != want {
				t.Errorf("%s: %s = %q, want %q", endpoint, name, have, want)
			}
		}
		if got.attributes["supannCodeINE"] != nil || got.attributes["userPassword"] != nil {
			t.Errorf("more than the policy releases:\n%s", got.text)
		}
	}
}

func invalidTickets(t *T) {
	used := t.ticket(app)
	t.wantSuccess(t.validate(app, used))
	for _, ticket := range []string{used, "ST-" + strings.Repeat("a", 29), "x", "ST-", `ST-<&"'>`, "TGT-1", "PGT-1", strings.Repeat("S", 5000)} {
		text := t.wantCode(t.validate(app, ticket), "INVALID_TICKET")
		if len(ticket) < 200 && !strings.Contains(text, ticket) {
			t.Errorf("the text does not name %s: %s", ticket, text)
		}
	}
	old := t.ticket(quickApp)
	time.Sleep(quickEnds)
	t.wantCode(t.validate(quickApp, old), "INVALID_TICKET")
	t.wantSuccess(t.validate(quickApp, t.ticket(quickApp)))
	b := t.browser()
	b.enter(app)
	t.wantCode(t.validate(app, b.tgc()), "INVALID_TICKET")
	t.wantTicket(b.get(login(app)), app) // to show the cookie as a ticket ended nothing
}

func mismatchSpends(t *T) {
	for _, wrong := range []string{other, stranger, app + "x", app + "?a=b", strings.ToUpper(app), "garbage"} {
		ticket := t.ticket(app)
		t.wantCode(t.validate(wrong, ticket), "INVALID_SERVICE")
		t.wantCode(t.validate(app, ticket), "INVALID_TICKET")
	}
}

func renewUnmet(t *T) {
	for _, parameter := range []string{"renew=true", "renew", "renew=1"} {
		ticket := t.signOn()
		t.wantCode(t.validate(app, ticket, parameter), "INVALID_TICKET", "INVALID_TICKET_SPEC")
		t.wantCode(t.validate(app, ticket), "INVALID_TICKET")
	}
	t.wantSuccess(t.validate(app, t.signOn(), "renew=false"))
	t.wantSuccess(t.validate(app, t.ticket(app), "renew=true"))
}

func disabledSince(t *T) {
	const service = "https://disabled.univ.example/"
	entry := "id: 901\nname: Disabled\nmatch: " + service + "\nlifetimes: {service_ticket: 30s}\n"
	t.register("disabled", entry, service, http.StatusOK)
	ticket := t.ticket(service)
	t.register("disabled", entry+"enabled: false\n", service, http.StatusForbidden)
	t.wantCode(t.validate(service, ticket), "UNAUTHORIZED_SERVICE", "INVALID_SERVICE")
}

func rightLostSince(t *T) {
	const service = "https://reserved.univ.example/"
	entry := "id: 902\nname: Reserved\nmatch: " + service + "\nlifetimes: {service_ticket: 30s}\n"
	t.register("reserved", entry, service, http.StatusOK)
	b := t.browser()
	ticket := b.enter(service)
	t.Register(t, "reserved.yaml", entry+"access: {groups: 'cn=ent-admins,ou=groups,dc=univ,dc=example'}\n")
	t.eventually("the right is gone", func() bool { return b.get(login(service)).status == http.StatusForbidden })
	t.wantCode(t.validate(service, ticket), "UNAUTHORIZED_SERVICE", "INVALID_SERVICE")
}

func internalFault(t *T) {
	ticket := t.ticket(app)
	mend := t.Outage(t)
	mended := false
	defer func() {
		if !mended {
			mend()
		}
	}()
	for _, endpoint := range []string{"/serviceValidate", "/p3/serviceValidate"} {
		a := t.ask(endpoint, app, ticket)
		t.wantCode(a, "INTERNAL_ERROR")
		for _, leak := range []string{"goroutine", ".go", "redis", "127.0.0.1", "dial", "panic"} {
			if strings.Contains(strings.ToLower(a.body), leak) {
				t.Errorf("the answer says %q:\n%s", leak, a.body)
			}
		}
	}
	t.want1(t.ask("/validate", app, ticket))
	mend()
	mended = true
	t.eventually("logins work again", func() bool {
		b := t.browser()
		page := b.get(login(app))
		return page.status == http.StatusOK && b.submit(page, student).ticket() != ""
	})
}

func parallelValidations(t *T) {
	ticket := t.ticket(app)
	const askers = 50
	won := make(chan bool, askers)
	var group sync.WaitGroup
	for range askers {
		b := t.browser()
		r := b.request(http.MethodGet, validation("/serviceValidate", app, ticket), "")
		group.Go(func() {
			a, err := b.try(r)
			won <- err == nil && strings.Contains(a.body, "<cas:authenticationSuccess>")
		})
	}
	group.Wait()
	close(won)
	count := 0
	for ok := range won {
		if ok {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d validations succeeded, want 1", count)
	}
}

func comparedServices(t *T) {
	for _, test := range []struct {
		login, validation string
		same              bool
	}{
		{app + "a?b=c", app + "a?b=c", true},
		{app + "a", app + "a;jsessionid=123", true},
		{app + "a;jsessionid=1", app + "a", true},
		{app + "a#b", app + "a", true},
		{app + "a", app + "a#b", true},
		{app + "?q=%C3%A9", app + "?q=é", true},
		{app + "?q=%c3%a9", app + "?q=%C3%A9", true},
		{app + "?q=a%20b", app + "?q=a b", true},
		{app + "?q=%2541", app + "?q=A", false},
		{app + "a", app + "A", false},
		{app + "?a=1", app + "?A=1", false},
		{app + "?a=1", app + "?a=2", false},
		{app + "a", app + "a/b", false},
		{app + "a", app + "a/", false},
		{app + "a", app + "a;jsessionid=1/../b", false},
	} {
		ticket := t.ticket(test.login)
		if same := t.read(t.validate(test.validation, ticket)).Success != nil; same != test.same {
			t.Errorf("a ticket for %s, validated for %s: %v", test.login, test.validation, same)
		}
	}
}

func forbiddenProtocols(t *T) {
	for _, service := range []string{oldApp, samlApp} {
		for _, endpoint := range []string{"/serviceValidate", "/p3/serviceValidate"} {
			ticket := t.ticket(service)
			t.wantCode(t.ask(endpoint, service, ticket), "UNAUTHORIZED_SERVICE", "INVALID_SERVICE")
			t.want1(t.ask("/validate", service, ticket))
		}
	}
}
