package redis

import (
	"context"
	"errors"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// batchSize is how many calls travel together at most.
	batchSize = 64
	// batchWorkers is how many batches are under way at most. Few make the
	// batches large, which is what saves time on both sides.
	batchWorkers = 2
	// batchQueue is how many calls wait at most before callers wait to queue.
	batchQueue = 1024
)

// errStopped answers calls made to a store that was stopped.
var errStopped = errors.New("ticket store stopped")

// call is a script's call, and reply its answer.
type call struct {
	script *goredis.Script
	keys   []string
	args   []any
}

type reply struct {
	answer any
	err    error
}

// waiting is a call whose caller waits for done, which takes one reply.
type waiting struct {
	call
	ctx  context.Context
	done chan reply
}

// batcher sends the calls of many callers in one exchange. A call that nobody
// waits for before it leaves is not made; one that has left is never repeated.
type batcher struct {
	client  goredis.UniversalClient
	timeout time.Duration
	queue   chan waiting
	ctx     context.Context
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
// and the timeout let it.
func (b *batcher) call(ctx context.Context, c call) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	w := waiting{call: c, ctx: ctx, done: make(chan reply, 1)}
	select {
	case b.queue <- w:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-b.ctx.Done():
		return nil, errStopped
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

func (b *batcher) send(batch []waiting) {
	calls := make([]call, 0, len(batch))
	asked := batch[:0]
	for _, w := range batch {
		if w.ctx.Err() == nil {
			calls, asked = append(calls, w.call), append(asked, w)
		}
	}
	if len(calls) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, b.timeout)
	defer cancel()
	for i, r := range pipeline(ctx, b.client, calls) {
		asked[i].done <- r
	}
}

// pipeline makes all calls in one exchange. Those that the server refused
// because it does not know the script (it was not run, then) are made again,
// with the script's text.
func pipeline(ctx context.Context, client goredis.UniversalClient, calls []call) []reply {
	replies := make([]reply, len(calls))
	all := make([]int, len(calls))
	for i := range all {
		all[i] = i
	}
	exchange(ctx, client, calls, replies, all, (*goredis.Script).EvalSha)
	var unknown []int
	for i, r := range replies {
		if goredis.HasErrorPrefix(r.err, "NOSCRIPT") {
			unknown = append(unknown, i)
		}
	}
	if len(unknown) > 0 {
		exchange(ctx, client, calls, replies, unknown, (*goredis.Script).Eval)
	}
	return replies
}

type method func(s *goredis.Script, ctx context.Context, c goredis.Scripter, keys []string, args ...any) *goredis.Cmd

// exchange makes the calls at the given positions and writes their replies.
func exchange(ctx context.Context, client goredis.UniversalClient, calls []call, replies []reply, which []int, run method) {
	pipe := client.Pipeline()
	commands := make([]*goredis.Cmd, len(which))
	for i, at := range which {
		commands[i] = run(calls[at].script, ctx, pipe, calls[at].keys, calls[at].args...)
	}
	_, _ = pipe.Exec(ctx) // Each command has its own error, the exchange's among them.
	for i, at := range which {
		replies[at].answer, replies[at].err = commands[i].Result()
	}
}
