// Package safehttp calls addresses that others chose: the call-back addresses
// of proxies and the logout addresses of services. Whoever names such an
// address must not make the server call what only the server can reach.
//
// A [Client] goes by the address that it dials, after DNS has answered: what a
// name meant a moment before counts for nothing. Loopback, private, link-local
// and all other special-purpose addresses are refused, in every form that IPv6
// has for them, unless the configuration or the service's own entry opens their
// network. Link-local and multicast addresses and those where clouds keep their
// metadata stay shut whatever is opened.
//
// Only https is called, with a chain, a host name and dates that hold, unless
// the caller allows http for one request. No redirect is followed, no proxy of
// the environment used, no connection used twice, and an answer costs no more
// time and bytes than [Options] say. Errors name the host and never the path
// or query of an address, which may hold a ticket.
//
// The package never decides which addresses a service may name: that is for
// patterns of its entry. cas calls it for proxy call-backs, internal/slo for
// logout requests, each through an interface of its own.
package safehttp
