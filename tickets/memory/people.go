package memory

import (
	"cmp"
	"context"
	"hash/maphash"
	"slices"
	"sync"

	"parvis/tickets"
)

// crowd lists the sessions of some people: for each hash of a login name, the
// first of a chain of sessions, the latest opened. People who share a hash
// share a chain. Sessions that have ended stay on it until it is read or swept.
type crowd struct {
	mu       sync.Mutex
	sessions map[uint64]*session
}

// SessionsOf lists the live sessions of a person, the one whose password was
// typed longest ago first.
func (s *Store) SessionsOf(_ context.Context, uid string) ([]tickets.Session, error) {
	type aged struct {
		began   int64
		session tickets.Session
	}
	var found []aged
	for _, entry := range s.chain(uid) {
		shard := &s.shards[entry.shard]
		shard.mu.Lock()
		live, began, record, agent := entry.live(s.clock()), entry.began, entry.record, entry.agent
		shard.mu.Unlock()
		if !live {
			continue
		}
		session, err := decode(record, agent)
		if err != nil {
			return nil, err
		}
		if session.UID == uid {
			found = append(found, aged{began, session})
		}
	}
	slices.Reverse(found)
	slices.SortStableFunc(found, func(a, b aged) int { return cmp.Compare(a.began, b.began) })
	var sessions []tickets.Session
	for _, one := range found {
		sessions = append(sessions, one.session)
	}
	return sessions, nil
}

// list puts a new session at the head of its person's chain.
func (s *Store) list(uid string, entry *session) {
	hash := maphash.String(s.seed, uid)
	crowd := &s.people[hash%shardCount]
	crowd.mu.Lock()
	entry.next = crowd.sessions[hash]
	crowd.sessions[hash] = entry
	crowd.mu.Unlock()
}

// chain returns the sessions that may be the person's, the latest first, and
// drops those that have ended.
func (s *Store) chain(uid string) []*session {
	hash := maphash.String(s.seed, uid)
	crowd := &s.people[hash%shardCount]
	crowd.mu.Lock()
	defer crowd.mu.Unlock()
	crowd.prune(hash)
	var chain []*session
	for entry := crowd.sessions[hash]; entry != nil; entry = entry.next {
		chain = append(chain, entry)
	}
	return chain
}

// prune takes the ended sessions off a chain.
func (c *crowd) prune(hash uint64) {
	head := c.sessions[hash]
	for at := &head; *at != nil; {
		if (*at).ended.Load() {
			*at = (*at).next
		} else {
			at = &(*at).next
		}
	}
	if head == nil {
		delete(c.sessions, hash)
	} else {
		c.sessions[hash] = head
	}
}
