package redis_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"parvis/internal/slo"
	"parvis/internal/slo/redis"
	"parvis/internal/slo/slotest"
	"parvis/internal/testkit"
	"parvis/tickets"
)

func TestContract(t *testing.T) {
	server := testkit.Redis(t, "--appendfsync", "everysec")
	prefix := 0
	slotest.Run(t, func(t *testing.T, n int) []slo.Queue {
		prefix++
		queues := make([]slo.Queue, n)
		for i := range queues {
			queues[i] = open(t, server, redis.Options{Prefix: fmt.Sprintf("parvis%d:", prefix), Patience: slotest.Patience})
		}
		return queues
	})
}

func open(t testing.TB, server *testkit.RedisServer, o redis.Options) *redis.Queue {
	t.Helper()
	if o.Client == nil {
		o.Client = connect(t, server)
	}
	if o.Sealer == nil {
		o.Sealer = keyring(t, 7)
	}
	if o.Prefix == "" {
		o.Prefix = "parvis:"
	}
	q, err := redis.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func connect(t testing.TB, server *testkit.RedisServer) goredis.UniversalClient {
	t.Helper()
	client := goredis.NewClient(&goredis.Options{
		Addr: server.Addr(), MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Second, ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func keyring(t testing.TB, step int) *tickets.Keyring {
	t.Helper()
	secret := make([]byte, tickets.KeySize)
	for i := range secret {
		secret[i] = byte(i * step)
	}
	ring, err := tickets.NewKeyring(tickets.Key{ID: fmt.Sprint(step), Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := redis.New(redis.Options{Sealer: keyring(t, 7)}); err == nil {
		t.Error("a queue without a connection")
	}
}

// S41: who steals all that Redis holds learns no name and no ticket, and no key
// lives for ever.
func TestDumpNamesNobody(t *testing.T) {
	server := testkit.Redis(t)
	q := open(t, server, redis.Options{})
	ctx := t.Context()
	must(t, q.Add(ctx, slotest.Notices(5)))
	expires(t, server)
	items, err := q.Take(ctx, 3, time.Second)
	must(t, err)
	expires(t, server)
	must(t, q.Done(ctx, []slo.Done{{ID: items[0].ID, Outcome: slo.Outcome{Service: "Moodle", Host: "moodle.univ.example", Success: true}}}))
	expires(t, server)
	client := connect(t, server)
	var held bytes.Buffer
	for _, entry := range client.XRange(ctx, "parvis:{slo}q", "-", "+").Val() {
		fmt.Fprint(&held, entry.ID, entry.Values)
	}
	fmt.Fprint(&held, client.LRange(ctx, "parvis:{slo}o", 0, -1).Val())
	if !strings.Contains(held.String(), "Moodle") || held.Len() < 4*100 {
		t.Fatalf("the dump was not read: %q", held.String())
	}
	for _, secret := range []string{"o22502142", "ST-0", "app1", "https", "00000"} {
		if strings.Contains(held.String(), secret) {
			t.Errorf("Redis holds %q", secret)
		}
	}
}

// expires wants every key to have an end.
func expires(t *testing.T, server *testkit.RedisServer) {
	t.Helper()
	client := connect(t, server)
	keys := client.Keys(t.Context(), "*").Val()
	if len(keys) == 0 {
		t.Error("no keys")
	}
	for _, key := range keys {
		if ttl := client.PTTL(t.Context(), key).Val(); ttl < time.Minute {
			t.Errorf("key %s lives for %v", key, ttl)
		}
	}
}

// S41: a group that waits for the first notice leaves no key that never ends.
func TestEmptyStreamExpires(t *testing.T) {
	server := testkit.Redis(t)
	_, err := open(t, server, redis.Options{}).Take(t.Context(), 1, 0)
	must(t, err)
	expires(t, server)
}

// S39: the queue is bounded where nobody sends.
func TestBounded(t *testing.T) {
	server := testkit.Redis(t, "--appendfsync", "everysec")
	q := open(t, server, redis.Options{Max: 200})
	for range 20 {
		must(t, q.Add(t.Context(), slotest.Notices(100)))
	}
	if n, err := q.Waiting(t.Context()); err != nil || n > 400 || n < 200 {
		t.Errorf("%d wait, %v, want about 200", n, err)
	}
}

// A value that was sealed by a key taken away, or forged, goes, and holds
// nothing up.
func TestWhatCannotBeOpened(t *testing.T) {
	server := testkit.Redis(t)
	client := connect(t, server)
	must(t, open(t, server, redis.Options{Sealer: keyring(t, 11)}).Add(t.Context(), slotest.Notices(2)))
	must(t, client.XAdd(t.Context(), &goredis.XAddArgs{Stream: "parvis:{slo}q", Values: []any{"x", "y"}}).Err())
	q := open(t, server, redis.Options{})
	must(t, q.Add(t.Context(), slotest.Notices(1)))
	items, err := q.Take(t.Context(), 10, time.Second)
	if err != nil || len(items) != 1 {
		t.Errorf("%d items, %v, want 1", len(items), err)
	}
	if n, _ := q.Waiting(t.Context()); n != 1 {
		t.Errorf("%d wait, want 1", n)
	}
}

// S41: what was acknowledged outlives a power cut, with what was taken and not
// done; a restart takes its connections, not the queue.
func TestPowerCut(t *testing.T) {
	server := testkit.Redis(t)
	q := open(t, server, redis.Options{Patience: slotest.Patience})
	ctx := t.Context()
	want := slotest.Notices(10)
	must(t, q.Add(ctx, want))
	items, err := q.Take(ctx, 4, time.Second)
	must(t, err)
	must(t, q.Done(ctx, []slo.Done{{ID: items[0].ID}}))
	server.Kill()
	if err := q.Add(ctx, want); err == nil {
		t.Error("notices were queued without Redis")
	}
	if _, err := q.Take(ctx, 4, time.Millisecond); err == nil {
		t.Error("notices were taken without Redis")
	}
	server.Start()
	got := gather(t, open(t, server, redis.Options{Patience: slotest.Patience}), 9)
	if got[items[0].Notice.Ticket] {
		t.Error("what was done came back")
	}
	for _, notice := range want[1:] {
		if !got[notice.Ticket] {
			t.Errorf("%s was lost", notice.Ticket)
		}
	}
}

// S41: what the operator's guide lets the user do is enough.
func TestRights(t *testing.T) {
	server := testkit.Redis(t)
	ctx := t.Context()
	must(t, connect(t, server).Do(ctx, "ACL", "SETUSER", "default", "reset", "on", "nopass", "~parvis:*", "resetchannels",
		"-@all", "+@read", "+@write", "+@connection").Err())
	q := open(t, server, redis.Options{Patience: time.Millisecond})
	_, err := q.Take(ctx, 1, 0)
	must(t, err)
	must(t, q.Add(ctx, slotest.Notices(2)))
	items, err := q.Take(ctx, 1, time.Second)
	must(t, err)
	time.Sleep(5 * time.Millisecond) // beyond the patience
	if claimed, err := q.Take(ctx, 1, time.Second); err != nil || len(claimed) != 1 {
		t.Errorf("%d claimed, %v", len(claimed), err)
	}
	must(t, q.Keep(ctx, []string{items[0].ID}))
	must(t, q.Done(ctx, []slo.Done{{ID: items[0].ID}}))
	_, err = q.Outcomes(ctx, 1)
	must(t, err)
	_, err = q.Waiting(ctx)
	must(t, err)
}

// A Redis that has lost everything is used again.
func TestEverythingLost(t *testing.T) {
	server := testkit.Redis(t)
	q := open(t, server, redis.Options{})
	ctx := t.Context()
	must(t, q.Add(ctx, slotest.Notices(2)))
	items, err := q.Take(ctx, 1, time.Second)
	must(t, err)
	must(t, connect(t, server).FlushAll(ctx).Err())
	must(t, q.Keep(ctx, []string{items[0].ID}))
	must(t, q.Done(ctx, []slo.Done{{ID: items[0].ID}}))
	must(t, q.Add(ctx, slotest.Notices(1)))
	gather(t, q, 1)
}

// gather takes n items and tells their tickets.
func gather(t *testing.T, q slo.Queue, n int) map[string]bool {
	t.Helper()
	got := make(map[string]bool)
	for end := time.Now().Add(10 * time.Second); len(got) < n && time.Now().Before(end); {
		items, err := q.Take(context.Background(), 100, 50*time.Millisecond)
		must(t, err)
		for _, item := range items {
			got[item.Notice.Ticket] = true
		}
	}
	if len(got) != n {
		t.Errorf("%d notices, want %d", len(got), n)
	}
	return got
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
