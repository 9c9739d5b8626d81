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
// so is the "url" of CAS 2.0. Services are told (section 2.3.3): by this server,
// which nobody waits for, or by the page that the browser gets.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	p, err := httpx.ParseParams(w, r)
	if err != nil {
		return err
	}
	var tell []string
	if r.Method != http.MethodHead {
		// The cookies go even where the session cannot be ended just now: who
		// logs out of a shared computer is not there to try again.
		s.cookies.forget(w)
		http.SetCookie(w, s.cookies.make(warnCookie, "", -1))
		// Forms of before, and logins half done, are nobody's any more.
		if _, err := s.nameBrowser(w); err != nil {
			return err
		}
		if tell, err = s.endSessions(r); err != nil {
			return err
		}
	}
	next := ""
	if target := p.Get("service"); target != "" {
		if _, err := s.registry.Find(target); err == nil && services.Redirectable(target) {
			next = services.Location(target)
		}
	}
	if next != "" && len(tell) == 0 {
		redirect(w, next, http.StatusFound)
		return nil
	}
	return s.pages.Write(w, r, http.StatusOK, &ui.LoggedOut{Frame: s.frame(r, nil), Tell: tell, Next: next})
}

// endSessions ends each session whose cookie the browser presents. It returns
// the addresses that the browser must call, for services that hear of a logout
// through it.
func (s *Server) endSessions(r *http.Request) ([]string, error) {
	var tell []string
	for _, id := range s.cookies.presented(r) {
		ended, err := s.end(r, id, audit.Logout, "")
		if err != nil {
			return nil, err
		}
		tell = append(tell, ended.Front...)
	}
	return tell, nil
}
