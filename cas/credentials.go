package cas

import (
	"context"
	"errors"
	"net/http"
	"time"

	"parvis/identity"
	"parvis/internal/audit"
	"parvis/internal/httpx"
	"parvis/tickets"
	"parvis/ui"
)

// credentials are what the login form brings back.
type credentials struct {
	login, password string
	choices
}

// choices are the boxes of the login form.
type choices struct {
	RememberMe    bool `json:"remember_me,omitempty"`
	Warn          bool `json:"warn,omitempty"`
	PublicStation bool `json:"public_station,omitempty"`
}

// missing tells which of the two fields is empty.
func (c credentials) missing() ui.Problem {
	switch {
	case c.login != "":
		return ui.MissingPassword
	case c.password != "":
		return ui.MissingUsername
	}
	return ui.MissingBoth
}

func (c choices) ticked() ui.Choices {
	return ui.Choices{RememberMe: c.RememberMe, PublicWorkstation: c.PublicStation, Warn: c.Warn}
}

func (s *Server) readCredentials(p httpx.Params) credentials {
	c := credentials{
		login: identity.FoldLogin(p.Get("username")), password: p.Get("password"),
		choices: choices{Warn: set(p, "warn"), PublicStation: s.limits.PublicWorkstation && set(p, "publicWorkstation")},
	}
	// A shared computer remembers nobody.
	c.RememberMe = s.limits.RememberMe && set(p, "rememberMe") && !c.PublicStation
	return c
}

// acceptLogin is /login as a credential acceptor (specification, section 2.2):
// the form is checked, then the password, and a session opens.
func (s *Server) acceptLogin(w http.ResponseWriter, r *http.Request, p httpx.Params, q loginRequest) error {
	c := s.readCredentials(p)
	err := errFormToken
	if sameSite(r) {
		_, err = s.forms.spend(r.Context(), loginForm, p.Get("execution"), s.browserOf(r))
	}
	switch {
	case errors.Is(err, errFormToken):
		problem := ui.Expired
		if s.browserOf(r) == "" {
			problem = ui.NoCookies
		}
		return s.showForm(w, r, q, http.StatusUnprocessableEntity, ui.Login{Username: p.Get("username"), Problem: problem})
	case err != nil:
		return err
	case c.login == "" || c.password == "":
		return s.showForm(w, r, q, http.StatusOK, ui.Login{Username: p.Get("username"), Problem: c.missing(), Ticked: c.ticked()})
	}
	person, err := s.checkPassword(r, c)
	var state *identity.StateError
	switch {
	case errors.As(err, &state):
		// A state is for an interrupt to mend, where one does.
		person = identity.Person{UID: state.UID, State: state.State}
	case err != nil:
		return s.refuseLogin(w, r, q, c, p.Get("username"), err)
	}
	return s.goOn(w, r, q, s.onTheWay(c, person))
}

// sameSite tells whether a form came from a page of this server, as far as the
// browser says: a sibling host of the same domain may plant a cookie, but not
// this header.
func sameSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return true
	}
	return false
}

// refuseLogin answers a login that did not succeed. What it says is the same
// for an unknown person and for a wrong password.
func (s *Server) refuseLogin(w http.ResponseWriter, r *http.Request, q loginRequest, c credentials, typed string, cause error) error {
	var throttled *throttledError
	switch {
	case errors.Is(cause, identity.ErrBadCredentials):
		return s.showForm(w, r, q, http.StatusUnauthorized, ui.Login{Username: typed, Problem: ui.BadCredentials, Ticked: c.ticked()})
	case errors.As(cause, &throttled):
		view := &ui.Throttled{Frame: s.frame(r, &q), Retry: throttled.retry}
		return s.pages.Write(w, r, http.StatusLocked, view)
	}
	return cause
}

// openSession begins a session for a person who proved their password, and
// goes on to the service, if one was asked for.
func (s *Server) openSession(w http.ResponseWriter, r *http.Request, q loginRequest, on passage) error {
	session, aside, err := s.besides(r, q, on)
	if err == nil && !aside {
		session, err = s.newSession(r, q, on)
	}
	if err != nil {
		return err
	}
	switch {
	case aside:
	case on.Choices.PublicStation:
		// A shared computer keeps nothing that would open another service.
		s.cookies.forget(w)
	default:
		s.setSessionCookies(w, r, on.Choices, session)
		http.SetCookie(w, s.deviceProof(on.Login, on.person.Logins))
	}
	s.record(r, audit.Event{
		Action: audit.Login, Outcome: audit.Success, User: session.UID, Session: session.ID.Hint(), Service: q.target,
	})
	if q.target == "" {
		return s.welcome(w, r, session, true)
	}
	if err := q.service.Allow(session.UID, session.Attributes, s.now()); err != nil {
		return s.refusePerson(w, r, q, session, err)
	}
	return s.grant(w, r, q, session, true)
}

