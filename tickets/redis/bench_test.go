package redis_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"parvis/internal/testkit"
	"parvis/tickets"
	"parvis/tickets/redis"
)

// callers is how many requests are under way at once.
const callers = 64

// BenchmarkGETDEL is what one Redis and go-redis' pool do at best: the unit
// that the other figures are compared with.
func BenchmarkGETDEL(b *testing.B) {
	client := open(b, redis.Options{URL: fast(b).URL(), PoolSize: callers}).Client()
	keys := make([]string, b.N)
	for i := range keys {
		keys[i] = fmt.Sprintf("k:%d", i)
	}
	inBatches(b, len(keys), func(from, to int) {
		pipe := client.Pipeline()
		for _, key := range keys[from:to] {
			pipe.Set(context.Background(), key, "value", 0)
		}
		if _, err := pipe.Exec(context.Background()); err != nil {
			b.Fatal(err)
		}
	})
	parallel(b, func(i int) error { return client.GetDel(context.Background(), keys[i]).Err() })
}

func BenchmarkRedeem(b *testing.B) {
	store := open(b, redis.Options{URL: fast(b).URL(), PoolSize: callers})
	granted := make([]tickets.TicketID, b.N)
	var session tickets.Session
	for i := range granted {
		if i%tickets.MaxVisits == 0 { // The tickets of one session are bounded.
			session = start(b, store, "o22502142")
		}
		granted[i] = grant(b, store, session.ID)
	}
	parallel(b, func(i int) error {
		_, _, err := store.Redeem(context.Background(), granted[i])
		return err
	})
}

// BenchmarkRedeemUnknown redeems tickets that are not there.
func BenchmarkRedeemUnknown(b *testing.B) {
	store := open(b, redis.Options{URL: fast(b).URL(), PoolSize: callers})
	ticket := serviceTicket(b, example(b, "x").ID).ID
	parallel(b, func(int) error {
		_, _, _ = store.Redeem(context.Background(), ticket)
		return nil
	})
}

func BenchmarkGrant(b *testing.B) {
	store := open(b, redis.Options{URL: fast(b).URL(), PoolSize: callers})
	sessions := make([]tickets.TGT, 100)
	for i := range sessions {
		sessions[i] = start(b, store, fmt.Sprint(i)).ID
	}
	parallel(b, func(i int) error {
		tgt := sessions[i%len(sessions)]
		_, err := store.Grant(context.Background(), tgt, serviceTicket(b, tgt))
		return err
	})
}

func BenchmarkSession(b *testing.B) {
	store := open(b, redis.Options{URL: fast(b).URL(), PoolSize: callers})
	id := start(b, store, "o22502142").ID
	parallel(b, func(int) error {
		_, err := store.Session(context.Background(), id)
		return err
	})
}

// fast is a Redis that writes to the disk once a second, as it comes.
func fast(b *testing.B) *testkit.RedisServer {
	b.Helper()
	return testkit.Redis(b, "--appendfsync", "everysec")
}

func inBatches(b *testing.B, n int, do func(from, to int)) {
	b.Helper()
	const size = 1000
	for from := 0; from < n; from += size {
		do(from, min(from+size, n))
	}
}

// parallel makes the calls of the benchmark, each with its own number.
func parallel(b *testing.B, call func(i int) error) {
	b.Helper()
	var next atomic.Int64
	b.SetParallelism(callers / 2)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := call(int(next.Add(1)) - 1); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
