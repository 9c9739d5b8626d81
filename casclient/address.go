package casclient

import (
	"net/http"
	"net/url"
	"strings"
)

// marker is the parameter by which an address remembers, on the way over the
// server and back, what was asked there. A cookie could not: it is shared by
// all tabs, kept from a form that another site posts, and refused by some.
const marker = "casclient"

// The values of marker.
const (
	askedGateway = "gateway"
	askedRenew   = "renew"
)

// address is a request's public address, taken apart.
type address struct {
	// clean is the address that the service knows: no ticket, no marker.
	clean string
	// query is that of clean.
	query string
	// service is the address as the server was told it at login: clean, with
	// the marker if there was one.
	service string
	// asked is the value of the marker, "" for none.
	asked string
	// ticket is the one brought along, "" for none.
	ticket string
}

// addressOf reads a request's path and query, and nothing else of it: the
// front of every address comes from the options. All but the ticket, the marker
// and what they leave behind at the end is kept to the byte, for the server
// compares what it is told at validation with what it was told at login.
func (c *Client) addressOf(r *http.Request) address {
	path := r.URL.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		path = "/"
	}
	a := cutOwn(r.URL.RawQuery)
	a.clean = joined(c.service+path, a.query)
	a.service = marked(a.clean, a.asked)
	return a
}

// cutOwn takes the ticket and the marker out of a query, and fills in all three.
// A parameter "ticket" that is none of CAS is the service's own and stays.
func cutOwn(query string) address {
	var a address
	kept := make([]string, 0, 8)
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		switch {
		case name == "ticket" && looksLikeTicket(decoded(value)):
			a.ticket = decoded(value)
		case name == marker && (value == askedGateway || value == askedRenew):
			a.asked = value
		default:
			kept = append(kept, part)
		}
	}
	// Servers differ in how they add a ticket to a query that ends with "&".
	a.query = asciiOnly(strings.TrimRight(strings.Join(kept, "&"), "&"))
	return a
}

// decoded is a parameter's value, or its bytes where they are no good escapes.
func decoded(value string) string {
	if plain, err := url.QueryUnescape(value); err == nil {
		return plain
	}
	return value
}

func joined(base, query string) string {
	if query == "" {
		return base
	}
	return base + "?" + query
}

// marked adds the marker as the last parameter.
func marked(clean, asked string) string {
	switch {
	case asked == "":
		return clean
	case strings.Contains(clean, "?"):
		return clean + "&" + marker + "=" + asked
	}
	return clean + "?" + marker + "=" + asked
}

// asciiOnly percent-encodes what cannot stand in a query or a header, as browsers
// do before they send it.
func asciiOnly(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f && c != '#' {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

// loginAddress is where a browser logs in to come back to a.
func (c *Client) loginAddress(clean, asked string) string {
	location := c.server + "/login?service=" + url.QueryEscape(marked(clean, asked))
	switch asked {
	case askedGateway:
		location += "&gateway=true"
	case askedRenew:
		location += "&renew=true"
	}
	if c.o.Post {
		location += "&method=POST"
	}
	return location
}

// maxTicket is the longest ticket of any kind taken, in characters. Services
// should take 256 (specification, section 3.1.1); some servers' are longer.
const maxTicket = 512

// looksLikeTicket tells a CAS ticket from another parameter of the same name.
func looksLikeTicket(value string) bool {
	return strings.HasPrefix(value, "ST-") || strings.HasPrefix(value, "PT-")
}

// validTicket tells what is worth asking the server about. Tickets are of
// letters, digits and "-" (specification, section 3.7); some servers write
// dots, underscores and tildes as well.
func validTicket(ticket string) bool {
	return looksLikeTicket(ticket) && len(ticket) > len("ST-") && validToken(ticket)
}

// validToken tells what can be an identifier that the server made.
func validToken(s string) bool {
	if s == "" || len(s) > maxTicket {
		return false
	}
	for i := range len(s) {
		c := s[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !plain && !strings.ContainsRune("-._~", rune(c)) {
			return false
		}
	}
	return true
}

// withQuery is r with another query, for the handlers further in.
func withQuery(r *http.Request, query string) *http.Request {
	if r.URL.RawQuery == query {
		return r
	}
	changed := *r
	u := *r.URL
	u.RawQuery, u.ForceQuery = query, false
	path, _, _ := strings.Cut(r.RequestURI, "?")
	changed.URL, changed.RequestURI = &u, joined(path, query)
	return &changed
}
