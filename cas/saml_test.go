package cas_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"parvis/cas"
	"parvis/internal/testkit"
	"parvis/tickets"
)

// The messages of clients in use, with %s for the artifact.
const (
	soapModAuthCAS = `<?xml version="1.0" encoding="utf-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Header/><SOAP-ENV:Body><samlp:Request xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol"  MajorVersion="1" MinorVersion="1"><samlp:AssertionArtifact>%s</samlp:AssertionArtifact></samlp:Request></SOAP-ENV:Body></SOAP-ENV:Envelope>`
	soapPhpCAS     = `<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Header/><SOAP-ENV:Body><samlp:Request xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol"  MajorVersion="1" MinorVersion="1" RequestID="_192.168.16.51.1024506224022" IssueInstant="2002-06-19T17:03:44.022Z"><samlp:AssertionArtifact>%s</samlp:AssertionArtifact></samlp:Request></SOAP-ENV:Body></SOAP-ENV:Envelope>`
	soapBlanks     = "\n<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">\n <soap:Header/><soap:Body>\n <Request xmlns=\"urn:oasis:names:tc:SAML:1.0:protocol\" RequestID=\"7f\">\n  <!-- ticket --><AssertionArtifact>\n   %s\n  </AssertionArtifact>\n </Request></soap:Body>\n</soap:Envelope>\n"
	soapNoSpaces   = `<Envelope><Body><Request><AssertionArtifact>%s</AssertionArtifact></Request></Body></Envelope>`
)

// saml posts a message to /samlValidate as a service does.
func (c *campus) saml(target, message string) testkit.Answer {
	c.t.Helper()
	return c.samlAt("TARGET="+url.QueryEscape(target), "text/xml", strings.NewReader(message))
}

func (c *campus) samlAt(query, contentType string, body io.Reader) testkit.Answer {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.URL+"/cas/samlValidate?"+query, body)
	check(c.t, err)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return c.browser().Do(r)
}

func samlValid(a testkit.Answer) bool {
	return a.Status == http.StatusOK && strings.Contains(a.Body, `Value="saml1p:Success"`)
}

func wantDenied(t *testing.T, a testkit.Answer) {
	t.Helper()
	if a.Status != http.StatusOK || !strings.Contains(a.Body, `<saml1p:StatusCode Value="saml1p:RequestDenied"/><saml1p:StatusMessage>`) ||
		strings.Contains(a.Body, "Assertion ") {
		t.Fatalf("got status %d, want 200 and a refusal\n%.2000s", a.Status, a.Body)
	}
}

var anySAMLID = regexp.MustCompile(`"_[0-9a-f]{32}"`)

// TestSAMLAnswers holds the bytes of the answers (section 4.2; S24, S26, S32).
func TestSAMLAnswers(t *testing.T) {
	c := newCampus(t,
		func(o *cas.Options, _ map[string]string) { o.Issuer = "cas.univ.example" },
		withService("quiet.yaml", "id: 50\nname: Quiet\nmatch: https://quiet.univ.example/\nrelease: {authentication: false}\n"))
	const quiet = "https://quiet.univ.example/"
	for _, test := range []struct{ name, target, message string }{
		{"success", app, fmt.Sprintf(soapPhpCAS, c.browser().enter(app))},
		{"success without a request id", app + "?a=<&\"'>", fmt.Sprintf(soapModAuthCAS, c.browser().enter(app+"?a=<&\"'>"))},
		{"nothing released", bare, fmt.Sprintf(soapModAuthCAS, c.browser().enter(bare))},
		{"no attributes", quiet, fmt.Sprintf(soapModAuthCAS, c.browser().enter(quiet))},
		{"unknown ticket", app, fmt.Sprintf(soapPhpCAS, "ST-&lt;&amp;&quot;&apos;>")},
		{"other service", other + `?<&"'>`, fmt.Sprintf(soapModAuthCAS, c.browser().enter(app))},
		{"no target", "", fmt.Sprintf(soapModAuthCAS, c.browser().enter(app))},
		{"not XML", app, "ticket=ST-1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := c.saml(test.target, test.message)
			wantStatus(t, a, http.StatusOK)
			if got := a.Header.Get("Cache-Control"); got != "no-store" { // S26
				t.Errorf("Cache-Control = %q", got)
			}
			check(t, etree.NewDocument().ReadFromString(a.Body))
			a.Body = anySAMLID.ReplaceAllString(a.Body, `"_ID"`)
			golden(t, a)
		})
	}
}

