package cas

import (
	"cmp"
	"context"
	"net/http"

	"parvis/internal/audit"
	"parvis/internal/httpx"
	"parvis/services"
	"parvis/tickets"
	"parvis/ui"
)

// grant issues a service ticket and hands it to the service through the
// browser, by the method that was asked (specification, section 2.1.1,
// "method").
func (s *Server) grant(w http.ResponseWriter, r *http.Request, q loginRequest, session tickets.Session, newLogin bool) error {
	id, err := s.grantTicket(r, session, q.service, q.target, newLogin)
	if err != nil {
		return err
	}
	return s.handOver(w, r, q, id)
}

// grantTicket issues a service ticket of a session, and says so in the audit.
func (s *Server) grantTicket(r *http.Request, session tickets.Session, service *services.Service, target string, newLogin bool) (tickets.TicketID, error) {
	id, err := s.issue(r.Context(), session.ID, service, tickets.Ticket{
		Kind: tickets.ServiceTicket, Service: target, FromNewLogin: newLogin,
	})
	if err != nil {
		return "", err
	}
	s.record(r, audit.Event{
		Action: audit.TicketGranted, Outcome: audit.Success, User: session.UID,
		Session: session.ID.Hint(), Service: target, Ticket: id.Hint(),
	})
	return id, nil
}

// issue stores a service or proxy ticket of a session, under a new identifier
// and for as long as the service's entry says, else the server.
func (s *Server) issue(ctx context.Context, session tickets.TGT, service *services.Service, t tickets.Ticket) (tickets.TicketID, error) {
	id, err := s.mint.Ticket(t.Kind, session)
	if err != nil {
		return "", err
	}
	own, others := service.Lifetimes.ServiceTicket, s.limits.ServiceTicket
	if t.Kind == tickets.ProxyTicket {
		own, others = service.Lifetimes.ProxyTicket, s.limits.ProxyTicket
	}
	t.ID, t.Lifetime = id, cmp.Or(own, others)
	_, err = s.store.Grant(ctx, session, t)
	return id, err
}

func (s *Server) handOver(w http.ResponseWriter, r *http.Request, q loginRequest, id tickets.TicketID) error {
	back := q.target
	if q.service.RedirectURL != "" {
		back = q.service.RedirectURL
	}
	switch q.method {
	case "POST":
		view := &ui.Handoff{
			Frame: s.frame(r, &q), Action: services.Location(back),
			Fields: []ui.Field{{Name: q.ticketParameter(), Value: string(id)}},
		}
		httpx.AllowFormTo(w.Header(), back)
		return s.pages.Write(w, r, http.StatusOK, view)
	case "HEADER":
		w.Header().Set("service", services.Location(back))
		w.Header().Set(q.ticketParameter(), string(id))
		noStore(w)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	redirect(w, services.Appended(back, q.ticketParameter(), string(id)), awayFrom(r))
	return nil
}

// awayFrom is the status of a redirect to a service. A browser that posted its
// password must come there with a GET that carries nothing of it: 303 says so,
// 302 only by custom.
func awayFrom(r *http.Request) int {
	if r.Method == http.MethodPost {
		return http.StatusSeeOther
	}
	return http.StatusFound
}

// sendBack returns a browser to the service without a ticket: the answer to
// gateway when nobody is logged in (specification, section 2.1.1, "gateway").
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, q loginRequest) error {
	s.record(r, audit.Event{Action: audit.Gateway, Outcome: audit.Success, Service: q.target})
	redirect(w, services.Location(q.target), http.StatusFound)
	return nil
}

// redirect sends a browser to a registered address, already fit for a header.
func redirect(w http.ResponseWriter, location string, status int) {
	noStore(w)
	w.Header()["Location"] = []string{location}
	w.WriteHeader(status)
}

// noStore keeps answers that carry a ticket or a name out of every cache
// (specification, appendix B).
func noStore(w http.ResponseWriter) {
	h := w.Header()
	h["Cache-Control"] = []string{"no-store"}
	h["Pragma"] = []string{"no-cache"}
	h["Expires"] = []string{"Thu, 01 Jan 1970 00:00:00 GMT"}
}
