package slo_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parvis/internal/audit"
	"parvis/internal/slo"
	"parvis/tickets"
)

// roll is a directory that tells whose account was stopped: people, the first
// two times.
type roll struct {
	people []string
	since  []time.Time
}

func (r *roll) Stopped(_ context.Context, since time.Time) ([]string, error) {
	r.since = append(r.since, since)
	if len(r.since) > 2 {
		return nil, nil
	}
	return r.people, nil
}

// endings notes whose sessions are ended; those of roux-p cannot be.
type endings struct {
	of  []string
	why []slo.Why
}

func (e *endings) EndAll(_ context.Context, uid string, keep tickets.TGT, why slo.Why) (int, error) {
	e.of, e.why = append(e.of, uid+string(keep)), append(e.why, why)
	if uid == "roux-p" {
		return 0, tickets.ErrUnavailable
	}
	return 1, nil
}

// A session does not outlive the account: all of each person's end, and one
// that cannot be ended is tried again.
func TestStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		directory, ended := &roll{people: []string{"roux-p", "dupont-a"}}, &endings{}
		s := slo.NewStopped(slo.StoppedOptions{Directory: directory, Ender: ended, Every: time.Minute, Logger: log.logger()})
		ctx, cancel := context.WithCancel(t.Context())
		begun := time.Now()
		go s.Run(ctx)
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		cancel()
		synctest.Wait()
		if diff := cmp.Diff([]string{"roux-p", "dupont-a", "roux-p", "dupont-a"}, ended.of); diff != "" {
			t.Error(diff)
		}
		for _, why := range ended.why {
			if want := (slo.Why{Action: audit.SessionEnded, Reason: "account_stopped"}); why != want {
				t.Errorf("why %+v", why)
			}
		}
		var back []time.Duration
		for _, since := range directory.since {
			back = append(back, since.Sub(begun))
		}
		// What failed is asked for again, from where it failed.
		if diff := cmp.Diff([]time.Duration{-time.Hour, -time.Hour, -time.Hour, 0}, back); diff != "" {
			t.Error(diff)
		}
		if n := strings.Count(log.text(), "\n"); n != 1 {
			t.Errorf("%d lines for one failure that lasts:\n%s", n, log.text())
		}
	})
}

func TestStoppedNever(t *testing.T) {
	directory := &roll{}
	slo.NewStopped(slo.StoppedOptions{Directory: directory, Ender: &endings{}, Logger: quiet()}).Run(t.Context())
	if len(directory.since) != 0 {
		t.Error("asked although told never to")
	}
}
