package account

import (
	"slices"

	"parvis/identity"
)

// Entry is a directory entry: the values of an attribute, by its name in any
// case, in the directory's order.
type Entry interface {
	Values(attribute string) []string
}

// LoginAttributes returns the attributes that a login may be, by default.
func LoginAttributes() []string { return []string{"uid", "supannAliasLogin", "mail"} }

// Attributes returns the attributes that a person carries by default: what
// services are commonly given, and never a secret or a civil number.
func Attributes() []string {
	return []string{
		"uid", "cn", "sn", "givenName", "displayName", "mail",
		"eduPersonAffiliation", "eduPersonPrimaryAffiliation", "eduPersonPrincipalName",
		"supannEtablissement", "supannEtuId", "supannEmpId",
		"supannEntiteAffectation", "supannEtuCursusAnnee", "memberOf",
	}
}

// Logins returns what the person of an entry may log in with, folded, each
// once: the uid, then the values of the login attributes.
func Logins(entry Entry, uid string, attributes []string) []string {
	logins := []string{identity.FoldLogin(uid)}
	for _, name := range attributes {
		for _, value := range entry.Values(name) {
			if login := identity.FoldLogin(value); login != "" && !slices.Contains(logins, login) {
				logins = append(logins, login)
			}
		}
	}
	return logins
}

// Select returns the wanted attributes of an entry under the wanted names,
// without those that have no value. The values are copies.
func Select(entry Entry, wanted []string) identity.Attributes {
	attributes := make(identity.Attributes, len(wanted))
	for _, name := range wanted {
		if values := entry.Values(name); len(values) > 0 {
			attributes[name] = slices.Clone(values)
		}
	}
	return attributes
}
