// Package cas is the protocol: the endpoints of a CAS 1.0, 2.0 and 3.0 server
// as the CAS Protocol Specification 3.0.3 describes them, one file an
// endpoint. Rules are cited by the specification's sections.
//
// A browser's way through it:
//
//	GET /login            requestor (2.1): no session, or renew asked → the form;
//	                      a session and a service → a ticket and a redirect;
//	                      gateway and no session → back without a ticket
//	POST /login           acceptor (2.2): form token, throttle, directory, then a
//	                      new session, its cookie, and the ticket that was
//	                      asked for, once every [Interrupt] was passed
//	GET /logout           ends the session and all its tickets (2.3), and has
//	                      its services told (2.3.3)
//
// and a service's way:
//
//	GET /validate             CAS 1.0 (2.4): two lines of text
//	GET /serviceValidate      CAS 2.0 (2.5): XML or JSON
//	GET /p3/serviceValidate   CAS 3.0 (2.8): the same, attributes guaranteed
//	GET /proxyValidate        CAS 2.0 (2.6), and /p3/proxyValidate: proxy tickets
//	                          as well
//	GET /proxy                CAS 2.0 (2.7): a proxy ticket for a proxy-granting
//	                          one, which pgtUrl of a validation was sent (2.5.4)
//	POST /samlValidate        SAML 1.1 (4.2): the ticket in a SOAP message
//
// and, where it is switched on, that of a program that has somebody's password:
//
//	POST /v1/tickets          a session; /v1/tickets/{id} gives its tickets and
//	                          ends it; /v1/users only checks; /v1/services adds
//	                          a service
//
// A ticket shown to a validation endpoint is spent, whatever the answer. A
// service that the registry does not know is never redirected to, whatever
// else a request says.
//
// The package knows neither LDAP nor Redis: it asks for a [Directory] and a
// [tickets.Store], and cmd gives it one of each. Between two requests it keeps
// nothing but how long the directory took lately, so any node may answer any of
// them. It must never log or store a password, or a ticket in full.
package cas
