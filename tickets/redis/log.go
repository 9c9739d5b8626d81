package redis

import (
	"context"
	"fmt"
	"log/slog"

	goredis "github.com/redis/go-redis/v9"
)

// LogDriver sends what go-redis says by itself to log, at debug level, rather
// than to the standard error: calls return the same errors to those who can
// act on them. The driver has one logger for the whole process, so that main
// calls this once, before [Open].
func LogDriver(log *slog.Logger) { goredis.SetLogger(driverLog{log}) }

type driverLog struct{ log *slog.Logger }

// Printf is what go-redis calls.
func (d driverLog) Printf(ctx context.Context, format string, values ...any) {
	if d.log.Enabled(ctx, slog.LevelDebug) {
		d.log.DebugContext(ctx, "redis driver", "message", fmt.Sprintf(format, values...))
	}
}
