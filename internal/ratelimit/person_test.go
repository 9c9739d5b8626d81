package ratelimit_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parvis/internal/ratelimit"
)

// S20: of 200 attempts at once on two nodes, exactly as many as the limit says
// are let through.
func TestParallelAttempts(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		nodes := []*ratelimit.Limiter{limiter(t, w, ratelimit.DefaultLimits()), limiter(t, w, ratelimit.DefaultLimits())}
		for round := range 5 {
			a := from(fmt.Sprintf("192.0.2.%d", round), "o22502142")
			var passed atomic.Int64
			var wg sync.WaitGroup
			for i := range 200 {
				wg.Go(func() {
					_, retry, err := nodes[i%len(nodes)].Take(t.Context(), a)
					if err != nil {
						t.Error(err)
					} else if retry == 0 {
						passed.Add(1)
					}
				})
			}
			wg.Wait()
			if got := passed.Load(); got != 5 {
				t.Errorf("%d passwords let through, want 5", got)
			}
			// What went over the limit makes nobody wait longer.
			wantRetry(t, nodes[0], a, time.Minute)
		}
		wantRetry(t, nodes[0], from("203.0.113.1", "o22502142"), 0)
	})
}

// A crowd of right passwords leaves nothing behind.
func TestParallelSuccesses(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		l := limiter(t, w, ratelimit.DefaultLimits())
		var wg sync.WaitGroup
		for i := range 150 {
			wg.Go(func() {
				hold, retry, err := l.Take(t.Context(), from("192.0.2.1", fmt.Sprintf("user%d", i)))
				if err != nil || retry > 0 {
					t.Errorf("retry after %v, %v", retry, err)
				}
				if err := l.Forgive(t.Context(), hold); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		passed := 0
		for i := range 210 {
			passed += fail(t, l, from("192.0.2.1", fmt.Sprintf("user%d", i)), 1)
		}
		if passed < 200 {
			t.Errorf("%d failures let through after them, want 200", passed)
		}
	})
}

// S20: the names of one person share one count, and its refusal is silent: at
// the names themselves nothing shows.
func TestNamesOfOnePerson(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		l := limiter(t, w, ratelimit.DefaultLimits())
		judged := 0
		// try is a wrong password: what the caller does with what was typed.
		try := func(address, typed string) {
			hold, retry := take(t, l, from(address, typed))
			if retry > 0 {
				t.Fatalf("%s: the refusal shows", typed)
			}
			if typed != "o22502142" {
				var err error
				if hold, err = l.Also(t.Context(), hold, from(address, "o22502142")); err != nil {
					t.Fatal(err)
				}
			}
			if !hold.Refused {
				judged++
			}
		}
		for range 5 {
			for _, typed := range []string{"jpmartin", "jp@univ.example", "o22502142"} {
				try("192.0.2.1", typed)
			}
		}
		if judged != 5 {
			t.Errorf("%d passwords of one person judged, want 5", judged)
		}
		try("192.0.2.2", "o22502142")
		if judged != 6 {
			t.Error("another address is refused")
		}
		w.advance(5 * time.Minute)
		hold, _ := take(t, l, from("192.0.2.1", "jpmartin"))
		hold, err := l.Also(t.Context(), hold, from("192.0.2.1", "o22502142"))
		if err != nil || hold.Refused {
			t.Fatalf("five minutes later: %v, %v", hold.Refused, err)
		}
		if err := l.Forgive(t.Context(), hold); err != nil {
			t.Fatal(err)
		}
		judged = 0
		for range 5 {
			try("192.0.2.1", "o22502142")
		}
		if judged != 5 {
			t.Errorf("after a success %d passwords judged, want 5", judged)
		}
	})
}

// S20: whoever polls one account from one address, under all of its names, for
// six hours never closes it to its owner at another address.
func TestOneAddressNeverClosesAnAccount(t *testing.T) {
	w := memoryWorld(t)
	l := limiter(t, w, ratelimit.DefaultLimits())
	for second := range 6 * 60 * 60 {
		for _, typed := range []string{"o22502142", "jpmartin"} {
			hold, retry := take(t, l, from("192.0.2.1", typed))
			if retry == 0 && typed != "o22502142" {
				if _, err := l.Also(t.Context(), hold, from("192.0.2.1", "o22502142")); err != nil {
					t.Fatal(err)
				}
			}
		}
		if second%60 == 59 {
			succeed(t, l, from("203.0.113.1", "o22502142"))
		}
		w.advance(time.Second)
	}
}

// Hanging up spares nobody the count, and costs nobody what is theirs.
func TestCallersWhoHungUp(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		l := limiter(t, w, ratelimit.DefaultLimits())
		a := from("192.0.2.1", "o22502142")
		gone, hangUp := context.WithCancel(t.Context())
		hangUp()
		for range 5 {
			if _, err := l.Also(gone, ratelimit.Hold{}, a); err != nil {
				t.Fatal(err)
			}
		}
		if hold, _ := take(t, l, a); !hold.Refused {
			t.Error("the count of the person was spared")
		}
		other := from("192.0.2.1", "dupont-a")
		for range 20 {
			hold, _ := take(t, l, other)
			if err := l.Return(gone, hold); err != nil {
				t.Fatal(err)
			}
		}
		wantRetry(t, l, other, 0)
	})
}
