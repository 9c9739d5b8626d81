package audit

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Sizes of what a line may hold, in bytes before escaping.
const (
	maxWord    = 64
	maxUser    = 256
	maxReason  = 256
	maxService = 1024
	maxHint    = 8
)

// appendLine writes an event as JSON, its empty fields left out. It is written
// directly because each validation waits for it: encoding/json took five times
// as long.
func appendLine(b []byte, at time.Time, e *Event) []byte {
	b = append(b, `{"time":"`...)
	b = at.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","action":"`...)
	b = appendClean(b, e.Action, maxWord)
	b = append(b, '"')
	b = appendField(b, "outcome", e.Outcome, maxWord)
	b = appendField(b, "user", e.User, maxUser)
	b = appendField(b, "login_hash", e.LoginHash, maxWord)
	b = appendField(b, "service", withoutQuery(e.Service), maxService)
	b = appendField(b, "ticket", hint(e.Ticket), maxHint)
	b = appendField(b, "session", hint(e.Session), maxHint)
	b = appendField(b, "client", e.Address, maxWord)
	b = appendField(b, "request", e.Request, maxWord)
	b = appendField(b, "reason", e.Reason, maxReason)
	if e.Count != 0 {
		b = append(b, `,"count":`...)
		b = strconv.AppendInt(b, int64(e.Count), 10)
	}
	return append(b, "}\n"...)
}

func appendField(b []byte, name, value string, size int) []byte {
	if value == "" {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":"`...)
	b = appendClean(b, value, size)
	return append(b, '"')
}

// appendClean writes s as [clean] makes it. Nothing is then left to escape but
// the two characters that mean something within a string.
func appendClean(b []byte, s string, size int) []byte {
	if len(s) > size || !plain(s) {
		s = clean(s, size)
	}
	for i := range len(s) {
		if c := s[i]; c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return b
}

// plain tells printable ASCII, which clean would leave as it is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// clean cuts s to size and replaces what could act on whoever reads the line
// in a terminal: control characters, the invisible ones that turn text
// around, and bytes that are no UTF-8. JSON would escape most of it, but
// readers of logs un-escape.
func clean(s string, size int) string {
	whole := len(s)
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, s[:min(size, whole)])
	if whole <= size && len(s) <= size {
		return s
	}
	// A character that was replaced is longer than the byte it was.
	end := min(size, len(s))
	for end > 0 && end < len(s) && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// withoutQuery is the part of a service's address that says where it is.
func withoutQuery(service string) string {
	if i := strings.IndexAny(service, "?#"); i >= 0 {
		return service[:i]
	}
	return service
}

// hint keeps a caller's mistake from writing a whole ticket.
func hint(s string) string {
	return s[:min(len(s), maxHint)]
}
