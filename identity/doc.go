// Package identity holds the words that every room of Parvis shares about
// people: who someone is, what the directory says of them, whether they may
// log in, and the errors that a directory answers with.
//
// It is a leaf: it imports nothing of Parvis, talks to nothing and decides
// nothing. Directories (ldapstore, ldapstore/ldif) produce its values; cas,
// account, ent and services consume them.
package identity
