package conformance

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Specification, section 4.2: SAML 1.1.

func saml() []Statement {
	needs := []Feature{SAML}
	return []Statement{
		{ID: "SAML1", Holds: "the messages of the clients in use are understood, with or without ids and blanks", Needs: needs, Run: samlMessages},
		{ID: "SAML1", Holds: "neither SOAPAction nor a media type is required", Needs: needs, Run: func(t *T) {
			b := t.browser()
			r := b.request(http.MethodPost, "/samlValidate?"+pair("TARGET", app), fmt.Sprintf(soapPlain, t.ticket(app)))
			r.Header.Del("Content-Type")
			t.wantAssertion(b.do(r))
		}},
		{ID: "SAML1", Holds: "TARGET is case-sensitive", Needs: needs, Run: func(t *T) {
			message := fmt.Sprintf(soapPlain, t.ticket(app))
			t.wantDenied(t.browser().soap("/samlValidate?"+pair("target", app), message))
		}},
		{ID: "SAML2", Holds: "whether a service may be told in SAML 1.1 is its entry's word", Needs: needs, Run: func(t *T) {
			t.wantDenied(t.samlValidate(oldApp, t.ticket(oldApp)))
			t.wantAssertion(t.samlValidate(samlApp, t.ticket(samlApp)))
		}},
		{ID: "SAML2", Holds: "no attributes go to a service without TLS", Untested: "nobody enforces it, and an entry that names an http address decides for itself"},
		{ID: "SAML3", Holds: "a success: the envelope, whom it answers, for whom and how long it holds", Needs: needs, Run: samlSuccess},
		{ID: "SAML3", Holds: "subject, method and confirmation", Needs: needs, Run: func(t *T) {
			got := t.wantAssertion(t.samlValidate(app, t.ticket(app)))
			s := got.Assertion.Authentication
			if s.Method != "urn:oasis:names:tc:SAML:1.0:am:password" || s.Subject.Name != student.UID || s.Subject.Confirmation != "urn:oasis:names:tc:SAML:1.0:cm:artifact" {
				t.Errorf("statement %+v", s)
			}
			if proven, err := time.Parse(time.RFC3339, s.Instant); err != nil || time.Since(proven).Abs() > time.Minute {
				t.Errorf("AuthenticationInstant %q: %v", s.Instant, err)
			}
		}},
		{ID: "SAML3", Holds: "attributes: each once, with all its values, and their types", Needs: needs, Run: samlAttributes},
		{ID: "SAML3", Holds: "nothing between two tags, the order of attributes that scripts read", Needs: needs, Run: samlLiteral},
		{ID: "SAML4", Holds: "a refusal: RequestDenied with a message, status 200, no assertion, and the ticket is spent", Needs: needs, Run: samlRefusals},
		{ID: "SAML4", Holds: "bad XML is a refusal, not a breakdown", Needs: needs, Run: func(t *T) {
			for _, message := range []string{"", "x", "ticket=ST-1", "<", "<a></b>", "<Envelope/>", "\xff\xfe\x00", strings.Repeat("<a>", 2000)} {
				t.wantDenied(t.browser().soap("/samlValidate?"+pair("TARGET", app), message))
			}
		}},
		{ID: "SAML4", Holds: "no document type, no entity, internal or external", Needs: needs, Run: samlEntities},
		{ID: "SAML4", Holds: "a message of any size is bounded", Needs: needs, Run: func(t *T) {
			message := fmt.Sprintf(soapPlain, t.ticket(app))
			large := strings.Replace(message, "<samlp:Request", "<!--"+strings.Repeat("x", 4<<20)+"--><samlp:Request", 1)
			b := t.browser()
			a, err := b.try(b.soapRequest("/samlValidate?"+pair("TARGET", app), large))
			if err == nil && (a.status >= 500 || strings.Contains(a.body, "Success")) {
				t.Errorf("status %d\n%.500s", a.status, a.body)
			}
			t.wantAssertion(t.samlValidate(app, t.ticket(app)))
		}},
		{ID: "SAML5", Holds: "TARGET at the login is the service, and the ticket comes back as SAMLart", Needs: needs, Run: samlLogin},
	}
}

