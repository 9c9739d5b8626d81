// Package openldap carries the LDIF files that prepare an OpenLDAP server for
// Parvis: the SupAnn, eduPerson and SCHAC schemas, overlays, indexes, access
// rules and policies. README.md tells an operator how to apply them.
//
// The server never uses them: only tests do, which apply the very files that
// operators get.
package openldap
