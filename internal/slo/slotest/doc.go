// Package slotest is the contract of [slo.Queue] as a test suite. A queue's own
// tests call [Run]; what only one queue can do (a restart, a dump) is tested
// beside that queue.
package slotest