const (
	soapModAuthCAS = `<?xml version="1.0" encoding="utf-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Header/><SOAP-ENV:Body><samlp:Request xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol"  MajorVersion="1" MinorVersion="1"><samlp:AssertionArtifact>%s</samlp:AssertionArtifact></samlp:Request></SOAP-ENV:Body></SOAP-ENV:Envelope>`
	soapPlain      = `<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Header/><SOAP-ENV:Body><samlp:Request xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol" MajorVersion="1" MinorVersion="1" RequestID="_192.168.16.51.1024506224022" IssueInstant="2002-06-19T17:03:44.022Z"><samlp:AssertionArtifact>%s</samlp:AssertionArtifact></samlp:Request></SOAP-ENV:Body></SOAP-ENV:Envelope>`
	soapBlanks     = "\n<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">\n<soap:Body>\n<samlp:Request xmlns:samlp=\"urn:oasis:names:tc:SAML:1.0:protocol\">\n<samlp:AssertionArtifact>\n  %s\n  </samlp:AssertionArtifact>\n</samlp:Request>\n</soap:Body>\n</soap:Envelope>\n"
	requestID      = "_192.168.16.51.1024506224022"
)

// samlResponse is what /samlValidate answers.
type samlResponse struct {
	XMLName  xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Response struct {
		XMLName      xml.Name
		ID           string `xml:"ResponseID,attr"`
		InResponseTo string `xml:"InResponseTo,attr"`
		Recipient    string `xml:"Recipient,attr"`
		Instant      string `xml:"IssueInstant,attr"`
		Code         struct {
			Value string `xml:"Value,attr"`
		} `xml:"Status>StatusCode"`
		Message   string         `xml:"Status>StatusMessage"`
		Assertion *samlAssertion `xml:"urn:oasis:names:tc:SAML:1.0:assertion Assertion"`
	} `xml:"Body>Response"`
}

