package cas

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"parvis/identity"
	"parvis/internal/audit"
	"parvis/internal/httpx"
	"parvis/internal/pace"
	"parvis/internal/ratelimit"
	"parvis/internal/slo"
	"parvis/services"
	"parvis/tickets"
	"parvis/ui"
)

// Directory knows people and checks their passwords.
type Directory interface {
	// Authenticate returns the person whose login and password these are:
	// identity.ErrBadCredentials, with the UID of the one person whose login
	// it is, a *identity.StateError, or an error that wraps
	// identity.ErrUnavailable otherwise.
	Authenticate(ctx context.Context, login, password string) (identity.Person, error)
	// Find reads a person without a password. identity.ErrNotFound, or an error
	// that wraps identity.ErrUnavailable.
	Find(ctx context.Context, login string) (identity.Person, error)
}

// Registry knows the services that may use the login.
type Registry interface {
	// Find returns the entry of a service's address, or why it may not be
	// served: services.ErrUnknown, or services.ErrDisabled with the entry.
	Find(service string) (*services.Service, error)
}

// Throttle slows down those who guess passwords.
type Throttle interface {
	// Take counts an attempt before its password is looked at, or says how
	// long to wait before the next.
	Take(ctx context.Context, a ratelimit.Attempt) (ratelimit.Hold, time.Duration, error)
	// Also counts it on the person whom the directory found, by their uid.
	Also(ctx context.Context, h ratelimit.Hold, person ratelimit.Attempt) (ratelimit.Hold, error)
	// Forgive forgets the failures that a right password makes harmless.
	Forgive(ctx context.Context, h ratelimit.Hold) error
	// Return gives back what was counted for a password that nobody judged.
	Return(ctx context.Context, h ratelimit.Hold) error
}

// Gate bounds how many passwords are checked at one time.
type Gate interface {
	// Enter waits for a place and returns how to leave it, or ratelimit.ErrBusy.
	Enter(ctx context.Context) (func(), error)
}

// Pages draws what people see.
type Pages interface {
	Write(w http.ResponseWriter, r *http.Request, status int, v ui.View) error
	// Language is the language that a page answering r is written in, and
	// LanguageFor that of a page on the way to a service with a locale.
	Language(r *http.Request) string
	LanguageFor(r *http.Request, locale string) string
}

// Auditor keeps the trail of who did what.
type Auditor interface {
	Record(ctx context.Context, e audit.Event)
}

// Ender ends sessions, and tells the services that they led to.
type Ender interface {
	// End ends a session with all its tickets. One that is not there is no
	// error.
	End(ctx context.Context, tgt tickets.TGT, why slo.Why) (slo.Ended, error)
}

// Limits are how long things last.
type Limits struct {
	// Idle and Max bound a session: unused, and at all.
	Idle, Max time.Duration
	// RememberMe offers the longer pair below to people who ask for it.
	RememberMe                bool
	RememberIdle, RememberMax time.Duration
	// ServiceTicket is how long a service has to validate a ticket, and
	// ProxyTicket a service that is reached through another.
	ServiceTicket, ProxyTicket time.Duration
	// PublicWorkstation offers to leave no session behind.
	PublicWorkstation bool
	// Form is how long a login form may stay open.
	Form time.Duration
	// SessionsPerPerson is how many sessions one person may have; the oldest
	// ends when another is opened. 0 is no limit.
	SessionsPerPerson int
}

// Options are what a [Server] is made of. All are required, but for Now and
// Random, which default to the machine's.
type Options struct {
	// Base is the path of the server's public address, such as "/cas".
	Base string
	// MaintenanceRetry is what Retry-After says when a dependency is down.
	MaintenanceRetry time.Duration

	Directory Directory
	Registry  Registry
	Store     tickets.Store
	Throttle  Throttle
	Gate      Gate
	Pages     Pages
	Auditor   Auditor
	Sealer    Sealer
	Ender     Ender
	// Callbacks reaches the call-back addresses of services that proxy; nil
	// stands for none of them.
	Callbacks Caller
	Cookies   CookieOptions
	Limits    Limits
	// Interrupts stand between a login and its service, in this order.
	Interrupts []Interrupt
	// Issuer is what SAML answers call this server: its public host's name.
	// "localhost" when empty.
	Issuer string
	// REST opens the addresses for programs; nil leaves them out.
	REST *RESTOptions
	// Available tells, at once and as far as is known, whether a login could
	// succeed now: where it could not, nobody is asked for a password. nil
	// stands for always.
	Available func() bool

	Now    func() time.Time
	Random io.Reader
}

// Server answers the protocol's requests.
type Server struct {
	base       string
	retry      time.Duration
	directory  Directory
	registry   Registry
	store      tickets.Store
	throttle   Throttle
	gate       Gate
	pages      Pages
	auditor    Auditor
	sealer     Sealer
	ender      Ender
	callbacks  Caller
	cookies    CookieOptions
	limits     Limits
	interrupts []Interrupt
	issuer     string
	rest       *RESTOptions
	available  func() bool
	forms      *formTokens
	mint       *tickets.Minter
	now        func() time.Time
	random     io.Reader
	// pace is learned from the directory's answers.
	pace pace.Pace
	// buffers are where answers are written before they are sent.
	buffers sync.Pool
}

