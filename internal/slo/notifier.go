package slo

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"time"
)

// Client posts requests, within the limits of internal/safehttp.
type Client interface {
	Do(ctx context.Context, r Request) (int, error)
}

// Options are what a [Notifier] is made of.
type Options struct {
	Queue   Queue
	Client  Client
	Auditor Auditor
	// Logger is told when the queue cannot be used.
	Logger *slog.Logger
	// Workers is how many requests are under way at most, 64 when 0; PerHost
	// how many of them to one host, 4 when 0.
	Workers, PerHost int
	// Timeout bounds one request, 5 s when 0.
	Timeout time.Duration
	// Grace is how long Run goes on after its context ended, to write down
	// what it was told and to send what can be sent at once; 5 s when 0.
	Grace time.Duration
	// Random makes the ids of requests, crypto/rand when nil.
	Random io.Reader
}

// Notifier sends logout requests. Make it with [New], and run it.
type Notifier struct{ o Options }

// New returns a Notifier, which sends nothing until [Notifier.Run].
func New(o Options) *Notifier {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &Notifier{o: o}
}

// Tell takes the logout requests of one session. It waits neither for an
// application nor for the queue.
func (n *Notifier) Tell(ctx context.Context, b Batch) {}

// Run sends logout requests until ctx ends, and a little longer: see
// [Options.Grace].
func (n *Notifier) Run(ctx context.Context) {}
