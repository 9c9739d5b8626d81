// Package casclient makes a Go service a client of a CAS server, by the CAS
// Protocol Specification 3.0.3: single sign-on, single logout, gateway, renew
// and proxy authentication, as net/http middleware. Any server of the protocol
// will do; it is tried with the dialects of Parvis, Apereo CAS, Keycloak and
// django-cas-server.
//
// [New] makes a [Client] of two addresses: the server's and the service's own.
// [Client.Wrap] goes around the whole service: it knows who comes back with a
// ticket, who has a session, and which sessions the server ends. Inside,
// handlers say what they ask for:
//
//	client.Require(h)                        somebody is logged in
//	client.RequireFresh(5*time.Minute, h)    and gave a password just now (renew)
//	client.Gateway(h)                        whoever is logged in at the server is known
//	client.Allow(rule)(h)                    a rule about the person holds
//	h alone                                  [User] tells who it is, nil for nobody
//
// What it must never do:
//
//   - build an address from a request's Host or X-Forwarded-* headers: with
//     them, a ticket for another application could be replayed here.
//   - ask the server about something that cannot be a ticket, or take an answer
//     that is not of the protocol for a success.
//   - log a ticket, a cookie or a person's name.
//   - keep a session's cookie value: stores see its SHA-256 only.
//
// It stands alone: it imports the standard library and nothing else, so that a
// service takes it and brings nothing along.
package casclient
