package redis_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"parvis/internal/testkit"
	"parvis/tickets"
	"parvis/tickets/redis"
)

// Who steals all that Redis holds opens no session and learns no name.
func TestDumpTellsNothing(t *testing.T) { // S23, S41
	server := testkit.Redis(t)
	store := open(t, redis.Options{URL: server.URL()})
	session := start(t, store, "o22502142")
	redeemed, pending := grant(t, store, session.ID), grant(t, store, session.ID)
	if _, _, err := store.Redeem(t.Context(), redeemed); err != nil {
		t.Fatal(err)
	}
	proxies := make(map[tickets.Kind]tickets.TicketID)
	for _, kind := range []tickets.Kind{tickets.ProxyGrantingTicket, tickets.ProxyTicket} {
		ticket := proxyTicket(t, kind, session.ID)
		if _, err := store.Grant(t.Context(), session.ID, ticket); err != nil {
			t.Fatal(err)
		}
		proxies[kind] = ticket.ID
	}
	if _, _, err := store.Lookup(t.Context(), proxies[tickets.ProxyGrantingTicket]); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.Redeem(t.Context(), proxies[tickets.ProxyTicket]); err != nil {
		t.Fatal(err)
	}
	renewed := session
	var err error
	if renewed.ID, err = tickets.NewMinter(nil).Rotate(session.ID); err != nil {
		t.Fatal(err)
	}
	if err := store.Renew(t.Context(), session.ID, renewed); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Spend(t.Context(), "token of o22502142", time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := store.SessionsOf(t.Context(), "o22502142"); err != nil {
		t.Fatal(err)
	}

	held := dump(t, store.Client())
	everyKeyExpires(t, server)
	secrets := []string{
		string(session.ID), string(renewed.ID), session.ID.Locator(), session.ID.Locator()[2:], string(renewed.ID[28:]),
		string(redeemed), string(pending), string(pending)[5:], string(proxies[tickets.ProxyTicket])[5:],
		string(proxies[tickets.ProxyGrantingTicket]), string(proxies[tickets.ProxyGrantingTicket])[6:], "portail", "imap",
		"o22502142", "Jean-Pierre", "Martin", "etu.univ.example", "cours.univ.example", "https://", "192.0.2.117", "Netscape", "student", "token",
	}
	for _, secret := range secrets {
		if at := bytes.Index(held, []byte(secret)); at >= 0 {
			t.Errorf("Redis holds %q", secret)
		}
	}
}

// A session that is closed leaves nothing but its entry in the index of its
// person's sessions.
func TestCloseLeavesNoTicket(t *testing.T) { // S5, P13
	server := testkit.Redis(t)
	store := open(t, redis.Options{URL: server.URL()})
	session := start(t, store, "roux-p")
	grant(t, store, session.ID)
	for _, kind := range []tickets.Kind{tickets.ProxyGrantingTicket, tickets.ProxyTicket} {
		if _, err := store.Grant(t.Context(), session.ID, proxyTicket(t, kind, session.ID)); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(dumpKeys(t, store.Client())); got != 8 {
		t.Errorf("%d keys with a session, its person, its lists and 3 tickets, want 8", got)
	}
	if _, _, err := store.Close(t.Context(), session.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Farewell(t.Context(), session.ID); err != nil {
		t.Fatal(err)
	}
	for key := range dumpKeys(t, store.Client()) {
		if !strings.HasSuffix(key, "}p") {
			t.Errorf("key %s is left", key)
		}
	}
}

// Every use of the session keeps both lists of visits, whichever it adds to.
func TestVisitsLiveAsLongAsTheirSession(t *testing.T) { // S41
	server := testkit.Redis(t)
	store := open(t, redis.Options{URL: server.URL()})
	client := store.Client()
	session := start(t, store, "roux-p")
	proxied := func(kind tickets.Kind) {
		t.Helper()
		if _, err := store.Grant(t.Context(), session.ID, proxyTicket(t, kind, session.ID)); err != nil {
			t.Fatal(err)
		}
	}
	grant(t, store, session.ID)
	proxied(tickets.ProxyTicket)
	for name, use := range map[string]func(){
		"service ticket": func() { grant(t, store, session.ID) },
		"proxy ticket":   func() { proxied(tickets.ProxyTicket) },
		"proxy-granting": func() { proxied(tickets.ProxyGrantingTicket) },
		"renewal": func() {
			old := session.ID
			var err error
			if session.ID, err = tickets.NewMinter(nil).Rotate(old); err != nil {
				t.Fatal(err)
			}
			if err := store.Renew(t.Context(), old, session); err != nil {
				t.Fatal(err)
			}
		},
	} {
		lists := 0
		for key := range dumpKeys(t, client) {
			if strings.Contains(key, "}v:") || strings.Contains(key, "}w:") {
				client.PExpire(t.Context(), key, time.Minute)
				lists++
			}
		}
		use()
		for key := range dumpKeys(t, client) {
			if left := client.PTTL(t.Context(), key).Val(); (strings.Contains(key, "}v:") || strings.Contains(key, "}w:")) && left < session.Idle-time.Minute {
				t.Errorf("after a %s, %s lives for %v", name, key, left)
			}
		}
		if lists != 2 {
			t.Errorf("%d lists of visits, want 2", lists)
		}
	}
}

// A ticket of several uses is stored for what is left of its life.
func TestTicketWrittenBackExpires(t *testing.T) { // S4, S41
	server := testkit.Redis(t)
	store := open(t, redis.Options{URL: server.URL()})
	session := start(t, store, "roux-p")
	ticket := proxyTicket(t, tickets.ProxyTicket, session.ID)
	if _, err := store.Grant(t.Context(), session.ID, ticket); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, _, err := store.Redeem(t.Context(), ticket.ID); err != nil {
			t.Fatal(err)
		}
		everyKeyExpires(t, server)
		for key := range dumpKeys(t, store.Client()) {
			ttl := store.Client().PTTL(t.Context(), key).Val()
			if strings.Contains(key, "}t:") && (ttl <= 0 || ttl > ticket.Lifetime) {
				t.Errorf("written back for %v, of %v", ttl, ticket.Lifetime)
			}
		}
	}
	if _, _, err := store.Redeem(t.Context(), ticket.ID); err != nil {
		t.Fatal(err)
	}
	for key := range dumpKeys(t, store.Client()) {
		if strings.Contains(key, "}t:") {
			t.Errorf("key %s is left after the last use", key)
		}
	}
}

// Who can write to Redis, but has no key, moves no record to another place.
func TestMovedRecordsAreRefused(t *testing.T) { // S41
	server := testkit.Redis(t)
	store := open(t, redis.Options{URL: server.URL()})
	client := store.Client()
	ctx := t.Context()
	victim := start(t, store, "moreau-s")
	victims := dumpKeys(t, client)
	attacker := start(t, store, "roux-p")
	ticket := grant(t, store, attacker.ID)

	var theirs, own string
	for key := range dumpKeys(t, client) {
		if strings.Contains(key, "}s:") {
			if victims[key] {
				theirs = key
			} else {
				own = key
			}
		}
	}
	sealed := client.HGet(ctx, theirs, "v").Val()
	ownSealed, ownHash := client.HGet(ctx, own, "v").Val(), client.HGet(ctx, own, "k").Val()

	client.HSet(ctx, own, "v", sealed)
	if got, err := store.Session(ctx, attacker.ID); err == nil {
		t.Errorf("a record moved to another session opens it as %s", got.UID)
	}
	if _, got, err := store.Redeem(ctx, ticket); err == nil {
		t.Errorf("a record moved to another session is redeemed as %s", got.UID)
	}
	client.HSet(ctx, own, "v", ownSealed)
	if _, err := store.Session(ctx, attacker.ID); err != nil {
		t.Errorf("read the record put back: %v", err)
	}

	// The hash beside the session is replaced by that of a known secret.
	forged := victim.ID[:len(victim.ID)-36] + attacker.ID[len(attacker.ID)-36:]
	sum := sum256(string(forged))
	client.HSet(ctx, theirs, "k", sum)
	if got, err := store.Session(ctx, forged); err == nil {
		t.Errorf("a replaced hash opens the session of %s", got.UID)
	}
	if ownHash == "" || sealed == "" {
		t.Fatal("the sessions were not found in Redis")
	}
}

// dump is every byte of every key and value.
func dump(t testing.TB, client goredis.UniversalClient) []byte {
	t.Helper()
	ctx := context.Background()
	var all bytes.Buffer
	for key := range dumpKeys(t, client) {
		kind := client.Type(ctx, key).Val()
		var value any
		switch kind {
		case "hash":
			value = client.HGetAll(ctx, key).Val()
		case "string":
			value = client.Get(ctx, key).Val()
		case "list":
			value = client.LRange(ctx, key, 0, -1).Val()
		case "zset":
			value = client.ZRangeWithScores(ctx, key, 0, -1).Val()
		default:
			t.Fatalf("key %s is a %s", key, kind)
		}
		fmt.Fprintf(&all, "%s %s %v\n", key, kind, value)
	}
	return all.Bytes()
}

func dumpKeys(t testing.TB, client goredis.UniversalClient) map[string]bool {
	t.Helper()
	keys := make(map[string]bool)
	found := client.Scan(context.Background(), 0, "*", 1000).Iterator()
	for found.Next(context.Background()) {
		keys[found.Val()] = true
	}
	if err := found.Err(); err != nil || len(keys) == 0 {
		t.Fatalf("scan: %d keys, %v", len(keys), err)
	}
	return keys
}
