package ratelimit

import (
	"context"
	"sync"
	"time"
)

// sweepEvery is how often debts that have melted are thrown away.
const sweepEvery = time.Minute

// Memory is a [Source] for one process.
type Memory struct {
	now func() time.Time

	mu    sync.Mutex
	swept time.Time
	// free holds when each debt will have melted.
	free map[string]time.Time
}

// NewMemory returns an empty Memory. now is its clock, time.Now when nil.
func NewMemory(now func() time.Time) *Memory {
	if now == nil {
		now = time.Now
	}
	return &Memory{now: now, swept: now(), free: make(map[string]time.Time)}
}

// Debts implements [Source].
func (m *Memory) Debts(_ context.Context, keys []string) ([]time.Duration, error) {
	now := m.now()
	debts := make([]time.Duration, len(keys))
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, key := range keys {
		debts[i] = max(0, m.free[key].Sub(now))
	}
	return debts, nil
}

// Charge implements [Source].
func (m *Memory) Charge(_ context.Context, charges []Charge) error {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(now)
	for _, c := range charges {
		debt := max(0, m.free[c.Key].Sub(now))
		m.free[c.Key] = now.Add(min(debt+c.Cost, c.Ceiling))
	}
	return nil
}

// Clear implements [Source].
func (m *Memory) Clear(_ context.Context, keys []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		delete(m.free, key)
	}
	return nil
}

// Len is the number of debts held, for tests and metrics.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.free)
}

func (m *Memory) sweep(now time.Time) {
	if now.Sub(m.swept) < sweepEvery {
		return
	}
	m.swept = now
	for key, free := range m.free {
		if !free.After(now) {
			delete(m.free, key)
		}
	}
}
