package cas

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"parvis/identity"
	"parvis/internal/audit"
	"parvis/internal/httpx"
	"parvis/services"
)

// RESTOptions open the addresses by which a program that has somebody's
// password logs in for them, without a browser.
type RESTOptions struct {
	// URL is the server's public address ("https://cas.univ.example/cas"). It is
	// never taken from a request.
	URL string
	// Publishing opens the address that takes entries of services, where it is
	// not nil.
	Publishing *RESTPublishing
}

// RESTPublishing says who may add services, and where they go.
type RESTPublishing struct {
	Publisher Publisher
	// Attribute and Value are what the person's account must hold, such as a
	// group. Both are required, and case does not count in the value.
	Attribute, Value string
}

// Publisher keeps entries of services.
type Publisher interface {
	// Put takes an entry as Apereo's JSON and serves by it from then on. What is
	// wrong with the entry itself is a *services.EntryError, another entry in its
	// place services.ErrTaken.
	Put(data []byte) (*services.Service, error)
}

// mountREST adds the REST addresses to a router.
func (s *Server) mountREST(router *mux.Router) {
	type endpoint struct {
		path, name string
		methods    []string
		handler    httpx.Handler
	}
	post := []string{http.MethodPost}
	endpoints := []endpoint{
		{"/v1/tickets", "rest_tickets", post, s.restLogin},
		{"/v1/tickets/{id}", "rest_ticket", []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete}, s.restTicket},
		{"/v1/users", "rest_users", post, s.restUser},
	}
	if s.rest.Publishing != nil {
		endpoints = append(endpoints, endpoint{"/v1/services", "rest_services", post, s.restPublish})
	}
	for _, e := range endpoints {
		router.Handle(s.base+e.path, httpx.Named(e.name, httpx.Adapt(noPage(allow(e.methods, e.handler)), s.failREST)))
	}
}

// noPage refuses what a web page sends: it could have the browser of anybody
// who looks at it guess passwords, and use up their tries.
func noPage(next httpx.Handler) httpx.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !sameSite(r) || r.Header.Get("Origin") != "" {
			return httpx.Status(http.StatusForbidden, errPage)
		}
		return next(w, r)
	}
}

// Why REST requests are refused. None quotes the request: they go to its sender
// and to the log.
var (
	errPage          = errors.New("sent by a web page")
	errNoCredentials = errors.New("no login or no password")
	errNoService     = errors.New("no service")
	errService       = errors.New("the service may not use the login")
	errNoRight       = errors.New("the person may not use the service")
	errNeedsPassword = errors.New("the service wants the password again")
	errOtherPerson   = errors.New("the password is another person's")
)

// pendingError refuses a person who must pass an interrupt first, which only a
// browser can show.
type pendingError struct{ name string }

func (e *pendingError) Error() string { return "something is to be done in a browser first: " + e.name }

// restCredentials reads a form with a login and a password, and the service that
// they are for, and checks all of it.
func (s *Server) restCredentials(w http.ResponseWriter, r *http.Request) (loginRequest, passage, error) {
	p, err := httpx.ParseParams(w, r)
	if err != nil {
		return loginRequest{}, passage{}, err
	}
	q, err := s.restService(r, p)
	if err != nil {
		return q, passage{}, err
	}
	on, err := s.restPerson(r, q, s.readCredentials(p))
	return q, on, err
}

// restService reads the service of a request, which may be none.
func (s *Server) restService(r *http.Request, p httpx.Params) (loginRequest, error) {
	q := loginRequest{target: p.Get("service"), renew: set(p, "renew")}
	if q.target == "" {
		return q, nil
	}
	service, err := s.registry.Find(q.target)
	if err != nil {
		s.record(r, audit.Event{Action: audit.ServiceRefused, Outcome: audit.Refused, Service: q.target, Reason: refusalReason(err)})
		return q, httpx.Status(http.StatusForbidden, errService)
	}
	q.service = service
	return q, nil
}

