package cas

import (
	"errors"
	"net/http"

	"parvis/internal/httpx"
	"parvis/ui"
)

// warn asks before a service is entered.
func (s *Server) warn(w http.ResponseWriter, r *http.Request, q loginRequest, uid string) error {
	token, err := s.formToken(w, r, warningForm, nil)
	if err != nil {
		return err
	}
	view := &ui.Warn{Frame: s.frame(r, &q), User: uid}
	view.Hidden, view.Action = s.carried(q)
	view.Hidden = append(view.Hidden, ui.Field{Name: "execution", Value: token})
	httpx.AllowFormTo(w.Header(), q.target)
	return s.pages.Write(w, r, http.StatusOK, view)
}

// consent takes the answer of the page above: go on, and perhaps without
// being asked again.
func (s *Server) consent(w http.ResponseWriter, r *http.Request, p httpx.Params, q loginRequest) error {
	session, err := s.sessionOf(r)
	switch {
	case isGone(err) || q.target == "":
		return s.showForm(w, r, q, http.StatusOK, ui.Login{})
	case err != nil:
		return err
	case q.needsPassword(session, s.now()):
		return s.showForm(w, r, q, http.StatusOK, ui.Login{Renew: session.UID})
	}
	_, err = s.forms.spend(r.Context(), warningForm, p.Get("execution"), s.browserOf(r))
	switch {
	case errors.Is(err, errFormToken):
		return s.warn(w, r, q, session.UID)
	case err != nil:
		return err
	}
	if p.Has("ignorewarn") {
		http.SetCookie(w, s.cookies.make(warnCookie, "", -1))
	}
	if err := q.service.Allow(session.UID, session.Attributes, s.now()); err != nil {
		return s.refusePerson(w, r, q, session, err)
	}
	return s.admit(w, r, q, session)
}
