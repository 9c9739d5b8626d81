package redis_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"parvis/internal/testkit"
	"parvis/tickets"
	"parvis/tickets/redis"
	"parvis/tickets/ticketstest"
)

func TestMain(m *testing.M) {
	redis.LogDriver(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

func TestContract(t *testing.T) {
	server := testkit.Redis(t)
	contract(t, server)
	everyKeyExpires(t, server)
}

// A node of a Cluster refuses a call whose keys are not all in one slot.
func TestContractOnClusterNode(t *testing.T) {
	server := testkit.Redis(t, "--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(testkit.FreePort(t)))
	client := goredis.NewClient(&goredis.Options{Addr: server.Addr()})
	defer func() { _ = client.Close() }()
	if err := client.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatalf("give the node all slots: %v", err)
	}
	within(t, 10*time.Second, "the Cluster to work", func() bool {
		return strings.Contains(client.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
	})
	contract(t, server)
}

func contract(t *testing.T, server *testkit.RedisServer) {
	runs := 0
	ticketstest.Run(t, func(t testing.TB) ticketstest.Harness {
		runs++
		offset := new(atomic.Int64)
		store := open(t, redis.Options{
			URL:    server.URL(),
			Prefix: fmt.Sprintf("test-%d:", runs),
			Offset: func() time.Duration { return time.Duration(offset.Load()) },
		})
		return ticketstest.Harness{Store: store, Travel: func(d time.Duration) { offset.Add(int64(d)) }}
	})
}

// The index of a person's sessions keeps an entry that waits for its session,
// and drops one whose session has ended, or whose limit has passed.
func TestIndexIsCleaned(t *testing.T) { // S41
	server := testkit.Redis(t)
	var offset atomic.Int64
	store := open(t, redis.Options{URL: server.URL(), Offset: func() time.Duration { return time.Duration(offset.Load()) }})
	entries := func() int {
		for key := range dumpKeys(t, store.Client()) {
			if strings.HasSuffix(key, "}p") {
				return int(store.Client().ZCard(t.Context(), key).Val())
			}
		}
		return 0
	}
	list := func(want int) {
		t.Helper()
		sessions, err := store.SessionsOf(t.Context(), "roux-p")
		if err != nil || len(sessions) != want {
			t.Errorf("%d sessions, %v, want %d", len(sessions), err, want)
		}
	}
	start(t, store, "roux-p")
	for range 100 {
		if _, _, err := store.Close(t.Context(), start(t, store, "roux-p").ID); err != nil {
			t.Fatal(err)
		}
	}
	list(1)
	if got := entries(); got != 101 {
		t.Errorf("%d entries, want 101: some session may be about to begin", got)
	}
	offset.Add(int64(2 * time.Minute))
	list(1)
	if got := entries(); got != 1 {
		t.Errorf("%d entries after two minutes, want 1", got)
	}
	offset.Add(int64(9 * time.Hour))
	start(t, store, "roux-p")
	if got := entries(); got != 1 {
		t.Errorf("%d entries after the limit, want that of the new session", got)
	}
	list(1)
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name    string
		options redis.Options
	}{
		{"no keys", redis.Options{URL: "redis://127.0.0.1/0"}},
		{"no URL", redis.Options{Keys: keyring(t, "a")}},
		{"another scheme", redis.Options{URL: "http://user:hunter2@127.0.0.1/", Keys: keyring(t, "a")}},
		{"unknown setting", redis.Options{URL: "redis://user:hunter2@127.0.0.1/?hunter2=1", Keys: keyring(t, "a")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store, err := redis.Open(t.Context(), test.options)
			if err == nil {
				t.Fatalf("opened %v", store)
			}
			if got := err.Error(); strings.Contains(got, "hunter2") {
				t.Errorf("the error tells the password: %s", got) // S18
			}
		})
	}
}

// Two nodes, whose clocks are not asked, share everything on one Redis.
func TestTwoNodesShareSessions(t *testing.T) { // S2, S14
	server := testkit.Redis(t)
	one, two := open(t, redis.Options{URL: server.URL()}), open(t, redis.Options{URL: server.URL()})
	session := start(t, one, "o22502142")
	if _, err := two.Session(t.Context(), session.ID); err != nil {
		t.Fatalf("read on the other node: %v", err)
	}
	ticket := grant(t, one, session.ID)
	answers := make(chan error, 100)
	for i := range cap(answers) {
		go func() {
			store := []*redis.Store{one, two}[i%2]
			_, _, err := store.Redeem(t.Context(), ticket)
			answers <- err
		}()
	}
	redeemed := 0
	for range cap(answers) {
		switch err := <-answers; {
		case err == nil:
			redeemed++
		case !errors.Is(err, tickets.ErrNotFound):
			t.Errorf("redeem: %v", err)
		}
	}
	if redeemed != 1 {
		t.Errorf("redeemed %d times, want once", redeemed)
	}
	if _, visits, err := two.Close(t.Context(), session.ID); err != nil || visits != 1 {
		t.Errorf("close on the other node: %d visits, %v", visits, err)
	}
	if _, err := one.Session(t.Context(), session.ID); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("read after logout on the other node: %v, want ErrNotFound", err)
	}
}

// Keys change while nodes run, one node after the other, and nobody notices.
func TestKeysChangeUnderWay(t *testing.T) { // S18
	server := testkit.Redis(t)
	node := func(ids ...string) *redis.Store {
		return open(t, redis.Options{URL: server.URL(), Keys: keyring(t, ids...)})
	}
	before, added, moved, after := node("old"), node("old", "new"), node("new", "old"), node("new")
	steps := [][2]*redis.Store{{before, added}, {added, moved}, {moved, after}}
	for i, step := range steps {
		token := fmt.Sprintf("token %d", i)
		for j, store := range []*redis.Store{step[0], step[1], step[0]} {
			first, err := store.Spend(t.Context(), token, time.Minute)
			if err != nil || first != (j == 0) {
				t.Errorf("step %d, spend %d: first %v, %v", i, j, first, err)
			}
		}
	}
	session := start(t, before, "roux-p")
	later := start(t, moved, "roux-p")
	for name, store := range map[string]*redis.Store{"new key added": added, "new key first": moved} {
		sessions, err := store.SessionsOf(t.Context(), "roux-p")
		if err != nil || len(sessions) != 2 || sessions[0].ID != session.ID || sessions[1].ID != later.ID {
			t.Errorf("%s: %d sessions, %v, want 2", name, len(sessions), err)
		}
		ticket := grant(t, store, session.ID)
		if _, _, err := before.Redeem(t.Context(), ticket); name == "new key added" && err != nil {
			t.Errorf("%s: redeem on a node with the old key: %v", name, err)
		}
	}
	if _, err := after.Session(t.Context(), session.ID); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("read what a key taken away sealed: %v, want ErrNotFound", err)
	}
}

