package services

import (
	"strings"
	"unicode/utf8"
)

// maxService is the longest service URL taken. Single sign-on bridges put a
// whole request into it; nothing real is longer.
const maxService = 16 << 10

// Redirectable tells whether a browser may be sent to a service: http or
// https, and read by every browser as it is read here. Other identifiers
// (imap://…, plain words) may be registered and get tickets, but nobody is ever
// redirected to them.
func Redirectable(service string) bool {
	t := newTarget(service)
	return t.fault == "" && t.web
}

// Same tells whether two services are the same one at validation: equal once
// ";jsessionid=…" and the fragment are dropped and percent-escapes are decoded,
// one time. Case counts.
func Same(a, b string) bool {
	return a == b || identifier(a) == identifier(b)
}

// Appended returns the service with a ticket as the last parameter of its
// query, before the fragment. The bytes given are otherwise kept, but for
// those that cannot stand in a header (blanks, controls, non-ASCII), which are
// percent-encoded. name and ticket are written as they are.
func Appended(service, name, ticket string) string {
	base, fragment, hasFragment := strings.Cut(service, "#")
	var b strings.Builder
	b.Grow(len(service) + len(name) + len(ticket) + 2)
	escapeInto(&b, base)
	switch {
	case !strings.Contains(base, "?"):
		b.WriteByte('?')
	case !strings.HasSuffix(base, "?") && !strings.HasSuffix(base, "&"):
		b.WriteByte('&')
	}
	b.WriteString(name)
	b.WriteByte('=')
	b.WriteString(ticket)
	if hasFragment {
		b.WriteByte('#')
		escapeInto(&b, fragment)
	}
	return b.String()
}

// Location returns the service as it may stand in a Location header, without a
// ticket, by the same rule as [Appended].
func Location(service string) string {
	var b strings.Builder
	b.Grow(len(service))
	escapeInto(&b, service)
	return b.String()
}

func escapeInto(b *strings.Builder, s string) {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
}

func identifier(service string) string {
	service, _, _ = strings.Cut(withoutSession(service), "#")
	path, query, asks := strings.Cut(service, "?")
	if !asks {
		return percentDecoded(path)
	}
	// A form writes a blank of a query as "+", and clients that decode the
	// service before they send it back write it as a blank.
	return percentDecoded(path) + "?" + percentDecoded(strings.ReplaceAll(query, "+", " "))
}

// percentDecoded decodes escapes one time; what is not an escape is kept.
func percentDecoded(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, low := unhex(s[i+1]), unhex(s[i+2])
			if high >= 0 && low >= 0 {
				out = append(out, byte(high<<4|low))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// withoutSession drops ";jsessionid=…" from the path. Only the parameter goes:
// what follows it in the path still counts, or it would hide there.
func withoutSession(service string) string {
	const mark = ";jsessionid="
	end := strings.IndexAny(service, "?#")
	if end < 0 {
		end = len(service)
	}
	for i := 0; i+len(mark) <= end; i++ {
		if service[i] != ';' || !strings.EqualFold(service[i:i+len(mark)], mark) {
			continue
		}
		stop := i + len(mark)
		for stop < end && service[stop] != '/' && service[stop] != ';' {
			stop++
		}
		return service[:i] + service[stop:]
	}
	return service
}

// target is a service taken apart just enough to be judged and matched.
type target struct {
	// cleaned is what patterns are tried on.
	cleaned string
	// fault is why it must be refused, or "".
	fault string
	// web tells http and https from other identifiers.
	web bool
	// scheme and authority are in lower case; path starts the rest.
	scheme, authority, path string
}

func safety(service string) string {
	t := newTarget(service)
	return t.fault
}

func newTarget(service string) target {
	t := target{cleaned: withoutSession(service)}
	switch {
	case service == "":
		t.fault = "empty"
		return t
	case len(service) > maxService:
		t.fault = "too long"
		return t
	}
	if t.fault = badCharacter(service); t.fault != "" {
		return t
	}
	scheme, rest, ok := cutScheme(service)
	if !ok {
		if strings.ContainsRune("/\\?#.@: ", rune(service[0])) {
			t.fault = "relative"
		}
		return t
	}
	t.scheme = strings.ToLower(scheme)
	switch t.scheme {
	case "http", "https":
		t.web = true
		t.fault = t.splitWeb(rest)
	case "javascript", "data", "file", "vbscript", "blob", "about", "filesystem", "view-source", "jar", "livescript", "mocha", "mhtml", "wyciwyg", "feed", "intent", "chrome", "resource":
		t.fault = "dangerous scheme"
	default:
		t.splitOther(rest)
	}
	return t
}

// badCharacter refuses what browsers drop or rewrite in silence, and what ends
// a header's line.
func badCharacter(s string) string {
	if s[0] == ' ' || s[len(s)-1] == ' ' {
		return "blank at an end"
	}
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case c < ' ' || c == 0x7f:
				return "control character"
			case c == '\\':
				return "backslash"
			}
			i++
			continue
		}
		// A byte that is not UTF-8 is let through: old applications encode
		// their query in Latin-1, and it is percent-encoded on its way out.
		r, size := utf8.DecodeRuneInString(s[i:])
		if r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return "control character"
		}
		i += size
	}
	return ""
}

