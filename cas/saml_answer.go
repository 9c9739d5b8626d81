package cas

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

// samlResponse is an answer in SAML 1.1, without what it says.
type samlResponse struct {
	id, assertionID string
	// inResponseTo is the request's identifier, "" where it had none.
	inResponseTo string
	// recipient is the service's address, as the application gave it.
	recipient string
	issuer    string
	issued    time.Time
}

// samlSpan is how long before and after its issue an assertion holds. It is
// read at once: the span is for clocks that are not together.
const samlSpan = 30 * time.Second

// The shape is the one that every client reads: the prefixes of Apereo's
// server, nothing between two elements, attributes in the order of their
// names, status codes with a prefix, types on the values.
const (
	samlOpen = `<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body>` +
		`<saml1p:Response xmlns:saml1p="urn:oasis:names:tc:SAML:1.0:protocol"`
	samlClose = "</saml1p:Response></SOAP-ENV:Body></SOAP-ENV:Envelope>\n"

	samlAssertionOpen = `<saml1:Assertion xmlns:saml1="urn:oasis:names:tc:SAML:1.0:assertion"` +
		` xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`
	samlVersion   = ` MajorVersion="1" MinorVersion="1"`
	samlMethod    = "urn:oasis:names:tc:SAML:1.0:am:password"
	samlConfirmed = "<saml1:SubjectConfirmation><saml1:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:artifact" +
		"</saml1:ConfirmationMethod></saml1:SubjectConfirmation>"
	samlAttributeNamespace = ` AttributeNamespace="http://www.ja-sig.org/products/cas/">`
)

// appendSuccess writes what a service may know of a person, who proved their
// password at proven.
func (r samlResponse) appendSuccess(b []byte, a assertion, proven time.Time) []byte {
	b = r.appendHead(b)
	b = append(b, `<saml1p:Status><saml1p:StatusCode Value="saml1p:Success"/></saml1p:Status>`+samlAssertionOpen...)
	b = appendXMLAttribute(b, "AssertionID", r.assertionID)
	b = appendXMLAttribute(b, "IssueInstant", instant(r.issued))
	b = appendXMLAttribute(b, "Issuer", r.issuer)
	b = append(b, samlVersion+"><saml1:Conditions"...)
	b = appendXMLAttribute(b, "NotBefore", instant(r.issued.Add(-samlSpan)))
	b = appendXMLAttribute(b, "NotOnOrAfter", instant(r.issued.Add(samlSpan)))
	b = append(b, "><saml1:AudienceRestrictionCondition><saml1:Audience>"...)
	b = appendText(b, r.recipient)
	b = append(b, "</saml1:Audience></saml1:AudienceRestrictionCondition></saml1:Conditions><saml1:AuthenticationStatement"...)
	b = appendXMLAttribute(b, "AuthenticationInstant", instant(proven))
	b = appendXMLAttribute(b, "AuthenticationMethod", samlMethod)
	b = append(b, '>')
	b = appendSubject(b, a.user)
	b = append(b, "</saml1:AuthenticationStatement>"...)
	b = appendAttributeStatement(b, a)
	return append(b, "</saml1:Assertion>"+samlClose...)
}

// appendFailure writes a refusal. Its one status code is what clients know of a
// CAS server, whatever the reason; the reason is the message.
func (r samlResponse) appendFailure(b []byte, message string) []byte {
	b = r.appendHead(b)
	b = append(b, `<saml1p:Status><saml1p:StatusCode Value="saml1p:RequestDenied"/><saml1p:StatusMessage>`...)
	b = appendText(b, message)
	return append(b, "</saml1p:StatusMessage></saml1p:Status>"+samlClose...)
}

func (r samlResponse) appendHead(b []byte) []byte {
	b = append(b, samlOpen...)
	if r.inResponseTo != "" {
		b = appendXMLAttribute(b, "InResponseTo", r.inResponseTo)
	}
	b = appendXMLAttribute(b, "IssueInstant", instant(r.issued))
	b = append(b, samlVersion...)
	if r.recipient != "" {
		b = appendXMLAttribute(b, "Recipient", r.recipient)
	}
	b = appendXMLAttribute(b, "ResponseID", r.id)
	return append(b, '>')
}

func appendSubject(b []byte, user string) []byte {
	b = append(b, "<saml1:Subject><saml1:NameIdentifier>"...)
	b = appendText(b, user)
	return append(b, "</saml1:NameIdentifier>"+samlConfirmed+"</saml1:Subject>"...)
}

// appendAttributeStatement writes the attributes, each once with all its
// values: of several with the same name, clients keep the last. There is no
// statement without attributes, as its schema demands.
func appendAttributeStatement(b []byte, a assertion) []byte {
	if len(a.attributes) == 0 {
		return b
	}
	b = append(b, "<saml1:AttributeStatement>"...)
	b = appendSubject(b, a.user)
	for i, attr := range a.attributes {
		if i == 0 || a.attributes[i-1].name != attr.name {
			b = append(b, "<saml1:Attribute"...)
			b = appendXMLAttribute(b, "AttributeName", attr.name)
			b = append(b, samlAttributeNamespace...)
		}
		for _, value := range attr.values {
			b = append(b, `<saml1:AttributeValue xsi:type="xs:string">`...)
			b = appendText(b, value)
			b = append(b, "</saml1:AttributeValue>"...)
		}
		if i == len(a.attributes)-1 || a.attributes[i+1].name != attr.name {
			b = append(b, "</saml1:Attribute>"...)
		}
	}
	return append(b, "</saml1:AttributeStatement>"...)
}

// appendXMLAttribute writes an attribute of an element. Parsers make blanks of
// the tabs and line feeds in attributes, unless these are escaped.
func appendXMLAttribute(b []byte, name, value string) []byte {
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, '=', '"')
	for {
		i := strings.IndexAny(value, "\t\n")
		if i < 0 {
			b = appendText(b, value)
			return append(b, '"')
		}
		b = appendText(b, value[:i])
		b = fmt.Appendf(b, "&#x%X;", value[i])
		value = value[i+1:]
	}
}

// instant writes a time as SAML does (xs:dateTime, in UTC).
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// samlID draws an identifier that is an XML name.
func samlID(random io.Reader) (string, error) {
	var bits [16]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return "", fmt.Errorf("draw a SAML identifier: %w", err)
	}
	return "_" + hex.EncodeToString(bits[:]), nil
}
