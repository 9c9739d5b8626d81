package cas

import (
	"errors"
	"net/http"

	"parvis/internal/httpx"
	"parvis/ui"
)

// warn asks before a service is entered.
func (s *Server) warn(w http.ResponseWriter, r *http.Request, q loginRequest, on passage) error {
	token, err := s.sealPassage(w, r, warningForm, q, on)
	if err != nil {
		return err
	}
	view := &ui.Warn{Frame: s.frame(r, &q), User: on.UID}
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
	on, err := s.openPassage(r, warningForm, p.Get("execution"), q)
	switch {
	case errors.Is(err, errFormToken):
		on = arriving(session)
		if stopped, err := s.interrupted(w, r, q, on); stopped || err != nil {
			return err
		}
		return s.warn(w, r, q, on)
	case err != nil:
		return err
	}
	if p.Has("ignorewarn") {
		http.SetCookie(w, s.cookies.make(warnCookie, "", -1))
	}
	on.Warned = true
	return s.goOn(w, r, q, on)
}
