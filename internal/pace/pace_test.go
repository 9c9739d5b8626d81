package pace_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"parvis/internal/pace"
)

func TestRefusalsLastAlike(t *testing.T) {
	for name, class := range map[string]pace.Class{"people are slower": pace.Somebody, "the decoy is slower": pace.Nobody} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pace.WithTimers()
				for i := range 100 {
					p.Learn(class, time.Duration(i%10+1)*time.Millisecond)
					p.Learn(1-class, time.Millisecond)
				}
				for _, took := range []time.Duration{0, time.Millisecond, 9 * time.Millisecond} {
					wantLasts(t, p, took, 10*time.Millisecond)
				}
				wantLasts(t, p, 30*time.Millisecond, 30*time.Millisecond)
			})
		})
	}
}

func TestNobodyWaitsForASlowDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.WithTimers()
		wantLasts(t, p, time.Millisecond, time.Millisecond)
		p.Learn(pace.Somebody, time.Minute)
		wantLasts(t, p, 0, 300*time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		begun := time.Now()
		p.Level(ctx, 0)
		if took := time.Since(begun); took != time.Millisecond {
			t.Errorf("a caller without time waited %s", took)
		}
	})
}

func TestPeaksAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.WithTimers()
		for range 1000 {
			p.Learn(pace.Somebody, 200*time.Millisecond)
		}
		wantLasts(t, p, 0, 200*time.Millisecond)
		for range 64 {
			p.Learn(pace.Somebody, time.Millisecond)
		}
		wantLasts(t, p, 0, time.Millisecond)
	})
}

// wantLasts levels a refusal on which the directory took some time.
func wantLasts(t *testing.T, p *pace.Pace, took, want time.Duration) {
	t.Helper()
	begun := time.Now()
	time.Sleep(took)
	p.Level(t.Context(), took)
	if lasted := time.Since(begun); lasted != want {
		t.Errorf("a refusal of %s lasted %s, want %s", took, lasted, want)
	}
}
