package memory

import (
	"context"
	"time"
)

// sweepTick is the time between two shards' turns: all have had theirs in 16
// seconds.
const sweepTick = 250 * time.Millisecond

// Run takes back the memory of what has expired, one shard at a time, until
// ctx is done. Without it nothing lives longer, but memory grows.
func (s *Store) Run(ctx context.Context) {
	tick := time.NewTicker(sweepTick)
	defer tick.Stop()
	for turn := 0; ; turn = (turn + 1) % shardCount {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.shards[turn].sweep(s.clock())
			s.people[turn].sweep()
		}
	}
}

// Len counts the sessions in memory, among them those that have expired since
// the last sweep.
func (s *Store) Len() int {
	total := 0
	for i := range s.shards {
		s.shards[i].mu.Lock()
		total += len(s.shards[i].sessions)
		s.shards[i].mu.Unlock()
	}
	return total
}

func (s *shard) sweep(now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for place, entry := range s.sessions {
		if !entry.live(now) {
			entry.end()
			delete(s.sessions, place)
		}
	}
	for id, ticket := range s.tickets {
		if now >= ticket.until || !ticket.session.live(now) {
			delete(s.tickets, id)
		}
	}
	for place, left := range s.closed {
		if now >= left.until {
			delete(s.closed, place)
		}
	}
	for key, until := range s.spent {
		if now >= until {
			delete(s.spent, key)
		}
	}
}

func (c *crowd) sweep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for hash := range c.sessions {
		c.prune(hash)
	}
}
