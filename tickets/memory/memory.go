package memory

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"parvis/tickets"
)

const shardCount = 64

// Store keeps sessions and tickets in memory. Make it with [New].
type Store struct {
	now   func() time.Time
	start time.Time
	seed  maphash.Seed

	shards [shardCount]shard
	people [shardCount]crowd
}

var _ tickets.Store = (*Store)(nil)

// shard holds the sessions of some slot tags, with their tickets, and some of
// the spent tokens.
type shard struct {
	mu       sync.Mutex
	sessions map[locator]*session
	tickets  map[tickets.TicketID]pending
	spent    map[token]int64
	// closed are sessions that nobody took the visits of yet.
	closed map[locator]closed
}

// closed are the visits of a session that has ended.
type closed struct {
	visited [2][]byte
	until   int64
}

// locator is the end of [tickets.TGT.Locator], in an array that a map keeps in
// place: 95 random bits, never the same twice. Whoever finds a session by it
// still compares the whole identifier.
type locator [16]byte

// token is the start of a token's SHA-256.
type token [16]byte

// pending is a ticket that was not redeemed. It dies with its session, even
// while it still lies in the shard.
type pending struct {
	ticket  *tickets.Ticket
	session *session
	until   int64
	// left is how often it can still be redeemed.
	left int
}

// New returns an empty store that reads time from now, [time.Now] when nil.
func New(now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	s := &Store{now: now, start: now(), seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].sessions = make(map[locator]*session)
		s.shards[i].tickets = make(map[tickets.TicketID]pending)
		s.shards[i].spent = make(map[token]int64)
		s.shards[i].closed = make(map[locator]closed)
		s.people[i].sessions = make(map[uint64]*session)
	}
	return s
}

// Open begins a session.
func (s *Store) Open(_ context.Context, opened tickets.Session) error {
	if !opened.ID.Valid() {
		return fmt.Errorf("open session: %w", tickets.ErrNotFound)
	}
	place := shardOf(opened.ID.Tag())
	entry := &session{shard: place}
	entry.begin(opened, s.clock())
	shard := &s.shards[place]
	shard.mu.Lock()
	shard.sessions[locate(opened.ID)] = entry
	shard.mu.Unlock()
	s.list(opened.UID, entry)
	return nil
}

// Session reads a live session.
func (s *Store) Session(_ context.Context, id tickets.TGT) (tickets.Session, error) {
	entry, shard, err := s.lock(id)
	if err != nil {
		return tickets.Session{}, fmt.Errorf("read session: %w", err)
	}
	record, agent := entry.record, entry.agent
	shard.mu.Unlock()
	return decode(record, agent)
}

// Renew lets a session go on under another secret. The person must be the
// same: a session never changes hands.
func (s *Store) Renew(_ context.Context, old tickets.TGT, renewed tickets.Session) error {
	if !renewed.ID.Valid() || !old.Valid() || renewed.ID.Locator() != old.Locator() {
		return fmt.Errorf("renew session: %w", tickets.ErrNotFound)
	}
	entry, shard, err := s.lock(old)
	if err != nil {
		return fmt.Errorf("renew session: %w", err)
	}
	defer shard.mu.Unlock()
	if before, err := decode(entry.record, entry.agent); err != nil || before.UID != renewed.UID {
		return fmt.Errorf("renew session of another person: %w", tickets.ErrNotFound)
	}
	entry.begin(renewed, s.clock())
	return nil
}

// Grant stores a ticket, slides the session's idle limit and records the visit.
func (s *Store) Grant(_ context.Context, tgt tickets.TGT, t tickets.Ticket) (tickets.Session, error) {
	if !t.BelongsTo(tgt) {
		return tickets.Session{}, fmt.Errorf("grant ticket: %w", tickets.ErrNotFound)
	}
	kept := t
	kept.Service = strings.Clone(t.Service)
	kept.Proxies = cloneAll(t.Proxies)
	entry, shard, err := s.lock(tgt)
	if err != nil {
		return tickets.Session{}, fmt.Errorf("grant ticket: %w", err)
	}
	now := s.clock()
	entry.idleUntil = now + int64(entry.idle)
	shard.tickets[t.ID] = pending{ticket: &kept, session: entry, until: now + int64(t.Lifetime), left: t.Times()}
	delete(shard.tickets, entry.remember(t, s.now()))
	record, agent := entry.record, entry.agent
	shard.mu.Unlock()
	return decode(record, agent)
}

// Redeem takes a service or proxy ticket out of the store.
func (s *Store) Redeem(_ context.Context, id tickets.TicketID) (tickets.Ticket, tickets.Session, error) {
	kind := id.Kind()
	if kind != tickets.ServiceTicket && kind != tickets.ProxyTicket {
		return tickets.Ticket{}, tickets.Session{}, fmt.Errorf("redeem ticket: %w", tickets.ErrNotFound)
	}
	shard := &s.shards[shardOf(id.Tag())]
	shard.mu.Lock()
	found, ok := shard.tickets[id]
	delete(shard.tickets, id)
	now := s.clock()
	if !ok || now >= found.until || !found.session.live(now) {
		shard.mu.Unlock()
		return tickets.Ticket{}, tickets.Session{}, fmt.Errorf("redeem ticket: %w", tickets.ErrNotFound)
	}
	if found.left > 1 {
		found.left--
		shard.tickets[id] = found
	}
	return found.release(shard)
}

