package cas

import (
	"context"
	"net/http"

	"parvis/internal/audit"
	"parvis/internal/httpx"
	"parvis/services"
	"parvis/tickets"
)

// proxy answers /proxy: a service that holds a proxy-granting ticket asks for a
// ticket to another, on behalf of the person (specification, section 2.7).
func (s *Server) proxy(w http.ResponseWriter, r *http.Request) error {
	p, err := httpx.ParseParams(w, r)
	if err != nil {
		return err
	}
	asJSON, refusal := formatOf(p)
	var granted proxied
	target := p.Get("targetService")
	if refusal == nil {
		granted, refusal = s.proxyTicket(r.Context(), tickets.TicketID(p.Get("pgt")), target)
	}
	s.recordProxied(r, target, granted, refusal)
	if refusal != nil {
		return s.writeAs(w, asJSON, (*proxyRefusal)(refusal))
	}
	return s.writeAs(w, asJSON, proxyTicket(granted.ticket))
}

// proxied is what came of a request to /proxy.
type proxied struct {
	ticket  tickets.TicketID
	session tickets.Session
}

// proxyTicket grants a proxy ticket. Everything that let the holder proxy, and
// that lets the person use the target, is looked at each time: an entry that
// was closed since closes at once.
func (s *Server) proxyTicket(ctx context.Context, pgt tickets.TicketID, target string) (proxied, *Refusal) {
	if pgt == "" || target == "" {
		return proxied{}, refuse(InvalidRequest, "Parameters 'pgt' and 'targetService' are both required.")
	}
	if pgt.Kind() != tickets.ProxyGrantingTicket {
		return proxied{}, refuse(InvalidTicket, "The proxy-granting ticket is not recognized.")
	}
	granting, session, err := s.store.Lookup(ctx, pgt)
	switch {
	case isGone(err):
		return proxied{}, refuse(InvalidTicket, "The proxy-granting ticket is not recognized.")
	case err != nil:
		return proxied{}, &Refusal{InternalError, "The proxy-granting ticket could not be checked; try again.", err}
	}
	answer := proxied{session: session}
	if refusal := s.mayStillProxy(granting, session); refusal != nil {
		return answer, refusal
	}
	service, refusal := s.mayBeProxied(ctx, target, session)
	if refusal != nil {
		return answer, refusal
	}
	answer.ticket, err = s.issue(ctx, session.ID, service, tickets.Ticket{
		Kind: tickets.ProxyTicket, Service: target, Proxies: granting.Proxies, Uses: service.Lifetimes.ProxyTicketUses,
	})
	switch {
	case isGone(err):
		return answer, refuse(InvalidTicket, "The proxy-granting ticket is not recognized.")
	case err != nil:
		return answer, &Refusal{InternalError, "The proxy ticket could not be made; try again.", err}
	}
	return answer, nil
}

// mayStillProxy tells whether the service that holds a proxy-granting ticket may
// use it for the person.
func (s *Server) mayStillProxy(granting tickets.Ticket, session tickets.Session) *Refusal {
	holder, err := s.registry.Find(granting.Service)
	if err != nil {
		return &Refusal{UnauthorizedService, "The service is not authorized to use CAS.", err}
	}
	if len(granting.Proxies) == 0 || !holder.MayProxy(granting.Proxies[0]) {
		return refuse(UnauthorizedServiceProxy, "The service is not authorized to proxy authentication.")
	}
	if err := holder.Allow(session.UID, session.Attributes, s.now()); err != nil {
		return &Refusal{UnauthorizedService, "The person is not authorized to use the service.", err}
	}
	return nil
}

// mayBeProxied finds the entry of the service that a proxy ticket is for, which
// need be no address of a browser's. One that wants the password at each login
// cannot be reached by a proxy, which has none; nor can one behind an interrupt
// that only a browser can show.
func (s *Server) mayBeProxied(ctx context.Context, target string, session tickets.Session) (*services.Service, *Refusal) {
	service, err := s.registry.Find(target)
	if err != nil {
		return nil, &Refusal{UnauthorizedService, "The target service is not authorized to use CAS.", err}
	}
	if err := service.Allow(session.UID, session.Attributes, s.now()); err != nil {
		return nil, &Refusal{UnauthorizedService, "The person is not authorized to use the target service.", err}
	}
	q := loginRequest{target: target, service: service}
	if q.needsPassword(session, s.now()) {
		return nil, refuse(UnauthorizedService, "The target service asks for the password, and takes no proxy ticket.")
	}
	pending, err := s.due(ctx, q, arriving(session))
	switch {
	case err != nil:
		return nil, &Refusal{InternalError, "The target service could not be checked; try again.", err}
	case pending != nil:
		return nil, refuse(UnauthorizedService, "The person has something to do in a browser before they use the target service.")
	}
	return service, nil
}

func (s *Server) recordProxied(r *http.Request, target string, answer proxied, refusal *Refusal) {
	event := audit.Event{Action: audit.TicketGranted, Service: target}
	if refusal == nil {
		event.Ticket = answer.ticket.Hint()
	}
	s.recordAnswer(r, event, answer.session, refusal)
}

// proxyTicket is the answer that carries one (specification, section 2.7.2).
type proxyTicket tickets.TicketID

func (t proxyTicket) appendXML(b []byte) []byte {
	b = append(b, xmlOpen+"<cas:proxySuccess>"...)
	b = appendElement(b, "proxyTicket", string(t))
	return append(b, "</cas:proxySuccess>"+xmlClose...)
}

func (t proxyTicket) appendJSON(b []byte) ([]byte, error) {
	return appendServiceResponse(b, map[string]any{"proxySuccess": struct {
		Ticket string `json:"proxyTicket"`
	}{string(t)}})
}

// proxyRefusal is a refusal as /proxy words it.
type proxyRefusal Refusal

func (r *proxyRefusal) appendXML(b []byte) []byte {
	return appendFailure(b, "proxyFailure", (*Refusal)(r))
}

func (r *proxyRefusal) appendJSON(b []byte) ([]byte, error) {
	return appendFailureJSON(b, "proxyFailure", (*Refusal)(r))
}
