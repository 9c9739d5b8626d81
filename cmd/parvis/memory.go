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
	headroom                        = 64 << 20
	smallestPercent, largestPercent = 30, 800
)

// After quietTicks ticks with no more allocated than quietBytes, a node that
// was busy gives back to the system what the rush left behind. By then the
// tickets of a rush have expired and were swept away.
const (
	tuneTick   = time.Second
	quietTicks = 25
	quietBytes = 4 << 20
)

// tuneMemory keeps the distance between two collections about the same,
// whatever is alive: a node with Redis holds a few megabytes and would collect
// hundreds of times a second, a memory store full of sessions would double in
// size before it is collected once. GOGC in the environment turns this off.
func tuneMemory(ctx context.Context, env func(string) (string, bool)) {
	if _, set := env("GOGC"); set {
		return
	}
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	tick := time.NewTicker(tuneTick)
	defer tick.Stop()
	var rest rest
	for percent := 0; ; {
		metrics.Read(samples)
		if rest.begins(samples[1].Value.Uint64()) {
			debug.FreeOSMemory()
		}
		best := largestPercent
		if bytes := samples[0].Value.Uint64(); bytes > 0 {
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

// rest finds when a node that was busy has nothing to do.
type rest struct {
	allocated uint64 // when the present quiet began
	ticks     int
}

// begins tells, asked once a tick with all that was ever allocated, whether the
// node has now been quiet for long enough. It does so once for each rush.
func (r *rest) begins(allocated uint64) bool {
	if allocated-r.allocated > quietBytes {
		*r = rest{allocated: allocated}
		return false
	}
	r.ticks++
	return r.ticks == quietTicks
}
