package redis

import (
	"context"
	"slices"
	"time"

	"parvis/tickets"
)

// Open begins a session, listed among its person's before it exists.
func (s *Store) Open(ctx context.Context, opened tickets.Session) error {
	const doing = "open session"
	if !opened.ID.Valid() {
		return gone(doing, nil)
	}
	p := placeOf(opened.ID)
	if err := s.list(ctx, p, opened); err != nil {
		return fault(doing, err)
	}
	key := s.sessionKey(p)
	_, err := s.run(ctx, openScript, []string{key},
		secret(opened.ID), s.sealSession(key, opened), opened.Idle.Milliseconds(), opened.Max.Milliseconds())
	return fault(doing, err)
}

// Session reads a live session.
func (s *Store) Session(ctx context.Context, id tickets.TGT) (tickets.Session, error) {
	session, _, err := s.read(ctx, "read session", id)
	return session, err
}

// read returns a live session, and its sealed record as it is in Redis.
func (s *Store) read(ctx context.Context, doing string, id tickets.TGT) (tickets.Session, string, error) {
	if !id.Valid() {
		return tickets.Session{}, "", gone(doing, nil)
	}
	key := s.sessionKey(placeOf(id))
	answer, err := s.run(ctx, readScript, []string{key}, secret(id))
	if err != nil {
		return tickets.Session{}, "", fault(doing, err)
	}
	session, err := s.believe(doing, key, id, answer)
	sealed, _ := answer.(string)
	return session, sealed, err
}

// believe opens the sealed session that Redis answered for id. Who can write
// to Redis could have put another secret beside it: the record knows its own.
func (s *Store) believe(doing, key string, id tickets.TGT, answer any) (tickets.Session, error) {
	sealed, _ := answer.(string)
	session, err := s.openSession(key, sealed)
	if err != nil {
		return tickets.Session{}, gone(doing, err)
	}
	if !equal(session.ID, id) {
		return tickets.Session{}, gone(doing, nil)
	}
	return session, nil
}

// Renew lets a session go on under another secret: it reads the session, to
// know that it is the same person's, and replaces exactly what it read.
func (s *Store) Renew(ctx context.Context, old tickets.TGT, renewed tickets.Session) error {
	const doing = "renew session"
	if !renewed.ID.Valid() || !old.Valid() || renewed.ID.Locator() != old.Locator() {
		return gone(doing, nil)
	}
	before, sealed, err := s.read(ctx, doing, old)
	if err != nil {
		return err
	}
	if before.UID != renewed.UID {
		return gone("renew session of another person", nil)
	}
	p := placeOf(old)
	if err := s.list(ctx, p, renewed); err != nil {
		return fault(doing, err)
	}
	key := s.sessionKey(p)
	_, err = s.run(ctx, renewScript, []string{key, s.visitsKey(p), s.proxiedKey(p), s.grantingKey(p)}, secret(old), sealed,
		secret(renewed.ID), s.sealSession(key, renewed), renewed.Idle.Milliseconds(), renewed.Max.Milliseconds(), s.slot(p.tag, "t"))
	return fault(doing, err)
}

// Grant stores a ticket, slides the session's idle limit and records the visit.
func (s *Store) Grant(ctx context.Context, tgt tickets.TGT, t tickets.Ticket) (tickets.Session, error) {
	const doing = "grant ticket"
	if !t.BelongsTo(tgt) {
		return tickets.Session{}, gone(doing, nil)
	}
	p := placeOf(tgt)
	key, ticket, visits, others := s.sessionKey(p), s.ticketKey(t.ID), s.visitsKey(p), s.proxiedKey(p)
	name := hash(string(t.ID))
	args := append(make([]any, 0, 8), secret(tgt), t.Lifetime.Milliseconds(), p.hash, s.sealTicket(ticket, p.hash, t), name)
	if t.Kind == tickets.ProxyTicket {
		visits, others = others, visits
	}
	script, keys := grantScript, []string{key, ticket, visits, others}
	if t.Kind == tickets.ProxyGrantingTicket {
		script, keys, args = allowScript, append(keys, s.grantingKey(p)), append(args, tickets.MaxGranting)
	} else {
		args = append(args, s.sealVisit(visits, name, t), tickets.MaxVisits, mark(t))
	}
	answer, err := s.run(ctx, script, keys, args...)
	if err != nil {
		return tickets.Session{}, fault(doing, err)
	}
	return s.believe(doing, key, tgt, answer)
}

// Redeem takes a service or proxy ticket out of Redis.
func (s *Store) Redeem(ctx context.Context, id tickets.TicketID) (tickets.Ticket, tickets.Session, error) {
	const doing = "redeem ticket"
	if kind := id.Kind(); kind != tickets.ServiceTicket && kind != tickets.ProxyTicket {
		return tickets.Ticket{}, tickets.Session{}, gone(doing, nil)
	}
	return s.fetch(ctx, doing, redeemScript, id)
}