// besides is the open session of a person who typed their password for a service
// alone: one that asked for it anew, and whose entry wants the session left as
// it was.
func (s *Server) besides(r *http.Request, q loginRequest, on passage) (tickets.Session, bool, error) {
	if q.service == nil || q.service.CookieOnRenew() {
		return tickets.Session{}, false, nil
	}
	session, err := s.sessionOf(r)
	if err != nil && !isGone(err) {
		return session, false, err
	}
	return session, err == nil && session.UID == on.UID && q.needsPassword(session, s.now()), nil
}

// newSession opens a session under an identifier that no browser has seen
// before. Where the same person was already logged in with this browser, the
// session goes on under the new identifier with all that it has granted: two
// tabs in which somebody types their password are one session. A session of
// somebody else ends.
func (s *Server) newSession(r *http.Request, q loginRequest, on passage) (tickets.Session, error) {
	ctx := r.Context()
	session := s.sessionFor(r, q, on)
	for _, old := range s.cookies.presented(r) {
		before, err := s.store.Session(ctx, old)
		switch {
		case isGone(err):
			continue
		case err != nil:
			return session, err
		case before.UID == on.UID && !on.Choices.PublicStation && session.ID == "":
			if session, err = s.renewSession(ctx, old, session); err != nil {
				return session, err
			}
		default:
			if _, err := s.end(r, old, audit.SessionEnded, "replaced"); err != nil {
				return session, err
			}
		}
	}
	if session.ID != "" {
		return session, nil
	}
	return s.begin(r, session)
}

// sessionFor is a session as it will begin, without an identifier. The service
// that it is opened for may want it shorter.
func (s *Server) sessionFor(r *http.Request, q loginRequest, on passage) tickets.Session {
	session := tickets.Session{
		UID: on.UID, Attributes: on.person.Attributes, AuthTime: on.Proven, RememberMe: on.Choices.RememberMe,
		Idle: s.limits.Idle, Max: s.limits.Max,
		Address: address(httpx.EventOf(r.Context())), UserAgent: clip(r.UserAgent()),
	}
	if session.RememberMe {
		session.Idle, session.Max = s.limits.RememberIdle, s.limits.RememberMax
	}
	if q.service != nil && q.service.Lifetimes.Session > 0 {
		session.Max = min(session.Max, q.service.Lifetimes.Session)
	}
	return session
}

// begin opens a session under a new identifier.
func (s *Server) begin(r *http.Request, session tickets.Session) (tickets.Session, error) {
	if err := s.makeRoom(r, session.UID); err != nil {
		return session, err
	}
	id, err := s.mint.TGT()
	if err != nil {
		return session, err
	}
	session.ID = id
	return session, s.store.Open(r.Context(), session)
}

// renewSession lets the session of old go on as session, which then has an
// identifier. It has none where old ended meanwhile.
func (s *Server) renewSession(ctx context.Context, old tickets.TGT, session tickets.Session) (tickets.Session, error) {
	id, err := s.mint.Rotate(old)
	if err != nil {
		return session, err
	}
	renewed := session
	renewed.ID = id
	switch err := s.store.Renew(ctx, old, renewed); {
	case isGone(err):
		return session, nil
	case err != nil:
		return session, err
	}
	return renewed, nil
}

// makeRoom ends the oldest sessions of a person who has too many.
func (s *Server) makeRoom(r *http.Request, uid string) error {
	if s.limits.SessionsPerPerson == 0 {
		return nil
	}
	open, err := s.store.SessionsOf(r.Context(), uid)
	if err != nil {
		return err
	}
	for len(open) >= s.limits.SessionsPerPerson {
		if _, err := s.end(r, open[0].ID, audit.SessionEnded, "too_many"); err != nil {
			return err
		}
		open = open[1:]
	}
	return nil
}

func (s *Server) setSessionCookies(w http.ResponseWriter, r *http.Request, c choices, session tickets.Session) {
	lifetime := time.Duration(0)
	if session.RememberMe {
		lifetime = session.Max
	}
	http.SetCookie(w, s.cookies.make(s.cookies.Name, string(session.ID), lifetime))
	if len(r.CookiesNamed(s.cookies.Name)) > 1 {
		s.cookies.forgetElsewhere(w)
	}
	if c.Warn {
		http.SetCookie(w, s.cookies.make(warnCookie, "1", lifetime))
	} else if len(r.CookiesNamed(warnCookie)) > 0 {
		http.SetCookie(w, s.cookies.make(warnCookie, "", -1))
	}
}

func isGone(err error) bool { return errors.Is(err, tickets.ErrNotFound) }
