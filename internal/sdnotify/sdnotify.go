package sdnotify

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// States that systemd understands.
const (
	Ready    = "READY=1"
	Stopping = "STOPPING=1"
	alive    = "WATCHDOG=1"
)

// Notifier speaks to the systemd that started this process.
type Notifier struct {
	socket string
	every  time.Duration
}

// New reads from the environment where to speak, and how often the watchdog
// wants to hear of us. lookup is os.LookupEnv, and pid os.Getpid().
func New(lookup func(string) (string, bool), pid int) *Notifier {
	n := &Notifier{}
	n.socket, _ = lookup("NOTIFY_SOCKET")
	if owner, ok := lookup("WATCHDOG_PID"); ok && owner != strconv.Itoa(pid) {
		return n
	}
	limit, _ := lookup("WATCHDOG_USEC")
	if microseconds, err := strconv.ParseInt(limit, 10, 64); err == nil && microseconds > 1 {
		// Half of the limit, as sd_watchdog_enabled(3) advises.
		n.every = time.Duration(microseconds) * time.Microsecond / 2
	}
	return n
}

// Notify sends one state. Without systemd it does nothing.
func (n *Notifier) Notify(ctx context.Context, state string) error {
	if n.socket == "" {
		return nil
	}
	var dialer net.Dialer
	// A name that begins with "@" is that of an abstract socket, to systemd
	// and to package net alike.
	connection, err := dialer.DialContext(ctx, "unixgram", n.socket)
	if err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	defer func() { _ = connection.Close() }() // The datagram is gone, or Write said why not.
	if _, err := connection.Write([]byte(state)); err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	return nil
}

// Watch tells the watchdog that we live, until ctx ends, each time healthy
// says so: a process that no longer answers is restarted by systemd. It
// returns at once when no watchdog listens. A word that is lost is followed
// by the next one; fault is told of it, and may be nil.
func (n *Notifier) Watch(ctx context.Context, healthy func(context.Context) bool, fault func(error)) {
	if n.socket == "" || n.every <= 0 {
		return
	}
	tick := time.NewTicker(n.every)
	defer tick.Stop()
	for {
		if healthy(ctx) {
			if err := n.Notify(ctx, alive); err != nil && fault != nil && ctx.Err() == nil {
				fault(err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
