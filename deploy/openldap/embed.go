package openldap

import "embed"

// Files are the LDIF files of this folder, as change records for ldapmodify.
//
//go:embed *.ldif
var Files embed.FS

// Schemas and Setup name the files in the order in which they are applied: the
// schemas and the server's configuration as cn=config's administrator, the tree
// as the database's.
func Schemas() []string { return []string{"eduperson.ldif", "schac.ldif", "supann.ldif"} }

// Setup names the files of the server's configuration, to apply after the
// schemas.
func Setup() []string { return []string{"overlays.ldif", "indexes.ldif", "acl.ldif"} }

// Tree names the file of branches and policies, to apply once the base entry
// exists.
func Tree() string { return "tree.ldif" }
