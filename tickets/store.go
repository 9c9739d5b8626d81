package tickets

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"parvis/identity"
)

// Errors of a [Store]. Callers test them with [errors.Is].
var (
	// ErrNotFound: the session or ticket never was, is spent, ended or expired.
	ErrNotFound = errors.New("no such ticket")
	// ErrUnavailable: the store could not be asked; nothing is known.
	ErrUnavailable = errors.New("ticket store unavailable")
)

// Kind tells what a [Ticket] is for; its value is the identifier's prefix.
type Kind string

// The kinds of tickets of the CAS protocol (specification, section 3).
const (
	ServiceTicket       Kind = "ST"
	ProxyTicket         Kind = "PT"
	ProxyGrantingTicket Kind = "PGT"
)

// Session is one person logged in with one browser.
type Session struct {
	// ID is the ticket-granting ticket: the secret that the cookie carries.
	ID TGT
	// UID is the canonical login name of the person.
	UID string
	// Attributes are the person's, as they were at login.
	Attributes identity.Attributes
	// AuthTime is when the password was last proven.
	AuthTime time.Time
	// RememberMe tells that the person asked to stay logged in for long.
	RememberMe bool
	// Idle is how long the session lives without a ticket being granted.
	Idle time.Duration
	// Max is how long the session lives after it was opened, used or not.
	Max time.Duration
	// Address and UserAgent are where the login came from, for the owner's
	// own list of sessions.
	Address   string
	UserAgent string
}

// Ticket is what a service receives and shows back: once, but for a
// proxy-granting ticket, which stays.
type Ticket struct {
	ID   TicketID
	Kind Kind
	// Service is the identifier of the service it was granted for, byte for
	// byte as the browser sent it.
	Service string
	// Lifetime is how long the ticket can be redeemed, from the moment the
	// store takes it, by the store's clock.
	Lifetime time.Duration
	// FromNewLogin tells that a password was typed to get this very ticket.
	FromNewLogin bool
	// Proxies are the call-back addresses the ticket came through, the most
	// recent first; empty for a service ticket. Those of a proxy-granting
	// ticket begin with its own, and go to every proxy ticket made from it
	// (specification, section 2.5.2).
	Proxies []string
	// Uses is how often a proxy ticket can be redeemed: 0 is once. Tickets of
	// other kinds have no more than one.
	Uses int
}

// Times is how often the ticket can be redeemed, 1 at least.
func (t Ticket) Times() int {
	if t.Kind != ProxyTicket {
		return 1
	}
	return max(t.Uses, 1)
}

// BelongsTo reports whether the ticket may be granted by the session of tgt:
// its identifier has the form of its kind and lives in the session's slot.
func (t Ticket) BelongsTo(tgt TGT) bool {
	return tgt.Valid() && t.Kind == t.ID.Kind() && t.ID.Tag() == tgt.Tag()
}

// Visit is a service that a session handed a ticket to.
type Visit struct {
	Ticket  TicketID
	Service string
	At      time.Time
}

// maxVisitService bounds the address that a visit remembers, in bytes. The
// ticket itself keeps all of it.
const maxVisitService = 1 << 10

// Visit is what the session remembers of a ticket: enough to name the service
// and to tell it of a logout. Of a very long address the query goes first, so
// that nobody fills the store by visiting.
func (t Ticket) Visit(at time.Time) Visit {
	service := t.Service
	if len(service) > maxVisitService {
		service, _, _ = strings.Cut(service, "?")
	}
	return Visit{Ticket: t.ID, Service: service[:min(len(service), maxVisitService)], At: at}
}

// MaxVisits is how many visits a session remembers of service tickets, and as
// many again of proxy tickets; the oldest are forgotten, and their tickets are
// worth nothing any more: none may be used that no logout tells of. The two are apart so
// that a portal that asks its back ends all day makes no service forgotten
// that must be told of the logout.
const MaxVisits = 1000

