// Command parvis is the identity front door of a university: a CAS server with
// its pages, in one binary with one configuration file.
//
// This package sees every other and wires them; it decides nothing of what
// they do. main calls run, and each subcommand has a file: serve.go, demo.go,
// check.go, services.go, sessions.go, version.go.
package main
