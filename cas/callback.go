package cas

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"parvis/internal/audit"
	"parvis/services"
	"parvis/tickets"
)

// Caller reaches registered applications, within bounds of address, time and
// size.
type Caller interface {
	// Get asks for an https address, follows no redirect, and returns the
	// status. Private addresses are out of reach, but for the networks given
	// and those of the configuration.
	Get(ctx context.Context, address string, networks []netip.Prefix) (int, error)
}

// maxProxies bounds how many services a login may be handed through.
const maxProxies = 8

// oneGrant begins the token by which a proxy ticket of several uses yields one
// proxy-granting ticket only.
const oneGrant = "proxy-granting "

// maxCallback is how long a call-back address may be: it is kept with the ticket,
// and with each that is made from it.
const maxCallback = 2048

// isPlain tells whether an address reads the same to everybody: the services
// behind a proxy trust it by its address.
func isPlain(address string) bool {
	for i := range len(address) {
		if address[i] <= ' ' || address[i] > '~' {
			return false
		}
	}
	return len(address) <= maxCallback
}

var errCallback = errors.New("call-back refused")

// grantProxy sends a service a proxy-granting ticket at its call-back address,
// and returns the name that the answer will give it (specification, section
// 2.5.4). The call has ended, and the ticket can be used, before the service
// reads that name: it looks it up at once.
func (s *Server) grantProxy(ctx context.Context, v validated, callback string) (string, *Refusal) {
	if !isPlain(callback) {
		return "", refuse(InvalidProxyCallback, "The proxy call-back must be an address of printable ASCII characters, %d at most.", maxCallback)
	}
	if s.callbacks == nil || !v.service.MayProxy(callback) {
		return "", refuse(UnauthorizedServiceProxy, "The service is not authorized to proxy authentication.")
	}
	if len(v.ticket.Proxies) >= maxProxies {
		return "", refuse(UnauthorizedServiceProxy, "The ticket came through too many proxies.")
	}
	if v.ticket.Times() > 1 {
		first, err := s.store.Spend(ctx, oneGrant+string(v.ticket.ID), v.ticket.Lifetime)
		switch {
		case err != nil:
			return "", &Refusal{InternalError, "The proxy-granting ticket could not be made; try again.", err}
		case !first:
			return "", refuse(InvalidProxyGranting, "A proxy-granting ticket was already given for this ticket.")
		}
	}
	iou, id, err := s.mintProxyGranting(v.session.ID)
	if err != nil {
		return "", &Refusal{InternalError, "The proxy-granting ticket could not be made; try again.", err}
	}
	if err := s.callBack(ctx, v.service, callback, iou, id); err != nil {
		return "", &Refusal{InvalidProxyCallback, "The proxy call-back could not be reached, or did not answer 200.", err}
	}
	lifetime := v.service.Lifetimes.ProxyGrantingTicket
	if lifetime == 0 {
		lifetime = v.session.Max
	}
	_, err = s.store.Grant(ctx, v.session.ID, tickets.Ticket{
		ID: id, Kind: tickets.ProxyGrantingTicket, Service: v.ticket.Service, Lifetime: lifetime,
		Proxies: append([]string{callback}, v.ticket.Proxies...),
	})
	switch {
	case isGone(err):
		return "", refuse(InvalidTicket, "Ticket %s is not recognized.", v.ticket.ID)
	case err != nil:
		return "", &Refusal{InternalError, "The proxy-granting ticket could not be kept; try again.", err}
	}
	return iou, nil
}

func (s *Server) mintProxyGranting(session tickets.TGT) (string, tickets.TicketID, error) {
	iou, err := s.mint.PGTIOU()
	if err != nil {
		return "", "", err
	}
	id, err := s.mint.Ticket(tickets.ProxyGrantingTicket, session)
	return iou, id, err
}

// callBack gives a service its proxy-granting ticket. Nothing but 200 will do:
// the address that a redirect leads to was never registered.
func (s *Server) callBack(ctx context.Context, service *services.Service, callback, iou string, id tickets.TicketID) error {
	address := services.Appended(services.Appended(callback, "pgtIou", iou), "pgtId", string(id))
	status, err := s.callbacks.Get(ctx, address, service.Networks)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%w: status %d", errCallback, status)
	}
	return nil
}

// recordProxy writes to the audit that a service was given a proxy-granting
// ticket.
func (s *Server) recordProxy(r *http.Request, v validated) {
	s.record(r, audit.Event{
		Action: audit.ProxyGranted, Outcome: audit.Success, User: v.session.UID,
		Session: v.session.ID.Hint(), Service: v.ticket.Service, Ticket: v.ticket.ID.Hint(),
	})
}
