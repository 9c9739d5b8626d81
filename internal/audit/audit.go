package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// What happened, for [Event.Action].
const (
	Login           = "login"
	Throttled       = "throttled"
	Gateway         = "gateway"
	Logout          = "logout"
	SessionEnded    = "session_ended"
	TicketGranted   = "ticket_granted"
	TicketValidated = "ticket_validated"
	ServiceRefused  = "service_refused"
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
	// LoginHash is the pseudonym of what was typed, where nobody was found.
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
	// Count is how many things it happened to, such as services logged out.
	Count int
}

// Sizes of what a line may hold, in bytes before escaping.
const (
	maxWord    = 64
	maxUser    = 256
	maxReason  = 256
	maxService = 1024
)

// line is the order and the spelling of what is written.
type line struct {
	Time      string `json:"time"`
	Action    string `json:"action"`
	Outcome   string `json:"outcome,omitempty"`
	User      string `json:"user,omitempty"`
	LoginHash string `json:"login_hash,omitempty"`
	Service   string `json:"service,omitempty"`
	Ticket    string `json:"ticket,omitempty"`
	Session   string `json:"session,omitempty"`
	Client    string `json:"client,omitempty"`
	Request   string `json:"request,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Count     int    `json:"count,omitempty"`
}

// Log writes events. It is safe for concurrent use.
type Log struct {
	w     io.Writer
	now   func() time.Time
	fault func(context.Context, error)
	mu    sync.Mutex
}

// New returns a Log that writes to w, each event in one call of Write. now is
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

// Record writes e. Times are UTC, RFC 3339 with milliseconds.
func (l *Log) Record(ctx context.Context, e Event) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // readers search for addresses with their "&"
	err := encoder.Encode(line{
		Time:      l.now().UTC().Format("2006-01-02T15:04:05.000Z"),
		Action:    clean(e.Action, maxWord),
		Outcome:   clean(e.Outcome, maxWord),
		User:      clean(e.User, maxUser),
		LoginHash: clean(e.LoginHash, maxWord),
		Service:   clean(withoutQuery(e.Service), maxService),
		Ticket:    hint(e.Ticket),
		Session:   hint(e.Session),
		Client:    clean(e.Address, maxWord),
		Request:   clean(e.Request, maxWord),
		Reason:    clean(e.Reason, maxReason),
		Count:     e.Count,
	})
	if err == nil {
		l.mu.Lock()
		_, err = l.w.Write(text.Bytes())
		l.mu.Unlock()
	}
	if err != nil {
		l.fault(ctx, fmt.Errorf("write audit event %s: %w", e.Action, err))
	}
}

// clean cuts s to size and replaces what could act on whoever reads the line
// in a terminal: control characters, the invisible ones that turn text
// around, and bytes that are no UTF-8. JSON would escape most of it, but
// readers of logs un-escape.
func clean(s string, size int) string {
	whole := len(s)
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, s[:min(size, whole)])
	if whole <= size && len(s) <= size {
		return s
	}
	// A character that was replaced is longer than the byte it was.
	end := min(size, len(s))
	for end > 0 && end < len(s) && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// withoutQuery is the part of a service's address that says where it is.
func withoutQuery(service string) string {
	if i := strings.IndexAny(service, "?#"); i >= 0 {
		return service[:i]
	}
	return service
}

// hint keeps a caller's mistake from writing a whole ticket.
func hint(s string) string {
	const shown = 8
	if len(s) > shown {
		s = s[:shown]
	}
	return clean(s, shown)
}