// restPerson is the login itself: the password, by the same counts as the
// form's, then what stands between a person and where they are going.
func (s *Server) restPerson(r *http.Request, q loginRequest, c credentials) (passage, error) {
	if c.login == "" || c.password == "" {
		return passage{}, httpx.Status(http.StatusBadRequest, errNoCredentials)
	}
	person, err := s.checkPassword(r, c)
	if err != nil {
		return passage{}, err
	}
	on := s.onTheWay(c, person)
	return on, s.restAdmit(r, q, on)
}

// restAdmit tells why a person may not go on to a service, or at all.
func (s *Server) restAdmit(r *http.Request, q loginRequest, on passage) error {
	pending, err := s.due(r.Context(), q, on)
	switch {
	case err != nil:
		return err
	case pending != nil:
		s.record(r, audit.Event{Action: audit.Login, Outcome: audit.Refused, User: on.UID, Service: q.target, Reason: pending.Name()})
		return &pendingError{pending.Name()}
	case q.service == nil || q.service.Allow(on.UID, on.person.Attributes, s.now()) == nil:
		return nil
	}
	s.record(r, audit.Event{Action: audit.ServiceRefused, Outcome: audit.Refused, User: on.UID, Service: q.target, Reason: "not_allowed"})
	return httpx.Status(http.StatusForbidden, errNoRight)
}

// failREST answers a program. The body says what the status cannot, and nothing
// of what was sent: neither a name nor an identifier comes back in an error.
func (s *Server) failREST(w http.ResponseWriter, _ *http.Request, err error) {
	var throttled *throttledError
	var state *identity.StateError
	var pending *pendingError
	var entry *entryError
	switch {
	case isGone(err):
		writeREST(w, http.StatusNotFound, restText, []byte("Ticket could not be found\n"))
	case errors.Is(err, identity.ErrBadCredentials):
		writeExceptions(w, http.StatusUnauthorized, "FailedLoginException")
	case errors.As(err, &state):
		writeExceptions(w, http.StatusUnauthorized, stateException(state.State))
	case errors.As(err, &pending):
		writeExceptions(w, http.StatusForbidden, "InterruptRequiredException")
	case errors.As(err, &entry):
		writeREST(w, http.StatusBadRequest, restText, []byte(entry.faults.Error()+"\n"))
	case errors.As(err, &throttled):
		retryAfter(w, throttled.retry)
		writeStatus(w, http.StatusLocked)
	case passing(err):
		retryAfter(w, s.retry)
		writeStatus(w, http.StatusServiceUnavailable)
	default:
		writeREST(w, httpx.StatusOf(err), restText, []byte(plainReason(err)+"\n"))
	}
}

// stateException is what Apereo's server calls the state of an account, which
// clients may know.
func stateException(state identity.State) string {
	switch state {
	case identity.Locked:
		return "AccountLockedException"
	case identity.Closed:
		return "AccountExpiredException"
	case identity.PasswordExpired:
		return "CredentialExpiredException"
	case identity.MustChange:
		return "AccountPasswordMustChangeException"
	case identity.OutOfHours:
		return "InvalidLoginTimeException"
	case identity.OtherWorkstation:
		return "InvalidLoginLocationException"
	}
	return "AccountDisabledException"
}

// retryAfter says when to come back, in whole seconds, rounded up.
func retryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
}

const (
	restText = "text/plain; charset=utf-8"
	restJSON = "application/json"
)

func writeExceptions(w http.ResponseWriter, status int, name string) {
	writeREST(w, status, restJSON, []byte(`{"authentication_exceptions":["`+name+`"]}`+"\n"))
}

func writeStatus(w http.ResponseWriter, status int) {
	writeREST(w, status, restText, []byte(http.StatusText(status)+"\n"))
}

func writeRESTJSON(w http.ResponseWriter, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	writeREST(w, http.StatusOK, restJSON, append(encoded, '\n'))
	return nil
}

// writeREST answers for no cache to keep.
func writeREST(w http.ResponseWriter, status int, contentType string, body []byte) {
	httpx.NoPage(w.Header())
	noStore(w)
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: there is nobody to tell
}