// Discard takes a service or proxy ticket out of Redis, whatever it is worth.
func (s *Store) Discard(ctx context.Context, id tickets.TicketID) error {
	if kind := id.Kind(); kind != tickets.ServiceTicket && kind != tickets.ProxyTicket {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return fault("discard ticket", s.client.Del(ctx, s.ticketKey(id)).Err())
}

// Lookup reads a proxy-granting ticket, which stays.
func (s *Store) Lookup(ctx context.Context, id tickets.TicketID) (tickets.Ticket, tickets.Session, error) {
	const doing = "look up ticket"
	if id.Kind() != tickets.ProxyGrantingTicket {
		return tickets.Ticket{}, tickets.Session{}, gone(doing, nil)
	}
	return s.fetch(ctx, doing, lookupScript, id)
}

// fetch calls a script that answers a ticket and its session.
func (s *Store) fetch(ctx context.Context, doing string, script script, id tickets.TicketID) (tickets.Ticket, tickets.Session, error) {
	key, sessions := s.ticketKey(id), s.slot(id.Tag(), "s")
	answer, err := s.batches.call(ctx, call{script: script, keys: []string{key}, args: []any{s.offsetMillis(), sessions}})
	if err != nil {
		return tickets.Ticket{}, tickets.Session{}, fault(doing, err)
	}
	parts := texts(answer, 3)
	ticket, err := s.openTicket(key, parts[0], parts[1])
	if err != nil {
		return tickets.Ticket{}, tickets.Session{}, gone(doing, err)
	}
	session, err := s.openSession(sessions+parts[0], parts[2])
	if err != nil {
		return tickets.Ticket{}, tickets.Session{}, gone(doing, err)
	}
	return ticket, session, nil
}

// Close ends a session with all its tickets.
func (s *Store) Close(ctx context.Context, tgt tickets.TGT) (tickets.Session, int, error) {
	const doing = "close session"
	if !tgt.Valid() {
		return tickets.Session{}, 0, gone(doing, nil)
	}
	p := placeOf(tgt)
	key := s.sessionKey(p)
	keys := append([]string{key, s.visitsKey(p), s.proxiedKey(p)}, s.leftKeys(p)...)
	answer, err := s.run(ctx, closeScript, append(keys, s.grantingKey(p)),
		secret(tgt), tickets.FarewellTime.Milliseconds(), s.slot(p.tag, "t"))
	if err != nil {
		return tickets.Session{}, 0, fault(doing, err)
	}
	parts, _ := answer.([]any)
	if len(parts) != 2 {
		return tickets.Session{}, 0, gone(doing, nil)
	}
	visits, _ := parts[1].(int64)
	session, err := s.believe(doing, key, tgt, parts[0])
	return session, int(visits), err
}

// Farewell gives out the visits of a closed session, once.
func (s *Store) Farewell(ctx context.Context, tgt tickets.TGT) ([]tickets.Visit, error) {
	if !tgt.Valid() {
		return nil, nil
	}
	p := placeOf(tgt)
	answer, err := s.run(ctx, farewellScript, s.leftKeys(p), s.slot(p.tag, "t"))
	if err != nil {
		return nil, fault("take the visits of a closed session", err)
	}
	return s.openVisits(answer, s.visitsKey(p), s.proxiedKey(p)), nil
}

// Visits lists the visits of a live session, the oldest first.
func (s *Store) Visits(ctx context.Context, tgt tickets.TGT) ([]tickets.Visit, error) {
	const doing = "list visits"
	if !tgt.Valid() {
		return nil, gone(doing, nil)
	}
	p := placeOf(tgt)
	visits, proxied := s.visitsKey(p), s.proxiedKey(p)
	answer, err := s.run(ctx, visitsScript, []string{s.sessionKey(p), visits, proxied}, secret(tgt))
	if err != nil {
		return nil, fault(doing, err)
	}
	return s.openVisits(answer, visits, proxied), nil
}

// Spend marks a single-use token as used for ttl.
func (s *Store) Spend(ctx context.Context, token string, ttl time.Duration) (bool, error) {
	keys := s.pseudonyms("ticket store token", token, "o")
	// Nodes that are being given other keys agree on one key at least. Whoever
	// is first at each of theirs is first; one order for all, so that of two
	// callers one gets through.
	slices.Sort(keys)
	for _, key := range keys {
		answer, err := s.run(ctx, spendScript, []string{key}, max(ttl.Milliseconds(), 1))
		if err != nil {
			return false, fault("spend token", err)
		}
		if answer != int64(1) {
			return false, nil
		}
	}
	return true, nil
}

// texts are the n strings of a script's answer, empty where it has none.
func texts(answer any, n int) []string {
	out := make([]string, n)
	values, _ := answer.([]any)
	for i := range min(n, len(values)) {
		out[i], _ = values[i].(string)
	}
	return out
}
