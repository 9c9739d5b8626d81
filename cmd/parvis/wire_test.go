package main

import (
	"testing"

	"parvis/internal/config"
	"parvis/internal/ratelimit"
)

// TestS20DefaultLimits: the limits of a configuration that says nothing are
// those that the limiter's own tests try.
func TestS20DefaultLimits(t *testing.T) {
	if got, want := limitsOf(config.Default().Throttle), ratelimit.DefaultLimits(); got != want {
		t.Errorf("the default limits are %+v, want %+v", got, want)
	}
}
