package cas

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"parvis/internal/httpx"
	"parvis/services"
	"parvis/tickets"
	"parvis/ui"
)

// loginRequest is what a browser asks of /login (specification, section 2.1.1).
type loginRequest struct {
	// target is the service's address, byte for byte; "" where none is given.
	target  string
	service *services.Service
	// saml1 tells that the service speaks SAML 1.1: it gave its address as
	// TARGET, and is handed the ticket as an artifact.
	saml1 bool
	// renew is what the request asks; the service's entry may ask it too.
	renew   bool
	gateway bool
	// method is GET, POST or HEADER; "" is a redirect.
	method string
}

// errNoBrowser refuses a registered identifier that no browser can be sent to,
// such as a mail server's: it gets tickets through a proxy alone.
var errNoBrowser = fmt.Errorf("not an address for a browser: %w", services.ErrUnknown)

// readLogin reads the parameters of /login and finds the service. The error is
// the registry's where the service may not be served.
func (s *Server) readLogin(p httpx.Params) (loginRequest, error) {
	q := loginRequest{
		target:  p.Get("service"),
		saml1:   !p.Has("service") && p.Has("TARGET"),
		renew:   set(p, "renew"),
		gateway: set(p, "gateway"),
	}
	if q.saml1 {
		q.target = p.Get("TARGET")
	}
	method := strings.ToUpper(p.Get("method"))
	switch method {
	case "GET", "POST", "HEADER":
		q.method = method
	}
	if q.target == "" {
		return q, nil
	}
	service, err := s.registry.Find(q.target)
	switch {
	case err != nil:
		q.service = service
		return q, err
	case !services.Redirectable(q.target):
		return q, errNoBrowser
	}
	q.service = service
	if q.method == "" {
		q.method = strings.ToUpper(service.ResponseType)
	}
	return q, nil
}

// parameter is the name that the service's address travels under.
func (q loginRequest) parameter() string {
	if q.saml1 {
		return "TARGET"
	}
	return "service"
}

// ticketParameter is the name that the service expects its ticket under.
func (q loginRequest) ticketParameter() string {
	if q.saml1 {
		return "SAMLart"
	}
	return "ticket"
}

// login is /login: a request for the form, the form as it comes back, or the
// answer to the question whether to go on.
func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	p, err := httpx.ParseParams(w, r)
	if err != nil {
		return err
	}
	q, err := s.readLogin(p)
	if err != nil {
		return s.refuseService(w, r, q, err)
	}
	switch {
	case r.Method != http.MethodPost:
		err = s.requestLogin(w, r, q)
	case p.Get("_eventId") == "proceed":
		err = s.consent(w, r, p, q)
	default:
		if i := s.interruptNamed(p.Get("_eventId")); i != nil {
			httpx.EventOf(r.Context()).SetRoute("login_interrupt")
			err = s.resume(w, r, p, q, i)
			break
		}
		httpx.EventOf(r.Context()).SetRoute("login_submit")
		err = s.acceptLogin(w, r, p, q)
	}
	if err != nil {
		return &loginError{q, err}
	}
	return nil
}

// loginError is an error that knows which login it interrupts, so that its
// page leads back there.
type loginError struct {
	q   loginRequest
	err error
}

// Error is the interruption's.
func (e *loginError) Error() string { return e.err.Error() }

// Unwrap gives the interruption.
func (e *loginError) Unwrap() error { return e.err }

// requestLogin is /login as a credential requestor (specification, section
// 2.1): a person who is logged in goes on to the service, anybody else gets
// the form.
func (s *Server) requestLogin(w http.ResponseWriter, r *http.Request, q loginRequest) error {
	session, err := s.sessionOf(r)
	switch {
	case isGone(err):
		if s.cookies.carries(r) {
			s.cookies.forget(w)
		}
		if q.silent() {
			return s.sendBack(w, r, q)
		}
		return s.showForm(w, r, q, http.StatusOK, ui.Login{})
	case err != nil:
		return err
	case q.needsPassword(session, s.now()) && q.silent():
		return s.sendBack(w, r, q)
	case q.needsPassword(session, s.now()) || r.Method == http.MethodHead && q.target != "":
		return s.showForm(w, r, q, http.StatusOK, ui.Login{Renew: session.UID})
	}
	return s.goOn(w, r, q, arriving(session))
}

// arrive takes a person with an open session to where they are going.
func (s *Server) arrive(w http.ResponseWriter, r *http.Request, q loginRequest, on passage) error {
	if q.target == "" {
		return s.welcome(w, r, on.session, false)
	}
	return s.enter(w, r, q, on)
}

// silent tells whether the person must not be asked anything: gateway, which
// renew overrules and which means nothing without a service to go back to.
func (q loginRequest) silent() bool { return q.gateway && !q.renew && q.target != "" }

// needsPassword tells whether an open session is not enough: the request says
// so, or the service's entry, for each login or for one that is too old.
func (q loginRequest) needsPassword(session tickets.Session, now time.Time) bool {
	if q.renew || q.service == nil {
		return q.renew
	}
	limit := q.service.Lifetimes.Session
	return limit > 0 && now.Sub(session.AuthTime) > limit ||
		!q.service.Participates(session.UID, session.Attributes, session.AuthTime, now)
}

// enter takes a person who is logged in to a service, with their consent where
// they asked to be warned (specification, section 2.2.1, "warn").
func (s *Server) enter(w http.ResponseWriter, r *http.Request, q loginRequest, on passage) error {
	session := on.session
	if err := q.service.Allow(session.UID, session.Attributes, s.now()); err != nil {
		if q.silent() {
			return s.sendBack(w, r, q)
		}
		return s.refusePerson(w, r, q, session, err)
	}
	if c, err := r.Cookie(warnCookie); err == nil && c.Value == "1" && !on.Warned {
		// The person wants to be asked, the service wants nobody asked: the
		// service goes without.
		if q.silent() {
			return s.sendBack(w, r, q)
		}
		return s.warn(w, r, q, on)
	}
	return s.admit(w, r, q, session)
}

// admit grants a ticket from an open session.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, q loginRequest, session tickets.Session) error {
	err := s.grant(w, r, q, session, false)
	if isGone(err) {
		// The session ended between two questions to the store.
		s.cookies.forget(w)
		return s.showForm(w, r, q, http.StatusOK, ui.Login{})
	}
	return err
}

// sessionOf returns the live session that a request's cookies open, or
// tickets.ErrNotFound. Cookies of two persons open none: it cannot be told
// which of them sits there.
func (s *Server) sessionOf(r *http.Request) (tickets.Session, error) {
	var found tickets.Session
	for _, id := range s.cookies.presented(r) {
		session, err := s.store.Session(r.Context(), id)
		switch {
		case isGone(err):
			continue
		case err != nil:
			return session, err
		case found.ID == "":
			found = session
		case found.UID != session.UID:
			return tickets.Session{}, tickets.ErrNotFound
		}
	}
	if found.ID == "" {
		return found, tickets.ErrNotFound
	}
	return found, nil
}
