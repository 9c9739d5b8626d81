package testkit

import (
	"net"
	"testing"
)

// FreePort returns a loopback TCP port that nobody listened on a moment ago.
// Another program may take it first: callers that start one should try again
// on another port when theirs cannot listen.
func FreePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("find a free port: %v is no TCP address", listener.Addr())
	}
	if err := listener.Close(); err != nil {
		t.Fatalf("give the port back: %v", err)
	}
	return address.Port
}
