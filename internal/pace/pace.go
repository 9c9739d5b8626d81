package pace

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// remembered is how many durations of each class are learned from: a peak
	// of load is forgotten after as many more.
	remembered = 64
	// longest is what a refusal is delayed to at the most, however slow the
	// directory is.
	longest = 300 * time.Millisecond
	// coarse is more than a timer may be late: where the process has nothing else
	// to do, the runtime wakes at whole milliseconds after it fell asleep. Refusals
	// that wait for different times would end a millisecond apart.
	coarse = 2 * time.Millisecond
)

// Class is what the directory worked on.
type Class int

// The classes.
const (
	// Nobody is a decoy, in place of a login that nobody has.
	Nobody Class = iota
	// Somebody is the password of a person, right or wrong.
	Somebody
	classes
)

// Pace holds how long the directory took lately. Its zero value is ready; it
// is safe for concurrent use.
type Pace struct {
	mu    sync.Mutex
	rings [classes]ring
	// sleep lasts as long as it is told to, to some ten microseconds; nap when nil.
	sleep func(time.Duration)
}

// Learn remembers how long the directory took. Waits in queues are no part of
// it.
func (p *Pace) Learn(class Class, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rings[class].add(min(took, longest))
}

// Level waits until a refusal on which the directory took this long has lasted
// as long as nine in ten of the slower class. It waits no longer than the
// context lives.
func (p *Pace) Level(ctx context.Context, took time.Duration) {
	wait := p.target() - took
	if wait <= 0 {
		return
	}
	end := time.Now().Add(wait)
	if wait > coarse {
		timer := time.NewTimer(wait - coarse)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
	sleep := p.sleep
	if sleep == nil {
		sleep = nap
	}
	sleep(time.Until(end))
}

func (p *Pace) target() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var slowest time.Duration
	for i := range p.rings {
		slowest = max(slowest, p.rings[i].mostly())
	}
	return slowest
}

// ring holds the latest durations.
type ring struct {
	durations [remembered]time.Duration
	count     int
}

func (r *ring) add(d time.Duration) {
	r.durations[r.count%remembered] = d
	r.count++
}

// mostly is what nine in ten stay below.
func (r *ring) mostly() time.Duration {
	seen := r.durations // a copy
	known := seen[:min(r.count, remembered)]
	if len(known) == 0 {
		return 0
	}
	slices.Sort(known)
	return known[len(known)*9/10]
}
