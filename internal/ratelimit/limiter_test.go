package ratelimit_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"parvis/internal/ratelimit"
)

// world is a source under test whose time can be moved on.
type world struct {
	source  ratelimit.Source
	advance func(time.Duration)
}

// clock is a time that stands still until it is moved on.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var worlds = map[string]func(t *testing.T) world{"memory": memoryWorld, "redis": redisWorld}

func memoryWorld(*testing.T) world {
	c := newClock()
	return world{source: ratelimit.NewMemory(c.Now), advance: c.Advance}
}

// each runs a test over every source.
func each(t *testing.T, test func(t *testing.T, w world)) {
	for name, open := range worlds {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func limiter(t *testing.T, w world, limits ratelimit.Limits) *ratelimit.Limiter {
	t.Helper()
	l, err := ratelimit.New(w.source, limits, func(purpose, value string) string { return purpose + "|" + value })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func from(address, account string) ratelimit.Attempt {
	return ratelimit.Attempt{Account: account, Address: netip.MustParseAddr(address)}
}

func known(address, account string) ratelimit.Attempt {
	a := from(address, account)
	a.Known = true
	return a
}

// fail tries n wrong passwords and tells how many were let through.
func fail(t *testing.T, l *ratelimit.Limiter, a ratelimit.Attempt, n int) int {
	t.Helper()
	passed := 0
	for range n {
		if _, retry := take(t, l, a); retry == 0 {
			passed++
		}
	}
	return passed
}

func take(t *testing.T, l *ratelimit.Limiter, a ratelimit.Attempt) (ratelimit.Hold, time.Duration) {
	t.Helper()
	hold, retry, err := l.Take(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return hold, retry
}

// succeed tries a right password.
func succeed(t *testing.T, l *ratelimit.Limiter, a ratelimit.Attempt) {
	t.Helper()
	hold, retry := take(t, l, a)
	if retry > 0 || hold.Refused {
		t.Fatalf("refused: retry after %v, %v", retry, hold.Refused)
	}
	if err := l.Forgive(t.Context(), hold); err != nil {
		t.Fatal(err)
	}
}

// retryAfter looks without leaving anything behind.
func retryAfter(t *testing.T, l *ratelimit.Limiter, a ratelimit.Attempt) time.Duration {
	t.Helper()
	hold, retry := take(t, l, a)
	if err := l.Return(t.Context(), hold); err != nil {
		t.Fatal(err)
	}
	return retry
}

// wantRetry allows for the second that a real clock may run on meanwhile.
func wantRetry(t *testing.T, l *ratelimit.Limiter, a ratelimit.Attempt, want time.Duration) {
	t.Helper()
	if got := retryAfter(t, l, a); got > want || got <= want-time.Second && want > 0 {
		t.Errorf("retry after %v, want %v", got, want)
	}
}

func TestAccountAndAddress(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		l := limiter(t, w, ratelimit.DefaultLimits())
		a := from("192.0.2.1", "o22502142")
		if got := fail(t, l, a, 20); got != 5 {
			t.Errorf("S20: %d attempts let through, want 5", got)
		}
		wantRetry(t, l, a, time.Minute)
		wantRetry(t, l, from("192.0.2.1", "dupont-a"), 0)
		wantRetry(t, l, from("192.0.2.2", "o22502142"), 0)
		w.advance(30 * time.Second)
		wantRetry(t, l, a, 30*time.Second)
		w.advance(30 * time.Second)
		if got := fail(t, l, a, 5); got != 1 {
			t.Errorf("a minute later %d attempts let through, want 1", got)
		}
		w.advance(5 * time.Minute)
		if got := fail(t, l, a, 20); got != 5 {
			t.Errorf("five minutes later %d attempts let through, want 5", got)
		}
	})
}

func TestSuccessForgives(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		l := limiter(t, w, ratelimit.DefaultLimits())
		a := from("192.0.2.1", "o22502142")
		fail(t, l, a, 4)
		succeed(t, l, a)
		if got := fail(t, l, a, 20); got != 5 {
			t.Errorf("after a success %d attempts let through, want 5", got)
		}
	})
}

