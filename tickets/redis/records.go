package redis

import (
	"crypto/subtle"
	"fmt"
	"strconv"
	"time"

	"parvis/tickets"
)

// What records are sealed for; see [tickets.Keyring.Seal]. Each is bound to
// the key it is stored under, and a ticket to its session as well, so that
// whoever writes to Redis can move no record to another place.
const (
	sessionPurpose = "ticket store session"
	ticketPurpose  = "ticket store ticket"
	visitPurpose   = "ticket store visit"
)

func (s *Store) sealSession(key string, v tickets.Session) []byte {
	return s.keys.Seal(sessionPurpose, tickets.AppendSession(nil, v), []byte(key))
}

func (s *Store) openSession(key, sealed string) (tickets.Session, error) {
	plain, err := s.keys.Open(sessionPurpose, []byte(sealed), []byte(key))
	if err != nil {
		return tickets.Session{}, err
	}
	return tickets.DecodeSession(string(plain))
}

func (s *Store) sealTicket(key, session string, v tickets.Ticket) []byte {
	return s.keys.Seal(ticketPurpose, tickets.AppendTicket(nil, v), []byte(key+session))
}

func (s *Store) openTicket(key, session, sealed string) (tickets.Ticket, error) {
	plain, err := s.keys.Open(ticketPurpose, []byte(sealed), []byte(key+session))
	if err != nil {
		return tickets.Ticket{}, err
	}
	return tickets.DecodeTicket(string(plain))
}

// sealVisit leaves the instant to Redis, which writes it beside the record.
func (s *Store) sealVisit(key, ticket string, t tickets.Ticket) []byte {
	record := tickets.AppendVisit(nil, t.Visit(time.Time{}))
	return s.keys.Seal(visitPurpose, record, []byte(key+ticket))
}

// mark begins the value of a ticket of several uses, which it counts.
func mark(t tickets.Ticket) string {
	const most = 999_999_999
	times := t.Times()
	if times == 1 {
		return ""
	}
	return fmt.Sprintf("*%09d", min(times, most))
}

// openVisits reads the lists of visits of a script's answer, which are stored
// under keys, the oldest first of all.
func (s *Store) openVisits(answer any, keys ...string) []tickets.Visit {
	var visits []tickets.Visit
	lists, _ := answer.([]any)
	for i, key := range keys[:min(len(keys), len(lists))] {
		entries, _ := lists[i].([]any)
		for _, entry := range entries {
			text, _ := entry.(string)
			if visit, ok := s.openVisit(key, text); ok {
				visits = append(visits, visit)
			}
		}
	}
	return tickets.OldestFirst(visits)
}

// openVisit reads an entry of a list of visits. One that cannot be read was
// sealed by a key taken away, or is forged: the other services must hear of a
// logout all the same.
func (s *Store) openVisit(key, entry string) (tickets.Visit, bool) {
	at, rest := cutInstant(entry)
	if len(rest) <= hashLength {
		return tickets.Visit{}, false
	}
	plain, err := s.keys.Open(visitPurpose, []byte(rest[hashLength:]), []byte(key+rest[:hashLength]))
	if err != nil {
		return tickets.Visit{}, false
	}
	visit, _, err := tickets.DecodeVisit(string(plain))
	visit.At = time.UnixMilli(at).UTC()
	return visit, err == nil
}

// cutInstant reads the instant that a script wrote before a value.
func cutInstant(text string) (int64, string) {
	const width = 14
	if len(text) < width {
		return 0, ""
	}
	at, err := strconv.ParseInt(text[:width], 10, 64)
	if err != nil {
		return 0, ""
	}
	return at, text[width:]
}

func equal(a, b tickets.TGT) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
