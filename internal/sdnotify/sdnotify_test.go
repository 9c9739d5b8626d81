package sdnotify_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parvis/internal/sdnotify"
)

// systemd listens where a service would find it, and returns what it hears.
func systemd(t *testing.T, socket string) func() string {
	t.Helper()
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return func() string {
		t.Helper()
		if err := listener.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		word := make([]byte, 64)
		n, err := listener.Read(word)
		if err != nil {
			t.Fatalf("systemd hears nothing: %v", err)
		}
		return string(word[:n])
	}
}

func environment(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func TestNotify(t *testing.T) {
	for name, socket := range map[string]string{
		"path":            filepath.Join(t.TempDir(), "notify"),
		"abstract socket": fmt.Sprintf("@parvis-test-%d", os.Getpid()),
	} {
		t.Run(name, func(t *testing.T) {
			heard := systemd(t, socket)
			n := sdnotify.New(environment("NOTIFY_SOCKET", socket), 1)
			for _, state := range []string{sdnotify.Ready, sdnotify.Stopping} {
				if err := n.Notify(t.Context(), state); err != nil {
					t.Fatal(err)
				}
				if got := heard(); got != state {
					t.Errorf("systemd hears %q, want %q", got, state)
				}
			}
		})
	}
}

func TestWithoutSystemd(t *testing.T) {
	n := sdnotify.New(environment(), 1)
	if err := n.Notify(t.Context(), sdnotify.Ready); err != nil {
		t.Error(err)
	}
	n.Watch(t.Context(), nil, nil) // returns at once
	n = sdnotify.New(environment("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "none")), 1)
	if err := n.Notify(t.Context(), sdnotify.Ready); err == nil {
		t.Error("no error from a socket that is not there")
	}
}

func TestWatch(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	heard := systemd(t, socket)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	asked := 0
	healthy := func(context.Context) bool { asked++; return asked != 2 }
	n := sdnotify.New(environment("NOTIFY_SOCKET", socket, "WATCHDOG_USEC", "20000", "WATCHDOG_PID", "7"), 7)
	go func() {
		n.Watch(ctx, healthy, func(err error) { t.Error(err) })
		close(ended)
	}()
	for range 3 {
		if got := heard(); got != "WATCHDOG=1" {
			t.Errorf("systemd hears %q", got)
		}
	}
	stop()
	<-ended
	if asked < 4 {
		t.Errorf("asked %d times for three words, although one answer was no", asked)
	}
}

func TestWatchOfAnotherProcess(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	systemd(t, socket)
	for name, lookup := range map[string]func(string) (string, bool){
		"another process": environment("NOTIFY_SOCKET", socket, "WATCHDOG_USEC", "20000", "WATCHDOG_PID", "8"),
		"no watchdog":     environment("NOTIFY_SOCKET", socket),
		"nonsense":        environment("NOTIFY_SOCKET", socket, "WATCHDOG_USEC", "soon"),
	} {
		t.Run(name, func(t *testing.T) {
			sdnotify.New(lookup, 7).Watch(t.Context(), nil, nil) // returns at once
		})
	}
}
