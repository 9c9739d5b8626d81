package pace

import "time"

// WithTimers returns a Pace that synctest's clock moves.
func WithTimers() *Pace { return &Pace{sleep: time.Sleep} }
