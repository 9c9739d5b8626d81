package redis_test

import (
	"context"
	"crypto/sha256"
	"regexp"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"parvis/identity"
	"parvis/internal/testkit"
	"parvis/tickets"
	"parvis/tickets/redis"
)

// open returns a store that ends with the test.
func open(t testing.TB, o redis.Options) *redis.Store {
	t.Helper()
	if o.Keys == nil {
		o.Keys = keyring(t, "a")
	}
	store, err := redis.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return store
}

func keyring(t testing.TB, ids ...string) *tickets.Keyring {
	t.Helper()
	var keys []tickets.Key
	for _, id := range ids {
		secret := make([]byte, tickets.KeySize)
		for i := range secret {
			secret[i] = byte(i*7) ^ id[i%len(id)]
		}
		keys = append(keys, tickets.Key{ID: id, Secret: secret})
	}
	ring, err := tickets.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func example(t testing.TB, uid string) tickets.Session {
	t.Helper()
	id, err := tickets.NewMinter(nil).TGT()
	if err != nil {
		t.Fatal(err)
	}
	return tickets.Session{
		ID: id, UID: uid, Idle: 2 * time.Hour, Max: 8 * time.Hour, Address: "192.0.2.117", UserAgent: "Netscape/4.04",
		AuthTime: time.Now().UTC().Round(time.Millisecond),
		Attributes: identity.Attributes{
			"uid": {uid}, "mail": {"jean-pierre.martin@etu.univ.example"}, "displayName": {"Jean-Pierre Martin"},
			"eduPersonAffiliation": {"student", "member"},
		},
	}
}

func start(t testing.TB, store *redis.Store, uid string) tickets.Session {
	t.Helper()
	session := example(t, uid)
	if err := store.Open(context.Background(), session); err != nil {
		t.Fatalf("open: %v", err)
	}
	return session
}

func serviceTicket(t testing.TB, tgt tickets.TGT) tickets.Ticket {
	t.Helper()
	id, err := tickets.NewMinter(nil).Ticket(tickets.ServiceTicket, tgt)
	if err != nil {
		t.Fatal(err)
	}
	return tickets.Ticket{ID: id, Kind: tickets.ServiceTicket, Service: "https://cours.univ.example/login", Lifetime: time.Minute}
}

// proxyTicket is one of 3 uses, or the ticket that it would be granted by.
func proxyTicket(t testing.TB, kind tickets.Kind, tgt tickets.TGT) tickets.Ticket {
	t.Helper()
	id, err := tickets.NewMinter(nil).Ticket(kind, tgt)
	if err != nil {
		t.Fatal(err)
	}
	return tickets.Ticket{
		ID: id, Kind: kind, Service: "imap://mail.univ.example", Lifetime: time.Minute, Uses: 3, Proxies: []string{"https://portail.univ.example/pgt"},
	}
}

func grant(t testing.TB, store *redis.Store, tgt tickets.TGT) tickets.TicketID {
	t.Helper()
	ticket := serviceTicket(t, tgt)
	if _, err := store.Grant(context.Background(), tgt, ticket); err != nil {
		t.Fatalf("grant: %v", err)
	}
	return ticket.ID
}

// within waits for something that another program does.
func within(t testing.TB, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Errorf("waited %v for %s", limit, what)
}

// replicated waits until the replica of a master has heard of every write. WAIT
// would wait for those of its own connection, which makes none.
func replicated(t testing.TB, master *goredis.Client) {
	t.Helper()
	offsets := regexp.MustCompile(`(?s)slave0:[^\r]*offset=(\d+).*master_repl_offset:(\d+)`)
	within(t, 10*time.Second, "the replica to hear of every write", func() bool {
		found := offsets.FindStringSubmatch(master.Info(context.Background(), "replication").Val())
		return found != nil && found[1] == found[2]
	})
}

// everyKeyExpires looks at all that a server holds.
func everyKeyExpires(t testing.TB, server *testkit.RedisServer) { // S41
	t.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: server.Addr()})
	defer func() { _ = client.Close() }()
	keys := client.Scan(context.Background(), 0, "*", 1000).Iterator()
	seen := 0
	for keys.Next(context.Background()) {
		seen++
		switch ttl, err := client.PTTL(context.Background(), keys.Val()).Result(); {
		case err != nil:
			t.Fatalf("read a time to live: %v", err)
		case ttl == -1:
			t.Errorf("key %s lives forever", keys.Val())
		}
	}
	if keys.Err() != nil || seen == 0 {
		t.Errorf("looked at %d keys, %v", seen, keys.Err())
	}
}

func sum256(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