// splitWeb takes an http URL apart and refuses what browsers and servers do
// not read in the same way.
func (t *target) splitWeb(rest string) string {
	if !strings.HasPrefix(rest, "//") {
		return "no // after the scheme"
	}
	rest = rest[2:]
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, path := rest[:end], rest[end:]
	if fault := badAuthority(authority); fault != "" {
		return fault
	}
	t.authority = strings.ToLower(authority)
	stop := strings.IndexAny(path, "?#")
	if stop < 0 {
		stop = len(path)
	}
	if hasDotSegment(path[:stop]) {
		return "dot segment in the path"
	}
	t.path = withoutSession(path)
	return ""
}

func (t *target) splitOther(rest string) {
	if rest, ok := strings.CutPrefix(rest, "//"); ok {
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		t.authority = strings.ToLower(rest[:end])
		t.path = withoutSession(rest[end:])
	}
}

// badAuthority takes a host of plain letters, digits, '-', '_' and '.', or an
// IPv6 address, then a port: no user, no escapes, and international names in
// their xn-- form only.
func badAuthority(authority string) string {
	host, port := authority, ""
	if strings.HasPrefix(authority, "[") {
		end := strings.IndexByte(authority, ']')
		if end < 0 || strings.Trim(authority[1:end], "0123456789abcdefABCDEF:.") != "" {
			return "bad IPv6 address"
		}
		host, port = "v6", authority[end+1:]
	} else if i := strings.IndexByte(authority, ':'); i >= 0 {
		host, port = authority[:i], authority[i:]
	}
	if strings.ContainsRune(authority, '@') {
		return "user name before the host"
	}
	if host == "" || host[0] == '.' || strings.Contains(host, "..") {
		return "empty host or label"
	}
	for i := range len(host) {
		if !isHostByte(host[i]) {
			return "character not allowed in a host"
		}
	}
	if port != "" && (port[0] != ':' || len(port) < 2 || len(port) > 6 || strings.Trim(port[1:], "0123456789") != "") {
		return "bad port"
	}
	return ""
}

func isHostByte(c byte) bool {
	return c == '-' || c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// hasDotSegment finds "." and ".." among the segments: escaped, with escaped
// separators around them, with their escapes escaped, as applications that
// decode twice would read them, and with parameters (a servlet container drops
// "..;x").
func hasDotSegment(path string) bool {
	if !strings.Contains(path, ".") && !strings.Contains(path, "%") {
		return false
	}
	path = strings.ToLower(path)
	for range 2 {
		path = pathEscapes.Replace(path)
	}
	for segment := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		segment, _, _ = strings.Cut(segment, ";")
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// pathEscapes undoes the escapes that can hide a dot segment.
var pathEscapes = strings.NewReplacer("%2e", ".", "%2f", "/", "%5c", "\\", "%25", "%")

// cutScheme splits at the first ':' when what precedes is a scheme, RFC 3986
// section 3.1.
func cutScheme(s string) (string, string, bool) {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && c == ':':
			return s[:i], s[i+1:], true
		default:
			return "", "", false
		}
	}
	return "", "", false
}