// TestSAMLIdentifiersDiffer: each answer and each assertion has its own.
func TestSAMLIdentifiersDiffer(t *testing.T) {
	c := newCampus(t)
	seen := map[string]bool{}
	for range 3 {
		a := c.saml(app, fmt.Sprintf(soapModAuthCAS, c.browser().enter(app)))
		for _, id := range anySAMLID.FindAllString(a.Body, -1) {
			if seen[id] {
				t.Errorf("%s is used twice", id)
			}
			seen[id] = true
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d identifiers in 3 answers, want 6", len(seen))
	}
}

// TestSAMLClients: each way of asking that a client was seen to use.
func TestSAMLClients(t *testing.T) {
	c := newCampus(t)
	target := "TARGET=" + url.QueryEscape(app)
	for _, test := range []struct{ name, query, contentType, message string }{
		{"mod_auth_cas", target, "text/xml", soapModAuthCAS},
		{"phpCAS", target, "text/xml", soapPhpCAS},
		{"Java", target, "text/xml; charset=UTF-8", soapPhpCAS},
		{"blanks, default namespace, comment", target, "text/xml; charset=utf-8", soapBlanks},
		{"no namespaces", target, "application/soap+xml", soapNoSpaces},
		{"no media type", target, "", soapPhpCAS},
		{"sent as a form", target, "application/x-www-form-urlencoded", soapPhpCAS},
		{"byte order mark", target, "text/xml", "\ufeff" + soapModAuthCAS},
		{"character reference", target, "text/xml", strings.Replace(soapNoSpaces, "%s", "&#x20;%s&#10;", 1)},
		{"empty ticket in the query", target + "&ticket=", "text/xml", soapPhpCAS},
		{"target not escaped", "TARGET=" + app, "text/xml", soapPhpCAS},
		{"service instead of TARGET", "service=" + url.QueryEscape(app), "text/xml", soapPhpCAS},
		{"renew", target + "&renew=true", "text/xml", soapPhpCAS},
		{"renew=false", target + "&renew=false", "text/xml", soapPhpCAS},
	} {
		t.Run(test.name, func(t *testing.T) {
			message := strings.NewReader(fmt.Sprintf(test.message, c.browser().enter(app)))
			if a := c.samlAt(test.query, test.contentType, message); !samlValid(a) {
				t.Errorf("got status %d\n%s", a.Status, a.Body)
			}
		})
	}
	t.Run("SAMLart", func(t *testing.T) {
		a := c.browser().Login("/cas/login?"+target, student, studentPassword)
		_, artifact, found := strings.Cut(a.Location, "SAMLart=")
		if !found || !samlValid(c.saml(app, fmt.Sprintf(soapPhpCAS, artifact))) {
			t.Errorf("Location = %q", a.Location)
		}
	})
	t.Run("name in small letters", func(t *testing.T) { // G1
		wantDenied(t, c.samlAt("target="+url.QueryEscape(app), "text/xml", strings.NewReader(fmt.Sprintf(soapPhpCAS, c.browser().enter(app)))))
	})
	t.Run("renew not met", func(t *testing.T) {
		b := c.browser()
		b.enter(bare)
		ticket := b.Get(testkit.LoginPath(app)).Ticket()
		wantDenied(t, c.samlAt(target+"&renew=true", "text/xml", strings.NewReader(fmt.Sprintf(soapPhpCAS, ticket))))
	})
}

// TestSAMLPostsAlone covers G7: other methods are told the one there is.
func TestSAMLPostsAlone(t *testing.T) {
	c := newCampus(t)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodOptions} {
		a := c.browser().Do(c.browser().Request(method, "/cas/samlValidate?TARGET="+url.QueryEscape(app), ""))
		if a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != http.MethodPost {
			t.Errorf("%s: status %d, Allow %q", method, a.Status, a.Header.Get("Allow"))
		}
	}
	twice := c.samlAt("TARGET=a&TARGET=b", "text/xml", strings.NewReader(soapPhpCAS)) // G3
	wantStatus(t, twice, http.StatusBadRequest)
}

