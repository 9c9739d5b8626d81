// Package showticket is the smallest service that a CAS server can have: it
// sends people to log in, validates the ticket they come back with, and shows
// the answer. `parvis demo` runs one on each port of its services, so that a
// newcomer sees every step of the protocol.
//
// It keeps no session of its own: each visit is a new ticket, and reloading a
// page shows that a ticket works once. It must never be more than a
// demonstration. Only cmd/parvis makes a [Service].
package showticket
