package cas

import (
	"errors"
	"net/http"

	"parvis/internal/httpx"
	"parvis/tickets"
	"parvis/ui"
)

// warn asks before a service is entered.
func (s *Server) warn(w http.ResponseWriter, r *http.Request, q loginRequest, uid string) error {
	browser, err := s.browser(w, r)
	if err != nil {
		return err
	}
	token, err := s.forms.issue(browser)
	if err != nil {
		return err
	}
	httpx.AllowFormTo(w.Header(), q.target)
	return s.pages.Write(w, r, http.StatusOK, &ui.Warn{
		Frame: s.frame(r, &q), User: uid,
		Hidden: append(q.hidden(), ui.Field{Name: "service", Value: q.target}, ui.Field{Name: "execution", Value: token}),
	})
}

// consent takes the answer of the page above: go on, and perhaps without
// being asked again.
func (s *Server) consent(w http.ResponseWriter, r *http.Request, p httpx.Params, q loginRequest) error {
	session, err := s.sessionOf(r)
	if errors.Is(err, tickets.ErrNotFound) || q.target == "" || q.renew {
		return s.showForm(w, r, q, http.StatusOK, ui.Login{})
	}
	if err != nil {
		return err
	}
	if err := s.forms.spend(r.Context(), p.Get("execution"), s.browserOf(r)); errors.Is(err, errFormToken) {
		return s.warn(w, r, q, session.UID)
	} else if err != nil {
		return err
	}
	if p.Has("ignorewarn") {
		http.SetCookie(w, s.cookies.make(warnCookie, "", -1))
	}
	if err := q.service.Allow(session.UID, session.Attributes, s.now()); err != nil {
		return s.refusePerson(w, r, q, session, err)
	}
	return s.grant(w, r, q, session, false)
}
