package redis_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"parvis/internal/testkit"
	"parvis/tickets/redis"
)

// startSentinel watches a master, and returns its address.
func startSentinel(t *testing.T, master *testkit.RedisServer) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is not installed: apt-get install redis-server")
	}
	host, masterPort, _ := net.SplitHostPort(master.Addr())
	port := strconv.Itoa(testkit.FreePort(t))
	config := filepath.Join(t.TempDir(), "sentinel.conf")
	content := fmt.Sprintf("port %s\nbind 127.0.0.1\nsentinel monitor tickets %s %s 1\n"+
		"sentinel down-after-milliseconds tickets 500\nsentinel failover-timeout tickets 5000\n", port, host, masterPort)
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	process := exec.Command(path, config, "--sentinel")
	if err := process.Start(); err != nil {
		t.Fatalf("start a sentinel: %v", err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	return net.JoinHostPort("127.0.0.1", port)
}

// The master ends: Sentinel promotes its replica, and the store follows.
func TestSentinelFailover(t *testing.T) {
	master := testkit.Redis(t, "--repl-diskless-sync-delay", "0")
	host, port, _ := net.SplitHostPort(master.Addr())
	replica := testkit.Redis(t, "--replicaof", host+" "+port)
	clients := make(map[*testkit.RedisServer]*goredis.Client)
	for _, server := range []*testkit.RedisServer{master, replica} {
		clients[server] = goredis.NewClient(&goredis.Options{Addr: server.Addr()})
		defer func() { _ = clients[server].Close() }()
	}
	within(t, 20*time.Second, "the replica to have everything", func() bool {
		return strings.Contains(clients[replica].Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	address := startSentinel(t, master)
	sentinel := goredis.NewSentinelClient(&goredis.Options{Addr: address})
	defer func() { _ = sentinel.Close() }()
	within(t, 20*time.Second, "the sentinel to know the replica", func() bool {
		found, err := sentinel.Replicas(t.Context(), "tickets").Result()
		return err == nil && len(found) == 1 && found[0]["flags"] == "slave"
	})

	// The first sentinel of the list is not there: another is enough.
	url := fmt.Sprintf("redis+sentinel://127.0.0.1:%d/0?master_name=tickets&addr=%s", testkit.FreePort(t), address)
	store := open(t, redis.Options{URL: url, Timeout: 2 * time.Second})
	f := newFailover(t, store)
	if got := clients[master].DBSize(t.Context()).Val(); got == 0 {
		t.Error("the master holds nothing")
	}
	replicated(t, clients[master])
	master.Kill()
	f.check(t, store)

	// What was the master comes back as a replica, and is not asked again.
	master.Start()
	session := start(t, store, "moreau-s")
	grant(t, store, session.ID)
	if sessions, err := store.SessionsOf(t.Context(), "moreau-s"); err != nil || len(sessions) != 1 {
		t.Errorf("%d sessions, %v", len(sessions), err)
	}
}

func TestURLs(t *testing.T) {
	for url, want := range map[string]bool{
		"redis://127.0.0.1:1/0":                                                true,
		"rediss://127.0.0.1:1/0":                                               true,
		"unix:///run/redis.sock?db=0":                                          true,
		"redis+sentinel://127.0.0.1:1/0?master_name=m&addr=127.0.0.1:2":        true,
		"rediss+sentinel://:hunter2@127.0.0.1:1?master_name=m":                 true,
		"redis+cluster://127.0.0.1:1?addr=127.0.0.1:2":                         true,
		"rediss+cluster://parvis:hunter2@127.0.0.1:1":                          true,
		"redis+sentinel://:hunter2@127.0.0.1:1/0":                              false, // no master
		"redis+sentinel://:hunter2@127.0.0.1:1/0?master_name=m&colour=hunter2": false,
		"unix+cluster:///run/redis.sock?password=hunter2":                      false,
		"redis+ring://127.0.0.1:1?password=hunter2":                            false,
		"http://hunter2@127.0.0.1":                                             false,
		"":                                                                     false,
	} {
		store, err := redis.Open(t.Context(), redis.Options{URL: url, Keys: keyring(t, "a")})
		if got := err == nil; got != want {
			t.Errorf("%s: %v, want it read: %v", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error tells the password: %v", err)
		}
		if store != nil {
			if err := store.Stop(); err != nil {
				t.Errorf("%s: stop: %v", url, err)
			}
		}
	}
}
