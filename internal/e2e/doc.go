// Package e2e tries the binary as its users do: real processes, real slapd,
// real Redis, a real browser. It has tests and nothing else; nobody imports it.
package e2e
