package conformance

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

func general() []Statement {
	return []Statement{
		{ID: "G1", Holds: "a parameter's name in another case is another parameter", Run: caseOfNames},
		{ID: "G2", Holds: "a service keeps its own query, its escapes and its fragment", Run: serviceIntact},
		{ID: "G3", Holds: "a repeated parameter of the protocol is refused with 400", Run: repeated},
		{ID: "G3", Holds: "a password in the address is refused with 400", Run: passwordInAddress},
		{ID: "G4", Holds: "tickets and the cookie are letters, digits and hyphens", Run: alphabet},
		{ID: "G5", Holds: "a refused validation has status 200", Run: refusalStatus},
		{ID: "G5", Holds: "no answer may be stored", Run: nothingStored},
		{ID: "G6", Holds: "each format has its media type", Run: mediaTypes},
		{ID: "G6", Holds: "what a client sent comes back escaped", Run: escaped},
		{ID: "G7", Holds: "validations take GET and POST and no other method", Run: methodsOfValidation},
		{ID: "G7", Holds: "/samlValidate takes POST alone", Needs: []Feature{SAML}, Run: func(t *T) {
			t.wantStatus(t.browser().get("/samlValidate?"+pair("TARGET", app)), http.StatusMethodNotAllowed)
		}},
		{ID: "G7", Holds: "/proxy is a GET", Needs: []Feature{Proxies}, Run: func(t *T) {
			t.wantProxyCode(t.browser().get("/proxy"), "INVALID_REQUEST")
		}},
		{ID: "G7", Holds: "HTTP/1.0, a host without its port, nothing said of the client: all are met", Run: oldClients},
		{ID: "G8", Holds: "targetService stands for no service at login and validation", Run: targetServiceElsewhere},
		{ID: "G8", Holds: "service stands for no targetService at /proxy", Needs: []Feature{Proxies}, Run: func(t *T) {
			pgt := t.grantingTicket()
			t.wantProxyCode(t.browser().get(query("/proxy", pair("pgt", pgt), pair("service", backend))), "INVALID_REQUEST")
		}},
	}
}

func caseOfNames(t *T) {
	t.wantForm(t.browser().get("/login?" + pair("Service", stranger)))
	ticket := t.ticket(app)
	t.wantCode(t.browser().get(query("/serviceValidate", pair("SERVICE", app), pair("ticket", ticket))), "INVALID_REQUEST")
	ticket = t.ticket(app)
	t.wantCode(t.browser().get(query("/serviceValidate", pair("service", app), pair("TICKET", ticket))), "INVALID_REQUEST")
	t.wantSuccess(t.validate(app, ticket, pair("Ticket", "ST-other"), pair("Renew", "true")))
}

func serviceIntact(t *T) {
	b := t.session()
	for _, test := range []struct{ service, before, after string }{
		{app + "?a=b&c=d#f", app + "?a=b&c=d&ticket=", "#f"},
		{app + "?a=%2541&b=c+d&e=%26", app + "?a=%2541&b=c+d&e=%26&ticket=", ""},
		{app + "?z=1&a=2&z=3&empty=&flag", app + "?z=1&a=2&z=3&empty=&flag&ticket=", ""},
		{app + "a;jsessionid=1?x='(~*!)", app + "a;jsessionid=1?x='(~*!)&ticket=", ""},
		{app + "?u=https://x.example/?y=1&amp;z", app + "?u=https://x.example/?y=1&amp;z&ticket=", ""},
	} {
		a := b.get(login(test.service))
		got := strings.TrimSuffix(strings.TrimPrefix(a.location, test.before), test.after)
		if !strings.HasPrefix(a.location, test.before) || !strings.HasSuffix(a.location, test.after) || !strings.HasPrefix(got, "ST-") {
			t.Errorf("%s: Location = %s", test.service, a.location)
			continue
		}
		t.wantSuccess(t.validate(test.service, got))
		if form := t.browser().get(login(test.service)).form().Get("service"); form != test.service {
			t.Errorf("the form brings back %s, want %s", form, test.service)
		}
	}
}

func repeated(t *T) {
	for _, name := range []string{
		"ticket", "service", "renew", "gateway", "warn", "method", "target", "TARGET", "SAMLart", "pgtUrl", "pgt",
		"pgtId", "pgtIou", "targetService", "entityId", "token",
	} {
		for _, path := range []string{"/login", "/serviceValidate"} {
			if a := t.browser().get(path + "?" + name + "=" + url.QueryEscape(app) + "&" + name + "=x"); a.status != http.StatusBadRequest || a.location != "" {
				t.Errorf("%s at %s: status %d", name, path, a.status)
			}
		}
	}
	b := t.browser()
	form := b.get(login(app)).form()
	form.Add("service", other)
	t.wantStatus(b.post("/login", form), http.StatusBadRequest)
}

func passwordInAddress(t *T) {
	credentials := pair("username", student.UID) + "&" + pair("password", student.Password)
	t.wantStatus(t.browser().get("/login?"+credentials), http.StatusBadRequest)
	b := t.browser()
	if a := b.post("/login?"+credentials, b.get("/login").form()); a.status != http.StatusBadRequest || b.tgc() != "" {
		t.Errorf("posted with credentials in the address: status %d, cookie %q", a.status, b.tgc())
	}
}

var plain = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

func alphabet(t *T) {
	b := t.browser()
	for name, value := range map[string]string{"service ticket": b.enter(app), "cookie": b.tgc()} {
		if !plain.MatchString(value) {
			t.Errorf("%s: %q", name, value)
		}
	}
}

