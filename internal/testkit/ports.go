package testkit

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Ports are drawn from below the range that Linux gives to outgoing
// connections (32768 and up): any of the many connections of a test run could
// take a port of that range before its server does.
const (
	firstPort = 12000
	lastPort  = 32000
)

// FreePort returns a loopback TCP port that nobody listened on a moment ago.
// Another program may take it first: callers that start one should try again
// on another port when theirs cannot listen.
func FreePort(t testing.TB) int {
	t.Helper()
	return FreePorts(t, 1)
}

// FreePorts returns the first of so many ports in a row, each as free as that
// of [FreePort].
func FreePorts(t testing.TB, count int) int {
	t.Helper()
	const tries = 200
	for range tries {
		first := firstPort + rand.IntN(lastPort-firstPort-count)
		if allFree(first, count) {
			return first
		}
	}
	t.Fatalf("no %d free ports in a row after %d tries", count, tries)
	return 0
}

func allFree(first, count int) bool {
	for port := first; port < first+count; port++ {
		listener, err := net.Listen("tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
		if err != nil || listener.Close() != nil {
			return false
		}
	}
	return true
}
