package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"parvis/tickets"
)

// Defaults of [Options].
const (
	DefaultPrefix  = "parvis:"
	DefaultTimeout = time.Second
)

// Options tells where the Redis is and how to use it.
type Options struct {
	// URL is one of
	//
	//	redis://host:port/database, or unix:///path?db=database
	//	redis+sentinel://host:port/database?master_name=name&addr=host:port&addr=…
	//	redis+cluster://host:port?addr=host:port&addr=…
	//
	// with go-redis' settings as further query parameters, and rediss for redis
	// where TLS is wanted. Of Sentinels, and of a Cluster's nodes, one that
	// answers is enough. A name and password in the URL of Sentinels are theirs.
	URL string
	// Username and Password replace those of the URL where given, and are those
	// of the servers behind Sentinels.
	Username, Password string
	// TLS replaces the settings that a rediss:// URL stands for, and asks for
	// TLS under a redis:// URL too. Its ServerName is the host that is dialled,
	// by default.
	TLS *tls.Config
	// Keys seals what is stored. Required.
	Keys *tickets.Keyring
	// Prefix begins every key; [DefaultPrefix] when empty.
	Prefix string
	// Timeout bounds each call, connecting included; [DefaultTimeout] when 0.
	Timeout time.Duration
	// PoolSize is the number of connections; go-redis' default when 0.
	PoolSize int
	// Offset is added to Redis' clock: tests travel by it. Nil is none.
	Offset func() time.Duration
}

// Store keeps sessions and tickets in Redis. Make it with [Open].
type Store struct {
	client  goredis.UniversalClient
	keys    *tickets.Keyring
	prefix  string
	timeout time.Duration
	offset  func() time.Duration
	batches *batcher
}

var _ tickets.Store = (*Store)(nil)

// Open makes a store and leaves it to the first calls to connect: a Redis that
// is down at start makes calls fail with [tickets.ErrUnavailable], and is used
// as soon as it is there. Only options that can never work are an error. The
// store's goroutines end at [Store.Stop], or when ctx is done.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Keys == nil {
		return nil, errors.New("open ticket store: no keys to seal with")
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.Offset == nil {
		o.Offset = func() time.Duration { return 0 }
	}
	client, err := connect(o)
	if err != nil {
		return nil, err
	}
	return &Store{
		client: client, keys: o.Keys, prefix: o.Prefix, timeout: o.Timeout, offset: o.Offset,
		batches: startBatcher(ctx, client, o.Timeout),
	}, nil
}

// Client is the connection to Redis, for what shares it with the tickets. It
// replays nothing.
func (s *Store) Client() goredis.UniversalClient { return s.client }

// Stop ends the store's goroutines and connections. Calls under way fail with
// [tickets.ErrUnavailable].
func (s *Store) Stop() error {
	s.batches.close()
	if err := s.client.Close(); err != nil && !errors.Is(err, goredis.ErrClosed) {
		return fmt.Errorf("close the connections to Redis: %w", err)
	}
	return nil
}

// Ping tells whether Redis answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return fault("ask Redis", s.client.Ping(ctx).Err())
}

// run calls a script on the slot of its keys, with the clock's offset before
// the other arguments. A server that does not know the script has not run it,
// and is sent its text.
func (s *Store) run(ctx context.Context, script script, keys []string, args ...any) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	args = append([]any{s.offsetMillis()}, args...)
	answer, err := s.client.EvalSha(ctx, script.sha, keys, args...).Result()
	if goredis.HasErrorPrefix(err, noScript) {
		return s.client.Eval(ctx, script.source, keys, args...).Result()
	}
	return answer, err
}

func (s *Store) offsetMillis() int64 { return s.offset().Milliseconds() }

// fault is an error of the contract: Redis' nil answer means that there is no
// such thing; anything else, that nothing is known.
func fault(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, goredis.Nil):
		return fmt.Errorf("%s: %w", doing, tickets.ErrNotFound)
	default:
		return fmt.Errorf("%s: %w: %w", doing, tickets.ErrUnavailable, err)
	}
}

// gone tells that there is no such thing, and why Redis was not even asked or
// its answer not believed.
func gone(doing string, why error) error {
	if why == nil {
		return fmt.Errorf("%s: %w", doing, tickets.ErrNotFound)
	}
	return fmt.Errorf("%s: %w: %w", doing, tickets.ErrNotFound, why)
}
