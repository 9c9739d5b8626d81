package casclient

import (
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// usedLife is how long a ticket is known: a double click comes within
	// seconds, and the server takes no ticket twice.
	usedLife = 2 * time.Minute
	// maxUsed bounds the tickets known; beyond it, the server alone refuses a
	// second use.
	maxUsed = 10_000
)

// usedTickets remembers the tickets that were brought to this process lately. A
// double click brings one twice, and the second must not be told that its
// ticket is refused. It also knows what the server ended while the session was
// still being made.
type usedTickets struct {
	now  func() time.Time
	mu   sync.Mutex
	seen map[[sha256.Size]byte]*use
}

type use struct {
	at    time.Time
	ended bool
}

func newUsedTickets(now func() time.Time) *usedTickets {
	return &usedTickets{now: now, seen: map[[sha256.Size]byte]*use{}}
}

// begin tells whether this is the ticket's first use.
func (u *usedTickets) begin(ticket string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	now, key := u.now(), sha256.Sum256([]byte(ticket))
	if known, ok := u.seen[key]; ok && now.Sub(known.at) < usedLife {
		return false
	}
	if len(u.seen) >= maxUsed {
		for key, known := range u.seen {
			if now.Sub(known.at) >= usedLife {
				delete(u.seen, key)
			}
		}
	}
	if len(u.seen) < maxUsed {
		u.seen[key] = &use{at: now}
	}
	return true
}

// forget lets the ticket be tried again.
func (u *usedTickets) forget(ticket string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.seen, sha256.Sum256([]byte(ticket)))
}

// end marks a ticket whose session the server has ended.
func (u *usedTickets) end(ticket string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if known, ok := u.seen[sha256.Sum256([]byte(ticket))]; ok {
		known.ended = true
	}
}

// ended tells whether the server has ended the ticket's session.
func (u *usedTickets) ended(ticket string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	known, ok := u.seen[sha256.Sum256([]byte(ticket))]
	return ok && known.ended
}
