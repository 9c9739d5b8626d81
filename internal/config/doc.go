// Package config reads parvis.yaml, the one file that a site writes.
//
// It is strict: a key it does not know is a fault, shown with its line; a
// variable that is not set is a fault; a value that would make the server
// unsafe is a fault. All faults are told at once, each with what to do about
// it, so that one edit mends a file.
//
// It fills in the defaults, expands ${VARIABLES}, reads the ..._file twin of
// every secret and resolves relative paths against the file's own folder. It
// opens no connection and builds nothing: cmd/parvis does, from the [Config].
// A secret never appears in a fault, nor in a Config that is printed.
package config
