package memory

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
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
	// visits are records, each led by its length, the oldest first. What is
	// written is only ever followed by more, so that a reader may go on with
	// the slice it saw after the lock is released.
	visits []byte

	// Instants of Store.clock. The session lives until the first of until and
	// idleUntil; began orders a person's sessions.
	began, until, idleUntil int64
	idle                    time.Duration

	// next is another session of the same person, guarded by the crowd's lock.
	next  *session
	ended atomic.Bool
	count uint16
	shard uint8
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
	e.record, e.visits = "", nil
}

func (e *session) live(now int64) bool {
	return !e.ended.Load() && now < e.until && now < e.idleUntil
}

// opensWith reports whether tgt is the session's identifier, secret included,
// in a time that tells nothing of the secret.
func (e *session) opensWith(tgt tickets.TGT) bool {
	return subtle.ConstantTimeCompare([]byte(tickets.SessionID(e.record)), []byte(tgt)) == 1
}

// visit records a visit and forgets the oldest one beyond the limit.
func (e *session) visit(v tickets.Visit) {
	if int(e.count) == tickets.MaxVisits {
		size, prefix := binary.Uvarint(e.visits)
		e.visits = e.visits[prefix+int(size):]
		e.count--
	}
	var typical [192]byte
	record := tickets.AppendVisit(typical[:0], v)
	if need := len(e.visits) + binary.MaxVarintLen64 + len(record); need > cap(e.visits) {
		// Grow by an eighth: append would double, and most sessions visit few.
		e.visits = append(make([]byte, 0, need+len(e.visits)/8), e.visits...)
	}
	e.visits = binary.AppendUvarint(e.visits, uint64(len(record)))
	e.visits = append(e.visits, record...)
	e.count++
}

func decode(record string, agent unique.Handle[string]) (tickets.Session, error) {
	s, err := tickets.DecodeSession(record)
	if err != nil {
		return tickets.Session{}, fmt.Errorf("read session: %w: %w", tickets.ErrUnavailable, err)
	}
	s.UserAgent = agent.Value()
	return s, nil
}

func decodeVisits(visits []byte) ([]tickets.Visit, error) {
	var out []tickets.Visit
	for len(visits) > 0 {
		size, prefix := binary.Uvarint(visits)
		end := prefix + int(size)
		visit, _, err := tickets.DecodeVisit(string(visits[prefix:end]))
		if err != nil {
			return nil, fmt.Errorf("read visits: %w: %w", tickets.ErrUnavailable, err)
		}
		out, visits = append(out, visit), visits[end:]
	}
	return out, nil
}
