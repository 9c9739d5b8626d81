package redis

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"parvis/internal/slo"
)

// mayClaim tells a Take to look for what others left: a few times within the
// patience.
func (q *Queue) mayClaim() bool {
	const often = 4
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if now.Sub(q.claimed) < q.patience/often {
		return false
	}
	q.claimed = now
	return true
}

// claim takes over what silent nodes hold.
func (q *Queue) claim(ctx context.Context, n int) ([]slo.Item, error) {
	const beginning = "0-0"
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	var items []slo.Item
	for start := beginning; ; {
		messages, next, err := q.client.XAutoClaim(ctx, &goredis.XAutoClaimArgs{
			Stream: q.stream, Group: group, Consumer: q.name, MinIdle: q.patience, Start: start, Count: int64(n - len(items)),
		}).Result()
		switch {
		case goredis.HasErrorPrefix(err, "NOGROUP"), errors.Is(err, goredis.Nil):
			return items, nil
		case err != nil:
			return items, fault("take over logout requests", err)
		}
		items = append(items, q.open(ctx, messages)...)
		if start = next; start == beginning || len(items) >= n {
			break
		}
	}
	// An idle stream must not end while nodes wait on it.
	q.client.PExpire(ctx, q.stream, life)
	q.forget(ctx)
	return items, nil
}

// forget removes consumers that have gone and hold nothing. A failure is made
// good the next time.
func (q *Queue) forget(ctx context.Context) {
	consumers, err := q.client.XInfoConsumers(ctx, q.stream, group).Result()
	if err != nil {
		return
	}
	for _, one := range consumers {
		if one.Name != q.name && one.Pending == 0 && one.Idle > gone {
			q.client.XGroupDelConsumer(ctx, q.stream, group, one.Name)
		}
	}
}

// Keep implements [slo.Queue].
func (q *Queue) Keep(ctx context.Context, ids []string) error {
	const doing = "keep logout requests"
	for some := range slices.Chunk(ids, chunk) {
		err := q.keep(ctx, some)
		if goredis.HasErrorPrefix(err, "NOGROUP") {
			return nil // Redis lost the stream: there is nothing to keep
		}
		if err != nil {
			return fault(doing, err)
		}
	}
	return nil
}

func (q *Queue) keep(ctx context.Context, ids []string) error {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	return q.client.XClaimJustID(ctx, &goredis.XClaimArgs{
		Stream: q.stream, Group: group, Consumer: q.name, Messages: ids,
	}).Err() //nolint:wrapcheck // Keep wraps it
}

// Done implements [slo.Queue].
func (q *Queue) Done(ctx context.Context, done []slo.Done) error {
	ids := make([]string, len(done))
	texts := make([]any, len(done))
	for i, one := range done {
		text, err := json.Marshal(one.Outcome)
		if err != nil {
			return fault("encode an outcome", err)
		}
		ids[i], texts[i] = one.ID, text
	}
	if len(done) == 0 {
		return nil
	}
	if err := q.remove(ctx, ids); err != nil {
		return fault("remove logout requests", err)
	}
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	_, err := q.client.Pipelined(ctx, func(pipe goredis.Pipeliner) error {
		pipe.LPush(ctx, q.outcomes, texts...)
		pipe.LTrim(ctx, q.outcomes, 0, slo.MaxOutcomes-1)
		pipe.PExpire(ctx, q.outcomes, outcomesLife)
		return nil
	})
	return fault("note outcomes", err)
}

// outcomesLife is how long operators can look at the last outcomes of a server
// that sends nothing any more.
const outcomesLife = 7 * 24 * time.Hour

func (q *Queue) remove(ctx context.Context, ids []string) error {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	_, err := q.client.Pipelined(ctx, func(pipe goredis.Pipeliner) error {
		pipe.XAck(ctx, q.stream, group, ids...)
		pipe.XDel(ctx, q.stream, ids...)
		return nil
	})
	return err //nolint:wrapcheck // the callers wrap it
}

// Outcomes implements [slo.Queue].
func (q *Queue) Outcomes(ctx context.Context, n int) ([]slo.Outcome, error) {
	const doing = "read the last outcomes"
	if n <= 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	texts, err := q.client.LRange(ctx, q.outcomes, 0, int64(n)-1).Result()
	if err != nil {
		return nil, fault(doing, err)
	}
	outcomes := make([]slo.Outcome, 0, len(texts))
	for _, text := range texts {
		var one slo.Outcome
		if json.Unmarshal([]byte(text), &one) == nil { // what others wrote there is no outcome
			outcomes = append(outcomes, one)
		}
	}
	return outcomes, nil
}

// Waiting implements [slo.Queue].
func (q *Queue) Waiting(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	count, err := q.client.XLen(ctx, q.stream).Result()
	return int(count), fault("count logout requests", err)
}
