package cas

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"parvis/internal/audit"
	"parvis/internal/httpx"
	"parvis/services"
	"parvis/tickets"
)

// validation is what a service asks: whose is this ticket?
type validation struct {
	protocol string // what the endpoint speaks, as service entries name it
	proxies  bool   // whether proxy tickets are accepted too
	service  string
	ticket   tickets.TicketID
	renew    bool
	pgtURL   string
	// unfit refuses a question that cannot be answered. The ticket it shows is
	// spent all the same.
	unfit *Refusal
}

// validated is the answer: the ticket's session and the policy of its service.
type validated struct {
	ticket  tickets.Ticket
	session tickets.Session
	service *services.Service
	// iou names the proxy-granting ticket that the service was sent, "" for
	// none.
	iou string
	// bare leaves out the attributes that no policy of the service's asks for.
	bare bool
}

func readValidation(p httpx.Params, protocol string) validation {
	return validation{
		protocol: protocol,
		service:  p.Get("service"),
		ticket:   tickets.TicketID(p.Get("ticket")),
		renew:    set(p, "renew"),
		pgtURL:   p.Get("pgtUrl"),
	}
}

// set reads a flag of the protocol: there, and not "false". Clients send
// "true", "1", nothing at all, and "false" when they mean no.
func set(p httpx.Params, name string) bool {
	return p.Has(name) && !strings.EqualFold(p.Get(name), "false")
}

// validate redeems a ticket and checks it against what the service says. The
// ticket is spent first, whatever comes after, so that a ticket which was seen
// once can never be tried again with another service.
func (s *Server) validate(ctx context.Context, v validation) (validated, *Refusal) {
	if v.unfit == nil && (v.ticket == "" || v.service == "") {
		v.unfit = refuse(InvalidRequest, "Parameters 'service' and 'ticket' are both required.")
	}
	if v.ticket == "" {
		return validated{}, v.unfit
	}
	ticket, session, refusal := s.redeem(ctx, v.ticket)
	answer := validated{ticket: ticket, session: session}
	if refusal == nil || refusal.Code == InvalidTicket && v.unfit != nil {
		refusal = v.unfit
	}
	if refusal == nil {
		answer, refusal = s.check(ctx, v, answer)
	}
	if refusal != nil && ticket.Times() > 1 {
		if err := s.store.Discard(ctx, v.ticket); err != nil {
			refusal = &Refusal{InternalError, "The ticket could not be checked; try again.", err}
		}
	}
	return answer, refusal
}

// check holds a ticket that was redeemed against what the service says.
func (s *Server) check(ctx context.Context, v validation, answer validated) (validated, *Refusal) {
	ticket, session := answer.ticket, answer.session
	answer.bare = ticket.Kind == tickets.ProxyTicket && v.protocol == services.CAS20
	if ticket.Kind != tickets.ServiceTicket && !v.proxies {
		return answer, refuse(InvalidTicket, "Ticket %s is not a service ticket; proxy tickets are not accepted here.", v.ticket)
	}
	if !services.Same(ticket.Service, v.service) {
		return answer, refuse(InvalidService, "Ticket %s was not issued for service %s.", v.ticket, clip(v.service))
	}
	service, err := s.registry.Find(ticket.Service)
	if err != nil {
		return answer, &Refusal{UnauthorizedService, "The service is not authorized to use CAS.", err}
	}
	answer.service = service
	switch {
	case !service.Speaks(v.protocol):
		return answer, refuse(UnauthorizedService, "The service is not authorized to use this protocol.")
	case v.renew && !ticket.FromNewLogin:
		return answer, refuse(InvalidTicket, "Ticket %s was not issued from a new login, and renew was asked.", v.ticket)
	}
	if err := service.Allow(session.UID, session.Attributes, s.now()); err != nil {
		return answer, &Refusal{UnauthorizedService, "The person is not authorized to use the service.", err}
	}
	if v.pgtURL == "" {
		return answer, nil
	}
	iou, refusal := s.grantProxy(ctx, answer, v.pgtURL)
	answer.iou = iou
	return answer, refusal
}

func (s *Server) redeem(ctx context.Context, id tickets.TicketID) (tickets.Ticket, tickets.Session, *Refusal) {
	if kind := id.Kind(); kind != tickets.ServiceTicket && kind != tickets.ProxyTicket {
		return tickets.Ticket{}, tickets.Session{}, refuse(InvalidTicket, "Ticket %s is not recognized.", clip(string(id)))
	}
	ticket, session, err := s.store.Redeem(ctx, id)
	switch {
	case errors.Is(err, tickets.ErrNotFound):
		return ticket, session, refuse(InvalidTicket, "Ticket %s is not recognized.", id)
	case err != nil:
		return ticket, session, &Refusal{InternalError, "The ticket could not be checked; try again.", err}
	}
	return ticket, session, nil
}

