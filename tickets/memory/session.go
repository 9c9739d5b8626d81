package memory

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unique"

	"parvis/tickets"
)

// session is what a shard keeps of a session. Its size counts, a hundred
// thousand times: 96 bytes. All but next, ended and shard is guarded by the
// shard's lock.
type session struct {
	// record is the session's, without the browser's name: few browsers serve
	// many people, so that agent shares one string between them.
	record string
	agent  unique.Handle[string]
	// visits are those of service tickets; nil until there is one, as is
	// proxies: most sessions have none.
	visits  *visits
	proxies *proxies

	// Instants of Store.clock. The session lives until the first of until and
	// idleUntil; began orders a person's sessions.
	began, until, idleUntil int64
	idle                    time.Duration

	// next is another session of the same person, guarded by the crowd's lock.
	next  *session
	ended atomic.Bool
	shard uint8
}

// visits are as many as a session remembers of one kind.
type visits struct {
	// records are each led by its length, the oldest first. What is written is
	// only ever followed by more, so that a reader may go on with the slice it
	// saw after the lock is released.
	records []byte
	count   int
}

// proxies is what a session keeps of those that act for the person.
type proxies struct {
	// visits are those of proxy tickets.
	visits visits
	// granting are the proxy-granting tickets, the oldest first.
	granting []tickets.TicketID
}

// begin gives the session its content, and limits that start now.
func (e *session) begin(s tickets.Session, now int64) {
	e.agent = unique.Make(s.UserAgent)
	e.began, e.until, e.idleUntil = now, now+int64(s.Max), now+int64(s.Idle)
	e.idle = s.Idle
	s.UserAgent = ""
	e.record = string(tickets.AppendSession(nil, s))
}

// end lets go of what the session holds; whoever still points at it finds it
// dead.
func (e *session) end() {
	e.ended.Store(true)
	e.record, e.visits, e.proxies = "", nil, nil
}

func (e *session) live(now int64) bool {
	return !e.ended.Load() && now < e.until && now < e.idleUntil
}

// opensWith reports whether tgt is the session's identifier, secret included,
// in a time that tells nothing of the secret.
func (e *session) opensWith(tgt tickets.TGT) bool {
	return subtle.ConstantTimeCompare([]byte(tickets.SessionID(e.record)), []byte(tgt)) == 1
}

// remember records a ticket that is granted at an instant, and returns the one
// that this pushes out, "" where there is none.
func (e *session) remember(t tickets.Ticket, at time.Time) tickets.TicketID {
	if t.Kind == tickets.ServiceTicket {
		if e.visits == nil {
			e.visits = new(visits)
		}
		return e.visits.add(t.Visit(at))
	}
	if e.proxies == nil {
		e.proxies = new(proxies)
	}
	if t.Kind == tickets.ProxyTicket {
		return e.proxies.visits.add(t.Visit(at))
	}
	return e.proxies.grant(t.ID)
}

// grant lists a proxy-granting ticket, and returns the one beyond the limit.
func (p *proxies) grant(id tickets.TicketID) tickets.TicketID {
	var oldest tickets.TicketID
	if len(p.granting) == tickets.MaxGranting {
		oldest = p.granting[0]
		p.granting = slices.Delete(p.granting, 0, 1)
	}
	p.granting = append(p.granting, tickets.TicketID(strings.Clone(string(id))))
	return oldest
}

// visited returns the records of both kinds of visits, and counts them.
func (e *session) visited() ([2][]byte, int) {
	var records [2][]byte
	count := 0
	if e.visits != nil {
		records[0], count = e.visits.records, e.visits.count
	}
	if e.proxies != nil {
		records[1], count = e.proxies.visits.records, count+e.proxies.visits.count
	}
	return records, count
}

// add records a visit, and returns the ticket of the one that it forgets for
// that.
func (l *visits) add(v tickets.Visit) tickets.TicketID {
	var oldest tickets.Visit
	if l.count == tickets.MaxVisits {
		size, prefix := binary.Uvarint(l.records)
		end := prefix + int(size)
		// What this process wrote can be read.
		oldest, _, _ = tickets.DecodeVisit(string(l.records[prefix:end]))
		l.records = l.records[end:]
		l.count--
	}
	var typical [192]byte
	record := tickets.AppendVisit(typical[:0], v)
	if need := len(l.records) + binary.MaxVarintLen64 + len(record); need > cap(l.records) {
		// Grow by an eighth: append would double, and most sessions visit few.
		l.records = append(make([]byte, 0, need+len(l.records)/8), l.records...)
	}
	l.records = binary.AppendUvarint(l.records, uint64(len(record)))
	l.records = append(l.records, record...)
	l.count++
	return oldest.Ticket
}

func decode(record string, agent unique.Handle[string]) (tickets.Session, error) {
	s, err := tickets.DecodeSession(record)
	if err != nil {
		return tickets.Session{}, fmt.Errorf("read session: %w: %w", tickets.ErrUnavailable, err)
	}
	s.UserAgent = agent.Value()
	return s, nil
}

// decodeVisits reads the records of both kinds, the oldest visit first.
func decodeVisits(both [2][]byte) ([]tickets.Visit, error) {
	var out []tickets.Visit
	for _, records := range both {
		for len(records) > 0 {
			size, prefix := binary.Uvarint(records)
			end := prefix + int(size)
			visit, _, err := tickets.DecodeVisit(string(records[prefix:end]))
			if err != nil {
				return nil, fmt.Errorf("read visits: %w: %w", tickets.ErrUnavailable, err)
			}
			out, records = append(out, visit), records[end:]
		}
	}
	return tickets.OldestFirst(out), nil
}
