// Package redis is the queue of logout requests that several nodes share: any
// node sends what another one queued, and what a node that died left undone.
//
// # Layout
//
// The keys have one hash tag, and so live in one slot of a Redis Cluster.
//
//	{slo}q  stream  one entry a notice, sealed; consumer group "workers"
//	{slo}o  list    the last outcomes, which name no person and no ticket
//
// An entry that is done is removed, so that the stream holds what waits and
// what is worked on. The stream is bounded: where nobody sends, the oldest
// entries go. Both keys have a time to live, which use renews.
//
// # Promises
//
// Notices are sealed to the stream's name: who steals a dump learns neither a
// name nor a ticket. An entry whose taker is silent for a minute is given to
// another; whether it is, Redis' clock tells.
//
// It never replays a call that may have arrived, and never closes the
// connection, which is cmd's, the only one to make a [Queue].
//
// Redis must be 6.2 or later. The user needs +@read +@write +@connection, and
// the keys of the prefix.
package redis
