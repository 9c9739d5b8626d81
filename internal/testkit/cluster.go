package testkit

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// masters is how many nodes of a [RedisCluster] share the slots out.
const masters = 3

// RedisClusterServers is a real Redis Cluster.
type RedisClusterServers struct {
	// Nodes are three masters, then a replica of the first.
	Nodes []*RedisServer
	// Clients ask one node each, in the order of Nodes.
	Clients []*redis.Client
}

// RedisCluster starts a Redis Cluster that ends with the test: three masters,
// which share the slots out evenly, and a replica of the first, which takes over
// a second or so after its end.
func RedisCluster(t testing.TB) *RedisClusterServers {
	t.Helper()
	c := &RedisClusterServers{}
	var buses []int
	for range masters + 1 {
		bus := FreePort(t)
		node := Redis(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus), "--cluster-node-timeout", "1000",
			"--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0")
		client := redis.NewClient(&redis.Options{Addr: node.Addr()})
		t.Cleanup(func() { _ = client.Close() })
		c.Nodes, c.Clients, buses = append(c.Nodes, node), append(c.Clients, client), append(buses, bus)
	}
	c.introduce(t, buses)
	c.replicate(t)
	return c
}

// URL names nodes that stay, and one that does not where a test ends the first.
func (c *RedisClusterServers) URL() string {
	return fmt.Sprintf("redis+cluster://%s?addr=%s", c.Nodes[0].Addr(), c.Nodes[1].Addr())
}

// introduce shares the slots out and makes the nodes know each other.
func (c *RedisClusterServers) introduce(t testing.TB, buses []int) {
	t.Helper()
	const slots = 16384
	for i, client := range c.Clients {
		if i < masters {
			if err := client.ClusterAddSlotsRange(t.Context(), slots*i/masters, slots*(i+1)/masters-1).Err(); err != nil {
				t.Fatalf("give a node its slots: %v", err)
			}
		}
		if i > 0 {
			host, port, _ := strings.Cut(c.Nodes[i].Addr(), ":")
			if err := c.Clients[0].Do(t.Context(), "cluster", "meet", host, port, buses[i]).Err(); err != nil {
				t.Fatalf("introduce a node: %v", err)
			}
		}
	}
	Eventually(t, "the nodes know each other", 20*time.Second, func() bool {
		for _, client := range c.Clients {
			info := client.ClusterInfo(t.Context()).Val()
			if !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", len(c.Nodes))) {
				return false
			}
		}
		return true
	})
}

// replicate makes the last node a replica of the first.
func (c *RedisClusterServers) replicate(t testing.TB) {
	t.Helper()
	replica, first := c.Clients[masters], c.Clients[0].ClusterMyID(t.Context()).Val()
	Eventually(t, "a node becomes a replica", 10*time.Second, func() bool { return replica.ClusterReplicate(t.Context(), first).Err() == nil })
	Eventually(t, "the replica has everything", 20*time.Second, func() bool {
		return strings.Contains(replica.Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
}
