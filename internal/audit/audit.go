package audit

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// What happened, for [Event.Action].
const (
	Login           = "login"
	Throttled       = "throttled"
	Gateway         = "gateway"
	Logout          = "logout"
	SessionEnded    = "session_ended"
	TicketGranted   = "ticket_granted"
	ProxyGranted    = "proxy_granted"
	TicketValidated = "ticket_validated"
	ServiceRefused  = "service_refused"
	LogoutSent      = "logout_sent"
	LogoutsViewed   = "logouts_viewed"
	// ServicePublished: an entry was sent to the registry.
	ServicePublished = "service_published"
)

// How it ended, for [Event.Outcome].
const (
	// Success: it was done.
	Success = "success"
	// Failure: the proof was wrong, such as a password.
	Failure = "failure"
	// Refused: a rule forbids it.
	Refused = "refused"
)

// Event is something that happened to an account, a session or a ticket.
// Fields that are empty are left out of its line.
type Event struct {
	// Action is what happened, Outcome how it ended.
	Action, Outcome string
	// User is the canonical uid, set only where the directory knew it.
	User string
	// LoginHash is the pseudonym of what was typed, where no password proved it.
	LoginHash string
	// Service is the service's address. Its query and fragment are not
	// written: applications put secrets of their own there.
	Service string
	// Ticket and Session are hints of identifiers, never the identifiers.
	Ticket, Session string
	// Address is the client's.
	Address string
	// Request is the request's id, as in the log.
	Request string
	// Reason says why, in a few fixed words ("bad credentials",
	// "INVALID_TICKET").
	Reason string
	// Count is how many things it concerns: of a session that ended, the
	// tickets that services got from it.
	Count int
}

// Log writes events. It is safe for concurrent use.
type Log struct {
	w     io.Writer
	now   func() time.Time
	fault func(context.Context, error)
	delay time.Duration

	mu sync.Mutex
	// lines were not written yet. They wait for the timer, which runs while
	// waiting is set, or for a line that cannot wait.
	lines   []byte
	waiting bool
}

// enough is how many bytes of lines are written whatever they wait for.
const enough = 16 << 10

// New returns a Log that writes to w, whole lines in each call of Write. now is
// its clock, time.Now when nil. fault is told of events that could not be
// written, and may be nil: an audit that cannot be written stops no login.
func New(w io.Writer, now func() time.Time, fault func(context.Context, error)) *Log {
	if now == nil {
		now = time.Now
	}
	if fault == nil {
		fault = func(context.Context, error) {}
	}
	return &Log{w: w, now: now, fault: fault}
}

// Hold lets the lines of tickets wait for delay at most, so that many are
// written at once: a system call for each was a tenth of a validation. What
// tells of a password, a session or a refusal is in w when Record returns, and
// all that waited before it. Call Hold before the first Record, and Flush after
// the last one.
func (l *Log) Hold(delay time.Duration) { l.delay = delay }

// Record writes e. Times are UTC, RFC 3339 with milliseconds.
func (l *Log) Record(ctx context.Context, e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = appendLine(l.lines, l.now(), &e)
	if l.delay == 0 || !mayWait(&e) || len(l.lines) >= enough {
		if err := l.write(); err != nil {
			l.fault(ctx, fmt.Errorf("write audit event %s: %w", e.Action, err))
		}
		return
	}
	if !l.waiting {
		l.waiting = true
		time.AfterFunc(l.delay, l.flushLate)
	}
}

// mayWait tells the events that happen with each page view of each service, or
// many at once.
func mayWait(e *Event) bool {
	switch e.Action {
	case TicketGranted, TicketValidated, Gateway, LogoutSent:
		return e.Outcome == Success
	}
	return false
}

// Flush writes the lines that wait.
func (l *Log) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.write(); err != nil {
		return fmt.Errorf("write audit events: %w", err)
	}
	return nil
}

func (l *Log) flushLate() {
	l.mu.Lock()
	l.waiting = false
	l.mu.Unlock()
	if err := l.Flush(); err != nil {
		l.fault(context.Background(), err)
	}
}

func (l *Log) write() error {
	if len(l.lines) == 0 {
		return nil
	}
	_, err := l.w.Write(l.lines)
	l.lines = l.lines[:0]
	return err
}
