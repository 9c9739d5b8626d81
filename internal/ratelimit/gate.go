package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// ErrBusy means that too many others are waiting, or that waiting took too
// long. It deserves a 503 with Retry-After.
var ErrBusy = errors.New("too many passwords are being checked")

// Gate lets a few callers through at a time. A directory that hashes
// passwords slowly answers the faster the fewer it is asked at once, and a
// queue without an end only makes everybody wait in vain.
type Gate struct {
	slots   chan struct{}
	queue   int64
	waiting atomic.Int64
	// patience is how long a caller waits.
	patience time.Duration
}

// NewGate returns a Gate of the given width, with room for queue callers that
// wait, each for no longer than patience.
func NewGate(width, queue int, patience time.Duration) *Gate {
	return &Gate{slots: make(chan struct{}, max(width, 1)), queue: int64(queue), patience: patience}
}

// Enter waits for room, in the order of arrival, and returns how to leave
// again, which the caller must do exactly once. It returns [ErrBusy], or the
// error of ctx where ctx ends first.
func (g *Gate) Enter(ctx context.Context) (func(), error) {
	if err := g.wait(ctx); err != nil {
		return nil, err
	}
	return func() { <-g.slots }, nil
}

func (g *Gate) wait(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > g.queue {
		return ErrBusy
	}
	timeout := time.NewTimer(g.patience)
	defer timeout.Stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-timeout.C:
		return ErrBusy
	case <-ctx.Done():
		return fmt.Errorf("wait for a password check: %w", context.Cause(ctx))
	}
}
