package casclient

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

const casNamespace = "http://www.yale.edu/tp/cas"

// answer is what a validation says.
type answer struct {
	principal Principal
	// iou names the proxy-granting ticket that the server has brought.
	iou string
	// pgt is that ticket.
	pgt string
}

var errNoAnswer = errors.New("what the server says is no answer of the protocol")

// readValidation reads the answer to a validation (specification, section 2.5
// and appendix A): a [*Refusal], an error, or whom the server vouches for. The
// order of the elements, the prefix and the blanks between them are the
// server's choice; the namespace is not.
func readValidation(document []byte) (answer, error) {
	body, err := readServiceResponse(document)
	if err != nil {
		return answer{}, err
	}
	if body.is(casNamespace, "authenticationFailure") {
		return answer{}, refusalIn(body)
	}
	if !body.is(casNamespace, "authenticationSuccess") {
		return answer{}, errNoAnswer
	}
	return readSuccess(body)
}

// readProxyTicket reads the answer of /proxy (specification, section 2.7).
func readProxyTicket(document []byte) (string, error) {
	body, err := readServiceResponse(document)
	if err != nil {
		return "", err
	}
	if body.is(casNamespace, "proxyFailure") {
		return "", refusalIn(body)
	}
	if body.is(casNamespace, "proxySuccess") && len(body.children) == 1 && body.children[0].is(casNamespace, "proxyTicket") {
		if ticket := strings.TrimSpace(body.children[0].text); validToken(ticket) {
			return ticket, nil
		}
	}
	return "", errNoAnswer
}

// readServiceResponse returns the one element that an answer is about.
func readServiceResponse(document []byte) (*element, error) {
	root, err := readXML(document)
	if err != nil {
		return nil, fmt.Errorf("read the server's answer: %w", err)
	}
	if !root.is(casNamespace, "serviceResponse") || len(root.children) != 1 {
		return nil, errNoAnswer
	}
	return root.children[0], nil
}

func refusalIn(e *element) *Refusal {
	return &Refusal{Code: clip(e.attribute("code")), Text: clip(strings.TrimSpace(e.text))}
}

func readSuccess(success *element) (answer, error) {
	var a answer
	var named, flat []*element
	users, grouped := 0, false
	for _, child := range success.children {
		switch {
		case child.name.Space != casNamespace:
			continue
		case child.name.Local == "user":
			users++
			a.principal.Name = strings.TrimSpace(child.text)
			if len(child.children) > 0 {
				return answer{}, errNoAnswer
			}
		case child.name.Local == "attributes":
			grouped = true
			named = append(named, child.children...)
		case child.name.Local == "proxyGrantingTicket":
			a.iou = strings.TrimSpace(child.text)
		case child.name.Local == "proxies":
			for _, proxy := range child.children {
				if !proxy.is(casNamespace, "proxy") {
					return answer{}, errNoAnswer
				}
				a.principal.Proxies = append(a.principal.Proxies, strings.TrimSpace(proxy.text))
			}
		default:
			flat = append(flat, child)
		}
	}
	if users != 1 || !validName(a.principal.Name) {
		return answer{}, errNoAnswer
	}
	// Some servers write attributes beside the user, and some do both.
	if !grouped {
		named = flat
	}
	a.principal.read(named)
	return a, nil
}

// read takes the attributes: what the protocol itself defines into fields, the
// others by name.
func (p *Principal) read(elements []*element) {
	for _, e := range elements {
		name, value := e.name.Local, e.text
		if name == "attribute" && e.attribute("name") != "" {
			name, value = e.attribute("name"), e.attribute("value")
		}
		switch name {
		case "authenticationDate":
			p.AuthTime = readDate(strings.TrimSpace(value))
		case "isFromNewLogin":
			p.FromNewLogin = isTrue(value)
		case "longTermAuthenticationRequestTokenUsed":
			p.RememberMe = isTrue(value)
		default:
			if p.Attributes == nil {
				p.Attributes = Attributes{}
			}
			p.Attributes[name] = append(p.Attributes[name], value)
		}
	}
}

func isTrue(s string) bool { return strings.EqualFold(strings.TrimSpace(s), "true") }

// readDate reads an instant as servers write it: RFC 3339, at Apereo with the
// name of the zone behind and without seconds that are zero, elsewhere without
// a zone, which is UTC then. It is zero if it cannot be read.
func readDate(s string) time.Time {
	s, _, _ = strings.Cut(s, "[")
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// validName refuses what no login name is.
func validName(name string) bool {
	const most = 1024
	return name != "" && len(name) <= most && !strings.ContainsFunc(name, unicode.IsControl)
}

// clip shortens what a server said before it is kept.
func clip(s string) string {
	const most = 512
	if len(s) > most {
		return s[:most]
	}
	return s
}