// New returns a Server. It asks nothing of its dependencies yet: they may be
// down, and answer later.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Available == nil {
		o.Available = func() bool { return true }
	}
	if o.Issuer == "" {
		o.Issuer = "localhost"
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &Server{
		base: o.Base, retry: o.MaintenanceRetry,
		directory: o.Directory, registry: o.Registry, store: o.Store,
		throttle: o.Throttle, gate: o.Gate, pages: o.Pages, auditor: o.Auditor,
		sealer: o.Sealer, ender: o.Ender, callbacks: o.Callbacks, cookies: o.Cookies, limits: o.Limits, interrupts: o.Interrupts, issuer: o.Issuer, rest: o.REST, available: o.Available,
		forms: &formTokens{sealer: o.Sealer, spent: o.Store, lifetime: o.Limits.Form, now: o.Now, random: o.Random},
		mint:  tickets.NewMinter(o.Random),
		now:   o.Now, random: o.Random,
		buffers: sync.Pool{New: func() any {
			buffer := make([]byte, 0, 2048)
			return &buffer
		}},
	}
}

// Mount adds the protocol's endpoints to a router, below the base path. The
// router tries them in turn: those asked most come first.
func (s *Server) Mount(router *mux.Router) {
	for _, e := range []struct {
		path, name string
		methods    []string
		handler    httpx.Handler
		fail       httpx.Failure
	}{
		{"/serviceValidate", "serviceValidate", answers, s.serviceValidate(services.CAS20, false), failAnswer},
		{"/p3/serviceValidate", "p3_serviceValidate", answers, s.serviceValidate(services.CAS30, false), failAnswer},
		{"/login", "login", pages, s.login, s.Fail},
		{"/logout", "logout", pages, s.logout, s.Fail},
		{"/proxyValidate", "proxyValidate", answers, s.serviceValidate(services.CAS20, true), failAnswer},
		{"/p3/proxyValidate", "p3_proxyValidate", answers, s.serviceValidate(services.CAS30, true), failAnswer},
		{"/proxy", "proxy", answers, s.proxy, failAnswer},
		{"/validate", "validate", answers, s.validateCAS1, failAnswer},
		{"/samlValidate", "samlValidate", []string{http.MethodPost}, s.samlValidate, failAnswer},
	} {
		router.Handle(s.base+e.path, httpx.Named(e.name, httpx.Adapt(allow(e.methods, e.handler), e.fail)))
	}
	if s.rest != nil {
		s.mountREST(router)
	}
}

// The methods of endpoints that people see, and of those that services ask. A
// service's question spends a ticket, so there is no asking for its head.
var (
	pages   = []string{http.MethodGet, http.MethodHead, http.MethodPost}
	answers = []string{http.MethodGet, http.MethodPost}
)

var errMethod = errors.New("method not allowed")

// allow refuses other methods, and says which there are (RFC 9110, section
// 15.5.6).
func allow(methods []string, next httpx.Handler) httpx.Handler {
	header := http.Header{"Allow": {strings.Join(methods, ", ")}}
	return func(w http.ResponseWriter, r *http.Request) error {
		if !slices.Contains(methods, r.Method) {
			return &httpx.Error{Code: http.StatusMethodNotAllowed, Err: errMethod, Header: header}
		}
		return next(w, r)
	}
}

// failAnswer answers an application whose request could not be read, and tells
// its developer why.
func failAnswer(w http.ResponseWriter, _ *http.Request, err error) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, plainReason(err), httpx.StatusOf(err))
}

// plainReason is a line for who wrote a request that is refused for its form.
// Errors of that kind quote no value; of any other nothing is said.
func plainReason(err error) string {
	status := httpx.StatusOf(err)
	text := http.StatusText(status)
	if refused, ok := errors.AsType[*httpx.Error](err); ok && status < http.StatusInternalServerError {
		text += ": " + refused.Err.Error()
	}
	return text
}

// Fail draws the page for an error: maintenance when a dependency is down,
// else the status the error deserves. The error itself goes to the log alone.
func (s *Server) Fail(w http.ResponseWriter, r *http.Request, err error) {
	event := httpx.EventOf(r.Context())
	status := httpx.StatusOf(err)
	frame := s.frame(r, nil)
	if interrupted, ok := errors.AsType[*loginError](err); ok {
		frame = s.frame(r, &interrupted.q)
	}
	var view ui.View = &ui.Error{Frame: frame, Status: status, Reference: event.RequestID()}
	if passing(err) {
		status = http.StatusServiceUnavailable
		view = &ui.Maintenance{Frame: frame, Retry: s.retry, Reference: event.RequestID()}
	}
	if err := s.pages.Write(w, r, status, view); err != nil {
		event.Add(slog.String("page_error", err.Error()))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

// errThrottle means that the counts of failed logins could not be read or
// written: no password is looked at without them.
var errThrottle = errors.New("throttle unavailable")

// errDown means that a dependency was down a moment ago.
var errDown = errors.New("login is not available")

// passing tells an error that will go away by itself: a dependency is down, or
// too many people log in at this moment.
func passing(err error) bool {
	for _, cause := range []error{identity.ErrUnavailable, tickets.ErrUnavailable, ratelimit.ErrBusy, errThrottle, errDown} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

// record writes to the audit trail what every event has in common.
func (s *Server) record(r *http.Request, e audit.Event) {
	event := httpx.EventOf(r.Context())
	e.Address = address(event)
	e.Request = event.RequestID()
	s.auditor.Record(r.Context(), e)
}

// end ends a session, and tells in the audit what request did.
func (s *Server) end(r *http.Request, id tickets.TGT, action, reason string) (slo.Ended, error) {
	event := httpx.EventOf(r.Context())
	return s.ender.End(r.Context(), id, slo.Why{
		Action: action, Reason: reason, Address: address(event), Request: event.RequestID(),
	})
}

// address is where a request came from, "" where that is no IP address.
func address(event *httpx.Event) string {
	if client := event.Client(); client.IsValid() {
		return client.String()
	}
	return ""
}
