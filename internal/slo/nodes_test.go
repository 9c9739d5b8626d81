package slo_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"parvis/internal/safehttp"
	"parvis/internal/slo"
	"parvis/internal/slo/redis"
	"parvis/internal/testkit"
	"parvis/tickets"
)

// application is a real one: it listens with TLS, and notes what is posted.
type application struct {
	server *httptest.Server
	came   chan time.Time

	mu     sync.Mutex
	bodies map[string]int
}

func newApplication(t testing.TB) *application {
	t.Helper()
	a := &application{came: make(chan time.Time, 10_000), bodies: make(map[string]int)}
	a.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came := time.Now()
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("%s, type %q, %v", r.Method, r.Header.Get("Content-Type"), err)
		}
		_, index, _ := strings.Cut(string(body), "SessionIndex%3E")
		a.mu.Lock()
		a.bodies[index[:min(len(index), 32)]]++
		a.mu.Unlock()
		a.came <- came
		http.Redirect(w, r, "/cas/login", http.StatusFound)
	}))
	t.Cleanup(a.server.Close)
	return a
}

func (a *application) client() *safehttp.Client {
	roots := x509.NewCertPool()
	roots.AddCert(a.server.Certificate())
	return safehttp.New(safehttp.Options{Roots: roots})
}

// notices are n logout requests to the application, which is on this machine.
func (a *application) notices(n int) slo.Batch {
	batch := make(slo.Batch, n)
	for i := range batch {
		batch[i] = slo.Notice{
			URL: a.server.URL + "/app", Service: "Moodle", Ticket: fmt.Sprintf("ST-%029d", i), Name: "o22502142", At: time.Now(),
			Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		}
	}
	return batch
}

// each wants every one of n tickets to have been told of, once where exactly.
func (a *application) each(t *testing.T, n int, exactly bool) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("the application hears of %d tickets", n), 20*time.Second, func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.bodies) >= n
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.bodies) != n {
		t.Errorf("%d tickets, want %d", len(a.bodies), n)
	}
	for ticket, times := range a.bodies {
		if exactly && times != 1 {
			t.Errorf("%s came %d times", ticket, times)
		}
	}
}

func redisQueue(t testing.TB, server *testkit.RedisServer, patience time.Duration) *redis.Queue {
	t.Helper()
	secret := make([]byte, tickets.KeySize)
	for i := range secret {
		secret[i] = byte(i * 7)
	}
	ring, err := tickets.NewKeyring(tickets.Key{ID: "a", Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(&goredis.Options{
		Addr: server.Addr(), MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Second, ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { _ = client.Close() })
	q, err := redis.New(redis.Options{Client: client, Sealer: ring, Prefix: "parvis:", Patience: patience})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// The first request leaves within 200 ms of the logout, through Redis and over
// TLS; several nodes share the work, and tell nobody twice.
func TestNodesShare(t *testing.T) {
	server := testkit.Redis(t)
	app := newApplication(t)
	first, _ := start(t, slo.Options{Queue: redisQueue(t, server, time.Minute), Client: app.client()})
	start(t, slo.Options{Queue: redisQueue(t, server, time.Minute), Client: app.client()})
	batch := app.notices(200)
	begun := time.Now()
	first.Tell(t.Context(), batch)
	told := time.Since(begun)
	came := (<-app.came).Sub(begun)
	t.Logf("Tell took %v, the first request came after %v", told, came)
	if told > 5*time.Millisecond || came > 200*time.Millisecond {
		t.Errorf("Tell took %v, the first request came after %v", told, came)
	}
	app.each(t, 200, true)
}

// A node that dies with requests in hand: another one sends them.
func TestNodeDies(t *testing.T) {
	server := testkit.Redis(t)
	app := newApplication(t)
	dying := redisQueue(t, server, 500*time.Millisecond)
	if err := dying.Add(t.Context(), app.notices(20)); err != nil {
		t.Fatal(err)
	}
	items, err := dying.Take(t.Context(), 20, time.Second)
	if err != nil || len(items) != 20 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	queue := redisQueue(t, server, 500*time.Millisecond)
	start(t, slo.Options{Queue: queue, Client: app.client()})
	app.each(t, 20, false) // the short patience may take one for left behind
	testkit.Eventually(t, "what was sent leaves the queue", 5*time.Second, func() bool {
		n, err := queue.Waiting(t.Context())
		return err == nil && n == 0
	})
}

// Redis is killed while requests are queued and sent: none is lost that Tell
// took.
func TestRedisDies(t *testing.T) {
	server := testkit.Redis(t)
	app := newApplication(t)
	node, _ := start(t, slo.Options{Queue: redisQueue(t, server, 500*time.Millisecond), Client: app.client()})
	start(t, slo.Options{Queue: redisQueue(t, server, 500*time.Millisecond), Client: app.client()})
	batch := app.notices(300)
	node.Tell(context.Background(), batch[:100])
	<-app.came
	server.Kill()
	node.Tell(context.Background(), batch[100:200])
	server.Start()
	node.Tell(context.Background(), batch[200:])
	app.each(t, 300, false)
}
