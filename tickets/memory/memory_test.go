package memory_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"parvis/tickets"
	"parvis/tickets/memory"
	"parvis/tickets/ticketstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	ticketstest.Run(t, func(testing.TB) ticketstest.Harness {
		var offset atomic.Int64
		store := memory.New(func() time.Time { return time.Now().Add(time.Duration(offset.Load())) })
		return ticketstest.Harness{Store: store, Travel: func(d time.Duration) { offset.Add(int64(d)) }}
	})
}

// What has expired leaves the memory, what has not stays.
func TestRunTakesMemoryBack(t *testing.T) { // S39
	synctest.Test(t, func(t *testing.T) {
		store := memory.New(nil)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			store.Run(ctx)
		}()
		open := func(idle time.Duration) tickets.TGT {
			id, err := tickets.NewMinter(nil).TGT()
			if err != nil {
				t.Fatal(err)
			}
			if err := store.Open(ctx, tickets.Session{ID: id, UID: "roux-p", Idle: idle, Max: 24 * time.Hour}); err != nil {
				t.Fatal(err)
			}
			return id
		}
		for range 200 {
			open(time.Hour)
		}
		stays := open(10 * time.Hour)
		if _, err := store.Spend(ctx, "token", time.Minute); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Minute)
		if got := store.Len(); got != 201 {
			t.Errorf("%d sessions before their limit, want 201", got)
		}
		time.Sleep(2 * time.Minute)
		if got := store.Len(); got != 1 {
			t.Errorf("%d sessions after their limit, want 1", got)
		}
		if _, err := store.Session(ctx, stays); err != nil {
			t.Errorf("read the session that stays: %v", err)
		}
		stop()
		<-done
	})
}
