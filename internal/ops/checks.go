package ops

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Check is something that the server cannot serve without.
type Check struct {
	// Name is shown on /readyz: "directory", "tickets".
	Name string
	// Probe returns nil when it is up. Its context ends with the timeout.
	Probe func(context.Context) error
}

// checks asks all checks at once and keeps their answer for a while.
type checks struct {
	list    []Check
	timeout time.Duration
	keep    time.Duration
	now     func() time.Time
	log     *slog.Logger

	mu    sync.Mutex
	asked time.Time
	up    map[string]bool
	// down is the last answer, for those who cannot wait for a new one.
	down atomic.Bool
	// busy holds a token for each check whose probe is under way.
	busy []chan struct{}
}

func newChecks(o Options) *checks {
	c := &checks{
		list: o.Checks, timeout: o.Timeout, keep: o.Keep, now: o.Now, log: o.Logger,
		busy: make([]chan struct{}, len(o.Checks)),
	}
	for i := range c.busy {
		c.busy[i] = make(chan struct{}, 1)
	}
	return c
}

// states tells of each check whether it is up. Callers that come while the
// checks are asked wait for that answer, which takes the timeout at most.
func (c *checks) states(ctx context.Context) map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.up != nil && c.now().Sub(c.asked) < c.keep {
		return c.up
	}
	// The answer is for others too: it must not end with who asked first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
	defer cancel()
	faults := make([]error, len(c.list))
	var wg sync.WaitGroup
	for i := range c.list {
		wg.Go(func() { faults[i] = c.probe(ctx, i) })
	}
	wg.Wait()
	up := make(map[string]bool, len(c.list))
	for i, check := range c.list {
		up[check.Name] = faults[i] == nil
		c.tell(ctx, check.Name, faults[i])
	}
	c.up, c.asked = up, c.now()
	c.down.Store(slices.Contains(slices.Collect(maps.Values(up)), false))
	return up
}

// errStuck is the answer of a check that has not answered the last time yet.
var errStuck = errors.New("check does not end")

// probe asks one check, and does not wait for one that ignores its context.
// Such a one is not asked again until it ends, so that they do not pile up.
func (c *checks) probe(ctx context.Context, i int) error {
	select {
	case c.busy[i] <- struct{}{}:
	default:
		return errStuck
	}
	answer := make(chan error, 1)
	go func() {
		err := c.list[i].Probe(ctx)
		<-c.busy[i] // before the answer, which may be followed by a question
		answer <- err
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return fmt.Errorf("check: %w", ctx.Err())
	}
}

// tell logs what changed since the last time.
func (c *checks) tell(ctx context.Context, name string, fault error) {
	before, known := c.up[name]
	switch {
	case fault != nil && (before || !known):
		c.log.LogAttrs(ctx, slog.LevelError, "check is down", slog.String("check", name), slog.String("error", fault.Error()))
	case fault == nil && known && !before:
		c.log.LogAttrs(ctx, slog.LevelInfo, "check is up again", slog.String("check", name))
	}
}
