// Package tickets holds what a single sign-on remembers: sessions (each opened
// by a ticket-granting ticket, TGT) and the tickets handed to services on
// their behalf. It mints identifiers, writes records as compact bytes, seals
// them for stores that others can read, and states the contract of a [Store].
//
// It is a leaf: it knows neither HTTP, nor a directory, nor a service's
// policy. It never keeps a password and never lets an identifier be guessed
// or counted. The stores are tickets/memory and tickets/redis, both held to
// the contract by tickets/ticketstest; cas and account are its callers.
package tickets
