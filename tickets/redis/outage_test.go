package redis_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parvis/internal/testkit"
	"parvis/tickets"
	"parvis/tickets/redis"
)

// Redis is down when the store is made, comes, stalls, goes and comes back.
// Calls say so in less than two seconds, and succeed again by themselves.
func TestRedisComesAndGoes(t *testing.T) {
	server := testkit.Redis(t)
	server.Stop()
	store := open(t, redis.Options{URL: server.URL()})
	unavailable(t, "down at start", store)

	server.Start()
	answers(t, "started", store)
	session := start(t, store, "roux-p")
	ticket := grant(t, store, session.ID)

	server.Pause()
	unavailable(t, "stalled", store)
	server.Resume()
	answers(t, "resumed", store)

	server.Kill()
	unavailable(t, "killed", store)
	server.Start()
	answers(t, "started again", store)
	if _, _, err := store.Redeem(t.Context(), ticket); err != nil {
		t.Errorf("redeem what was granted before: %v", err)
	}
	if sessions, err := store.SessionsOf(t.Context(), "roux-p"); err != nil || len(sessions) != 1 {
		t.Errorf("%d sessions, %v, want the one opened before", len(sessions), err)
	}
}

// Redis is stopped, then killed, while clients open sessions, grant, redeem
// and close. What was acknowledged holds, and nothing is redeemed twice.
func TestRestartLosesAndDoublesNothing(t *testing.T) { // S2, S41
	server := testkit.Redis(t)
	nodes := []*redis.Store{open(t, redis.Options{URL: server.URL()}), open(t, redis.Options{URL: server.URL()})}
	l := &ledger{redeemed: make(map[tickets.TicketID]*atomic.Int32)}
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() { l.live(ctx, t, nodes[i%2], nodes[(i+1)%2]) })
	}
	busy := func() {
		before := l.acknowledged()
		within(t, 30*time.Second, "calls to be acknowledged", func() bool { return l.acknowledged() > before+200 })
	}
	busy()
	server.Restart()
	busy()
	for range 2 {
		server.Kill()
		server.Start()
		busy()
	}
	stop()
	clients.Wait()
	l.settle(t, nodes[0])
}

// ledger is what clients were told.
type ledger struct {
	mu sync.Mutex
	// open and closed hold sessions whose opening or closing was
	// acknowledged and not followed by a call whose end is unknown.
	open, closed []tickets.TGT
	// pending holds tickets granted and not yet shown to anybody.
	pending  []tickets.TicketID
	redeemed map[tickets.TicketID]*atomic.Int32
	calls    atomic.Int64
}

func (l *ledger) acknowledged() int64 { return l.calls.Load() }

// live is a client: it opens a session on one node, has tickets redeemed on
// both at once, leaves one behind, and closes every other session.
func (l *ledger) live(ctx context.Context, t *testing.T, here, there *redis.Store) {
	for round := 0; ctx.Err() == nil; round++ {
		session := example(t, "o22502142")
		if here.Open(context.Background(), session) != nil {
			continue
		}
		l.calls.Add(1)
		used, left := serviceTicket(t, session.ID), serviceTicket(t, session.ID)
		if _, err := here.Grant(context.Background(), session.ID, used); err == nil {
			l.show(t, used.ID, here, there)
		}
		_, leftErr := here.Grant(context.Background(), session.ID, left)
		ended := round%2 == 0
		if ended {
			if _, _, err := there.Close(context.Background(), session.ID); err != nil {
				continue // Closed or not: nobody was told.
			}
		}
		l.calls.Add(1)
		l.mu.Lock()
		if ended {
			l.closed = append(l.closed, session.ID)
		} else {
			l.open = append(l.open, session.ID)
			if leftErr == nil {
				l.pending = append(l.pending, left.ID)
			}
		}
		l.mu.Unlock()
	}
}

// show has a ticket redeemed by both nodes, again and again while they cannot
// tell.
func (l *ledger) show(t *testing.T, id tickets.TicketID, nodes ...*redis.Store) {
	count := new(atomic.Int32)
	l.mu.Lock()
	l.redeemed[id] = count
	l.mu.Unlock()
	var callers sync.WaitGroup
	for _, node := range nodes {
		callers.Go(func() {
			for range 3 {
				_, _, err := node.Redeem(context.Background(), id)
				if err == nil {
					count.Add(1)
				} else if !errors.Is(err, tickets.ErrUnavailable) && !errors.Is(err, tickets.ErrNotFound) {
					t.Errorf("redeem: %v", err)
				}
			}
		})
	}
	callers.Wait()
}

