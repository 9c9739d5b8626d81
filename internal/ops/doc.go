// Package ops answers those who run the server, on a listener that the public
// must not reach: is the process alive (/healthz), can it serve (/readyz),
// what has it done (/metrics), and how do logout requests to applications end
// (/logouts, for people, and /logouts.json).
//
// Pages for people want a password, and each look at one is in the audit trail.
// They show neither a person nor a ticket.
//
// An answer names what is down and never why: reasons hold addresses and
// names, and go to the log. There is nothing else below this listener, and
// only the exact paths count. cmd makes one [Handler] and gives it the checks.
package ops