// TestSAMLSpendsTheTicket covers V17, S3 and S6: whatever else is wrong, the
// right question gets no afterwards.
func TestSAMLSpendsTheTicket(t *testing.T) {
	c := newCampus(t)
	for _, test := range []struct{ name, target, message string }{
		{"other service", other, soapPhpCAS},
		{"no target", "", soapPhpCAS},
		{"broken after the artifact", app, strings.TrimSuffix(soapPhpCAS, "</SOAP-ENV:Envelope>")},
		{"too large after the artifact", app, soapPhpCAS + strings.Repeat(" ", 100<<10)},
		{"two artifacts", app, strings.Replace(soapNoSpaces, "</AssertionArtifact>", "</AssertionArtifact><AssertionArtifact>ST-2</AssertionArtifact>", 1)},
		{"two requests", app, strings.Replace(soapNoSpaces, "</Request>", "</Request><Request/>", 1)},
		{"a second document", app, soapPhpCAS + "<more/>"},
		{"text after the end", app, soapPhpCAS + "more"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ticket := c.browser().enter(app)
			wantDenied(t, c.saml(test.target, fmt.Sprintf(test.message, ticket)))
			wantCode(t, c.validate("/serviceValidate", app, ticket), cas.InvalidTicket)
		})
	}
	t.Run("protocol not allowed", func(t *testing.T) { // V29
		ticket := c.browser().enter(oldApp)
		wantDenied(t, c.saml(oldApp, fmt.Sprintf(soapPhpCAS, ticket)))
		if a := c.validate("/validate", oldApp, ticket); a.Body != "no\n\n" {
			t.Errorf("the ticket still works: %q", a.Body)
		}
	})
}

func TestSAMLProxyTicketsAreRefused(t *testing.T) { // S6
	c := newCampus(t)
	b := c.browser()
	b.enter(app)
	tgt := tickets.TGT(b.tgc())
	id, err := tickets.NewMinter(nil).Ticket(tickets.ProxyTicket, tgt)
	check(t, err)
	_, err = c.store.Grant(t.Context(), tgt, tickets.Ticket{ID: id, Kind: tickets.ProxyTicket, Service: app, Lifetime: time.Minute})
	check(t, err)
	wantDenied(t, c.saml(app, fmt.Sprintf(soapPhpCAS, id)))
	wantDenied(t, c.saml(app, fmt.Sprintf(soapPhpCAS, tgt)))
	if a := b.Get(testkit.LoginPath(app)); a.Ticket() == "" {
		t.Error("showing the TGT as an artifact ended the session")
	}
}

// TestSAMLBombs covers S24 and S39: what is sent to do harm is refused at once,
// as any other message that cannot be read, and expands to nothing.
func TestSAMLBombs(t *testing.T) {
	c := newCampus(t)
	var laughs strings.Builder
	for i := range 9 {
		fmt.Fprintf(&laughs, `<!ENTITY l%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&l%d;", i), 10))
	}
	inside := func(text string) string { return fmt.Sprintf(soapNoSpaces, text) }
	for _, test := range []struct{ name, message, why string }{
		{"entity expansion", `<!DOCTYPE x [<!ENTITY l0 "lol">` + laughs.String() + `]>` + inside("&l9;"), "document types"},
		{"external entity", `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + inside("&e;"), "document types"},
		{"external document type", `<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">` + inside("ST-1"), "document types"},
		{"entity that nobody declared", inside("&e;"), "entity"},
		{"processing instruction", `<?xml-stylesheet href="x"?>` + inside("ST-1"), "instructions"},
		{"instruction within", inside("<?php x?>"), "instructions"},
		{"100 000 nested elements", strings.Repeat("<a>", 100_000), "too deeply"},
		{"17 nested elements", strings.Repeat("<a>", 17) + strings.Repeat("</a>", 17), "too deeply"},
		{"nested beside the artifact", `<Envelope><Body><Request><x>` + strings.Repeat("<a>", 14) + strings.Repeat("</a>", 14) + `</x></Request></Body></Envelope>`, "too deeply"},
		{"elements in the artifact", inside("<b>ST-1</b>"), "elements"},
		{"giant attribute", `<Envelope a="` + strings.Repeat("x", 1<<20) + `"/>`, "too large"},
		{"giant artifact", inside(strings.Repeat("x", 1<<20)), "too large"},
		{"many attributes", `<Envelope ` + strings.Repeat(`a="" `, 200_000) + `/>`, "too large"},
		{"UTF-16", "\xff\xfe<\x00E\x00>\x00", ""},
		{"declared UTF-16", `<?xml version="1.0" encoding="UTF-16"?>` + inside("ST-1"), "its encoding is not UTF-8"},
		{"Latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?>` + inside("ST-1\xe9"), "UTF-8"},
		{"XML 1.1", `<?xml version="1.1"?>` + inside("ST-1"), "version"},
		{"broken UTF-8", inside("ST-\xff"), "UTF-8"},
		{"NUL", inside("ST-\x00"), "character"},
		{"unclosed", "<Envelope><Body>", "EOF"},
		{"crossed", "<Envelope><Body></Envelope></Body>", "closed"},
		{"empty", "", "not one XML"},
		{"blank", " \n", "not one XML"},
		{"no artifact", inside(""), "no artifact"},
		{"artifact elsewhere", "<AssertionArtifact>ST-1</AssertionArtifact>", "no artifact"},
		{"JSON", `{"ticket":"ST-1"}`, "not one XML"},
	} {
		t.Run(test.name, func(t *testing.T) {
			begun := time.Now()
			a := c.saml(app, test.message)
			wantDenied(t, a)
			if _, message, _ := strings.Cut(a.Body, "<saml1p:StatusMessage>"); !strings.Contains(message, test.why) {
				t.Errorf("refused for something else than %q: %s", test.why, message)
			}
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("answered after %s", took)
			}
			if strings.Contains(a.Body, "lollol") || strings.Contains(a.Body, "root:") || len(a.Body) > 2000 {
				t.Errorf("the answer holds what the message made of itself: %.300s", a.Body)
			}
		})
	}
}