// settle compares what clients were told with what Redis holds.
func (l *ledger) settle(t *testing.T, store *redis.Store) {
	answers(t, "at the end", store)
	t.Logf("%d sessions open, %d closed, %d tickets shown, %d left", len(l.open), len(l.closed), len(l.redeemed), len(l.pending))
	for id, count := range l.redeemed {
		if count.Load() > 1 {
			t.Errorf("ticket %s redeemed %d times", id.Hint(), count.Load())
		}
	}
	for _, id := range l.open {
		if _, err := store.Session(t.Context(), id); err != nil {
			t.Errorf("read a session that was opened: %v", err)
		}
	}
	for _, id := range l.closed {
		if _, err := store.Session(t.Context(), id); !errors.Is(err, tickets.ErrNotFound) {
			t.Errorf("read a session that was closed: %v", err)
		}
	}
	for _, id := range l.pending {
		if _, _, err := store.Redeem(t.Context(), id); err != nil {
			t.Errorf("redeem a ticket that was granted: %v", err)
		}
	}
	sessions, err := store.SessionsOf(t.Context(), "o22502142")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[tickets.TGT]bool)
	for _, session := range sessions {
		listed[session.ID] = true
	}
	for _, id := range l.open {
		if !listed[id] {
			t.Errorf("a session that was opened is not among its person's")
		}
	}
}

// TLS is asked for by the URL's scheme; a certificate that nobody vouches for
// is refused.
func TestTLS(t *testing.T) { // S41
	dir, port := t.TempDir(), testkit.FreePort(t)
	trusted := certificate(t, dir)
	testkit.Redis(t, "--tls-port", fmt.Sprint(port), "--tls-auth-clients", "no",
		"--tls-cert-file", filepath.Join(dir, "redis.crt"), "--tls-key-file", filepath.Join(dir, "redis.key"))
	secure := fmt.Sprintf("rediss://127.0.0.1:%d/0", port)
	for name, o := range map[string]redis.Options{
		"by scheme":  {URL: secure, TLS: &tls.Config{RootCAs: trusted}},
		"by setting": {URL: strings.Replace(secure, "rediss", "redis", 1), TLS: &tls.Config{RootCAs: trusted}},
	} {
		if err := open(t, o).Ping(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := open(t, redis.Options{URL: secure}).Ping(t.Context())
	if unknown := (x509.UnknownAuthorityError{}); !errors.Is(err, tickets.ErrUnavailable) || !errors.As(err, &unknown) {
		t.Errorf("a certificate that nobody vouches for: %v, want ErrUnavailable", err)
	}
}

// unavailable wants every call to fail with ErrUnavailable, and soon.
func unavailable(t *testing.T, when string, store *redis.Store) {
	t.Helper()
	const patience = 2 * time.Second
	session := example(t, "roux-p")
	ticket := serviceTicket(t, session.ID)
	ctx := t.Context()
	var calls sync.WaitGroup
	for name, call := range map[string]func() error{
		"open":     func() error { return store.Open(ctx, session) },
		"session":  func() error { _, err := store.Session(ctx, session.ID); return err },
		"renew":    func() error { return store.Renew(ctx, session.ID, session) },
		"grant":    func() error { _, err := store.Grant(ctx, session.ID, ticket); return err },
		"redeem":   func() error { _, _, err := store.Redeem(ctx, ticket.ID); return err },
		"close":    func() error { _, _, err := store.Close(ctx, session.ID); return err },
		"visits":   func() error { _, err := store.Visits(ctx, session.ID); return err },
		"sessions": func() error { _, err := store.SessionsOf(ctx, "roux-p"); return err },
		"spend":    func() error { _, err := store.Spend(ctx, "token", time.Minute); return err },
		"ping":     func() error { return store.Ping(ctx) },
	} {
		calls.Go(func() {
			asked := time.Now()
			err := call()
			if !errors.Is(err, tickets.ErrUnavailable) || errors.Is(err, tickets.ErrNotFound) {
				t.Errorf("%s: %s: %v, want ErrUnavailable", when, name, err)
			}
			if took := time.Since(asked); took > patience {
				t.Errorf("%s: %s took %v", when, name, took)
			}
		})
	}
	calls.Wait()
}

func answers(t *testing.T, when string, store *redis.Store) {
	t.Helper()
	within(t, 5*time.Second, "Redis "+when+" to be used again", func() bool { return store.Ping(t.Context()) == nil })
}

// certificate writes a certificate for the loopback address, with its key, and
// returns the pool that trusts it.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{
		"redis.crt": public, "redis.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(public)
	return pool
}
