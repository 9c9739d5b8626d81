package ratelimit_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"parvis/internal/ratelimit"
)

func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := ratelimit.NewGate(2, 1, 3*time.Second)
		leave := enter(t, gate)
		enter(t, gate)
		start := time.Now()
		waiter := make(chan error, 1)
		wait := func(ctx context.Context) {
			_, err := gate.Enter(ctx)
			waiter <- err
		}
		go wait(t.Context())
		synctest.Wait()
		if _, err := gate.Enter(t.Context()); !errors.Is(err, ratelimit.ErrBusy) || time.Since(start) != 0 {
			t.Errorf("with the queue full: %v after %v, want ErrBusy at once", err, time.Since(start))
		}
		if err := <-waiter; !errors.Is(err, ratelimit.ErrBusy) || time.Since(start) != 3*time.Second {
			t.Errorf("in the queue: %v after %v, want ErrBusy after 3s", err, time.Since(start))
		}
		ctx, cancel := context.WithCancel(t.Context())
		go wait(ctx)
		synctest.Wait()
		cancel()
		if err := <-waiter; !errors.Is(err, context.Canceled) {
			t.Errorf("caller left the queue: %v", err)
		}
		go wait(t.Context())
		synctest.Wait()
		leave()
		if err := <-waiter; err != nil {
			t.Errorf("after room was made: %v", err)
		}
	})
}

func enter(t *testing.T, gate *ratelimit.Gate) func() {
	t.Helper()
	leave, err := gate.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return leave
}
