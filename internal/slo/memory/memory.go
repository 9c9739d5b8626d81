package memory

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"parvis/internal/slo"
)

const (
	// patience is how long a taker may be silent.
	patience = time.Minute
	// often is how often what silent takers hold is looked for within that
	// time.
	often = 4
	// maxWaiting bounds the notices held, some 50 MB of them.
	maxWaiting = 100_000
)

// ErrFull tells that the queue holds as many notices as it may.
var ErrFull = errors.New("queue of logout requests is full")

// Options change how a [Queue] works. The zero value is right.
type Options struct {
	// Patience is how long a taker may be silent, a minute when 0.
	Patience time.Duration
	// Max is how many notices are held at most, 100 000 when 0.
	Max int
}

// Queue keeps notices in memory. Make it with [New].
type Queue struct {
	patience time.Duration
	max      int

	mu   sync.Mutex
	last int64
	// fresh were never taken; taken are by their ids.
	fresh []slo.Item
	taken map[string]held
	// looked is when those of silent takers were last looked for.
	looked time.Time
	// arrived holds a token when there may be something to take.
	arrived  chan struct{}
	outcomes []slo.Outcome
}

// held is an item that somebody took, and until when it is theirs.
type held struct {
	item  slo.Item
	until time.Time
}

var _ slo.Queue = (*Queue)(nil)

// New returns an empty queue.
func New(o Options) *Queue {
	if o.Patience <= 0 {
		o.Patience = patience
	}
	if o.Max <= 0 {
		o.Max = maxWaiting
	}
	return &Queue{patience: o.Patience, max: o.Max, taken: make(map[string]held), arrived: make(chan struct{}, 1)}
}

// Add appends notices: all, or none with [ErrFull].
func (q *Queue) Add(_ context.Context, notices []slo.Notice) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.fresh)+len(q.taken)+len(notices) > q.max {
		return ErrFull
	}
	for _, notice := range notices {
		q.last++
		q.fresh = append(q.fresh, slo.Item{ID: strconv.FormatInt(q.last, 10), Notice: notice})
	}
	q.wake()
	return nil
}

// Take implements [slo.Queue].
func (q *Queue) Take(ctx context.Context, n int, wait time.Duration) ([]slo.Item, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		if items := q.take(n); len(items) > 0 {
			return items, nil
		}
		select {
		case <-q.arrived:
		case <-timer.C:
			return q.take(n), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (q *Queue) take(n int) []slo.Item {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	var items []slo.Item
	if now.After(q.looked.Add(q.patience / often)) {
		q.looked = now
		for _, one := range q.taken {
			if len(items) < n && now.After(one.until) {
				items = append(items, one.item)
			}
		}
	}
	some := min(n-len(items), len(q.fresh))
	items = append(items, q.fresh[:some]...)
	q.fresh = slices.Delete(q.fresh, 0, some)
	for _, item := range items {
		q.taken[item.ID] = held{item, now.Add(q.patience)}
	}
	if len(q.fresh) > 0 {
		q.wake() // for another taker
	}
	return items
}

func (q *Queue) wake() {
	select {
	case q.arrived <- struct{}{}:
	default:
	}
}

// Keep implements [slo.Queue].
func (q *Queue) Keep(_ context.Context, ids []string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	until := time.Now().Add(q.patience)
	for _, id := range ids {
		if one, ok := q.taken[id]; ok {
			one.until = until
			q.taken[id] = one
		}
	}
	return nil
}

// Done implements [slo.Queue].
func (q *Queue) Done(_ context.Context, done []slo.Done) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, one := range done {
		delete(q.taken, one.ID)
		q.outcomes = append(q.outcomes, one.Outcome)
	}
	q.outcomes = slices.Delete(q.outcomes, 0, max(0, len(q.outcomes)-slo.MaxOutcomes))
	return nil
}

// Outcomes implements [slo.Queue].
func (q *Queue) Outcomes(_ context.Context, n int) ([]slo.Outcome, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	last := slices.Clone(q.outcomes[max(0, len(q.outcomes)-n):])
	slices.Reverse(last)
	return last, nil
}

// Waiting implements [slo.Queue].
func (q *Queue) Waiting(context.Context) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.fresh) + len(q.taken), nil
}