// Discard takes a service or proxy ticket out of the store, with all its uses.
func (s *Store) Discard(_ context.Context, id tickets.TicketID) error {
	if kind := id.Kind(); kind != tickets.ServiceTicket && kind != tickets.ProxyTicket {
		return nil
	}
	shard := &s.shards[shardOf(id.Tag())]
	shard.mu.Lock()
	delete(shard.tickets, id)
	shard.mu.Unlock()
	return nil
}

// Lookup reads a proxy-granting ticket, which stays.
func (s *Store) Lookup(_ context.Context, id tickets.TicketID) (tickets.Ticket, tickets.Session, error) {
	if id.Kind() != tickets.ProxyGrantingTicket {
		return tickets.Ticket{}, tickets.Session{}, fmt.Errorf("look up ticket: %w", tickets.ErrNotFound)
	}
	shard := &s.shards[shardOf(id.Tag())]
	shard.mu.Lock()
	found, ok := shard.tickets[id]
	now := s.clock()
	if !ok || now >= found.until || !found.session.live(now) {
		shard.mu.Unlock()
		return tickets.Ticket{}, tickets.Session{}, fmt.Errorf("look up ticket: %w", tickets.ErrNotFound)
	}
	return found.release(shard)
}

// release returns the ticket with its session, and unlocks their shard.
func (p pending) release(shard *shard) (tickets.Ticket, tickets.Session, error) {
	record, agent := p.session.record, p.session.agent
	shard.mu.Unlock()
	session, err := decode(record, agent)
	ticket := *p.ticket
	ticket.Proxies = slices.Clone(ticket.Proxies)
	return ticket, session, err
}

// Close ends a session with all its tickets.
func (s *Store) Close(_ context.Context, tgt tickets.TGT) (tickets.Session, int, error) {
	entry, shard, err := s.lock(tgt)
	if err != nil {
		return tickets.Session{}, 0, fmt.Errorf("close session: %w", err)
	}
	defer shard.mu.Unlock()
	session, err := decode(entry.record, entry.agent)
	place := locate(tgt)
	records, visits := entry.visited()
	if visits > 0 {
		shard.closed[place] = closed{records, s.clock() + int64(tickets.FarewellTime)}
	}
	entry.end()
	delete(shard.sessions, place)
	return session, visits, err
}

// Farewell gives out the visits of a closed session, once.
func (s *Store) Farewell(_ context.Context, tgt tickets.TGT) ([]tickets.Visit, error) {
	if !tgt.Valid() {
		return nil, nil
	}
	shard := &s.shards[shardOf(tgt.Tag())]
	shard.mu.Lock()
	left, ok := shard.closed[locate(tgt)]
	delete(shard.closed, locate(tgt))
	shard.mu.Unlock()
	if !ok || s.clock() >= left.until {
		return nil, nil
	}
	return decodeVisits(left.visited)
}

// Visits lists the visits of a live session, the oldest first.
func (s *Store) Visits(_ context.Context, tgt tickets.TGT) ([]tickets.Visit, error) {
	entry, shard, err := s.lock(tgt)
	if err != nil {
		return nil, fmt.Errorf("list visits: %w", err)
	}
	visits, _ := entry.visited()
	shard.mu.Unlock()
	return decodeVisits(visits)
}

// Spend marks a single-use token as used for ttl.
func (s *Store) Spend(_ context.Context, value string, ttl time.Duration) (bool, error) {
	sum := sha256.Sum256([]byte(value))
	key := token(sum[:len(token{})])
	shard := &s.shards[sum[len(sum)-1]%shardCount]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	now := s.clock()
	if until, spent := shard.spent[key]; spent && now < until {
		return false, nil
	}
	shard.spent[key] = now + int64(ttl)
	return true, nil
}

// Ping always succeeds: the store is this process.
func (s *Store) Ping(context.Context) error { return nil }

// lock finds the live session of tgt and locks its shard, which the caller
// unlocks. With an error nothing is locked.
func (s *Store) lock(tgt tickets.TGT) (*session, *shard, error) {
	if !tgt.Valid() {
		return nil, nil, tickets.ErrNotFound
	}
	shard := &s.shards[shardOf(tgt.Tag())]
	shard.mu.Lock()
	entry := shard.sessions[locate(tgt)]
	if entry == nil || !entry.live(s.clock()) || !entry.opensWith(tgt) {
		shard.mu.Unlock()
		return nil, nil, tickets.ErrNotFound
	}
	return entry, shard, nil
}

func shardOf(tag string) uint8 { return (tag[0]*7 + tag[1]) % shardCount }

// clock counts nanoseconds since the store was made. It goes by the monotonic
// clock where now has one, so that setting the system's clock moves no limit.
func (s *Store) clock() int64 { return int64(s.now().Sub(s.start)) }

func locate(tgt tickets.TGT) locator {
	place := tgt.Locator()
	return locator([]byte(place[len(place)-len(locator{}):]))
}

func cloneAll(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	out := make([]string, len(values))
	for i, value := range values {
		out[i] = strings.Clone(value)
	}
	return out
}
