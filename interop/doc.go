// Package interop tries Parvis with clients that others wrote, as their users
// install them: Apache's mod_auth_cas, phpCAS, and those of Perl and Python that
// Debian has. Each runs as a real application over HTTPS, against the binary
// with a real slapd and a real Redis. A client that fails here fails at a
// university.
//
// It has tests and nothing else; nobody imports it. What one client wants
// belongs here; what the protocol says of all of them, in conformance.
package interop
