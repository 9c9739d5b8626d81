// Package ticketstest is the contract of [tickets.Store] as a test suite. A
// store's own tests call [Run]; what only one store can do (a restart, a dump)
// is tested beside that store.
package ticketstest