// A key is dropped by Redis itself soon after its limit.
func TestKeysLeaveRedis(t *testing.T) { // S41
	server := testkit.Redis(t)
	store := open(t, redis.Options{URL: server.URL()})
	session := example(t, "roux-p")
	session.Idle, session.Max = 300*time.Millisecond, time.Hour
	if err := store.Open(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	grant(t, store, session.ID)
	if _, err := store.Spend(t.Context(), "token", 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	within(t, 5*time.Second, "the session, its visits and the token to go", func() bool {
		size, err := store.Client().DBSize(t.Context()).Result()
		return err == nil && size == 2 // the ticket, and the person
	})
}

// Calls name scripts that the connection loaded: none is refused.
func TestScriptsAreKnown(t *testing.T) {
	server := testkit.Redis(t)
	store := open(t, redis.Options{URL: server.URL()})
	for range 3 {
		session := start(t, store, "roux-p")
		if _, _, err := store.Redeem(t.Context(), grant(t, store, session.ID)); err != nil {
			t.Fatal(err)
		}
	}
	stats, err := store.Client().Info(t.Context(), "commandstats", "errorstats").Result()
	if err != nil || strings.Contains(stats, "NOSCRIPT") || strings.Contains(stats, "cmdstat_eval:") {
		t.Errorf("scripts were unknown to Redis (%v):\n%s", err, stats)
	}
}

// Scripts that Redis forgot are sent again.
func TestForgottenScripts(t *testing.T) {
	server := testkit.Redis(t)
	store := open(t, redis.Options{URL: server.URL()})
	session := start(t, store, "roux-p")
	first, second := grant(t, store, session.ID), grant(t, store, session.ID)
	if err := store.Client().ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	for _, id := range []tickets.TicketID{first, second} {
		if _, _, err := store.Redeem(t.Context(), id); err != nil {
			t.Errorf("redeem: %v", err)
		}
	}
	if err := store.Client().ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.SessionsOf(t.Context(), "roux-p"); err != nil {
		t.Errorf("sessions of a person: %v", err)
	}
}

func TestStoppedStoreAnswers(t *testing.T) {
	server := testkit.Redis(t)
	store := open(t, redis.Options{URL: server.URL()})
	session := start(t, store, "roux-p")
	ticket := grant(t, store, session.ID)
	if err := store.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := store.Stop(); err != nil {
		t.Errorf("stop again: %v", err)
	}
	_, _, redeem := store.Redeem(t.Context(), ticket)
	_, read := store.Session(t.Context(), session.ID)
	for name, err := range map[string]error{"redeem": redeem, "read": read, "ping": store.Ping(t.Context())} {
		if !errors.Is(err, tickets.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
		}
	}
}

func TestCallerWhoGaveUp(t *testing.T) {
	server := testkit.Redis(t)
	store := open(t, redis.Options{URL: server.URL()})
	session := start(t, store, "roux-p")
	ticket := grant(t, store, session.ID)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := store.Redeem(ctx, ticket); !errors.Is(err, tickets.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("redeem: %v, want ErrUnavailable for a cancelled context", err)
	}
	if _, err := store.Session(ctx, session.ID); !errors.Is(err, tickets.ErrUnavailable) {
		t.Errorf("read: %v, want ErrUnavailable", err)
	}
	if _, err := store.Session(t.Context(), session.ID); err != nil {
		t.Errorf("read with a live context: %v", err)
	}
}

// The server asks for a name and a password, and lets it do no more than the
// store needs.
func TestUserOfItsOwn(t *testing.T) { // S41
	server := testkit.Redis(t, "--user", "parvis", "on", ">hunter2", "~parvis:*", "+@read", "+@write", "+@scripting", "+@connection", "+time", "-@dangerous", "--user", "default", "off")
	store := open(t, redis.Options{URL: server.URL(), Username: "parvis", Password: "hunter2"})
	session := start(t, store, "roux-p")
	if _, _, err := store.Redeem(t.Context(), grant(t, store, session.ID)); err != nil {
		t.Errorf("redeem: %v", err)
	}
	if _, err := store.SessionsOf(t.Context(), "roux-p"); err != nil {
		t.Errorf("sessions of a person: %v", err)
	}
	wrong := open(t, redis.Options{URL: server.URL(), Username: "parvis", Password: "hunter3"})
	if err := wrong.Ping(t.Context()); !errors.Is(err, tickets.ErrUnavailable) || strings.Contains(err.Error(), "hunter3") {
		t.Errorf("ping with a wrong password: %v, want ErrUnavailable", err)
	}
}
