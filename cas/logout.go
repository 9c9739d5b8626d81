package cas

import (
	"net/http"

	"parvis/internal/audit"
	"parvis/internal/httpx"
	"parvis/services"
	"parvis/ui"
)

// logout ends the sessions of a browser and everything granted from them
// (specification, section 2.3). It is the same for a browser that had none. A
// registered service gets the browser back; any other address is ignored, and
// so is the "url" of CAS 2.0.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	p, err := httpx.ParseParams(w, r)
	if err != nil {
		return err
	}
	if r.Method != http.MethodHead {
		// The cookies go even where the session cannot be ended just now: who
		// logs out of a shared computer is not there to try again.
		s.cookies.forget(w)
		http.SetCookie(w, s.cookies.make(warnCookie, "", -1))
		if err := s.endSessions(r); err != nil {
			return err
		}
	}
	if target := p.Get("service"); target != "" {
		if _, err := s.registry.Find(target); err == nil && services.Redirectable(target) {
			redirect(w, services.Location(target), http.StatusFound)
			return nil
		}
	}
	return s.pages.Write(w, r, http.StatusOK, &ui.LoggedOut{Frame: s.frame(r, nil)})
}

// endSessions closes each session whose cookie the browser presents.
func (s *Server) endSessions(r *http.Request) error {
	for _, id := range s.cookies.presented(r) {
		session, err := s.store.Session(r.Context(), id)
		if err != nil && !isGone(err) {
			return err
		}
		if _, err := s.store.Close(r.Context(), id); err != nil {
			return err
		}
		if session.UID != "" {
			s.record(r, audit.Event{Action: audit.Logout, Outcome: audit.Success, User: session.UID, Session: id.Hint()})
		}
	}
	return nil
}