// clip shortens what a client sent before it is said back.
func clip(s string) string {
	const most = 256
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// assert says of a person what the service's policy allows.
func (v validated) assert() assertion {
	a := assertion{user: v.service.Username(v.session.UID, v.session.Attributes), iou: v.iou, proxies: v.ticket.Proxies}
	if v.service.AuthenticationAttributes && (!v.bare || v.service.HasRelease()) {
		a.attributes = protocolAttributes(v.session.AuthTime, v.session.RememberMe, v.ticket.FromNewLogin)
	}
	a.attributes = appendReleased(a.attributes, v.service.Release(v.session.UID, v.session.Attributes))
	return a
}

// serviceValidate answers CAS 2.0 and 3.0 validations. Refusals are answered
// with status 200 and the protocol's failure: some clients take any other
// status for a breakdown.
func (s *Server) serviceValidate(protocol string, proxies bool) httpx.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, err := httpx.ParseParams(w, r)
		if err != nil {
			return err
		}
		v := readValidation(p, protocol)
		v.proxies = proxies
		asJSON, unknown := formatOf(p)
		v.unfit = unknown
		answer, refusal := s.validate(r.Context(), v)
		s.recordValidation(r, v, answer, refusal)
		if answer.iou != "" {
			s.recordProxy(r, answer)
		}
		if refusal != nil {
			return s.writeAs(w, asJSON, refusal)
		}
		return s.writeAs(w, asJSON, answer.assert())
	}
}

// formatOf tells how an answer is to be written: XML unless JSON is asked for.
func formatOf(p httpx.Params) (bool, *Refusal) {
	switch format := p.Get("format"); {
	case strings.EqualFold(format, "JSON"):
		return true, nil
	case format != "" && !strings.EqualFold(format, "XML"):
		return false, refuse(InvalidRequest, "The format must be XML or JSON.")
	}
	return false, nil
}

// body is an answer in the protocol's two formats.
type body interface {
	appendXML(b []byte) []byte
	appendJSON(b []byte) ([]byte, error)
}

func (s *Server) writeAs(w http.ResponseWriter, asJSON bool, answer body) error {
	if asJSON {
		text, err := answer.appendJSON(nil)
		if err != nil {
			return err
		}
		writeAnswer(w, "application/json", text)
		return nil
	}
	pooled := s.buffers.Get().(*[]byte) //nolint:errcheck // the pool holds nothing else
	defer s.buffers.Put(pooled)
	buffer := answer.appendXML((*pooled)[:0])
	writeAnswer(w, "text/xml; charset=utf-8", buffer)
	*pooled = buffer
	return nil
}

// validateCAS1 answers the two lines of CAS 1.0 (specification, section 2.4).
// Clients compare the text to the byte: line feeds, and one after the last
// line.
func (s *Server) validateCAS1(w http.ResponseWriter, r *http.Request) error {
	p, err := httpx.ParseParams(w, r)
	if err != nil {
		return err
	}
	v := readValidation(p, services.CAS10)
	v.pgtURL = ""
	answer, refusal := s.validate(r.Context(), v)
	s.recordValidation(r, v, answer, refusal)
	text := "no\n\n"
	if refusal == nil {
		// A name is one line: a directory's line feed must not add another.
		user, _, _ := strings.Cut(answer.assert().user, "\n")
		text = "yes\n" + user + "\n"
	}
	writeAnswer(w, "text/plain; charset=utf-8", []byte(text))
	return nil
}

func writeAnswer(w http.ResponseWriter, contentType string, body []byte) {
	h := w.Header()
	httpx.NoPage(h)
	h["Content-Type"] = []string{contentType}
	h["Cache-Control"] = []string{"no-store"}
	_, _ = w.Write(body) // the client is gone: there is nobody to tell
}

func (s *Server) recordValidation(r *http.Request, v validation, answer validated, refusal *Refusal) {
	s.recordAnswer(r, audit.Event{
		Action: audit.TicketValidated, Service: v.service, Ticket: v.ticket.Hint(),
	}, answer.session, refusal)
}

// recordAnswer completes the event of what a service asked with whose session it
// was and how it ended.
func (s *Server) recordAnswer(r *http.Request, e audit.Event, session tickets.Session, refusal *Refusal) {
	e.Outcome, e.User = audit.Success, session.UID
	if session.ID != "" {
		e.Session = session.ID.Hint()
	}
	if refusal != nil {
		e.Outcome, e.Reason = audit.Refused, string(refusal.Code)
		s.logCause(r, refusal)
	}
	s.record(r, e)
}

// logCause tells operators what the service is not told.
func (s *Server) logCause(r *http.Request, refusal *Refusal) {
	if refusal.Cause == nil {
		return
	}
	key := "cause"
	if refusal.Code == InternalError {
		key = "error"
	}
	httpx.EventOf(r.Context()).Add(slog.String(key, refusal.Cause.Error()))
}
