package redis

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	goredis "github.com/redis/go-redis/v9"

	"parvis/tickets"
)

// openingTime is how long, in milliseconds, an entry of the index may wait for
// its session: one that is older and has none is stale.
const openingTime = 60_000

// tagLength is the length of a slot tag, in characters.
const tagLength = 2

// list puts a session among its person's. A session that is renewed is listed
// again; its earlier entry goes at its own limit.
func (s *Store) list(ctx context.Context, p place, session tickets.Session) error {
	_, err := s.run(ctx, listScript, s.personKeys(session.UID)[:1], p.tag+p.hash, session.Max.Milliseconds())
	return err
}

// SessionsOf lists the live sessions of a person, the one whose password was
// typed longest ago first, and drops the entries of sessions that have ended.
func (s *Store) SessionsOf(ctx context.Context, uid string) ([]tickets.Session, error) {
	const doing = "list sessions of a person"
	found := make(map[place]aged)
	for _, key := range s.personKeys(uid) {
		if err := s.sessionsIn(ctx, key, uid, found); err != nil {
			return nil, fault(doing, err)
		}
	}
	var sorted []aged
	for _, one := range found {
		sorted = append(sorted, one)
	}
	slices.SortFunc(sorted, func(a, b aged) int {
		return cmp.Or(cmp.Compare(a.began, b.began), cmp.Compare(a.session.ID, b.session.ID))
	})
	var sessions []tickets.Session
	for _, one := range sorted {
		sessions = append(sessions, one.session)
	}
	return sessions, nil
}

// aged is a session and the microsecond it began at.
type aged struct {
	began   int64
	session tickets.Session
}

// sessionsIn adds the live sessions of one index to found.
func (s *Store) sessionsIn(ctx context.Context, index, uid string, found map[place]aged) error {
	answer, err := s.run(ctx, peopleScript, []string{index})
	if err != nil {
		return err
	}
	now, entries := readIndex(answer)
	var stale []any
	for some := range slices.Chunk(entries, batchSize) {
		calls := make([]call, len(some))
		for i, one := range some {
			calls[i] = call{script: peekScript, keys: []string{s.sessionKey(one.place)}, args: []any{s.offsetMillis()}}
		}
		for i, reply := range s.runAll(ctx, calls) {
			if errors.Is(reply.err, goredis.Nil) {
				if some[i].at+openingTime < now {
					stale = append(stale, some[i].text)
				}
				continue
			}
			if reply.err != nil {
				return reply.err
			}
			if one, ok := s.openAged(s.sessionKey(some[i].place), reply.answer); ok && one.session.UID == uid {
				found[some[i].place] = one
			}
		}
	}
	if len(stale) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return s.client.ZRem(ctx, index, stale...).Err()
}

func (s *Store) openAged(key string, answer any) (aged, bool) {
	parts := texts(answer, 2)
	began, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return aged{}, false
	}
	session, err := s.openSession(key, parts[1])
	return aged{began, session}, err == nil
}

func (s *Store) runAll(ctx context.Context, calls []call) []reply {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return pipeline(ctx, s.client, calls)
}

// entry is one line of an index.
type entry struct {
	text  string
	at    int64
	place place
}

// readIndex reads Redis' instant and the well-formed entries of an index.
func readIndex(answer any) (int64, []entry) {
	values, _ := answer.([]any)
	if len(values) != 2 {
		return 0, nil
	}
	now, _ := values[0].(int64)
	lines, _ := values[1].([]any)
	var entries []entry
	for _, line := range lines {
		text, _ := line.(string)
		at, rest := cutInstant(text)
		if len(rest) != tagLength+hashLength {
			continue
		}
		entries = append(entries, entry{text, at, place{rest[:tagLength], rest[tagLength:]}})
	}
	return now, entries
}
