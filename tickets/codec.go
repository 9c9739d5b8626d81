package tickets

import (
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"parvis/identity"
)

// ErrRecord tells that bytes are no record of this version.
var ErrRecord = errors.New("malformed ticket record")

// The first byte of a record: what it is, and the version of its layout.
// A change of layout takes a new byte; the old one stays readable for as long
// as a session may live.
const (
	sessionRecord = 0x11
	ticketRecord  = 0x21
	usesRecord    = 0x22 // a ticket's that begins with its number of uses
	visitRecord   = 0x31
)

// commonNames are attribute names that most sessions repeat; a record holds
// their position instead, from 1. Records outlive a process: names are only
// ever added, at the end.
var commonNames = [...]string{
	"uid", "mail", "displayName", "givenName", "sn", "cn", "eduPersonAffiliation",
	"eduPersonPrimaryAffiliation", "eduPersonPrincipalName", "memberOf",
	"supannEtuId", "supannEmpId", "supannCodeINE", "supannEntiteAffectation",
	"supannAliasLogin", "supannCivilite", "preferredLanguage", "eduPersonEntitlement",
}

// A record is a sequence of unsigned or zigzag varints and of strings, each
// led by its length in bytes. Attributes are written in the order of their
// names, so that equal values make equal records.

// AppendSession appends the record of a session to dst. Attribute names with
// no value are left out. Times keep their nanoseconds, not their zone.
func AppendSession(dst []byte, s Session) []byte {
	dst = append(dst, sessionRecord)
	dst = appendString(dst, string(s.ID))
	dst = appendString(dst, s.UID)
	dst = appendTime(dst, s.AuthTime)
	dst = appendBool(dst, s.RememberMe)
	dst = binary.AppendVarint(dst, int64(s.Idle))
	dst = binary.AppendVarint(dst, int64(s.Max))
	dst = appendString(dst, s.Address)
	dst = appendString(dst, s.UserAgent)
	return appendAttributes(dst, s.Attributes)
}

// DecodeSession reads a record made by [AppendSession]. The session's strings
// share the record's memory.
func DecodeSession(record string) (Session, error) {
	r := reader{rest: record}
	r.expect(sessionRecord)
	s := Session{
		ID:         TGT(r.text()),
		UID:        r.text(),
		AuthTime:   r.time(),
		RememberMe: r.bool(),
		Idle:       time.Duration(r.varint()),
		Max:        time.Duration(r.varint()),
		Address:    r.text(),
		UserAgent:  r.text(),
	}
	s.Attributes = r.attributes()
	if r.bad || r.rest != "" {
		return Session{}, ErrRecord
	}
	return s, nil
}

// SessionID reads no more of a session's record than its identifier, which
// shares the record's memory. It is "" where there is none.
func SessionID(record string) TGT {
	r := reader{rest: record}
	r.expect(sessionRecord)
	return TGT(r.text())
}

// AppendTicket appends the record of a ticket to dst.
func AppendTicket(dst []byte, t Ticket) []byte {
	if t.Uses > 0 {
		dst = append(dst, usesRecord)
		dst = binary.AppendUvarint(dst, uint64(t.Uses))
	} else {
		dst = append(dst, ticketRecord)
	}
	dst = appendString(dst, string(t.ID))
	dst = appendString(dst, string(t.Kind))
	dst = appendString(dst, t.Service)
	dst = binary.AppendVarint(dst, int64(t.Lifetime))
	dst = appendBool(dst, t.FromNewLogin)
	dst = binary.AppendUvarint(dst, uint64(len(t.Proxies)))
	for _, proxy := range t.Proxies {
		dst = appendString(dst, proxy)
	}
	return dst
}

// DecodeTicket reads a record made by [AppendTicket]. The ticket's strings
// share the record's memory.
func DecodeTicket(record string) (Ticket, error) {
	r := reader{rest: record}
	uses := 0
	if strings.HasPrefix(record, string(rune(usesRecord))) {
		r.expect(usesRecord)
		uses = r.uses()
	} else {
		r.expect(ticketRecord)
	}
	t := Ticket{
		Uses:         uses,
		ID:           TicketID(r.text()),
		Kind:         Kind(r.text()),
		Service:      r.text(),
		Lifetime:     time.Duration(r.varint()),
		FromNewLogin: r.bool(),
	}
	if n := r.count(); n > 0 {
		t.Proxies = make([]string, n)
		for i := range t.Proxies {
			t.Proxies[i] = r.text()
		}
	}
	if r.bad || r.rest != "" {
		return Ticket{}, ErrRecord
	}
	return t, nil
}

