package cas

import (
	"slices"
	"testing"

	"github.com/beevik/etree"
	"pgregory.net/rapid"

	"parvis/identity"
)

// TestSAMLAnswerIsWhatAParserReads holds that the success written by hand is
// the tree that an XML parser builds, whatever a directory or a client holds,
// with each attribute once (S24).
func TestSAMLAnswerIsWhatAParserReads(t *testing.T) {
	anyText := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", " ", "<&>\"'", "]]>", "<!--", "\x00\x01\x1f", "\xff\xfe", "\ufffe", "a\rb\r\nc\td\n", "𝒳", "</saml1:NameIdentifier>", "&#10;",
	}), rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) }))
	anyName := rapid.OneOf(anyText, rapid.SampledFrom([]string{"mail", "member of", "member_of", "cn;lang-fr", fromNewLogin}))
	rapid.Check(t, func(t *rapid.T) {
		r := samlResponse{
			id: "_1", assertionID: "_2", inResponseTo: anyText.Draw(t, "request"),
			recipient: anyText.Draw(t, "recipient"), issuer: anyText.Draw(t, "issuer"), issued: fixedTime,
		}
		a := assertion{user: anyText.Draw(t, "user")}
		released := rapid.MapOfN(anyName, rapid.SliceOfN(anyText, 1, 3), 0, 5).Draw(t, "released")
		a.attributes = appendReleased(protocolAttributes(fixedTime, true, false), identity.Attributes(released))

		response := parsedResponse(t, r.appendSuccess(nil, a, fixedTime))
		got := []string{
			response.SelectAttrValue("InResponseTo", ""), response.SelectAttrValue("Recipient", ""),
			response.FindElement("Assertion").SelectAttrValue("Issuer", ""),
			response.FindElement("Assertion/Conditions/AudienceRestrictionCondition/Audience").Text(),
			response.FindElement("Assertion/AuthenticationStatement/Subject/NameIdentifier").Text(),
			response.FindElement("Assertion/AttributeStatement/Subject/NameIdentifier").Text(),
		}
		want := []string{r.inResponseTo, r.recipient, r.issuer, r.recipient, a.user, a.user}
		for i := range want {
			want[i] = expressible(want[i])
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}

		values := map[string][]string{}
		for _, attr := range a.attributes {
			for _, value := range attr.values {
				values[attr.name] = append(values[attr.name], expressible(value))
			}
		}
		written := response.FindElements("Assertion/AttributeStatement/Attribute")
		for _, e := range written {
			name := e.SelectAttrValue("AttributeName", "")
			var read []string
			for _, value := range e.SelectElements("AttributeValue") {
				read = append(read, value.Text())
			}
			if !slices.Equal(read, values[name]) {
				t.Fatalf("%s: got %q, want %q", name, read, values[name])
			}
		}
		if len(written) != len(values) {
			t.Fatalf("%d attributes are written, want %d", len(written), len(values))
		}
	})
}

// TestSAMLRefusalIsWhatAParserReads is the same of a failure, whose message may
// repeat what a client sent.
func TestSAMLRefusalIsWhatAParserReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		message, recipient := rapid.String().Draw(t, "message"), rapid.String().Draw(t, "recipient")
		r := samlResponse{id: "_1", recipient: recipient, issued: fixedTime}
		response := parsedResponse(t, r.appendFailure(nil, message))
		if got := response.FindElement("Status/StatusMessage").Text(); got != expressible(message) {
			t.Fatalf("message: got %q, want %q", got, message)
		}
		if got := response.SelectAttrValue("Recipient", ""); got != expressible(recipient) {
			t.Fatalf("recipient: got %q, want %q", got, recipient)
		}
	})
}

// TestSAMLBlanksInAttributes: XML wants parsers to make blanks of these, which
// ours does not do.
func TestSAMLBlanksInAttributes(t *testing.T) {
	got := string(appendXMLAttribute(nil, "Recipient", "a\tb\nc\r\"<"))
	if want := ` Recipient="a&#x9;b&#xA;c&#xD;&quot;&lt;"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func parsedResponse(t *rapid.T, answer []byte) *etree.Element {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(answer); err != nil {
		t.Fatalf("not XML: %v", err)
	}
	response := doc.FindElement("/SOAP-ENV:Envelope/SOAP-ENV:Body/saml1p:Response")
	if response == nil {
		t.Fatal("no response in the answer")
	}
	return response
}
