package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Bounds of what the garbage collector is told.
const (
	// headroom is how much may be allocated between two collections.
	headroom                        = 24 << 20
	smallestPercent, largestPercent = 30, 400
)

// tuneMemory keeps the distance between two collections about the same,
// whatever is alive: a node with Redis holds a few megabytes and would collect
// hundreds of times a second, a memory store full of sessions would double in
// size before it is collected once. GOGC in the environment turns this off.
func tuneMemory(ctx context.Context, env func(string) (string, bool)) {
	if _, set := env("GOGC"); set {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for percent := 0; ; {
		metrics.Read(live)
		best := largestPercent
		if bytes := live[0].Value.Uint64(); bytes > 0 {
			best = int(min(largestPercent, max(smallestPercent, headroom*100/bytes)))
		}
		if best*10 < percent*9 || best*10 > percent*11 {
			percent = best
			debug.SetGCPercent(percent)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
