// Package demo holds the invented university that "parvis demo" serves: its
// people and the services they log in to. Tests load the same data into the
// real directory and the real registry.
//
// It is data only. Nothing of it may reach a real installation: cmd/parvis uses
// it for the demonstration, tests use it everywhere.
package demo
