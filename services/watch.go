package services

import (
	"context"
	"errors"
	"time"
)

// Watch reads the folder every so often, until ctx ends, and takes what has
// changed. A change is taken when two readings in a row agree: a file caught
// while it is being written may well be read, and lack the lines that close it.
// Files that cannot be used are logged one time; see [Registry.Reload].
func (r *Registry) Watch(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	seen := r.current.Load().sum
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
		if !settled || seen == r.current.Load().sum {
			continue
		}
		if broken, ok := errors.AsType[*LoadError](r.replace(folder)); ok {
			r.log.ErrorContext(ctx, "service files not taken: the last good version of each stays", "files", broken.Files(), "error", broken.Error())
		}
	}
}
