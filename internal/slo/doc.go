// Package slo is single logout: it ends sessions and tells the applications
// that were visited (CAS Protocol Specification 3.0.3, section 2.3.3).
//
// An [Ender] closes a session and hands a [Telling] to a [Notifier], which makes
// nobody wait: later it works out whom to tell, and writes the logout requests
// to a [Queue], from which workers post them. Only where an application hears
// of a logout through the browser does the Ender work it out itself, for the
// page lists whom to call. Workers are bounded, overall and for
// each host, and what has not answered lately gets few of them: one dead
// application delays no other. Who cannot be reached is tried again a few
// times, and each request ends, with one audit line and an [Outcome] that
// operators can look at.
//
// It must never follow an application's redirect, never keep a person waiting
// for an application, and never show a ticket or a person's name to operators.
// Where requests may go is for internal/safehttp to enforce.
//
// The queues are internal/slo/memory and internal/slo/redis, both held to the
// contract by internal/slo/slotest. cas and cmd call the Ender; cmd makes all of
// it and runs the Notifier; internal/ops shows the outcomes.
package slo
