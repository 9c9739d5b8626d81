package tickets

import (
	"crypto/rand"
	"fmt"
	"io"
	"strings"
)

// TGT is the identifier of a session, and the secret that opens it:
// "TGT-", a slot tag of 2 characters, a locator of 22, and a secret of 36.
// The locator names the session for its whole life; the secret changes each
// time the person types their password.
type TGT string

// TicketID is the identifier of a ticket: its kind, "-", the slot tag of its
// session, and random characters.
type TicketID string

// Lengths of identifiers, in characters. Clients must accept service tickets
// of 32 and proxy-granting tickets of 64 (specification, sections 3.1 to 3.4).
const (
	tagLength     = 2
	locatorLength = 22
	secretLength  = 36
	tgtLength     = len("TGT-") + tagLength + locatorLength + secretLength
	ticketLength  = 32
	pgtLength     = 64
)

// alphabet keeps identifiers within [A-Za-z0-9], which every client takes.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Minter makes identifiers that nobody can guess.
type Minter struct{ random io.Reader }

// NewMinter returns a Minter that draws from random, crypto/rand when nil.
func NewMinter(random io.Reader) *Minter {
	if random == nil {
		random = rand.Reader
	}
	return &Minter{random: random}
}

// TGT mints the identifier of a new session.
func (m *Minter) TGT() (TGT, error) {
	s, err := m.draw(tagLength + locatorLength + secretLength)
	return TGT("TGT-" + s), err
}

// Rotate mints a new secret for the session of old.
func (m *Minter) Rotate(old TGT) (TGT, error) {
	if !old.Valid() {
		return "", fmt.Errorf("rotate a ticket-granting ticket: %w", ErrNotFound)
	}
	s, err := m.draw(secretLength)
	return old[:tgtLength-secretLength] + TGT(s), err
}

// Ticket mints a ticket of a session: an identifier that lives in its slot.
func (m *Minter) Ticket(kind Kind, tgt TGT) (TicketID, error) {
	if !tgt.Valid() {
		return "", fmt.Errorf("mint a ticket: %w", ErrNotFound)
	}
	length := ticketLength
	if kind == ProxyGrantingTicket {
		length = pgtLength
	}
	prefix := string(kind) + "-" + tgt.Tag()
	s, err := m.draw(length - len(prefix))
	return TicketID(prefix + s), err
}

// PGTIOU mints what stands for a proxy-granting ticket in the answer to a
// validation: "PGTIOU-" and 57 random characters, unrelated to the ticket
// (specification, sections 3.3 and 3.4).
func (m *Minter) PGTIOU() (string, error) {
	const prefix = "PGTIOU-"
	s, err := m.draw(pgtLength - len(prefix))
	return prefix + s, err
}

// draw returns n characters, each equally likely. Bytes of 248 and more are
// thrown away, since 256 is no multiple of 62.
func (m *Minter) draw(n int) (string, error) {
	const fair = 256 - 256%len(alphabet)
	out := make([]byte, 0, n)
	buf := make([]byte, n+n/8+4)
	for len(out) < n {
		if _, err := io.ReadFull(m.random, buf); err != nil {
			return "", fmt.Errorf("draw random bytes: %w", err)
		}
		for _, b := range buf {
			if int(b) < fair && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out), nil
}

// Valid reports whether id has the form of a ticket-granting ticket.
func (id TGT) Valid() bool {
	return len(id) == tgtLength && strings.HasPrefix(string(id), "TGT-") && alphanumeric(string(id[len("TGT-"):]))
}

// Tag is the slot that the session and all its tickets share. The identifier
// must be valid.
func (id TGT) Tag() string { return string(id[len("TGT-") : len("TGT-")+tagLength]) }

// Locator is the part of the identifier that outlives a change of secret,
// slot tag included. The identifier must be valid.
func (id TGT) Locator() string { return string(id[len("TGT-") : tgtLength-secretLength]) }

// Kind tells what the identifier claims to be, or "" where it has the form of
// no ticket.
func (id TicketID) Kind() Kind {
	prefix, rest, _ := strings.Cut(string(id), "-")
	kind, length := Kind(prefix), ticketLength
	switch kind {
	case ServiceTicket, ProxyTicket:
	case ProxyGrantingTicket:
		length = pgtLength
	default:
		return ""
	}
	if len(id) != length || !alphanumeric(rest) {
		return ""
	}
	return kind
}

// Tag is the slot of the session that the ticket belongs to, or "" where the
// identifier has the form of no ticket.
func (id TicketID) Tag() string {
	kind := id.Kind()
	if kind == "" {
		return ""
	}
	start := len(kind) + len("-")
	return string(id[start : start+tagLength])
}

// Hint is a short part of the identifier that logs may show: enough to follow
// a ticket, too little to use it.
func (id TicketID) Hint() string { return hint(string(id)) }

// Hint is a short part of the identifier that logs may show.
func (id TGT) Hint() string { return hint(string(id)) }

func hint(id string) string {
	const shown = 8
	if len(id) <= shown {
		return "?"
	}
	return id[:shown]
}

func alphanumeric(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric[s[i]] {
			return false
		}
	}
	return true
}

// isAlphanumeric spares the branches that the processor guesses wrong in
// random text: each use of a ticket looks at its characters several times.
var isAlphanumeric = func() [256]bool {
	var is [256]bool
	for _, c := range []byte(alphabet) {
		is[c] = true
	}
	return is
}()
