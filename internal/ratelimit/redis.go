package ratelimit

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is a [Source] that nodes share. A debt is the time that its key has
// left to live: it melts by Redis's own clock, so nodes need not agree on the
// time, and there is no key without an end. A key is alone in its script, so
// a Cluster may keep each where it likes; the scripts of a call travel in one
// pipeline.
type Redis struct {
	client redis.UniversalClient
	prefix string
}

// chargeScript raises the debt of KEYS[1] by ARGV[1] up to ARGV[2], both in
// milliseconds.
const chargeScript = `local debt = math.max(redis.call('PTTL', KEYS[1]), 0)
return redis.call('SET', KEYS[1], '', 'PX', math.min(debt + ARGV[1], ARGV[2]))`

// NewRedis returns a Redis whose keys begin with prefix ("parvis:").
func NewRedis(client redis.UniversalClient, prefix string) *Redis {
	return &Redis{client: client, prefix: prefix + "limit:"}
}

// Debts implements [Source].
func (r *Redis) Debts(ctx context.Context, keys []string) ([]time.Duration, error) {
	answers := make([]*redis.DurationCmd, len(keys))
	_, err := r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, key := range keys {
			answers[i] = pipe.PTTL(ctx, r.prefix+key)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read debts from Redis: %w", err)
	}
	debts := make([]time.Duration, len(keys))
	for i, answer := range answers {
		// A key that is absent has a negative time to live.
		debts[i] = max(0, answer.Val())
	}
	return debts, nil
}

// Charge implements [Source].
func (r *Redis) Charge(ctx context.Context, charges []Charge) error {
	_, err := r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, c := range charges {
			pipe.Eval(ctx, chargeScript, []string{r.prefix + c.Key}, milliseconds(c.Cost), milliseconds(c.Ceiling))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("raise debts in Redis: %w", err)
	}
	return nil
}

// Clear implements [Source].
func (r *Redis) Clear(ctx context.Context, keys []string) error {
	_, err := r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, key := range keys {
			pipe.Del(ctx, r.prefix+key)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("clear debts in Redis: %w", err)
	}
	return nil
}

// milliseconds rounds up, so that a debt is never shorter than it should be.
func milliseconds(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}