// Neither a refusal nor a password that nobody judged is counted.
func TestOnlyFailuresCount(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		l := limiter(t, w, ratelimit.DefaultLimits())
		a := from("192.0.2.1", "o22502142")
		for range 100 {
			wantRetry(t, l, a, 0)
		}
		fail(t, l, a, 5)
		for range 100 {
			wantRetry(t, l, a, time.Minute)
		}
	})
}

// S20: one address that tries one password on everybody.
func TestAddressAlone(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		limits := ratelimit.DefaultLimits()
		limits.Address = ratelimit.Limit{Burst: 20, Every: 600 * time.Millisecond}
		l := limiter(t, w, limits)
		passed := 0
		for i := range 40 {
			passed += fail(t, l, from("192.0.2.1", fmt.Sprintf("user%d", i)), 1)
		}
		if passed < 20 || passed > 23 {
			t.Errorf("%d attempts let through, want 20", passed)
		}
		wantRetry(t, l, from("192.0.2.2", "user1"), 0)
		wantRetry(t, l, known("192.0.2.1", "user99"), 0)
		w.advance(time.Minute)
		wantRetry(t, l, from("192.0.2.1", "user99"), 0)
	})
}

// A whole campus may share one address.
func TestDefaultsLetACampusThrough(t *testing.T) {
	l := limiter(t, memoryWorld(t), ratelimit.DefaultLimits())
	passed := 0
	for i := range 300 {
		passed += fail(t, l, from("192.0.2.1", fmt.Sprintf("user%d", i)), 1)
	}
	if passed < 100 {
		t.Errorf("%d failures a minute let through, want 100 or more", passed)
	}
}

// S20: many addresses that try one account are slowed down, and its owner's
// own browser is not.
func TestAccountAlone(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		l := limiter(t, w, ratelimit.DefaultLimits())
		passed := 0
		for i := range 40 {
			passed += fail(t, l, from(fmt.Sprintf("198.51.100.%d", i), "o22502142"), 5)
		}
		if passed != 60 {
			t.Errorf("%d attempts let through, want 60", passed)
		}
		wantRetry(t, l, from("203.0.113.1", "o22502142"), 20*time.Second)
		wantRetry(t, l, known("203.0.113.1", "o22502142"), 0)
		wantRetry(t, l, known("198.51.100.1", "o22502142"), 0)
		w.advance(20 * time.Second)
		wantRetry(t, l, from("203.0.113.1", "o22502142"), 0)
	})
}

// A device cookie that was stolen opens no endless guessing.
func TestKnownBrowsersAreLimitedToo(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		l := limiter(t, w, ratelimit.DefaultLimits())
		passed := 0
		for i := range 10 {
			passed += fail(t, l, known(fmt.Sprintf("198.51.100.%d", i), "o22502142"), 5)
		}
		if passed != 5 {
			t.Errorf("%d attempts let through, want 5", passed)
		}
		wantRetry(t, l, from("198.51.100.1", "o22502142"), 0)
		w.advance(time.Minute)
		succeed(t, l, known("198.51.100.9", "o22502142"))
		if got := fail(t, l, known("198.51.100.1", "o22502142"), 20); got != 5 {
			t.Errorf("after a success %d attempts let through, want 5", got)
		}
	})
}

func TestAddressesThatAreOne(t *testing.T) {
	tests := []struct {
		name, one, other string
		same             bool
	}{
		{"IPv6 within a /64", "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		{"IPv6 of another /64", "2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"IPv4 in IPv6", "::ffff:192.0.2.1", "192.0.2.1", true},
		{"IPv4 neighbours", "192.0.2.1", "192.0.2.2", false},
		{"zone", "fe80::1%eth0", "fe80::1", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := limiter(t, memoryWorld(t), ratelimit.DefaultLimits())
			fail(t, l, from(test.one, "o22502142"), 5)
			if got := retryAfter(t, l, from(test.other, "o22502142")) > 0; got != test.same {
				t.Errorf("limited %v, want %v", got, test.same)
			}
		})
	}
}

