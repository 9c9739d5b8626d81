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

// Take implements [Source].
func (m *Memory) Take(_ context.Context, groups [][]Charge) ([]time.Duration, error) {
	now := m.now()
	waits := make([]time.Duration, len(groups))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(now)
	for i, group := range groups {
		for _, c := range group {
			waits[i] = max(waits[i], m.debt(c.Key, now)+c.Cost-c.Ceiling)
		}
		if waits[i] > 0 {
			continue
		}
		for _, c := range group {
			m.free[c.Key] = now.Add(m.debt(c.Key, now) + c.Cost)
		}
	}
	return waits, nil
}

// Refund implements [Source].
func (m *Memory) Refund(_ context.Context, groups [][]Charge) error {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, group := range groups {
		for _, c := range group {
			if left := m.debt(c.Key, now) - c.Cost; left > 0 {
				m.free[c.Key] = now.Add(left)
			} else {
				delete(m.free, c.Key)
			}
		}
	}
	return nil
}

func (m *Memory) debt(key string, now time.Time) time.Duration {
	return max(0, m.free[key].Sub(now))
}

// Len is the number of debts held, melted ones among them until they are swept.
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
