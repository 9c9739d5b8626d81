package redis_test

import (
	"strings"
	"testing"
	"time"

	"parvis/internal/testkit"
	"parvis/tickets"
	"parvis/tickets/redis"
)

// What Redis keeps of a busy session is bounded while it lives, and nothing
// once it has ended.
func TestSessionLeavesNothing(t *testing.T) { // S39, S41, P13
	server := testkit.Redis(t)
	store := open(t, redis.Options{URL: server.URL()})
	session := example(t, "o22502142")
	session.Idle, session.Max = 90*24*time.Hour, 90*24*time.Hour
	if err := store.Open(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	for kind, count := range map[tickets.Kind]int{
		tickets.ServiceTicket: tickets.MaxVisits + 100, tickets.ProxyTicket: tickets.MaxVisits + 100, tickets.ProxyGrantingTicket: 3 * tickets.MaxGranting,
	} {
		for range count {
			ticket := proxyTicket(t, kind, session.ID)
			ticket.Lifetime = session.Max
			if _, err := store.Grant(t.Context(), session.ID, ticket); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The session, its person, three lists, and the tickets.
	most := 5 + 2*tickets.MaxVisits + tickets.MaxGranting
	if got := len(dumpKeys(t, store.Client())); got != most {
		t.Errorf("%d keys with a busy session, want %d", got, most)
	}
	everyKeyExpires(t, server)

	_, visits, err := store.Close(t.Context(), session.ID)
	if err != nil || visits != 2*tickets.MaxVisits {
		t.Errorf("close: %d visits, %v, want %d", visits, err, 2*tickets.MaxVisits)
	}
	// Without a farewell one-time tickets wait for their own end, since there
	// may be many of them; no proxy-granting ticket does. The person and two
	// lists are left besides.
	if got, want := len(dumpKeys(t, store.Client())), 3+2*tickets.MaxVisits; got != want {
		t.Errorf("%d keys after the end of the session, want %d", got, want)
	}
	told, err := store.Farewell(t.Context(), session.ID)
	if err != nil || len(told) != visits {
		t.Errorf("farewell: %d visits, %v, want %d", len(told), err, visits)
	}
	for key := range dumpKeys(t, store.Client()) {
		if !strings.HasSuffix(key, "}p") {
			t.Errorf("key %s is left", key)
		}
	}
}

// A proxy-granting ticket is kept no longer than its session may live, and as
// long as that, whichever limits the session is given later.
func TestGrantingTicketsExpireWithTheirSession(t *testing.T) { // S4, S16, S41
	server := testkit.Redis(t)
	store := open(t, redis.Options{URL: server.URL()})
	session := example(t, "roux-p")
	session.Idle, session.Max = 24*time.Hour, time.Hour
	if err := store.Open(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	for _, lifetime := range []time.Duration{30 * time.Minute, 8 * time.Hour} {
		ticket := proxyTicket(t, tickets.ProxyGrantingTicket, session.ID)
		ticket.Lifetime = lifetime
		if _, err := store.Grant(t.Context(), session.ID, ticket); err != nil {
			t.Fatal(err)
		}
	}
	check := func(short, long, list time.Duration) {
		t.Helper()
		var shorter, longer, listed time.Duration
		for key := range dumpKeys(t, store.Client()) {
			ttl := store.Client().PTTL(t.Context(), key).Val()
			switch {
			case strings.Contains(key, "}g:"):
				listed = ttl
			case strings.Contains(key, "}t:") && shorter == 0:
				shorter, longer = ttl, ttl
			case strings.Contains(key, "}t:"):
				shorter, longer = min(shorter, ttl), max(longer, ttl)
			}
		}
		for _, one := range []struct {
			name      string
			got, want time.Duration
		}{{"short ticket", shorter, short}, {"long ticket", longer, long}, {"list", listed, list}} {
			if one.got > one.want || one.got < one.want-time.Minute {
				t.Errorf("the %s is kept for %v, want %v", one.name, one.got, one.want)
			}
		}
	}
	check(30*time.Minute, time.Hour, time.Hour)
	for _, next := range []struct{ limit, short, long time.Duration }{
		{4 * time.Hour, 30 * time.Minute, 4 * time.Hour},
		{12 * time.Hour, 30 * time.Minute, 8 * time.Hour},
		{10 * time.Minute, 10 * time.Minute, 10 * time.Minute},
		{24 * time.Hour, 30 * time.Minute, 8 * time.Hour},
	} {
		old := session.ID
		var err error
		if session.ID, err = tickets.NewMinter(nil).Rotate(old); err != nil {
			t.Fatal(err)
		}
		session.Max = next.limit
		if err := store.Renew(t.Context(), old, session); err != nil {
			t.Fatal(err)
		}
		check(next.short, next.long, next.limit)
	}
}
