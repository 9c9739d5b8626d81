package casclient

import (
	"context"
	"errors"
	"time"
)

// ErrNoSession is returned by [Sessions.Load] when there is no such session, or
// none any more.
var ErrNoSession = errors.New("no such session")

// Session is what a service remembers of a login. Stores may write it as JSON.
type Session struct {
	Principal Principal `json:"principal"`
	// Ticket opened the session; it is the name that the server's logout
	// request calls it by.
	Ticket string `json:"ticket"`
	// Started is when.
	Started time.Time `json:"started"`
	// Fresh is when the server vouched that a password had just been given,
	// zero if it never did.
	Fresh time.Time `json:"fresh,omitzero"`
	// PGT is the proxy-granting ticket, "" for none. It is a secret.
	PGT string `json:"pgt,omitempty"`
	// Idle is how long the session lives after its last use.
	Idle time.Duration `json:"idle"`
	// End is when it ends whatever its use.
	End time.Time `json:"end"`
}

// Sessions keeps sessions. Keys are 43 characters of [A-Za-z0-9_-] and no
// secret. It must be safe for concurrent use, and a deletion must be seen by
// every Load that starts after it.
type Sessions interface {
	// Save stores a new session, findable by key and by Session.Ticket. A key is
	// saved once only.
	Save(ctx context.Context, key string, s Session) error
	// Load returns a session that has neither ended nor been idle too long, and
	// starts its idle time anew; else ErrNoSession. Any other error is an outage.
	Load(ctx context.Context, key string) (Session, error)
	// Delete ends a session. It is no error if there is none.
	Delete(ctx context.Context, key string) error
	// DeleteTicket ends the session that this ticket opened. It is no error if
	// there is none.
	DeleteTicket(ctx context.Context, ticket string) error
}

// Grants keeps proxy-granting tickets between the server's call, which brings
// one, and its answer to the validation, which says whose it is: seconds.
type Grants interface {
	// Put stores a proxy-granting ticket under its IOU for a minute.
	Put(ctx context.Context, iou, pgt string) error
	// Take returns it and forgets it, "" if it never came.
	Take(ctx context.Context, iou string) (string, error)
}
