package slo

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"sync"
	"time"

	"parvis/internal/safehttp"
)

// Client posts requests, within the limits of internal/safehttp. A status is an
// answer, whatever it is; an error tells that there was none.
type Client interface {
	Do(ctx context.Context, r safehttp.Request) (int, error)
}

// Options are what a [Notifier] is made of.
type Options struct {
	Queue   Queue
	Client  Client
	Auditor Auditor
	// Logger is told when the queue cannot be used.
	Logger *slog.Logger
	// Workers is how many requests are under way at most, 256 when 0; PerHost
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

const (
	defaultWorkers = 256
	defaultPerHost = 4
	defaultTimeout = 5 * time.Second
	defaultGrace   = 5 * time.Second
	// maxTold bounds the notices that wait to be written to the queue, by the
	// sizes of the tellings, and the outcomes that wait.
	maxTold = 50_000
	// addSize is about how many notices are written at once, takeSize how many
	// are taken.
	addSize, takeSize = 500, 500
	// answerTime is how long what was told waits before it is worked out.
	answerTime = 3 * time.Millisecond
	// takeWait is how long a Take waits: Run ends no sooner.
	takeWait = 500 * time.Millisecond
	// keepEvery is how often the queue hears that items are worked on: a few
	// times within its patience.
	keepEvery = 20 * time.Second
)

// Notifier sends logout requests. Make it with [New], and run it once.
type Notifier struct {
	o Options

	mu sync.Mutex
	// told waits to be worked out and written to the queue, and count is the sum
	// of its sizes; wake holds a token when there is any. Once closed, nobody
	// would write it.
	told   []Telling
	count  int
	closed bool
	wake   chan struct{}
}

// New returns a Notifier, which sends nothing until [Notifier.Run].
func New(o Options) *Notifier {
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	if o.PerHost <= 0 {
		o.PerHost = defaultPerHost
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &Notifier{o: o, wake: make(chan struct{}, 1)}
}

// Tell takes what one session has to tell. It waits neither for an application
// nor for a store or the queue; what it took is written to the queue even when
// Run is told to end. Where tens of thousands wait already, or Run has ended,
// the requests are lost: Tell then works them out itself, to name each in the
// audit trail.
func (n *Notifier) Tell(ctx context.Context, t Telling) {
	n.mu.Lock()
	refused := n.closed || n.count+t.Size() > maxTold
	if !refused {
		n.told = append(n.told, t)
		n.count += t.Size()
	}
	n.mu.Unlock()
	if refused {
		n.lose(ctx, t)
		return
	}
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// Run sends logout requests until ctx ends, and a little longer: see
// [Options.Grace]. End ctx after the last caller of Tell.
func (n *Notifier) Run(ctx context.Context) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	context.AfterFunc(ctx, func() { time.AfterFunc(n.o.Grace, cancel) })

	work := newDispatcher(n.o)
	written := make(chan struct{})
	var group, finishing sync.WaitGroup
	group.Go(func() { defer close(written); n.write(ctx, late) })
	group.Go(func() { defer close(work.arrived); n.take(ctx, late, work.arrived, written) })
	finishing.Go(func() { n.finish(late, work.ended) })
	work.run(ctx, late)
	group.Wait()
	close(work.ended)
	finishing.Wait()
}

// write hands to the queue what Tell took, until ctx has ended and nothing is
// left, or until late ends.
func (n *Notifier) write(ctx, late context.Context) {
	for {
		tellings := n.next(ctx.Err() != nil)
		if len(tellings) > 0 {
			n.add(late, tellings)
			continue
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case <-n.wake:
			n.letAnswer(ctx)
		case <-ctx.Done():
		}
	}
}

// letAnswer waits a moment, so that who ended a session is answered before the
// work begins: dozens of handshakes would compete with the answer.
func (n *Notifier) letAnswer(ctx context.Context) {
	timer := time.NewTimer(answerTime)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// next takes some of what was told. The last call that finds nothing closes.
func (n *Notifier) next(last bool) []Telling {
	n.mu.Lock()
	defer n.mu.Unlock()
	var tellings []Telling
	for size := 0; len(n.told) > 0 && size < addSize; {
		tellings = append(tellings, n.told[0])
		size += n.told[0].Size()
		n.count -= n.told[0].Size()
		n.told[0] = nil
		n.told = n.told[1:]
	}
	n.closed = last && len(tellings) == 0
	return tellings
}

// add works notices out and writes them to the queue.
func (n *Notifier) add(late context.Context, tellings []Telling) {
	var notices Batch
	for _, telling := range tellings {
		kept := n.insist(late, func() error {
			batch, err := telling.Notices(late)
			notices = append(notices, batch...)
			return err
		})
		if !kept {
			n.lose(late, telling)
		}
	}
	if len(notices) > 0 && !n.insist(late, func() error { return n.o.Queue.Add(late, notices) }) {
		n.lose(late, notices)
	}
}

// insist does something again and again while it cannot be done: the sessions
// have ended, and nobody else remembers whom to tell.
func (n *Notifier) insist(late context.Context, do func() error) bool {
	wait := pause{}
	for {
		err := do()
		if err == nil {
			return true
		}
		if wait.first() {
			n.o.Logger.ErrorContext(late, "logout requests cannot be queued: trying on", "error", err)
		}
		if !wait.sleep(late) {
			return false
		}
	}
}

// take hands items on until ctx has ended and, after all was written, none are
// left.
func (n *Notifier) take(ctx, late context.Context, to chan<- []Item, written <-chan struct{}) {
	wait := pause{}
	for ctx.Err() == nil {
		items, err := n.o.Queue.Take(ctx, takeSize, takeWait)
		if !handOver(late, to, items) {
			return
		}
		if err == nil || ctx.Err() != nil {
			wait = pause{}
			continue
		}
		if wait.first() {
			n.o.Logger.ErrorContext(ctx, "logout requests cannot be taken: trying on", "error", err)
		}
		wait.sleep(ctx)
	}
	<-written
	for {
		items, err := n.o.Queue.Take(late, takeSize, 0)
		if err != nil || len(items) == 0 || !handOver(late, to, items) {
			return
		}
	}
}

func handOver(late context.Context, to chan<- []Item, items []Item) bool {
	if len(items) == 0 {
		return true
	}
	select {
	case to <- items:
		return true
	case <-late.Done():
		return false
	}
}

// pause is a wait that grows.
type pause struct{ last time.Duration }

func (p *pause) first() bool { return p.last == 0 }

// sleep waits, and reports whether ctx still lives.
func (p *pause) sleep(ctx context.Context) bool {
	const shortest, longest = 100 * time.Millisecond, 2 * time.Second
	p.last = min(max(2*p.last, shortest), longest)
	timer := time.NewTimer(p.last)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
