package services

import (
	"fmt"
	"strings"
	"time"
)

// settings tells, one a line, what the entry says of protocols, proxies, tickets
// and logout, where it says something.
func (s *Service) settings() []string {
	var lines []string
	add := func(label, text string) {
		if text != "" {
			lines = append(lines, fmt.Sprintf("%-9s %s", label, text))
		}
	}
	add("protocols", strings.Join(s.Protocols, ", "))
	add("response", s.ResponseType)
	add("redirect", s.RedirectURL)
	var callbacks []string
	for i := range s.proxy.matchers {
		callbacks = append(callbacks, s.proxy.matchers[i].String())
	}
	add("proxy", strings.Join(callbacks, ", "))
	add("logout", s.Logout.shown())
	var networks []string
	for _, network := range s.Networks {
		networks = append(networks, network.String())
	}
	add("networks", strings.Join(networks, ", "))
	add("lifetimes", s.Lifetimes.shown())
	return lines
}

// shown says how the service hears of a logout, or "" where each address that
// got a ticket is told by this server.
func (l Logout) shown() string {
	where := "each address that got a ticket"
	if len(l.URLs) > 0 {
		where = strings.Join(l.URLs, ", ")
	}
	switch {
	case l.Type == LogoutNone:
		return "told to nobody"
	case l.Type == LogoutFront:
		return "told by the browser, to " + where
	case len(l.URLs) > 0:
		return "told by this server, to " + where
	}
	return ""
}

// shown names the lifetimes that are the service's own, or is "".
func (l Lifetimes) shown() string {
	var list []string
	for _, own := range []struct {
		what string
		time time.Duration
	}{{"service ticket", l.ServiceTicket}, {"proxy ticket", l.ProxyTicket}, {"proxy-granting ticket", l.ProxyGrantingTicket}, {"session", l.Session}} {
		if own.time > 0 {
			list = append(list, own.what+" "+shortDuration(own.time))
		}
	}
	if l.ProxyTicketUses > 1 {
		list = append(list, fmt.Sprintf("a proxy ticket is good for %d validations", l.ProxyTicketUses))
	}
	return strings.Join(list, ", ")
}
