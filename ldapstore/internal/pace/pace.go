// Package pace makes refused logins last alike, so that a stopwatch does not tell
// a login that nobody has from a wrong password.
package pace

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	remembered = 64          // refusals to learn from
	longest    = time.Second // however slow the directory is
)

// Pace holds how long real refusals took lately. Its zero value is ready.
type Pace struct {
	mu     sync.Mutex
	ring   [remembered]time.Duration
	count  int
	target time.Duration
}

// Level ends a refused login: it waits until the login has lasted as long as
// nine in ten of the latest wrong passwords of real people did. Those it learns
// from are marked real. It waits no longer than the context lives.
func (p *Pace) Level(ctx context.Context, begun time.Time, genuine bool) {
	elapsed := time.Since(begun)
	wait := p.learn(elapsed, genuine) - elapsed
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// learn remembers a genuine duration and returns what a refusal should last.
func (p *Pace) learn(elapsed time.Duration, genuine bool) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if genuine {
		p.ring[p.count%remembered] = min(elapsed, longest)
		p.count++
		seen := slices.Clone(p.ring[:min(p.count, remembered)])
		slices.Sort(seen)
		p.target = seen[len(seen)*9/10]
	}
	return p.target
}
