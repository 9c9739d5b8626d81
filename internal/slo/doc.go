// Package slo is single logout: it ends sessions and tells the applications
// that were visited (CAS Protocol Specification 3.0.3, section 2.3.3).
//
// An [Ender] closes a session, works out whom to tell, and hands the logout
// requests to a [Notifier], which never makes anybody wait: it writes them to
// a [Queue], from which workers post them. Workers are bounded, overall and for
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
// contract by internal/slo/slotest. cas and account call the Ender; cmd makes
// all of it and runs the Notifier; internal/ops shows the outcomes.
package slo
