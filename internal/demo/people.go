package demo

import (
	_ "embed"
	"slices"
)

//go:embed people.ldif
var people []byte

// People returns the demonstration's directory as LDIF content records (RFC
// 2849): the base dc=univ,dc=example with its people, groups and structures. The
// caller may change the bytes.
func People() []byte { return slices.Clone(people) }