func refusalStatus(t *T) {
	for _, path := range []string{
		"/serviceValidate", "/p3/serviceValidate", "/validate", validation("/serviceValidate", app, "ST-unknown"),
		validation("/validate", app, "ST-unknown"), validation("/p3/serviceValidate", stranger, "ST-unknown"),
		validation("/serviceValidate", app, "ST-unknown", "format=JSON"), validation("/serviceValidate", app, "ST-unknown", "format=FOO"),
	} {
		if a := t.browser().get(path); a.status != http.StatusOK {
			t.Errorf("%s: status %d", path, a.status)
		}
	}
}

func nothingStored(t *T) {
	b := t.session()
	for _, a := range []answer{
		t.browser().get("/login"), b.get("/login"), b.get(login(app)), b.get(login(closed)), b.get(login(app, "method=POST")),
		t.browser().get(login(app, "gateway=true")), t.browser().login(login(app), Account{student.UID, "wrong"}),
		t.validate(app, t.ticket(app)), t.validate(app, "ST-unknown"), t.ask("/validate", app, t.ticket(app)),
		t.ask("/p3/serviceValidate", app, t.ticket(app), "format=JSON"), b.get("/logout"),
		b.get("/login?renew&renew"), b.get("/serviceValidate?ticket&ticket"), b.do(b.request(http.MethodDelete, "/login", "")),
	} {
		if got := a.header.Get("Cache-Control"); !strings.Contains(got, "no-store") {
			t.Errorf("Cache-Control = %q for status %d:\n%.200s", got, a.status, a.body)
		}
	}
}

func mediaTypes(t *T) {
	for _, test := range []struct {
		a       answer
		allowed string
	}{
		{t.ask("/validate", app, t.ticket(app)), `^text/plain(;|$)`},
		{t.ask("/validate", app, "ST-unknown"), `^text/plain(;|$)`},
		{t.validate(app, t.ticket(app)), `^(text|application)/xml(;|$)`},
		{t.validate(app, "ST-unknown"), `^(text|application)/xml(;|$)`},
		{t.ask("/p3/serviceValidate", app, t.ticket(app)), `^(text|application)/xml(;|$)`},
		{t.ask("/p3/serviceValidate", app, t.ticket(app), "format=JSON"), `^application/json(;|$)`},
		{t.ask("/p3/serviceValidate", app, "ST-unknown", "format=JSON"), `^application/json(;|$)`},
	} {
		if got := test.a.header.Get("Content-Type"); !regexp.MustCompile(test.allowed).MatchString(got) {
			t.Errorf("Content-Type = %q, want %s, for\n%.300s", got, test.allowed, test.a.body)
		}
	}
}

func escaped(t *T) {
	const probe = `<script>&"'</script>`
	for _, a := range []answer{
		t.validate(app, "ST-"+probe), t.validate(app+probe, t.ticket(app)), t.ask("/p3/serviceValidate", app, "ST-1", "format="+url.QueryEscape(probe)),
	} {
		if strings.Contains(a.body, "<script>") {
			t.Errorf("raw in the answer:\n%s", a.body)
		}
		t.read(a)
	}
	for _, path := range []string{login(app + probe), login(stranger + probe), "/login?" + pair("locale", probe), "/logout?" + pair("service", probe)} {
		if a := t.browser().get(path); strings.Contains(a.body, "<script>&") {
			t.Errorf("raw in the page of %s", path)
		}
	}
}

func methodsOfValidation(t *T) {
	for _, endpoint := range []string{"/serviceValidate", "/p3/serviceValidate"} {
		t.wantSuccess(t.browser().post(endpoint, url.Values{"service": {app}, "ticket": {t.ticket(app)}}))
		ticket := t.ticket(app)
		b := t.browser()
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodHead} {
			if a := b.do(b.request(method, validation(endpoint, app, ticket), "")); a.status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: status %d, want 405", method, endpoint, a.status)
			}
		}
		t.wantSuccess(b.get(validation(endpoint, app, ticket)))
	}
	if a := t.browser().post("/validate", url.Values{"service": {app}, "ticket": {t.ticket(app)}}); a.body != "yes\n"+student.UID+"\n" {
		t.Errorf("POST /validate: %q", a.body)
	}
}

func targetServiceElsewhere(t *T) {
	ticket := t.ticket(app)
	t.wantCode(t.browser().get(query("/serviceValidate", pair("targetService", app), pair("ticket", ticket))), "INVALID_REQUEST")
	t.wantForm(t.browser().get("/login?" + pair("targetService", stranger)))
	b := t.session()
	t.wantPage(b.get("/login?"+pair("targetService", app)), http.StatusOK)
	t.wantTicket(b.get(login(app, pair("targetService", stranger))), app)
}

// oldClients asks as Perl's clients do, by hand.
func oldClients(t *T) {
	address := t.browser().address()
	request := fmt.Sprintf("GET %s HTTP/1.0\r\nHost: %s\r\n\r\n",
		strings.TrimSuffix(address.Path, "/login")+validation("/serviceValidate", app, t.ticket(app)), address.Hostname())
	var conn net.Conn
	var err error
	if address.Scheme == "https" {
		dialer := tls.Dialer{Config: &tls.Config{RootCAs: t.Roots, MinVersion: tls.VersionTLS12}}
		conn, err = dialer.DialContext(t.Context(), "tcp", address.Host)
	} else {
		conn, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", address.Host)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // everything was read
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if closing := response.Body.Close(); err != nil || closing != nil {
		t.Fatal(err, closing)
	}
	t.wantSuccess(answer{status: response.StatusCode, header: response.Header, body: string(body)})
}
