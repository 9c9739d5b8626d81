package cas

import (
	"errors"
	"net/http"

	"parvis/services"
	"parvis/tickets"
	"parvis/ui"
)

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
