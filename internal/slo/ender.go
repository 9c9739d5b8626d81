package slo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"parvis/internal/audit"
	"parvis/services"
	"parvis/tickets"
)

// Sessions is where sessions are: the part of a [tickets.Store] that ends them.
type Sessions interface {
	SessionsOf(ctx context.Context, uid string) ([]tickets.Session, error)
	Close(ctx context.Context, tgt tickets.TGT) (tickets.Session, int, error)
	Farewell(ctx context.Context, tgt tickets.TGT) ([]tickets.Visit, error)
}

// Registry knows the applications.
type Registry interface {
	Find(service string) (*services.Service, error)
	// TellsBrowsers tells whether any application hears of a logout through the
	// person's browser.
	TellsBrowsers() bool
}

// Teller takes logout requests to send.
type Teller interface {
	Tell(ctx context.Context, t Telling)
}

// Auditor writes down what happened.
type Auditor interface {
	Record(ctx context.Context, e audit.Event)
}

// EnderOptions are what an [Ender] is made of.
type EnderOptions struct {
	Sessions Sessions
	Registry Registry
	Teller   Teller
	Auditor  Auditor
	// Newest tells each application of its newest ticket only, for each path
	// visited; otherwise of every ticket it received.
	Newest bool
	// Now is the clock, time.Now when nil.
	Now func() time.Time
	// Random makes the ids of requests that go through the browser,
	// crypto/rand when nil.
	Random io.Reader
}

// Why tells what ended a session, for the audit trail.
type Why struct {
	// Action is audit.Logout or audit.SessionEnded; Reason is empty for a
	// logout that the person asked for.
	Action, Reason string
	// Address is the client's, Request the id of its request.
	Address, Request string
}

// Ended is a session that has ended.
type Ended struct {
	// UID is whose it was, or "" where there was none.
	UID string
	// Front are the addresses that the person's browser must call to tell the
	// applications that hear of a logout that way.
	Front []string
}

// maxFront bounds the addresses that one page has a browser call.
const maxFront = 100

// Ender ends sessions and tells the applications. It is safe for concurrent
// use; where two callers end the same session, the applications are told once.
type Ender struct{ o EnderOptions }

// NewEnder returns an Ender.
func NewEnder(o EnderOptions) *Ender {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &Ender{o: o}
}

// End ends a session and hands over what is to be told of it. Whom to tell is
// worked out later, unless some applications hear of it through the browser:
// then somebody waits for their addresses. A session that is not there is no
// error: the zero Ended tells it. Errors are those of the store and, once the
// session has ended, of the source of randomness.
func (e *Ender) End(ctx context.Context, tgt tickets.TGT, why Why) (Ended, error) {
	session, visits, err := e.o.Sessions.Close(ctx, tgt)
	if errors.Is(err, tickets.ErrNotFound) {
		return Ended{}, nil
	}
	if err != nil {
		return Ended{}, fmt.Errorf("end a session: %w", err)
	}
	e.o.Auditor.Record(ctx, audit.Event{
		Action: why.Action, Outcome: audit.Success, User: session.UID, Session: tgt.Hint(),
		Address: why.Address, Request: why.Request, Reason: why.Reason, Count: visits,
	})
	ended := Ended{UID: session.UID}
	if visits == 0 {
		return ended, nil
	}
	told := &farewell{ender: e, tgt: tgt, uid: session.UID, request: why.Request, at: e.o.Now(), visits: visits}
	if !e.o.Registry.TellsBrowsers() {
		e.o.Teller.Tell(ctx, told)
		return ended, nil
	}
	if batch, front, err := told.whom(ctx); err == nil {
		if len(batch) > 0 {
			e.o.Teller.Tell(ctx, batch)
		}
		ended.Front, err = told.addresses(front)
		return ended, err
	}
	// The browser does not wait for a store that fails; the Teller does.
	e.o.Teller.Tell(ctx, told)
	return ended, nil
}

// EndAll ends all sessions of a person but keep, which may be "", and tells how
// many there were. Applications that hear of a logout through a browser only
// are not told: the browsers are elsewhere. It goes on after an error.
func (e *Ender) EndAll(ctx context.Context, uid string, keep tickets.TGT, why Why) (int, error) {
	sessions, err := e.o.Sessions.SessionsOf(ctx, uid)
	if err != nil {
		return 0, fmt.Errorf("list the sessions to end: %w", err)
	}
	ended := 0
	var faults []error
	for _, session := range sessions {
		if same(session.ID, keep) {
			continue
		}
		if _, err := e.End(ctx, session.ID, why); err != nil {
			faults = append(faults, err)
			continue
		}
		ended++
	}
	return ended, errors.Join(faults...)
}

