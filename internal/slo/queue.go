package slo

import (
	"context"
	"net/netip"
	"time"
)

// Notice is one logout request to one application.
type Notice struct {
	// URL is where it is posted, http or https.
	URL string
	// Service is the name of the application's entry.
	Service string
	// Ticket is the service or proxy ticket that the application received:
	// the session index by which it knows the session.
	Ticket string
	// Name is the canonical uid of the person.
	Name string
	// At is when the session ended. Tries end some time after it.
	At time.Time
	// Request is the id of the request that ended the session, as in the log.
	Request string
	// Networks are private addresses that this application may be reached at.
	Networks []netip.Prefix
	// AllowHTTP lets the request go without TLS.
	AllowHTTP bool
}

// Telling is what one logout has to tell, worked out when nobody waits for it.
type Telling interface {
	// Size is about how many notices there are, known before they are.
	Size() int
	// Notices works them out, once: after an error, which is the store's, it is
	// asked again.
	Notices(ctx context.Context) (Batch, error)
}

// Batch is a [Telling] of notices that are known.
type Batch []Notice

// Size counts the notices.
func (b Batch) Size() int { return len(b) }

// Notices is the batch itself.
func (b Batch) Notices(context.Context) (Batch, error) { return b, nil }

// Item is a notice taken from a queue, which names it by ID.
type Item struct {
	ID     string
	Notice Notice
}

// Outcome is how a notice ended. It names neither a person nor a ticket.
type Outcome struct {
	// At is when it ended.
	At time.Time `json:"time"`
	// Service is the name of the application's entry, Host where it was told.
	Service string `json:"application"`
	Host    string `json:"host"`
	// Success tells that the application answered with a status below 400.
	Success bool `json:"success"`
	// Reason says what went wrong in the last try: timeout, refused, name, tls,
	// forbidden, connection, bad_address, "status_" and the status, or given_up
	// where none was made in time. It is empty for a success.
	Reason string `json:"reason,omitempty"`
	// Tries is how often the request was sent; 0 where it was given up before.
	Tries int `json:"tries"`
}

// Done is an item that nobody need work on any more, and how it ended.
type Done struct {
	ID      string
	Outcome Outcome
}

// MaxOutcomes is how many outcomes a queue remembers; the oldest are forgotten.
const MaxOutcomes = 1000

// Queue keeps notices until they are done. Every method is safe for concurrent
// use, from several nodes where the queue is shared. A notice is given to one
// taker at a time; one that its taker neither keeps nor ends within the queue's
// patience, about a minute, is given to another. So a notice may be sent
// twice, which applications do not mind, but it is not lost.
type Queue interface {
	// Add appends notices. After an error some may be there.
	Add(ctx context.Context, notices []Notice) error
	// Take returns up to n notices, the oldest first. It waits for the first
	// one as long as told, and returns none without an error where none came.
	Take(ctx context.Context, n int, wait time.Duration) ([]Item, error)
	// Keep tells that the items of these ids are still worked on.
	Keep(ctx context.Context, ids []string) error
	// Done removes items and remembers how they ended.
	Done(ctx context.Context, done []Done) error
	// Outcomes lists the last n outcomes, the latest first.
	Outcomes(ctx context.Context, n int) ([]Outcome, error)
	// Waiting counts the notices that are not done.
	Waiting(ctx context.Context) (int, error)
}