// MaxGranting is how many proxy-granting tickets a session has: the latest. One
// more takes the place of the oldest, so that nobody fills the store by asking
// a service for one after the other.
const MaxGranting = 100

// FarewellTime is how long the visits of a closed session are kept for
// [Store.Farewell].
const FarewellTime = 10 * time.Minute

// OldestFirst sorts visits in place, and returns them. Those of one instant
// keep their order.
func OldestFirst(visits []Visit) []Visit {
	slices.SortStableFunc(visits, func(a, b Visit) int { return a.At.Compare(b.At) })
	return visits
}

// Store keeps sessions and their tickets. Every method is safe for concurrent
// use, from several nodes where the store is shared. Expiry goes by the
// store's own clock, never by a caller's. Errors other than [ErrNotFound] wrap
// [ErrUnavailable].
type Store interface {
	// Open begins a session.
	Open(ctx context.Context, s Session) error
	// Session reads a live session.
	Session(ctx context.Context, id TGT) (Session, error)
	// Renew lets the session of old go on under s.ID, which must have been
	// minted by [Minter.Rotate] from old: the same person typed their password
	// again. Old is dead at once; tickets and visits remain; limits start
	// anew, for proxy-granting tickets too. ErrNotFound when the session of old has ended, or is another
	// person's: a session never changes hands.
	Renew(ctx context.Context, old TGT, s Session) error
	// Grant stores a ticket, slides the session's idle limit and records the
	// visit, all or nothing. A proxy-granting ticket is no visit: the service
	// it is for has one already. What goes beyond [MaxVisits] or [MaxGranting]
	// takes the oldest of its kind out of the store, the ticket of a visit that
	// is forgotten included. ErrNotFound when the session has ended, or when the
	// ticket does not belong to it ([Ticket.BelongsTo]).
	Grant(ctx context.Context, tgt TGT, t Ticket) (Session, error)
	// Redeem takes a service or proxy ticket out of the store: at most one
	// caller ever gets it, [Ticket.Times] where it has more uses, and none once
	// its session has ended. Any other kind is ErrNotFound, and stays where it
	// is.
	Redeem(ctx context.Context, id TicketID) (Ticket, Session, error)
	// Discard takes a service or proxy ticket out of the store with all the
	// uses that it has left: nobody redeems it once Discard has returned. What
	// is not there, or is of another kind, is no error, and stays as it is. The
	// visit is still remembered.
	Discard(ctx context.Context, id TicketID) error
	// Lookup reads a proxy-granting ticket, which stays, with its live session,
	// by whose ID a proxy ticket is granted. It slides no limit. Any other kind
	// is ErrNotFound.
	Lookup(ctx context.Context, id TicketID) (Ticket, Session, error)
	// Close ends a live session with all its tickets, and returns it with no
	// fewer than the number of its visits. It takes no longer for a session that led to many
	// services: whom to tell is for Farewell to say.
	Close(ctx context.Context, tgt TGT) (Session, int, error)
	// Farewell gives out, once, the visits of a session that Close ended no
	// longer than [FarewellTime] ago, the oldest first: whom to tell. There are
	// none where nobody was visited, or where somebody else has them, be it a
	// caller whose answer was lost on its way.
	Farewell(ctx context.Context, tgt TGT) ([]Visit, error)
	// Visits lists the visits of a live session, the oldest first. Visits of
	// one instant of the store's clock keep their order among service tickets
	// and among proxy tickets.
	Visits(ctx context.Context, tgt TGT) ([]Visit, error)
	// SessionsOf lists the live sessions of a person, the one whose password
	// was typed longest ago first.
	SessionsOf(ctx context.Context, uid string) ([]Session, error)
	// Spend marks a single-use token as used for ttl. It reports whether this
	// call is the first to do so.
	Spend(ctx context.Context, token string, ttl time.Duration) (bool, error)
	// Ping tells whether the store can answer.
	Ping(ctx context.Context) error
}