// same compares what outlives a change of secret: keep may have been read
// before its session was renewed.
func same(a, b tickets.TGT) bool {
	return a.Valid() && b.Valid() && a.Locator() == b.Locator()
}

// maxTickets bounds the tickets of one session that one application is told of,
// the newest: nobody has it called thousands of times by visiting it.
const maxTickets = 200

// frontCall is an application that a browser tells.
type frontCall struct{ address, name, ticket string }

// farewell is what one closed session has to tell.
type farewell struct {
	ender   *Ender
	tgt     tickets.TGT
	uid     string
	request string
	at      time.Time
	visits  int
}

var _ Telling = (*farewell)(nil)

// Size is how many services were visited, more or less.
func (f *farewell) Size() int { return f.visits }

// Notices leaves out the applications that only a browser can tell.
func (f *farewell) Notices(ctx context.Context) (Batch, error) {
	batch, _, err := f.whom(ctx)
	return batch, err
}

// whom takes the visits of the session out of the store, which gives them out
// once, and works out whom to tell.
func (f *farewell) whom(ctx context.Context) (Batch, []frontCall, error) {
	visits, err := f.ender.o.Sessions.Farewell(ctx, f.tgt)
	if err != nil {
		return nil, nil, fmt.Errorf("read whom to tell: %w", err)
	}
	if f.ender.o.Newest {
		visits = newest(visits)
	}
	var batch Batch
	var front []frontCall
	told := make(map[int64]int)
	for _, visit := range slices.Backward(visits) {
		service, addresses := f.addressees(visit)
		if service == nil || told[service.ID] == maxTickets {
			continue
		}
		told[service.ID]++
		for _, address := range slices.Backward(addresses) {
			if service.Logout.Type == services.LogoutFront {
				front = append(front, frontCall{address, f.nameAt(service), string(visit.Ticket)})
				continue
			}
			batch = append(batch, Notice{
				URL: withoutFragment(services.Location(address)), Service: service.Name, Ticket: string(visit.Ticket), Name: f.nameAt(service),
				At: f.at, Request: f.request, Networks: service.Networks, AllowHTTP: isHTTP(address),
			})
		}
	}
	slices.Reverse(batch)
	slices.Reverse(front)
	return batch, front, nil
}

// nameAt is what the person is called in a request to a service, which may have
// to do without: the ticket tells it whose session has ended.
func (f *farewell) nameAt(service *services.Service) string {
	if service.Pseudonymous() {
		return noName
	}
	return f.uid
}

// addressees are where one visit is told of. An entry closed since then is told
// all the same: the person may still be logged in there. A service that no
// entry knows any more is not: nobody vouches for its address.
func (f *farewell) addressees(v tickets.Visit) (*services.Service, []string) {
	service, err := f.ender.o.Registry.Find(v.Service)
	if service == nil || err != nil && !errors.Is(err, services.ErrDisabled) {
		return nil, nil
	}
	return service, slices.DeleteFunc(service.LogoutAddresses(v.Service), func(address string) bool { return !services.Redirectable(address) })
}

// addresses are what the browser calls; of very many, those visited last.
func (f *farewell) addresses(front []frontCall) ([]string, error) {
	var addresses []string
	var pack packer
	for _, call := range front[max(0, len(front)-maxFront):] {
		id, err := newID(f.ender.o.Random)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, pack.address(call.address, message(id, f.at, call.name, call.ticket)))
	}
	return addresses, nil
}

// newest keeps the last visit of each service, which is what stands before the
// query, the fragment and any path parameter.
func newest(visits []tickets.Visit) []tickets.Visit {
	last := make(map[string]int, len(visits))
	for i, visit := range visits {
		last[pathOf(visit.Service)] = i
	}
	var kept []tickets.Visit
	for i, visit := range visits {
		if last[pathOf(visit.Service)] == i {
			kept = append(kept, visit)
		}
	}
	return kept
}

func pathOf(service string) string {
	if i := strings.IndexAny(service, "?#;"); i >= 0 {
		service = service[:i]
	}
	return service
}

// isHTTP tells a service whose own address has no TLS, and so was registered
// without.
func isHTTP(service string) bool {
	const scheme = "http://"
	return len(service) > len(scheme) && strings.EqualFold(service[:len(scheme)], scheme)
}

func withoutFragment(address string) string {
	address, _, _ = strings.Cut(address, "#")
	return address
}
