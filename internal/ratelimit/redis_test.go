package ratelimit_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parvis/internal/ratelimit"
	"parvis/internal/testkit"
)

// redisWorld moves time on by taking it from what every key has left to live.
func redisWorld(t *testing.T) world {
	t.Helper()
	client := redisClient(t, testkit.Redis(t))
	return world{
		source: ratelimit.NewRedis(client, "parvis:"),
		advance: func(d time.Duration) {
			for key, left := range keysOf(t, client) {
				if left <= d {
					client.Del(t.Context(), key)
					continue
				}
				client.PExpire(t.Context(), key, left-d)
			}
		},
	}
}

func redisClient(t testing.TB, server *testkit.RedisServer) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	options.MaxRetries = -1
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// keysOf returns every key with the time it has left to live.
func keysOf(t *testing.T, client *redis.Client) map[string]time.Duration {
	t.Helper()
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	left := make(map[string]time.Duration, len(keys))
	for _, key := range keys {
		left[key] = client.PTTL(t.Context(), key).Val()
	}
	return left
}

// S41: every key has an end, a name of ours, and nothing in it.
func TestRedisKeys(t *testing.T) {
	client := redisClient(t, testkit.Redis(t))
	l := limiter(t, world{source: ratelimit.NewRedis(client, "parvis:")}, ratelimit.DefaultLimits())
	fail(t, l, from("192.0.2.1", "o22502142"), 5)
	keys := keysOf(t, client)
	if len(keys) != 5 {
		t.Errorf("%d keys, want 5", len(keys))
	}
	for key, left := range keys {
		if left <= 0 || left > 10*time.Minute || !strings.HasPrefix(key, "parvis:limit:") {
			t.Errorf("key %s has %v left", key, left)
		}
		if value := client.Get(t.Context(), key).Val(); value != "" {
			t.Errorf("key %s holds %q", key, value)
		}
	}
}

// S20: nodes on one Redis share the limits.
func TestRedisIsShared(t *testing.T) {
	server := testkit.Redis(t)
	one := limiter(t, world{source: ratelimit.NewRedis(redisClient(t, server), "parvis:")}, ratelimit.DefaultLimits())
	two := limiter(t, world{source: ratelimit.NewRedis(redisClient(t, server), "parvis:")}, ratelimit.DefaultLimits())
	a := from("192.0.2.1", "o22502142")
	if got := fail(t, one, a, 3) + fail(t, two, a, 20) + fail(t, one, a, 20); got != 5 {
		t.Errorf("%d attempts let through, want 5", got)
	}
	wantRetry(t, two, a, time.Minute)
	hold, _ := take(t, two, from("192.0.2.2", "o22502142"))
	if err := one.Forgive(t.Context(), hold); err != nil {
		t.Fatal(err)
	}
	wantRetry(t, one, a, time.Minute)
}

// Limits outlive a restart; while Redis is down, nobody is let through.
func TestRedisGoesDownAndComesBack(t *testing.T) {
	server := testkit.Redis(t)
	l := limiter(t, world{source: ratelimit.NewRedis(redisClient(t, server), "parvis:")}, ratelimit.DefaultLimits())
	a := from("192.0.2.1", "o22502142")
	fail(t, l, a, 4)
	hold, _ := take(t, l, a)
	server.Kill()
	if _, _, err := l.Take(t.Context(), a); err == nil {
		t.Error("Take answers without Redis")
	}
	if _, err := l.Also(t.Context(), hold, a); err == nil {
		t.Error("Also answers without Redis")
	}
	if err := l.Forgive(t.Context(), hold); err == nil {
		t.Error("Forgive answers without Redis")
	}
	server.Start()
	if retry := retryAfter(t, l, a); retry <= 0 || retry > time.Minute {
		t.Errorf("after a restart retry after %v, want up to a minute", retry)
	}
}

// trips counts round trips.
type trips int

func (*trips) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (n *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { *n++; return next(ctx, cmd) }
}

func (n *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { *n++; return next(ctx, cmds) }
}

func TestRedisRoundTrips(t *testing.T) {
	client := redisClient(t, testkit.Redis(t))
	l := limiter(t, world{source: ratelimit.NewRedis(client, "parvis:")}, ratelimit.DefaultLimits())
	a := from("192.0.2.1", "o22502142")
	for range 10 { // opens connections, which costs round trips of its own
		retryAfter(t, l, a)
	}
	var n trips
	client.AddHook(&n)
	fail(t, l, a, 1)
	if n != 1 {
		t.Errorf("%d round trips for a wrong password, want 1", n)
	}
	n = 0
	succeed(t, l, a)
	if n != 2 {
		t.Errorf("%d round trips for a right password, want 2", n)
	}
}

func BenchmarkRedis(b *testing.B) {
	l, err := ratelimit.New(ratelimit.NewRedis(redisClient(b, testkit.Redis(b, "--appendfsync", "no")), "parvis:"),
		ratelimit.DefaultLimits(), func(purpose, value string) string { return purpose + value })
	if err != nil {
		b.Fatal(err)
	}
	a := from("192.0.2.1", "o22502142")
	b.Run("right password", func(b *testing.B) {
		for b.Loop() {
			hold, retry, err := l.Take(b.Context(), a)
			if err != nil || retry > 0 {
				b.Fatal(retry, err)
			}
			if err := l.Forgive(b.Context(), hold); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("refused", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := l.Take(b.Context(), a); err != nil {
				b.Fatal(err)
			}
		}
	})
}
