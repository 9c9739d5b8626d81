package slo_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parvis/internal/slo"
	"parvis/internal/slo/memory"
)

// A queue that cannot be used for a while loses nothing, and stops nobody.
func TestQueueDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		queue := &flaky{Queue: memory.New(memory.Options{})}
		queue.set(errors.New("no Redis"))
		net := &network{}
		n, stop := start(t, slo.Options{Queue: queue, Client: net, Logger: log.logger()})
		n.Tell(t.Context(), slo.Batch{notice("https://moodle.univ.example/")})
		time.Sleep(30 * time.Second)
		queue.set(nil)
		time.Sleep(3 * time.Second)
		settle()
		if len(net.sent) != 1 {
			t.Errorf("%d requests, want 1", len(net.sent))
		}
		queue.set(errors.New("no Redis"))
		n.Tell(t.Context(), slo.Batch{notice("https://moodle.univ.example/")})
		stop()
		if text := log.text(); strings.Count(text, "no Redis") < 2 || strings.Count(text, "\n") > 8 || !strings.Contains(text, "logout requests lost") {
			t.Errorf("log:\n%s", text)
		}
	})
}

// ill is a Telling of a store that does not answer the first times.
type ill struct {
	slo.Batch
	faults int
}

func (i *ill) Notices(context.Context) (slo.Batch, error) {
	if i.faults > 0 {
		i.faults--
		return nil, errors.New("no store")
	}
	return i.Batch, nil
}

// A store that does not answer for a while makes no logout forgotten, and one
// line in the log.
func TestStoreDownForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		net := &network{}
		n, stop := start(t, slo.Options{Queue: memory.New(memory.Options{}), Client: net, Logger: log.logger()})
		n.Tell(t.Context(), &ill{Batch: slo.Batch{notice("https://moodle.univ.example/")}, faults: 5})
		n.Tell(t.Context(), slo.Batch{notice("https://other.univ.example/")})
		time.Sleep(10 * time.Second)
		settle()
		stop()
		if len(net.sent) != 2 || strings.Count(log.text(), "no store") != 1 {
			t.Errorf("%d requests, want 2; log:\n%s", len(net.sent), log.text())
		}
	})
}

// flaky is a queue that fails when told to.
type flaky struct {
	slo.Queue
	mu  sync.Mutex
	err error
}

func (f *flaky) set(err error) { f.mu.Lock(); f.err = err; f.mu.Unlock() }

func (f *flaky) fault() error { f.mu.Lock(); defer f.mu.Unlock(); return f.err }

func (f *flaky) Add(ctx context.Context, notices []slo.Notice) error {
	if err := f.fault(); err != nil {
		return err
	}
	return f.Queue.Add(ctx, notices)
}

func (f *flaky) Take(ctx context.Context, n int, wait time.Duration) ([]slo.Item, error) {
	if err := f.fault(); err != nil {
		return nil, err
	}
	return f.Queue.Take(ctx, n, wait)
}

func (f *flaky) Done(ctx context.Context, done []slo.Done) error {
	if err := f.fault(); err != nil {
		return err
	}
	return f.Queue.Done(ctx, done)
}
