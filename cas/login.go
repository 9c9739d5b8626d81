package cas

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"parvis/internal/audit"
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
		renew:   set(p, "renew"),
		gateway: set(p, "gateway"),
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

// requestLogin is /login as a credential requestor (specification, section
// 2.1): a person who is logged in goes on to the service, anybody else gets
// the form.
func (s *Server) requestLogin(w http.ResponseWriter, r *http.Request) error {
	p, err := httpx.ParseParams(w, r)
	if err != nil {
		return err
	}
	q, err := s.readLogin(p)
	if err != nil {
		return s.refuseService(w, r, q, err)
	}
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
	case q.target == "":
		return s.welcome(w, r, session, false)
	}
	return s.enter(w, r, q, session)
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
	return !q.service.SSO() || limit > 0 && now.Sub(session.AuthTime) > limit
}

// enter takes a person who is logged in to a service, with their consent where
// they asked to be warned (specification, section 2.2.1, "warn").
func (s *Server) enter(w http.ResponseWriter, r *http.Request, q loginRequest, session tickets.Session) error {
	if err := q.service.Allow(session.UID, session.Attributes, s.now()); err != nil {
		if q.silent() {
			return s.sendBack(w, r, q)
		}
		return s.refusePerson(w, r, q, session, err)
	}
	if c, err := r.Cookie(warnCookie); err == nil && c.Value == "1" {
		// The person wants to be asked, the service wants nobody asked: the
		// service goes without.
		if q.silent() {
			return s.sendBack(w, r, q)
		}
		return s.warn(w, r, q, session.UID)
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

// showForm draws the login form with a fresh token. The caller fills in what
// went wrong, if anything did.
func (s *Server) showForm(w http.ResponseWriter, r *http.Request, q loginRequest, status int, view ui.Login) error {
	browser, err := s.browser(w, r)
	if err != nil {
		return err
	}
	token, err := s.forms.issue(loginForm, browser)
	if err != nil {
		return err
	}
	view.Frame = s.frame(r, &q)
	view.Execution = token
	view.Username = strings.ToValidUTF8(view.Username, "")
	if utf8.ValidString(q.target) {
		view.ServiceURL = q.target
	} else {
		// A page is UTF-8, and its fields with it: other bytes survive in the
		// address alone.
		view.Action = s.loginURL(q)
	}
	view.Hidden = q.hidden()
	view.Offer = ui.Choices{RememberMe: s.limits.RememberMe, PublicWorkstation: s.limits.PublicWorkstation, Warn: true}
	view.Lifetime = s.limits.Form
	if q.target != "" {
		httpx.AllowFormTo(w.Header(), q.target)
	}
	return s.pages.Write(w, r, status, &view)
}

// hidden lists what the form must bring back besides the service.
func (q loginRequest) hidden() []ui.Field {
	var fields []ui.Field
	if q.renew {
		fields = append(fields, ui.Field{Name: "renew", Value: "true"})
	}
	if q.method != "" {
		fields = append(fields, ui.Field{Name: "method", Value: q.method})
	}
	return fields
}

// welcome is what a person sees who logs in without asking for a service.
func (s *Server) welcome(w http.ResponseWriter, r *http.Request, session tickets.Session, fresh bool) error {
	visits, err := s.store.Visits(r.Context(), session.ID)
	if err != nil && !errors.Is(err, tickets.ErrNotFound) {
		return err
	}
	return s.pages.Write(w, r, http.StatusOK, &ui.Welcome{
		Frame: s.frame(r, &loginRequest{}), User: session.UID, Name: session.Attributes.First("displayName"),
		JustLoggedIn: fresh, Visits: s.visited(visits, s.pages.Language(r)),
	})
}

// visited names the services of a session, each once, the latest first.
func (s *Server) visited(visits []tickets.Visit, language string) []ui.Visit {
	var list []ui.Visit
	seen := make(map[*services.Service]bool)
	for i := len(visits) - 1; i >= 0; i-- {
		service, err := s.registry.Find(visits[i].Service)
		if err != nil || seen[service] {
			continue
		}
		seen[service] = true
		list = append(list, ui.Visit{Service: s.shown(service, visits[i].Service, language), At: visits[i].At})
	}
	return list
}

// refuseService answers for a service that may not use the login. It never
// redirects there (specification, section 2.1.1, "service").
func (s *Server) refuseService(w http.ResponseWriter, r *http.Request, q loginRequest, err error) error {
	view := &ui.Refused{Frame: s.frame(r, &q), Reason: ui.UnknownService}
	if errors.Is(err, services.ErrDisabled) {
		view.Reason = ui.DisabledService
	}
	s.record(r, audit.Event{Action: audit.ServiceRefused, Outcome: audit.Refused, Service: q.target, Reason: refusalReason(err)})
	if q.service != nil {
		view.Contacts = contactsOf(q.service)
	}
	return s.pages.Write(w, r, http.StatusForbidden, view)
}

func contactsOf(service *services.Service) []ui.Contact {
	var list []ui.Contact
	for _, c := range service.Contacts {
		list = append(list, ui.Contact{Name: c.Name, Mail: c.Email, Phone: c.Phone})
	}
	return list
}

func refusalReason(err error) string {
	if errors.Is(err, services.ErrDisabled) {
		return "disabled"
	}
	return "unknown"
}

// refusePerson answers a person who is logged in but may not use the service.
// The session stays.
func (s *Server) refusePerson(w http.ResponseWriter, r *http.Request, q loginRequest, session tickets.Session, cause error) error {
	s.record(r, audit.Event{
		Action: audit.ServiceRefused, Outcome: audit.Refused, User: session.UID,
		Session: session.ID.Hint(), Service: q.target, Reason: "not_allowed",
	})
	var denied *services.AccessError
	if errors.As(cause, &denied) && denied.RedirectURL != "" {
		redirect(w, denied.RedirectURL, http.StatusFound)
		return nil
	}
	view := &ui.Refused{Frame: s.frame(r, &q), Reason: ui.NoRight, User: session.UID, Contacts: contactsOf(q.service)}
	return s.pages.Write(w, r, http.StatusForbidden, view)
}

// frame is what every page says around its own matter: where the person is,
// and where they were going. A form that was posted is shown again at the
// address it would have as a link; q is nil where there is no login to repeat.
func (s *Server) frame(r *http.Request, q *loginRequest) ui.Frame {
	frame := ui.Frame{Self: ui.SelfOf(r)}
	if q == nil {
		return frame
	}
	if r.Method == http.MethodPost {
		frame.Self = s.loginURL(*q)
	}
	switch {
	case q.service != nil:
		shown := s.shown(q.service, q.target, s.pages.Language(r))
		frame.Service, frame.Theme = &shown, q.service.Theme
	case q.target != "":
		frame.Service = &ui.Service{Address: strings.ToValidUTF8(q.target, "\uFFFD")}
	}
	return frame
}

// shown is what a page tells of a service.
func (s *Server) shown(service *services.Service, address, language string) ui.Service {
	view := ui.Service{
		Name: service.Name, Description: service.DescriptionIn(language), Address: strings.ToValidUTF8(address, "\uFFFD"),
		InformationURL: service.InformationURL, PrivacyURL: service.PrivacyURL,
	}
	if service.Logo != "" {
		view.LogoURL = s.base + "/logo/" + url.PathEscape(service.Logo)
	}
	return view
}

// loginURL is the address that asks for the same login again.
func (s *Server) loginURL(q loginRequest) string {
	address := s.base + "/login"
	separator := "?"
	add := func(name, value string) {
		address += separator + name + "=" + url.QueryEscape(value)
		separator = "&"
	}
	if q.target != "" {
		add("service", q.target)
	}
	for _, field := range q.hidden() {
		add(field.Name, field.Value)
	}
	return address
}
