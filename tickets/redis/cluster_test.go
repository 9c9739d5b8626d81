package redis_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"parvis/internal/testkit"
	"parvis/tickets"
	"parvis/tickets/redis"
	"parvis/tickets/ticketstest"
)

const slots = 16384

func TestContractOnCluster(t *testing.T) {
	nodes := testkit.RedisCluster(t)
	runs := 0
	ticketstest.Run(t, func(t testing.TB) ticketstest.Harness {
		runs++
		offset := new(atomic.Int64)
		store := open(t, redis.Options{
			URL: nodes.URL(), Prefix: fmt.Sprintf("test-%d:", runs), Timeout: 5 * time.Second,
			Offset: func() time.Duration { return time.Duration(offset.Load()) },
		})
		return ticketstest.Harness{Store: store, Travel: func(d time.Duration) { offset.Add(int64(d)) }}
	})
	for i, client := range nodes.Clients {
		if i < 3 && client.DBSize(t.Context()).Val() == 0 {
			t.Errorf("node %d holds nothing: the sessions are not shared out", i)
		}
	}
}

// A node of a Cluster ends: the sessions of its slots go on at its replica, and
// what was redeemed stays redeemed, as far as the replica had heard of it.
func TestClusterFailover(t *testing.T) {
	nodes := testkit.RedisCluster(t)
	store := open(t, redis.Options{URL: nodes.URL()})
	f := newFailover(t, store)
	replicated(t, nodes.Clients[0])
	nodes.Nodes[0].Kill()
	f.check(t, store)
}

// A connection that breaks is never taken for leave to make a call again, on a
// Cluster neither: the call whose answer was lost has been done.
func TestClusterReplaysNothing(t *testing.T) { // S2
	relay := startRelay(t)
	node := testkit.Redis(t, "--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(testkit.FreePort(t)),
		"--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port", relay.port(),
		"--user", "parvis", "on", ">hunter2", "~parvis:*", "+@read", "+@write", "+@scripting", "+@connection", "+time", "-@dangerous", "+cluster|slots")
	target := node.Addr()
	relay.target.Store(&target)
	client := goredis.NewClient(&goredis.Options{Addr: node.Addr()})
	defer func() { _ = client.Close() }()
	if err := client.ClusterAddSlotsRange(t.Context(), 0, slots-1).Err(); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, "the Cluster to work", func() bool {
		return strings.Contains(client.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
	})
	store := open(t, redis.Options{
		URL: "redis+cluster://127.0.0.1:" + relay.port(), Timeout: 5 * time.Second, Username: "parvis", Password: "hunter2", // S41
	})
	session := start(t, store, "roux-p")
	ticket := proxyTicket(t, tickets.ProxyTicket, session.ID)
	ticket.Uses = 100
	if _, err := store.Grant(t.Context(), session.ID, ticket); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.Redeem(t.Context(), ticket.ID); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"redeem": func() error {
			_, _, err := store.Redeem(t.Context(), ticket.ID)
			return err
		},
		"grant": func() error {
			_, err := store.Grant(t.Context(), session.ID, serviceTicket(t, session.ID))
			return err
		},
	} {
		relay.dropAnswers.Store(true)
		if err := call(); !errors.Is(err, tickets.ErrUnavailable) {
			t.Errorf("%s without an answer: %v, want ErrUnavailable", name, err)
		}
		relay.dropAnswers.Store(false)
		within(t, 10*time.Second, "the node to be found again", func() bool {
			_, err := store.Session(t.Context(), session.ID)
			return err == nil
		})
	}
	// One use was answered, one was not; one visit was granted without an answer,
	// one of the ticket before.
	keys := client.Keys(t.Context(), "*}t:*").Val()
	for _, key := range keys {
		if value := client.Get(t.Context(), key).Val(); value[0] == '*' && value[1:10] != "000000098" {
			t.Errorf("%s uses of 100 are left, want 98", value[1:10])
		}
	}
	if visits, err := store.Visits(t.Context(), session.ID); err != nil || len(visits) != 2 || len(keys) != 2 {
		t.Errorf("%d visits, %d tickets, %v, want 2", len(visits), len(keys), err)
	}
}

// relay stands between a store and a server.
type relay struct {
	listener net.Listener
	target   atomic.Pointer[string]
	// dropAnswers lets calls through, and ends the connection in place of the
	// answer.
	dropAnswers atomic.Bool
}

func startRelay(t *testing.T) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: listener}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { r.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
	return r
}

func (r *relay) port() string {
	_, port, _ := net.SplitHostPort(r.listener.Addr().String())
	return port
}

func (r *relay) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	target := r.target.Load()
	if target == nil {
		return // The server is not there yet.
	}
	server, err := net.Dial("tcp", *target)
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil || r.dropAnswers.Load() {
			_ = server.Close()
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			_ = server.Close()
			return
		}
	}
}

// failover is what a store is given before the server that it uses ends.
type failover struct {
	sessions          []tickets.Session
	redeemed, pending []tickets.Ticket
}

// newFailover fills a store: sessions enough for every node to have some.
func newFailover(t *testing.T, store *redis.Store) failover {
	t.Helper()
	var f failover
	for range 24 {
		session := start(t, store, "roux-p")
		f.sessions = append(f.sessions, session)
		for range 2 {
			ticket := serviceTicket(t, session.ID)
			ticket.Lifetime = 10 * time.Minute
			if _, err := store.Grant(t.Context(), session.ID, ticket); err != nil {
				t.Fatalf("grant: %v", err)
			}
			f.pending = append(f.pending, ticket)
		}
	}
	f.redeemed, f.pending = f.pending[:24], f.pending[24:]
	for _, ticket := range f.redeemed {
		if _, _, err := store.Redeem(t.Context(), ticket.ID); err != nil {
			t.Fatalf("redeem: %v", err)
		}
	}
	return f
}

// check waits until every session is there again, and counts who gets what.
func (f failover) check(t *testing.T, store *redis.Store) {
	t.Helper()
	var lost int
	within(t, 30*time.Second, "every session to be there again", func() bool {
		for _, session := range f.sessions {
			_, err := store.Session(t.Context(), session.ID)
			if errors.Is(err, tickets.ErrNotFound) {
				t.Fatalf("a session is gone: %v", err)
			}
			if err != nil {
				lost++
				return false
			}
		}
		return true
	})
	if lost == 0 {
		t.Error("no call failed: the server that ended was not in use")
	}
	for _, ticket := range f.redeemed {
		if _, _, err := store.Redeem(t.Context(), ticket.ID); !errors.Is(err, tickets.ErrNotFound) {
			t.Errorf("redeem again after the promotion: %v, want ErrNotFound", err)
		}
	}
	for _, ticket := range f.pending {
		var got atomic.Int32
		for range 3 {
			switch _, _, err := store.Redeem(t.Context(), ticket.ID); {
			case err == nil:
				got.Add(1)
			case !errors.Is(err, tickets.ErrNotFound):
				t.Errorf("redeem: %v", err)
			}
		}
		if got.Load() != 1 {
			t.Errorf("a ticket was redeemed %d times, want once", got.Load())
		}
	}
}
