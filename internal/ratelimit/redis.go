package ratelimit

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is a [Source] that nodes share. A debt is the time that its key has
// left to live: it melts by Redis's own clock, so nodes need not agree on the
// time, and there is no key without an end. The keys of a group are in one
// script, so a Cluster must keep them together, by what stands in braces, and
// may keep each group where it likes; the scripts of a call travel in one
// pipeline.
type Redis struct {
	client redis.UniversalClient
	prefix string
}

// The scripts read for each key its cost and, to take, its ceiling, in
// milliseconds.
const (
	takeScript = `local wait, debts = 0, {}
for i, key in ipairs(KEYS) do
  debts[i] = math.max(redis.call('PTTL', key), 0) + ARGV[2*i-1]
  wait = math.max(wait, debts[i] - ARGV[2*i])
end
if wait == 0 then
  for i, key in ipairs(KEYS) do redis.call('SET', key, '', 'PX', debts[i]) end
end
return wait`
	refundScript = `for i, key in ipairs(KEYS) do
  local left = redis.call('PTTL', key) - ARGV[i]
  if left > 0 then redis.call('PEXPIRE', key, left) else redis.call('DEL', key) end
end
return 0`
)

// NewRedis returns a Redis whose keys begin with prefix ("parvis:").
func NewRedis(client redis.UniversalClient, prefix string) *Redis {
	return &Redis{client: client, prefix: prefix + "limit:"}
}

// Take implements [Source].
func (r *Redis) Take(ctx context.Context, groups [][]Charge) ([]time.Duration, error) {
	answers, err := r.run(ctx, takeScript, groups, func(c Charge) []any {
		return []any{milliseconds(c.Cost), milliseconds(c.Ceiling)}
	})
	if err != nil {
		return nil, fmt.Errorf("raise debts in Redis: %w", err)
	}
	waits := make([]time.Duration, len(groups))
	for i, answer := range answers {
		wait, err := answer.Int64()
		if err != nil {
			return nil, fmt.Errorf("raise debts in Redis: %w", err)
		}
		waits[i] = time.Duration(wait) * time.Millisecond
	}
	return waits, nil
}

// Refund implements [Source].
func (r *Redis) Refund(ctx context.Context, groups [][]Charge) error {
	_, err := r.run(ctx, refundScript, groups, func(c Charge) []any { return []any{milliseconds(c.Cost)} })
	if err != nil {
		return fmt.Errorf("lower debts in Redis: %w", err)
	}
	return nil
}

// run sends a script for each group, with the keys of the group.
func (r *Redis) run(ctx context.Context, script string, groups [][]Charge, arguments func(Charge) []any) ([]*redis.Cmd, error) {
	answers := make([]*redis.Cmd, len(groups))
	_, err := r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, group := range groups {
			keys := make([]string, len(group))
			values := make([]any, 0, 2*len(group))
			for j, c := range group {
				keys[j] = r.prefix + c.Key
				values = append(values, arguments(c)...)
			}
			answers[i] = pipe.Eval(ctx, script, keys, values...)
		}
		return nil
	})
	return answers, err
}

// milliseconds rounds up, so that a debt is never shorter than it should be.
func milliseconds(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}