// AppendVisit appends the record of a visit to dst. Records of visits may
// follow one another.
func AppendVisit(dst []byte, v Visit) []byte {
	dst = append(dst, visitRecord)
	dst = appendString(dst, string(v.Ticket))
	dst = appendString(dst, v.Service)
	return appendTime(dst, v.At)
}

// DecodeVisit reads the record made by [AppendVisit] that records begins with,
// and returns what follows it. The visit's strings share its memory.
func DecodeVisit(records string) (Visit, string, error) {
	r := reader{rest: records}
	r.expect(visitRecord)
	v := Visit{Ticket: TicketID(r.text()), Service: r.text(), At: r.time()}
	if r.bad {
		return Visit{}, "", ErrRecord
	}
	return v, r.rest, nil
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// appendTime keeps seconds and nanoseconds apart: years that do not fit in
// one count of nanoseconds, such as the zero time's, must come back too.
func appendTime(dst []byte, t time.Time) []byte {
	dst = binary.AppendVarint(dst, t.Unix())
	return binary.AppendUvarint(dst, uint64(t.Nanosecond()))
}

func appendAttributes(dst []byte, attributes identity.Attributes) []byte {
	names, total := 0, 0
	for _, values := range attributes {
		if len(values) > 0 {
			names++
			total += len(values)
		}
	}
	dst = binary.AppendUvarint(dst, uint64(names))
	dst = binary.AppendUvarint(dst, uint64(total))
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		values := attributes[name]
		if len(values) == 0 {
			continue
		}
		position := slices.Index(commonNames[:], name) + 1
		dst = binary.AppendUvarint(dst, uint64(position))
		if position == 0 {
			dst = appendString(dst, name)
		}
		dst = binary.AppendUvarint(dst, uint64(len(values)))
		for _, value := range values {
			dst = appendString(dst, value)
		}
	}
	return dst
}

// reader takes a record apart. After a fault it is bad for good, and every
// further read returns a zero value.
type reader struct {
	rest string
	bad  bool
}

func (r *reader) fail() {
	r.bad = true
	r.rest = ""
}

func (r *reader) expect(first byte) {
	if r.byte() != first {
		r.fail()
	}
}

func (r *reader) byte() byte {
	if r.rest == "" {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) bool() bool {
	b := r.byte()
	if b > 1 {
		r.fail()
	}
	return b == 1
}

func (r *reader) uvarint() uint64 {
	var value uint64
	for shift := uint(0); shift < 64; shift += 7 {
		b := r.byte()
		if r.bad || shift == 63 && b > 1 {
			break
		}
		value |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return value
		}
	}
	r.fail()
	return 0
}

func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// count reads how many things follow. Each takes a byte at least, so that a
// forged count cannot claim more memory than the record's own size.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.fail()
		return 0
	}
	return int(n)
}

// uses reads how often a ticket can be redeemed.
func (r *reader) uses() int {
	n := r.uvarint()
	if n == 0 || n > math.MaxInt {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count()
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *reader) time() time.Time {
	seconds, nanoseconds := r.varint(), r.uvarint()
	if nanoseconds >= uint64(time.Second) {
		r.fail()
	}
	if r.bad {
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC()
}

// attributes reads names and values; all values share one array.
func (r *reader) attributes() identity.Attributes {
	names, total := r.count(), r.count()
	if r.bad || names == 0 && total == 0 {
		return nil
	}
	attributes := make(identity.Attributes, names)
	values := make([]string, total)
	for range names {
		name := r.name()
		n := r.count()
		if r.bad || n == 0 || n > len(values) {
			r.fail()
			return nil
		}
		for i := range n {
			values[i] = r.text()
		}
		attributes[name] = values[:n:n]
		values = values[n:]
	}
	if len(values) > 0 || len(attributes) != names {
		r.fail()
	}
	return attributes
}

func (r *reader) name() string {
	position := r.uvarint()
	switch {
	case r.bad:
		return ""
	case position == 0:
		return r.text()
	case position > uint64(len(commonNames)):
		r.fail()
		return ""
	default:
		return commonNames[position-1]
	}
}
