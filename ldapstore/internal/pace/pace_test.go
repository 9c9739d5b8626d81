package pace_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"parvis/ldapstore/internal/pace"
)

func TestRefusalsLastAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace.Pace
		for i := range 100 {
			refuse(t, &p, time.Duration(i%10+1)*time.Millisecond, true)
		}
		for _, natural := range []time.Duration{0, time.Millisecond, 9 * time.Millisecond} {
			if took := refuse(t, &p, natural, false); took != 10*time.Millisecond {
				t.Errorf("a refusal of %s lasted %s, want 10ms", natural, took)
			}
		}
		if took := refuse(t, &p, 30*time.Millisecond, false); took != 30*time.Millisecond {
			t.Errorf("a slow refusal lasted %s, want 30ms", took)
		}
	})
}

func TestNobodyWaitsForASlowDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace.Pace
		refuse(t, &p, time.Minute, true)
		if took := refuse(t, &p, 0, false); took != time.Second {
			t.Errorf("a refusal lasted %s, want at most 1s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		begun := time.Now()
		p.Level(ctx, begun, false)
		if took := time.Since(begun); took != time.Millisecond {
			t.Errorf("a caller without time waited %s", took)
		}
	})
}

func refuse(t *testing.T, p *pace.Pace, natural time.Duration, genuine bool) time.Duration {
	t.Helper()
	begun := time.Now()
	time.Sleep(natural)
	p.Level(t.Context(), begun, genuine)
	return time.Since(begun)
}
