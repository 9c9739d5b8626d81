package slo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"parvis/internal/audit"
	"parvis/tickets"
)

// Directory knows whose account was stopped, by whatever tool.
type Directory interface {
	// Stopped lists the uids of people whose account is suspended or closed, and
	// whose entry changed since an instant.
	Stopped(ctx context.Context, since time.Time) ([]string, error)
}

// StoppedOptions are what a [Stopped] is made of.
type StoppedOptions struct {
	Directory Directory
	Ender     interface {
		EndAll(ctx context.Context, uid string, keep tickets.TGT, why Why) (int, error)
	}
	// Every is how often the directory is asked; 0 is never.
	Every time.Duration
	// Logger is told when the directory, or the store, cannot be asked.
	Logger *slog.Logger
	// Now is the clock, time.Now when nil.
	Now func() time.Time
}

// Stopped ends the sessions of people whose account was stopped: an open
// session would outlive the account by hours.
type Stopped struct{ o StoppedOptions }

const (
	// overlap is how far each look goes back behind the last good one: the
	// directory has its own clock, and its replicas are late.
	overlap = 2 * time.Minute
	// firstLook is how far the first one goes back: what happened while no node
	// ran.
	firstLook = time.Hour
)

// NewStopped returns a Stopped, which does nothing until [Stopped.Run].
func NewStopped(o StoppedOptions) *Stopped {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Stopped{o: o}
}

// Run looks until ctx ends. Several nodes may: a session ends once.
func (s *Stopped) Run(ctx context.Context) {
	if s.o.Every <= 0 {
		return
	}
	ticker := time.NewTicker(s.o.Every)
	defer ticker.Stop()
	since, failing := s.o.Now().Add(-firstLook), false
	for {
		begun := s.o.Now()
		err := s.look(ctx, since)
		switch {
		case err == nil:
			since = begun.Add(-overlap)
		case !failing && ctx.Err() == nil:
			s.o.Logger.ErrorContext(ctx, "sessions of stopped accounts cannot be ended: trying on", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// look asks once, and ends the sessions of everybody who was stopped since. It
// goes on after a person whose sessions cannot be ended.
func (s *Stopped) look(ctx context.Context, since time.Time) error {
	people, err := s.o.Directory.Stopped(ctx, since)
	if err != nil {
		return fmt.Errorf("list the accounts stopped: %w", err)
	}
	var faults []error
	for _, uid := range people {
		_, err := s.o.Ender.EndAll(ctx, uid, "", Why{Action: audit.SessionEnded, Reason: "account_stopped"})
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
