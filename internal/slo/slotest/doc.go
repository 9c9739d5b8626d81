// Package slotest holds every queue of logout requests to the contract of
// [slo.Queue]: one suite, run over each.
package slotest
