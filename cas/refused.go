package cas

import (
	"errors"
	"net/http"

	"parvis/internal/audit"
	"parvis/services"
	"parvis/tickets"
	"parvis/ui"
)

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
		redirect(w, services.Location(denied.RedirectURL), awayFrom(r))
		return nil
	}
	view := &ui.Refused{Frame: s.frame(r, &q), Reason: ui.NoRight, User: session.UID, Contacts: contactsOf(q.service)}
	return s.pages.Write(w, r, http.StatusForbidden, view)
}
