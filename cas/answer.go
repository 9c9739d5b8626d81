package cas

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"parvis/identity"
)

// assertion is what a successful validation says of a person.
type assertion struct {
	user       string
	attributes []attribute
	// iou names the proxy-granting ticket that went to the service's call-back.
	iou     string
	proxies []string
}

type attribute struct {
	name   string
	values []string
}

// The attributes that the protocol itself defines (specification, section
// 2.5.7 and appendix A).
const (
	authenticationDate = "authenticationDate"
	longTermToken      = "longTermAuthenticationRequestTokenUsed"
	fromNewLogin       = "isFromNewLogin"
)

// protocolAttributes says how and when the person logged in.
func protocolAttributes(authTime time.Time, rememberMe, newLogin bool) []attribute {
	return []attribute{
		{authenticationDate, []string{authTime.UTC().Format(time.RFC3339)}},
		{longTermToken, []string{strconv.FormatBool(rememberMe)}},
		{fromNewLogin, []string{strconv.FormatBool(newLogin)}},
	}
}

// appendReleased adds the released attributes in the order of their names,
// those that an XML element can carry. A name of the protocol's own is not
// overridden: a service may trust it.
func appendReleased(list []attribute, released identity.Attributes) []attribute {
	own := len(list)
	list = slices.Grow(list, len(released))
	for name, values := range released {
		name = elementName(name)
		if name == "" || name == authenticationDate || name == longTermToken || name == fromNewLogin {
			continue
		}
		list = append(list, attribute{name, values})
	}
	slices.SortFunc(list[own:], func(a, b attribute) int { return strings.Compare(a.name, b.name) })
	return list
}

// elementName makes a name fit for an XML element without a prefix: spaces
// become underscores, and a name that is still no NCName of ASCII characters
// is dropped ("").
func elementName(name string) string {
	name = strings.ReplaceAll(name, " ", "_")
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '-' && c != '.') {
			return ""
		}
	}
	return name
}

// The shape of the answers is the one that every client reads: the prefix
// "cas", no XML declaration, the user first with nothing around the name.
const (
	xmlOpen  = "<cas:serviceResponse xmlns:cas='http://www.yale.edu/tp/cas'>"
	xmlClose = "</cas:serviceResponse>\n"
)

// appendXML writes a success (specification, appendix A). It is written
// directly because every page view of every service waits for it; a property
// test holds that an XML parser reads the same tree from it.
func (a assertion) appendXML(b []byte) []byte {
	b = append(b, xmlOpen+"<cas:authenticationSuccess><cas:user>"...)
	b = appendText(b, a.user)
	b = append(b, "</cas:user>"...)
	if len(a.attributes) > 0 {
		b = append(b, "<cas:attributes>"...)
		for _, attr := range a.attributes {
			for _, value := range attr.values {
				b = appendElement(b, attr.name, value)
			}
		}
		b = append(b, "</cas:attributes>"...)
	}
	if a.iou != "" {
		b = appendElement(b, "proxyGrantingTicket", a.iou)
	}
	if len(a.proxies) > 0 {
		b = append(b, "<cas:proxies>"...)
		for _, proxy := range a.proxies {
			b = appendElement(b, "proxy", proxy)
		}
		b = append(b, "</cas:proxies>"...)
	}
	return append(b, "</cas:authenticationSuccess>"+xmlClose...)
}

// appendXML writes a failure (specification, section 2.5.2).
func (r *Refusal) appendXML(b []byte) []byte { return appendFailure(b, "authenticationFailure", r) }

func appendFailure(b []byte, element string, r *Refusal) []byte {
	b = append(b, xmlOpen+"<cas:"...)
	b = append(b, element...)
	b = append(b, ` code="`...)
	b = append(b, r.Code...)
	b = append(b, `">`...)
	b = appendText(b, r.Description)
	b = append(b, "</cas:"...)
	b = append(b, element...)
	return append(b, ">"+xmlClose...)
}

func appendElement(b []byte, name, text string) []byte {
	b = append(b, "<cas:"...)
	b = append(b, name...)
	b = append(b, '>')
	b = appendText(b, text)
	b = append(b, "</cas:"...)
	b = append(b, name...)
	return append(b, '>')
}

// appendText escapes text for XML and leaves out what XML 1.0 cannot carry:
// control characters, surrogates, the two non-characters, broken UTF-8.
func appendText(b []byte, text string) []byte {
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c == '&':
				b = append(b, "&amp;"...)
			case c == '<':
				b = append(b, "&lt;"...)
			case c == '>':
				b = append(b, "&gt;"...)
			case c == '"':
				b = append(b, "&quot;"...)
			case c == '\'':
				b = append(b, "&apos;"...)
			case c == '\r':
				b = append(b, "&#xD;"...)
			case c >= ' ' || c == '\t' || c == '\n':
				b = append(b, c)
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if (r != utf8.RuneError || size > 1) && r != 0xFFFE && r != 0xFFFF {
			b = append(b, text[i:i+size]...)
		}
		i += size
	}
	return b
}

// appendJSON writes a success as the specification's section 2.5.1 shows it.
// Every attribute is a list, so that a service reads one value and several in
// the same way.
func (a assertion) appendJSON(b []byte) ([]byte, error) {
	attributes := make(map[string][]string, len(a.attributes))
	for _, attr := range a.attributes {
		attributes[attr.name] = attr.values
	}
	return appendServiceResponse(b, map[string]any{"authenticationSuccess": struct {
		User       string              `json:"user"`
		Attributes map[string][]string `json:"attributes,omitempty"`
		IOU        string              `json:"proxyGrantingTicket,omitempty"`
		Proxies    []string            `json:"proxies,omitempty"`
	}{a.user, attributes, a.iou, a.proxies}})
}

// appendJSON writes a failure (specification, section 2.5.2).
func (r *Refusal) appendJSON(b []byte) ([]byte, error) {
	return appendFailureJSON(b, "authenticationFailure", r)
}

func appendFailureJSON(b []byte, member string, r *Refusal) ([]byte, error) {
	return appendServiceResponse(b, map[string]any{member: struct {
		Code        Code   `json:"code"`
		Description string `json:"description"`
	}{r.Code, r.Description}})
}

func appendServiceResponse(b []byte, body any) ([]byte, error) {
	encoded, err := json.Marshal(map[string]any{"serviceResponse": body})
	if err != nil {
		return nil, err
	}
	return append(append(b, encoded...), '\n'), nil
}
