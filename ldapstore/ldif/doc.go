// Package ldif is a directory kept in an LDIF file (RFC 2849): the embedded
// default where no LDAP server is configured, for demonstrations, small schools
// and tests. It keeps the contract of package ldapstore, and the suite
// directorytest holds both to it.
//
// The file is read once, as content records, and held in memory with an index of
// the logins. Groups (groupOfNames, groupOfUniqueNames) give people their
// memberOf when the entries do not carry it.
//
// It refuses change records, values that name other files, and passwords in
// clear. It never writes to its file.
package ldif
