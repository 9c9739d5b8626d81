package services

import (
	"context"
	"time"
)

// Watch reads the folder every so often, until ctx ends, and takes what has
// changed. A change is taken when two readings in a row agree: a file caught
// while it is being written may well be read, and lack the lines that close it.
// A version that cannot be used is logged one time and left aside.
func (r *Registry) Watch(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	// judged is the last version taken or left aside; seen is the last reading.
	judged := r.current.Load().sum
	seen := judged
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// Contents are read, not only sizes and dates: a copy may keep both, and
		// a few hundred small files cost less than a mistake.
		folder := scan(r.fsys)
		settled := folder.sum == seen
		seen = folder.sum
		if !settled || seen == judged {
			continue
		}
		judged = seen
		err := r.replace(folder)
		if err != nil {
			r.log.Error("services not reloaded, the last good version stays", "error", err.Error())
		}
	}
}