type samlAssertion struct {
	ID         string `xml:"AssertionID,attr"`
	Issuer     string `xml:"Issuer,attr"`
	Conditions struct {
		From     string `xml:"NotBefore,attr"`
		Until    string `xml:"NotOnOrAfter,attr"`
		Audience string `xml:"AudienceRestrictionCondition>Audience"`
	} `xml:"Conditions"`
	Authentication struct {
		Method  string      `xml:"AuthenticationMethod,attr"`
		Instant string      `xml:"AuthenticationInstant,attr"`
		Subject samlSubject `xml:"Subject"`
	} `xml:"AuthenticationStatement"`
	Attributes []struct {
		Name      string `xml:"AttributeName,attr"`
		Namespace string `xml:"AttributeNamespace,attr"`
		Values    []struct {
			Type string `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
			Text string `xml:",chardata"`
		} `xml:"AttributeValue"`
	} `xml:"AttributeStatement>Attribute"`
}

type samlSubject struct {
	Name         string `xml:"NameIdentifier"`
	Confirmation string `xml:"SubjectConfirmation>ConfirmationMethod"`
}

// asserted is a SAML answer that succeeded.
type asserted struct {
	Assertion  samlAssertion
	response   samlResponse
	attributes map[string][]string
	text       string
}

// soap posts a message.
func (b *browser) soap(path, message string) answer {
	b.t.Helper()
	return b.do(b.soapRequest(path, message))
}

func (b *browser) soapRequest(path, message string) *http.Request {
	b.t.Helper()
	r := b.request(http.MethodPost, path, message)
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	r.Header.Set("SOAPAction", "http://www.oasis-open.org/committees/security")
	return r
}

func (t *T) samlValidate(service, ticket string) answer {
	t.Helper()
	return t.browser().soap("/samlValidate?"+pair("TARGET", service), fmt.Sprintf(soapPlain, ticket))
}

func (t *T) readSAML(a answer) samlResponse {
	t.Helper()
	t.wantStatus(a, http.StatusOK)
	var r samlResponse
	if err := xml.Unmarshal([]byte(a.body), &r); err != nil {
		t.Fatalf("no SAML response: %v\n%.1500s", err, a.body)
	}
	return r
}

func (t *T) wantAssertion(a answer) asserted {
	t.Helper()
	r := t.readSAML(a)
	if r.Response.Assertion == nil || !strings.HasSuffix(r.Response.Code.Value, ":Success") {
		t.Fatalf("no success:\n%.2000s", a.body)
	}
	got := asserted{*r.Response.Assertion, r, map[string][]string{}, a.body}
	for _, attribute := range r.Response.Assertion.Attributes {
		for _, value := range attribute.Values {
			got.attributes[attribute.Name] = append(got.attributes[attribute.Name], value.Text)
		}
	}
	return got
}

func (t *T) wantDenied(a answer) {
	t.Helper()
	r := t.readSAML(a).Response
	if !strings.HasSuffix(r.Code.Value, ":RequestDenied") || r.Message == "" || r.Assertion != nil {
		t.Fatalf("no refusal with a message:\n%.2000s", a.body)
	}
}

func samlMessages(t *T) {
	for _, message := range []string{soapModAuthCAS, soapPlain, soapBlanks} {
		got := t.wantAssertion(t.browser().soap("/samlValidate?"+pair("TARGET", app), fmt.Sprintf(message, t.ticket(app))))
		if got.Assertion.Authentication.Subject.Name != student.UID {
			t.Errorf("%s", got.text)
		}
	}
	message := fmt.Sprintf(soapPlain, t.ticket(app))
	t.wantAssertion(t.browser().soap("/samlValidate?"+pair("TARGET", app)+"&ticket=", message))
	message = fmt.Sprintf(soapPlain, t.ticket(app))
	t.wantAssertion(t.browser().soap("/samlValidate?TARGET="+app, message)) // nothing escaped
}

func samlSuccess(t *T) {
	service := app + `?a=<&"'>`
	got := t.wantAssertion(t.samlValidate(service, t.ticket(service)))
	r, c := got.response.Response, got.Assertion.Conditions
	if r.InResponseTo != requestID || r.Recipient != service || c.Audience != service || got.Assertion.Issuer == "" {
		t.Errorf("InResponseTo %q, Recipient %q, Audience %q, Issuer %q", r.InResponseTo, r.Recipient, c.Audience, got.Assertion.Issuer)
	}
	from, errFrom := time.Parse(time.RFC3339, c.From)
	until, errUntil := time.Parse(time.RFC3339, c.Until)
	issued, errIssued := time.Parse(time.RFC3339, r.Instant)
	now := time.Now()
	if errFrom != nil || errUntil != nil || errIssued != nil || now.Before(from) || !now.Before(until) || until.Sub(from) > 5*time.Minute || now.Sub(issued).Abs() > 5*time.Second {
		t.Errorf("issued %q, holds from %q until %q", r.Instant, c.From, c.Until)
	}
	if r.ID == "" || got.Assertion.ID == "" || r.ID == got.Assertion.ID {
		t.Errorf("ids %q and %q", r.ID, got.Assertion.ID)
	}
}

func samlAttributes(t *T) {
	got := t.wantAssertion(t.samlValidate(app, t.ticket(app)))
	names := map[string]int{}
	for _, attribute := range got.Assertion.Attributes {
		names[attribute.Name]++
		if attribute.Namespace != "http://www.ja-sig.org/products/cas/" {
			t.Errorf("%s: namespace %q", attribute.Name, attribute.Namespace)
		}
		for _, value := range attribute.Values {
			if !strings.HasSuffix(value.Type, ":string") {
				t.Errorf("%s: type %q", attribute.Name, value.Type)
			}
		}
	}
	if names["eduPersonAffiliation"] != 1 || !slices.Equal(got.attributes["eduPersonAffiliation"], []string{"student", "member"}) || !slices.Equal(got.attributes["mail"], []string{"jean-pierre.martin@etu.univ.example"}) {
		t.Errorf("attributes %v", got.attributes)
	}
}

func samlLiteral(t *T) {
	body := strings.TrimSpace(t.samlValidate(app, t.ticket(app)).body)
	if strings.Contains(body, "> <") || strings.Contains(body, ">\n<") {
		t.Errorf("blanks between tags:\n%s", body)
	}
	if !strings.Contains(body, `<saml1:Attribute AttributeName="mail" AttributeNamespace="http://www.ja-sig.org/products/cas/"><saml1:AttributeValue`) || !strings.Contains(body, `StatusCode Value="saml1p:Success"`) {
		t.Errorf("scripts cannot read:\n%s", body)
	}
}

func samlRefusals(t *T) {
	t.wantDenied(t.samlValidate(app, "ST-unknown"))
	t.wantDenied(t.samlValidate(app, "&lt;x>"))
	for _, path := range []string{"/samlValidate?" + pair("TARGET", other), "/samlValidate", "/samlValidate?" + pair("TARGET", stranger)} {
		ticket := t.ticket(app)
		t.wantDenied(t.browser().soap(path, fmt.Sprintf(soapPlain, ticket)))
		t.wantDenied(t.samlValidate(app, ticket))
		t.wantCode(t.validate(app, ticket), "INVALID_TICKET")
	}
	ticket := t.ticket(app)
	t.wantAssertion(t.samlValidate(app, ticket))
	t.wantDenied(t.samlValidate(app, ticket))
}

func samlEntities(t *T) {
	p := t.play("/portal/")
	for _, kind := range []string{
		`<!DOCTYPE x [<!ENTITY t "%[1]s">]>`, `<!DOCTYPE x SYSTEM "%[2]s"><!-- %[1]s -->`,
		`<!DOCTYPE x [<!ENTITY %% p SYSTEM "%[2]s"> %%p;]><!-- %[1]s -->`, `<!DOCTYPE x [<!ENTITY t SYSTEM "file:///etc/passwd">]><!-- %[1]s %[2]s -->`,
		`<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY t "%[1]s&c;&c;">]><!-- %[2]s -->`,
	} {
		ticket := t.ticket(app)
		message := fmt.Sprintf(kind, ticket, p.service) + fmt.Sprintf(soapPlain, "&t;")
		a := t.browser().soap("/samlValidate?"+pair("TARGET", app), message)
		t.wantDenied(a)
		if strings.Contains(a.body, "root:") || strings.Contains(a.body, "aaaaaaaaaaaaaaaaaaaa") {
			t.Errorf("an entity was read:\n%.1000s", a.body)
		}
	}
	p.wantQuiet()
}

func samlLogin(t *T) {
	service := app + "saml?a=b#c"
	b := t.browser()
	a := b.login("/login?"+pair("TARGET", service), student)
	before, after := app+"saml?a=b&SAMLart=", "#c"
	if !strings.HasPrefix(a.location, before) || !strings.HasSuffix(a.location, after) {
		t.Fatalf("after the password: Location %q", a.location)
	}
	t.wantAssertion(t.samlValidate(service, strings.TrimSuffix(strings.TrimPrefix(a.location, before), after)))
	a = b.get("/login?" + pair("TARGET", app))
	address, err := url.Parse(a.location)
	if err != nil || !strings.HasPrefix(address.Query().Get("SAMLart"), "ST-") || address.Query().Has("ticket") {
		t.Errorf("logged in: Location %q", a.location)
	}
	t.wantPage(b.get("/login?"+pair("TARGET", stranger)), http.StatusForbidden)
	if a := t.browser().get("/login?gateway=true&" + pair("TARGET", app)); a.location != app {
		t.Errorf("gateway: Location %q", a.location)
	}
}
