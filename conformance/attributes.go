package conformance

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Specification, section 2.5.7 and appendix A: what a service is told of a
// person.

func attributes() []Statement {
	return []Statement{
		{ID: "A1", Holds: "authenticationDate with its zone, longTermAuthenticationRequestTokenUsed, isFromNewLogin: once each, first", Run: protocolAttributes},
		{ID: "A1", Holds: "isFromNewLogin tells a password from single sign-on", Run: func(t *T) {
			for ticket, want := range map[string]string{t.ticket(app): "true", t.signOn(): "false"} {
				if got := t.wantSuccess(t.validate(app, ticket)); got.attributes["isFromNewLogin"][0] != want {
					t.Errorf("isFromNewLogin = %v, want %s", got.attributes["isFromNewLogin"], want)
				}
			}
		}},
		{ID: "A1", Holds: "nothing else about the browser or its address", Run: func(t *T) {
			b := t.browser()
			r := b.request(http.MethodGet, login(bare), "")
			r.Header.Set("User-Agent", "TellTale/1.0")
			page := b.do(r)
			got := t.wantSuccess(t.validate(bare, b.submit(page, student).ticket()))
			if len(got.names) != 3 || strings.Contains(got.text, "TellTale") || strings.Contains(got.text, "127.0.0.1") {
				t.Errorf("told:\n%s", got.text)
			}
		}},
		{ID: "A2", Holds: "each value has an element of its own, beside the others", Run: func(t *T) {
			got := t.wantSuccess(t.validate(app, t.ticket(app)))
			if !slices.Equal(got.attributes["eduPersonAffiliation"], []string{"student", "member"}) {
				t.Errorf("values %v", got.attributes["eduPersonAffiliation"])
			}
			if !strings.Contains(got.text, "<cas:eduPersonAffiliation>student</cas:eduPersonAffiliation><cas:eduPersonAffiliation>member<") {
				t.Errorf("not side by side:\n%s", got.text)
			}
		}},
		{ID: "A3", Holds: "values are escaped, accents kept, characters that XML cannot hold left out", Run: func(t *T) {
			got := t.wantSuccess(t.validate(oddApp, t.ticket(oddApp)))
			if motto := got.attributes["motto"]; len(motto) != 1 || motto[0] != `<b>&"'é` {
				t.Errorf("motto = %q\n%s", motto, got.text)
			}
			if broken := got.attributes["broken"]; len(broken) != 1 || broken[0] != "abc" {
				t.Errorf("broken = %q\n%s", broken, got.text)
			}
		}},
		{ID: "A3", Holds: "a name that is no element's is mended or left out, and never makes another element", Run: func(t *T) {
			got := t.wantSuccess(t.validate(oddApp, t.ticket(oddApp)))
			if got.user != student.UID || strings.Contains(got.text, "<cas:user>root") || strings.Contains(got.text, "<cas:a:b>") || strings.Contains(got.text, "<cas:1st>") {
				t.Errorf("answer:\n%s", got.text)
			}
			if name := got.attributes["two_words"]; len(name) != 1 || name[0] != "one" {
				t.Errorf("two words: %v\n%s", name, got.text)
			}
		}},
		{ID: "A4", Holds: "nothing released: no attributes element", Run: func(t *T) {
			for _, endpoint := range []string{"/serviceValidate", "/p3/serviceValidate"} {
				got := t.wantSuccess(t.ask(endpoint, silent, t.ticket(silent)))
				if strings.Contains(got.text, "attributes") {
					t.Errorf("%s:\n%s", endpoint, got.text)
				}
			}
		}},
		{ID: "A4", Holds: "no release policy: nothing of the directory", Run: func(t *T) {
			got := t.wantSuccess(t.validate(bare, t.ticket(bare)))
			if got.attributes["uid"] != nil || got.attributes["mail"] != nil {
				t.Errorf("told:\n%s", got.text)
			}
		}},
		{ID: "A4", Holds: "a proxied service without a policy gets no attributes at /proxyValidate", Needs: []Feature{Proxies}, Run: func(t *T) {
			got := t.wantSuccess(t.ask("/proxyValidate", backend, t.proxyTicket(t.grantingTicket(), backend)))
			if got.user != student.UID || strings.Contains(got.text, "attributes") {
				t.Errorf("told:\n%s", got.text)
			}
		}},
		{ID: "A5", Holds: "the user may be an attribute, in another case", Run: func(t *T) {
			got := t.wantSuccess(t.validate(mailApp, t.ticket(mailApp)))
			if got.user != "JEAN-PIERRE.MARTIN@ETU.UNIV.EXAMPLE" || got.attributes["uid"][0] != student.UID {
				t.Errorf("told:\n%s", got.text)
			}
			if a := t.ask("/validate", mailApp, t.ticket(mailApp)); a.body != "yes\nJEAN-PIERRE.MARTIN@ETU.UNIV.EXAMPLE\n" {
				t.Errorf("CAS 1.0: %q", a.body)
			}
		}},
		{ID: "A5", Holds: "the user may be a pseudonym: the same each time, another for everybody else", Run: pseudonyms},
		{ID: "A6", Holds: "a long session is told to services", Run: func(t *T) {
			b := t.browser()
			b.login("/login", student, "rememberMe")
			for _, endpoint := range []string{"/serviceValidate", "/p3/serviceValidate"} {
				got := t.wantSuccess(t.ask(endpoint, app, b.enter(app)))
				if !slices.Equal(got.attributes[longTerm], []string{"true"}) {
					t.Errorf("%s:\n%s", endpoint, got.text)
				}
			}
		}},
		{ID: "A6", Holds: "in SAML 1.1 too", Needs: []Feature{SAML}, Run: func(t *T) {
			b := t.browser()
			b.login("/login", student, "rememberMe")
			if got := t.wantAssertion(t.samlValidate(app, b.enter(app))); !slices.Equal(got.attributes[longTerm], []string{"true"}) {
				t.Errorf("told:\n%s", got.text)
			}
		}},
		{ID: "A7", Holds: "uid, mail, sn and givenName can be released", Run: func(t *T) {
			got := t.wantSuccess(t.validate(app, t.ticket(app)))
			for _, name := range []string{"uid", "mail", "sn", "givenName"} {
				if len(got.attributes[name]) != 1 {
					t.Errorf("%s: %v", name, got.attributes[name])
				}
			}
		}},
		{ID: "A7", Holds: "attributes of delegated logins", Untested: "Parvis delegates no login yet"},
	}
}

func protocolAttributes(t *T) {
	before := time.Now().Add(-2 * time.Second)
	got := t.wantSuccess(t.ask("/p3/serviceValidate", app, t.ticket(app)))
	if len(got.names) < 3 || !slices.Equal(got.names[:3], []string{"authenticationDate", longTerm, "isFromNewLogin"}) {
		t.Fatalf("attributes begin with %v", got.names)
	}
	for _, name := range got.names[:3] {
		if len(got.attributes[name]) != 1 {
			t.Errorf("%s: %v", name, got.attributes[name])
		}
	}
	date := got.attributes["authenticationDate"][0]
	if at, err := time.Parse(time.RFC3339, date); err != nil || at.Before(before) || at.After(time.Now().Add(2*time.Second)) {
		t.Errorf("authenticationDate = %q: %v", date, err)
	}
}

func pseudonyms(t *T) {
	name := func(who Account) string {
		b := t.browser()
		return t.wantSuccess(t.validate(nickApp, t.wantTicket(b.login(login(nickApp), who), nickApp))).user
	}
	first, again, another := name(student), name(student), name(freshman)
	if first == "" || first != again || first == another || strings.Contains(first, student.UID) {
		t.Errorf("pseudonyms %q, %q and %q", first, again, another)
	}
}