// TestSAMLGigabyte covers S39: of a body that does not end, the server takes
// what a message may have, answers, and hangs up.
func TestSAMLGigabyte(t *testing.T) {
	c := newCampus(t)
	connection, err := net.Dial("tcp", c.Listener.Addr().String())
	check(t, err)
	defer connection.Close()
	check(t, connection.SetDeadline(time.Now().Add(20*time.Second)))
	const gigabyte = 1 << 30
	_, err = fmt.Fprintf(connection, "POST /cas/samlValidate?TARGET=x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n<Envelope a=\"", gigabyte)
	check(t, err)
	piece, sent := bytes.Repeat([]byte("x"), 64<<10), 0
	for sent < gigabyte && err == nil {
		_, err = connection.Write(piece)
		sent += len(piece)
	}
	if sent > 32<<20 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes were taken before the server hung up: %v", sent, err)
	}
	if !samlValid(c.saml(app, fmt.Sprintf(soapPhpCAS, c.browser().enter(app)))) {
		t.Error("the server does not answer any more")
	}
}

// TestSAMLRequestIDs: only what looks like an identifier is said back.
func TestSAMLRequestIDs(t *testing.T) {
	c := newCampus(t)
	for _, test := range []struct {
		name, id string
		said     bool
	}{
		{"name", "_192.168.16.51.1024506224022", true},
		{"UUID", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", true},
		{"markup", "a&quot; x=&quot;", false},
		{"blank", "a b", false},
		{"accents", "é", false},
		{"too long", strings.Repeat("a", 200), false},
		{"empty", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			message := strings.Replace(fmt.Sprintf(soapNoSpaces, c.browser().enter(app)), "<Request>", `<Request RequestID="`+test.id+`">`, 1)
			a := c.saml(app, message)
			if !samlValid(a) || strings.Contains(a.Body, `InResponseTo="`+test.id+`"`) != test.said || strings.Contains(a.Body, "InResponseTo") != test.said {
				t.Errorf("want it said: %v\n%s", test.said, a.Body)
			}
		})
	}
}

// TestSAMLAudit: a validation is in the trail, and no ticket in full anywhere
// (S38).
func TestSAMLAudit(t *testing.T) {
	c := newCampus(t)
	ticket := c.browser().enter(app)
	c.saml(app, fmt.Sprintf(soapPhpCAS, ticket))
	c.saml(app, fmt.Sprintf(soapPhpCAS, ticket))
	for _, want := range []string{`"ticket_validated","outcome":"success","user":"` + student, `"ticket_validated","outcome":"refused"`} {
		if !strings.Contains(c.audit.String(), want) {
			t.Errorf("no %s in\n%s", want, c.audit)
		}
	}
	if strings.Contains(c.audit.String()+c.log.String(), ticket) {
		t.Error("a whole ticket was written down")
	}
}
