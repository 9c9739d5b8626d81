package memory_test

import (
	"errors"
	"testing"

	"parvis/internal/slo"
	"parvis/internal/slo/memory"
	"parvis/internal/slo/slotest"
)

func TestContract(t *testing.T) {
	slotest.Run(t, func(_ *testing.T, n int) []slo.Queue {
		q := memory.New(memory.Options{Patience: slotest.Patience})
		queues := make([]slo.Queue, n)
		for i := range queues {
			queues[i] = q
		}
		return queues
	})
}

// S39: what waits is bounded, and a batch is taken whole or not at all.
func TestFull(t *testing.T) {
	q := memory.New(memory.Options{Max: 10})
	if err := q.Add(t.Context(), slotest.Notices(8)); err != nil {
		t.Fatal(err)
	}
	if err := q.Add(t.Context(), slotest.Notices(3)); !errors.Is(err, memory.ErrFull) {
		t.Errorf("beyond the bound: %v, want ErrFull", err)
	}
	if err := q.Add(t.Context(), slotest.Notices(2)); err != nil {
		t.Error(err)
	}
	if n, _ := q.Waiting(t.Context()); n != 10 {
		t.Errorf("%d wait, want 10", n)
	}
}
