package redis

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"parvis/internal/slo"
)

const (
	group = "workers"
	// field is the only field of an entry.
	field = "v"
	// purpose is what notices are sealed for.
	purpose = "logout notice"

	defaultPatience = time.Minute
	defaultTimeout  = time.Second
	defaultMax      = 100_000
	// life is how long a key lives unused. Notices are given up long before.
	life = time.Hour
	// gone is how long a consumer with nothing to do is remembered.
	gone = 10 * time.Minute
	// chunk is how many entries one command names.
	chunk = 500
)

// Sealer keeps values from who can read Redis: a [tickets.Keyring].
type Sealer interface {
	Seal(purpose string, plain, bound []byte) []byte
	Open(purpose string, sealed, bound []byte) ([]byte, error)
}

// Options tell how to use Redis.
type Options struct {
	// Client is the connection, which the queue does not close. It must not
	// replay calls by itself.
	Client goredis.UniversalClient
	// Sealer seals notices. Required.
	Sealer Sealer
	// Prefix begins every key: "parvis:".
	Prefix string
	// Timeout bounds each call, one second when 0.
	Timeout time.Duration
	// Patience is how long a taker may be silent, a minute when 0.
	Patience time.Duration
	// Max is about how many notices are held, 100 000 when 0.
	Max int64
}

// Queue keeps notices in Redis. Make it with [New], one for each process.
type Queue struct {
	client                 goredis.UniversalClient
	sealer                 Sealer
	stream, outcomes, name string
	timeout, patience      time.Duration
	max                    int64

	// claimed is when Take last looked for what others left.
	mu      sync.Mutex
	claimed time.Time
}

var _ slo.Queue = (*Queue)(nil)

// New returns a queue, and leaves it to the first calls to find Redis.
func New(o Options) (*Queue, error) {
	if o.Client == nil || o.Sealer == nil {
		return nil, errors.New("open the queue of logout requests: no connection, or no keys to seal with")
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Patience <= 0 {
		o.Patience = defaultPatience
	}
	if o.Max <= 0 {
		o.Max = defaultMax
	}
	return &Queue{
		client: o.Client, sealer: o.Sealer, name: rand.Text(),
		stream: o.Prefix + "{slo}q", outcomes: o.Prefix + "{slo}o",
		timeout: o.Timeout, patience: o.Patience, max: o.Max,
	}, nil
}

// Add implements [slo.Queue].
func (q *Queue) Add(ctx context.Context, notices []slo.Notice) error {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	_, err := q.client.Pipelined(ctx, func(pipe goredis.Pipeliner) error {
		for _, notice := range notices {
			plain, err := json.Marshal(notice)
			if err != nil {
				return fmt.Errorf("encode a notice: %w", err)
			}
			sealed := q.sealer.Seal(purpose, plain, []byte(q.stream))
			pipe.XAdd(ctx, &goredis.XAddArgs{Stream: q.stream, MaxLen: q.max, Approx: true, Values: []any{field, sealed}})
		}
		pipe.PExpire(ctx, q.stream, life)
		return nil
	})
	return fault("queue logout requests", err)
}

// Take implements [slo.Queue]. What others left comes first, now and then.
func (q *Queue) Take(ctx context.Context, n int, wait time.Duration) ([]slo.Item, error) {
	if q.mayClaim() {
		// Items taken over before an error are this node's now.
		if items, err := q.claim(ctx, n); err != nil || len(items) > 0 {
			if len(items) > 0 {
				err = nil
			}
			return items, err
		}
	}
	items, err := q.read(ctx, n, wait)
	if goredis.HasErrorPrefix(err, "NOGROUP") {
		// The stream is new, or Redis lost it.
		if err := q.begin(ctx); err != nil {
			return nil, err
		}
		items, err = q.read(ctx, n, wait)
	}
	return items, fault("take logout requests", err)
}

func (q *Queue) read(ctx context.Context, n int, wait time.Duration) ([]slo.Item, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+q.timeout)
	defer cancel()
	if wait = wait.Truncate(time.Millisecond); wait <= 0 {
		wait = -1 // to Redis, 0 is for ever
	}
	streams, err := q.client.XReadGroup(ctx, &goredis.XReadGroupArgs{
		Group: group, Consumer: q.name, Streams: []string{q.stream, ">"}, Count: int64(n), Block: wait,
	}).Result()
	if errors.Is(err, goredis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // Take wraps it
	}
	var items []slo.Item
	for _, stream := range streams {
		items = append(items, q.open(ctx, stream.Messages)...)
	}
	return items, nil
}

// begin makes the consumer group, from the first entry on, and the stream with
// it.
func (q *Queue) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	pipe := q.client.Pipeline()
	made := pipe.XGroupCreateMkStream(ctx, q.stream, group, "0")
	pipe.PExpire(ctx, q.stream, life)
	_, err := pipe.Exec(ctx)
	if goredis.HasErrorPrefix(made.Err(), "BUSYGROUP") {
		return nil // another node was faster
	}
	return fault("make the group of workers", err)
}

// open reads entries. One that cannot be opened was sealed by a key taken away,
// or is forged: it is removed, or it would come back for ever.
func (q *Queue) open(ctx context.Context, messages []goredis.XMessage) []slo.Item {
	var items []slo.Item
	var bad []string
	for _, message := range messages {
		text, _ := message.Values[field].(string)
		plain, err := q.sealer.Open(purpose, []byte(text), []byte(q.stream))
		var notice slo.Notice
		if err == nil {
			err = json.Unmarshal(plain, &notice)
		}
		if err != nil {
			bad = append(bad, message.ID)
			continue
		}
		items = append(items, slo.Item{ID: message.ID, Notice: notice})
	}
	if len(bad) > 0 {
		_ = q.remove(ctx, bad) // they are tried again when they are claimed
	}
	return items
}

func fault(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
