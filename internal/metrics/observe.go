package metrics

import (
	"context"
	"errors"
	"strings"
	"time"

	"parvis/identity"
	"parvis/internal/audit"
	"parvis/tickets"
)

// Auditor passes events on to the audit trail and counts them: what is worth
// an audit line is what is worth a count, and so the rooms that record events
// need not know of metrics.
type Auditor struct {
	metrics *Metrics
	next    interface {
		Record(ctx context.Context, e audit.Event)
	}
}

// Auditor returns an Auditor in front of next.
func (m *Metrics) Auditor(next *audit.Log) *Auditor { return &Auditor{metrics: m, next: next} }

// Record counts an event, and passes it on.
func (a *Auditor) Record(ctx context.Context, e audit.Event) {
	m := a.metrics
	switch e.Action {
	case audit.Login:
		m.logins.WithLabelValues(outcome(e.Outcome)).Inc()
	case audit.Throttled:
		m.logins.WithLabelValues("throttled").Inc()
	case audit.TicketGranted:
		m.tickets.WithLabelValues(kind(e.Ticket), "granted", outcome(e.Outcome)).Inc()
	case audit.TicketValidated:
		m.tickets.WithLabelValues(kind(e.Ticket), "validated", outcome(e.Outcome)).Inc()
	case audit.Logout:
		m.sessionsEnded.WithLabelValues("logout").Inc()
	case audit.SessionEnded:
		m.sessionsEnded.WithLabelValues(cause(e.Reason)).Inc()
	case audit.LogoutSent:
		m.logouts.WithLabelValues(outcome(e.Outcome)).Inc()
	case audit.ServiceRefused:
		m.refused.Inc()
	}
	a.next.Record(ctx, e)
}

// cause keeps the reasons for ending a session few.
func cause(reason string) string {
	switch reason {
	case "replaced", "too_many", "account_stopped":
		return reason
	}
	return other
}

func outcome(s string) string {
	switch s {
	case audit.Success, audit.Failure, audit.Refused:
		return s
	}
	return other
}

// kind is what a ticket's hint says that it is.
func kind(hint string) string {
	prefix, _, _ := strings.Cut(hint, "-")
	switch k := tickets.Kind(prefix); k {
	case tickets.ServiceTicket, tickets.ProxyTicket, tickets.ProxyGrantingTicket:
		return prefix
	}
	return other
}

// Store measures the calls of a ticket store that logins and validations wait
// for. The others pass through.
func (m *Metrics) Store(next tickets.Store, now func() time.Time) tickets.Store {
	if now == nil {
		now = time.Now
	}
	return &store{Store: next, metrics: m, now: now}
}

type store struct {
	tickets.Store
	metrics *Metrics
	now     func() time.Time
}

func (s *store) Open(ctx context.Context, session tickets.Session) error {
	start := s.now()
	err := s.Store.Open(ctx, session)
	s.done("open", start, err)
	return err
}

func (s *store) Session(ctx context.Context, id tickets.TGT) (tickets.Session, error) {
	start := s.now()
	session, err := s.Store.Session(ctx, id)
	s.done("session", start, err)
	return session, err
}

func (s *store) Grant(ctx context.Context, tgt tickets.TGT, t tickets.Ticket) (tickets.Session, error) {
	start := s.now()
	session, err := s.Store.Grant(ctx, tgt, t)
	s.done("grant", start, err)
	return session, err
}

func (s *store) Redeem(ctx context.Context, id tickets.TicketID) (tickets.Ticket, tickets.Session, error) {
	start := s.now()
	ticket, session, err := s.Store.Redeem(ctx, id)
	s.done("redeem", start, err)
	return ticket, session, err
}

func (s *store) Discard(ctx context.Context, id tickets.TicketID) error {
	start := s.now()
	err := s.Store.Discard(ctx, id)
	s.done("discard", start, err)
	return err
}

func (s *store) Lookup(ctx context.Context, id tickets.TicketID) (tickets.Ticket, tickets.Session, error) {
	start := s.now()
	ticket, session, err := s.Store.Lookup(ctx, id)
	s.done("lookup", start, err)
	return ticket, session, err
}

func (s *store) Close(ctx context.Context, tgt tickets.TGT) (tickets.Session, int, error) {
	start := s.now()
	session, visits, err := s.Store.Close(ctx, tgt)
	s.done("close", start, err)
	return session, visits, err
}

func (s *store) Spend(ctx context.Context, token string, ttl time.Duration) (bool, error) {
	start := s.now()
	first, err := s.Store.Spend(ctx, token, ttl)
	s.done("spend", start, err)
	return first, err
}

func (s *store) done(operation string, start time.Time, err error) {
	s.metrics.store.WithLabelValues(operation, storeResult(err)).Observe(s.now().Sub(start).Seconds())
}

func storeResult(err error) string {
	if errors.Is(err, tickets.ErrNotFound) {
		return "not_found"
	}
	return result(err, tickets.ErrUnavailable)
}

func directoryResult(err error) string {
	var state *identity.StateError
	switch {
	case errors.Is(err, identity.ErrBadCredentials), errors.As(err, &state):
		return "refused"
	case errors.Is(err, identity.ErrNotFound):
		return "not_found"
	}
	return result(err, identity.ErrUnavailable)
}

func result(err, unavailable error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, unavailable):
		return "unavailable"
	}
	return "error"
}
