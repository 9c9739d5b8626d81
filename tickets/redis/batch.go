package redis

import (
	"context"
	"errors"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// batchSize is how many calls travel together at most. It is a quarter of
	// the 64 that often wait at once, so that Redis works on some batches while
	// the answers to others are read: larger ones would have each side wait for
	// the other, and for the disk.
	batchSize = 16
	// batchWorkers is how many batches are under way at most. Redis takes those
	// that have come at once, and writes them to the disk together. 4 batches of
	// 16 redeem a sixth more tickets than 2 of 32.
	batchWorkers = 4
	// batchQueue is how many calls wait at most. Further ones fail at once.
	batchQueue = 4096
	// noScript begins the error of a server that does not know a script.
	noScript = "NOSCRIPT"
)

// What a call that was never made fails with.
var (
	errStopped = errors.New("ticket store stopped")
	errBusy    = errors.New("too many calls wait for Redis")
)

// call is a script's call, and reply its answer.
type call struct {
	script script
	keys   []string
	args   []any
}

type reply struct {
	answer any
	err    error
}

// waiting is a call whose caller waits for done, which takes one reply, until
// limit at the latest.
type waiting struct {
	call
	ctx   context.Context //nolint:containedctx // the caller's, which the call must not outlive
	limit time.Time
	done  chan reply
}

// batcher sends the calls of many callers in one exchange. A call that nobody
// waits for before it leaves is not made; one that has left is never repeated.
type batcher struct {
	client  goredis.UniversalClient
	timeout time.Duration
	queue   chan waiting
	ctx     context.Context //nolint:containedctx // ends the workers, which have no caller
	cancel  context.CancelFunc
	workers sync.WaitGroup
}

func startBatcher(ctx context.Context, client goredis.UniversalClient, timeout time.Duration) *batcher {
	ctx, cancel := context.WithCancel(ctx)
	b := &batcher{client: client, timeout: timeout, queue: make(chan waiting, batchQueue), ctx: ctx, cancel: cancel}
	for range batchWorkers {
		b.workers.Go(b.work)
	}
	return b
}

// call queues a call and waits for its answer, as long as the caller's context
// lets it. The workers keep the timeout.
func (b *batcher) call(ctx context.Context, c call) (any, error) {
	w := waiting{call: c, ctx: ctx, limit: time.Now().Add(b.timeout), done: make(chan reply, 1)}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case b.queue <- w:
	default:
		return nil, errBusy
	}
	select {
	case r := <-w.done:
		return r.answer, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-b.ctx.Done():
		return nil, errStopped
	}
}

func (b *batcher) close() {
	b.cancel()
	b.workers.Wait()
}

func (b *batcher) work() {
	batch := make([]waiting, 0, batchSize)
	for {
		batch = batch[:0]
		select {
		case w := <-b.queue:
			batch = append(batch, w)
		case <-b.ctx.Done():
			return
		}
		b.send(b.fill(batch))
	}
}

// fill adds the calls that wait already: none is kept waiting for company.
func (b *batcher) fill(batch []waiting) []waiting {
	for len(batch) < batchSize {
		select {
		case w := <-b.queue:
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

// send makes the calls whose callers still wait, by the limit of the one that
// has waited longest.
func (b *batcher) send(batch []waiting) {
	calls := make([]call, 0, len(batch))
	asked := batch[:0]
	now := time.Now()
	limit := now.Add(b.timeout)
	for _, w := range batch {
		switch {
		case now.After(w.limit):
			w.done <- reply{err: context.DeadlineExceeded}
		case w.ctx.Err() == nil:
			calls, asked = append(calls, w.call), append(asked, w)
			if w.limit.Before(limit) {
				limit = w.limit
			}
		}
	}
	if len(calls) == 0 {
		return
	}
	ctx, cancel := context.WithDeadline(b.ctx, limit)
	defer cancel()
	for i, r := range pipeline(ctx, b.client, calls) {
		asked[i].done <- r
	}
}

// pipeline makes all calls in one exchange. Those that the server refused
// because it does not know the script (it was not run, then) are made again,
// with the script's text.
func pipeline(ctx context.Context, client goredis.UniversalClient, calls []call) []reply {
	replies := exchange(ctx, client, calls, func(pipe goredis.Pipeliner, c call) *goredis.Cmd {
		return pipe.EvalSha(ctx, c.script.sha, c.keys, c.args...)
	})
	var unknown []call
	var places []int
	for i, r := range replies {
		if goredis.HasErrorPrefix(r.err, noScript) {
			unknown, places = append(unknown, calls[i]), append(places, i)
		}
	}
	if len(unknown) == 0 {
		return replies
	}
	again := exchange(ctx, client, unknown, func(pipe goredis.Pipeliner, c call) *goredis.Cmd {
		return pipe.Eval(ctx, c.script.source, c.keys, c.args...)
	})
	for i, place := range places {
		replies[place] = again[i]
	}
	return replies
}

func exchange(ctx context.Context, client goredis.UniversalClient, calls []call, queue func(goredis.Pipeliner, call) *goredis.Cmd) []reply {
	pipe := client.Pipeline()
	commands := make([]*goredis.Cmd, len(calls))
	for i, c := range calls {
		commands[i] = queue(pipe, c)
	}
	_, _ = pipe.Exec(ctx) // Each command has its own error, the exchange's among them.
	replies := make([]reply, len(calls))
	for i, command := range commands {
		replies[i].answer, replies[i].err = command.Result()
	}
	return replies
}