func TestPartsThatAreMissing(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		l := limiter(t, w, ratelimit.DefaultLimits())
		for _, a := range []ratelimit.Attempt{{}, {Address: netip.MustParseAddr("192.0.2.1")}, {Known: true}} {
			wantRetry(t, l, a, 0)
			succeed(t, l, a)
			if _, err := l.Also(t.Context(), ratelimit.Hold{}, a); err != nil {
				t.Errorf("%+v: %v", a, err)
			}
		}
		nowhere := ratelimit.Attempt{Account: "o22502142"}
		if got := fail(t, l, nowhere, 20); got != 5 {
			t.Errorf("without an address %d attempts let through, want 5", got)
		}
	})
}

// S20: a site that has many networks of IPv6 has ten times the limit of one.
func TestSites(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		limits := ratelimit.DefaultLimits()
		limits.Address = ratelimit.Limit{Burst: 4, Every: time.Hour}
		l := limiter(t, w, limits)
		passed := 0
		for i := range 100 {
			passed += fail(t, l, from(fmt.Sprintf("2001:db8:1:%x::1", i), fmt.Sprintf("user%d", i)), 1)
		}
		if passed != 40 {
			t.Errorf("%d attempts let through, want 40", passed)
		}
		wantRetry(t, l, from("2001:db8:2::1", "user1"), 0)
		wantRetry(t, l, known("2001:db8:1::1", "user99"), 0)
	})
}

// Nothing in the store names a person or an address.
func TestKeysArePseudonyms(t *testing.T) {
	spy := &spySource{}
	l, err := ratelimit.New(spy, ratelimit.DefaultLimits(), func(purpose, value string) string {
		return fmt.Sprintf("%x", len(purpose)*1000+len(value))
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []ratelimit.Attempt{from("192.0.2.1", "o22502142"), known("192.0.2.1", "o22502142")} {
		hold, _, _ := l.Take(t.Context(), a)
		_, _ = l.Also(t.Context(), hold, a)
		_ = l.Forgive(t.Context(), hold)
	}
	if len(spy.keys) == 0 {
		t.Fatal("no key was used")
	}
	for _, key := range spy.keys {
		if strings.Contains(key, "192.0.2") || strings.Contains(key, "o22502142") {
			t.Errorf("S41: key %q", key)
		}
	}
}

func TestLimitsAreValidated(t *testing.T) {
	_, err := ratelimit.New(&spySource{}, ratelimit.Limits{}, nil)
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("error %v, want three faults", err)
	}
	slow := ratelimit.DefaultLimits()
	slow.Account.Every = 31 * time.Second
	if err := slow.Validate(); err == nil || !strings.Contains(err.Error(), "half") {
		t.Errorf("an account that drains slowly: error %v", err)
	}
}

func TestMemoryForgetsWhatMelted(t *testing.T) {
	c := newClock()
	m := ratelimit.NewMemory(c.Now)
	l := limiter(t, world{source: m}, ratelimit.DefaultLimits())
	for i := range 1000 {
		fail(t, l, from("192.0.2.1", fmt.Sprintf("user%d", i)), 1)
		c.Advance(time.Second)
	}
	if got := m.Len(); got > 600 {
		t.Errorf("S39: %d debts held after 1000 s, want those of three minutes", got)
	}
}

type spySource struct{ keys []string }

func (s *spySource) Take(_ context.Context, groups [][]ratelimit.Charge) ([]time.Duration, error) {
	for _, group := range groups {
		for _, c := range group {
			s.keys = append(s.keys, c.Key)
		}
	}
	return make([]time.Duration, len(groups)), nil
}

func (s *spySource) Refund(ctx context.Context, groups [][]ratelimit.Charge) error {
	_, err := s.Take(ctx, groups)
	return err
}
