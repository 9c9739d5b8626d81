package services

import (
	"maps"
	"slices"
	"strings"

	"parvis/identity"
)

// releaser adds to into what a policy releases of a person.
type releaser interface {
	release(uid string, from, into identity.Attributes)
	// everything tells whether attributes are released that the policy does not
	// name.
	everything() bool
}

// secretNames are attributes that no policy can release.
var secretNames = [...]string{"credential", "userPassword", "sambaNTPassword", "sambaLMPassword", "krbPrincipalKey"}

func isSecret(name string) bool {
	for _, secret := range secretNames {
		if strings.EqualFold(name, secret) {
			return true
		}
	}
	return false
}

// withoutSecrets returns the attributes that a policy may see.
func withoutSecrets(attrs identity.Attributes) identity.Attributes {
	kept := attrs
	for name := range attrs {
		if !isSecret(name) {
			continue
		}
		if len(kept) == len(attrs) {
			kept = maps.Clone(attrs)
		}
		delete(kept, name)
	}
	return kept
}

// releaseNamed releases the attributes it names, under the names it gives.
type releaseNamed []string

func (p releaseNamed) release(_ string, from, into identity.Attributes) {
	for _, name := range p {
		if values := lookup(from, name); len(values) > 0 {
			into[name] = values
		}
	}
}

func (releaseNamed) everything() bool { return false }

// releaseAll releases everything except what it names.
type releaseAll []string

func (p releaseAll) release(_ string, from, into identity.Attributes) {
	for name, values := range from {
		except := slices.ContainsFunc(p, func(e string) bool { return strings.EqualFold(e, name) })
		if !except {
			into[name] = values
		}
	}
}

func (releaseAll) everything() bool { return true }

// releaseMapped releases attributes under other names, one or several each.
type releaseMapped map[string][]string

func (p releaseMapped) release(_ string, from, into identity.Attributes) {
	// Sorted, so that two sources of one name always give the same order.
	for _, name := range slices.Sorted(maps.Keys(p)) {
		values := lookup(from, name)
		if len(values) == 0 {
			continue
		}
		for _, as := range p[name] {
			into[as] = union(into[as], values)
		}
	}
}

func (releaseMapped) everything() bool { return false }

// releaseStatic releases constants, the same for everybody.
type releaseStatic map[string][]string

func (p releaseStatic) release(_ string, _, into identity.Attributes) {
	for name, values := range p {
		into[name] = values
	}
}

func (releaseStatic) everything() bool { return false }

// releasePrincipal releases the login name as an attribute.
type releasePrincipal string

func (p releasePrincipal) release(uid string, _, into identity.Attributes) {
	into[string(p)] = []string{uid}
}

func (releasePrincipal) everything() bool { return false }

// releaseMatching releases the values that pass, rewritten.
type releaseMatching map[string]valueRewrite

func (p releaseMatching) release(_ string, from, into identity.Attributes) {
	for name, rewrite := range p {
		var kept []string
		for _, value := range lookup(from, name) {
			if written, ok := rewrite.of(value); ok {
				kept = append(kept, written)
			}
		}
		if len(kept) > 0 {
			into[name] = kept
		}
	}
}

func (releaseMatching) everything() bool { return false }

// releaseChain applies several policies.
type releaseChain struct {
	policies []releaser
	merge    mergeRule
}

// mergeRule says what becomes of an attribute that two policies release.
type mergeRule int

const (
	mergeReplace mergeRule = iota
	mergeKeepFirst
	mergeUnion
)

// shortest is the policy itself where the chain has one, as most have: each
// validation waits for it, and a chain takes a map for each of its policies.
func (p releaseChain) shortest() releaser {
	if len(p.policies) == 1 {
		return p.policies[0]
	}
	return p
}

func (p releaseChain) release(uid string, from, into identity.Attributes) {
	for _, policy := range p.policies {
		part := identity.Attributes{}
		policy.release(uid, from, part)
		for name, values := range part {
			_, taken := into[name]
			switch {
			case !taken || p.merge == mergeReplace:
				into[name] = values
			case p.merge == mergeUnion:
				into[name] = union(into[name], values)
			}
		}
	}
}

func (p releaseChain) everything() bool {
	return slices.ContainsFunc(p.policies, releaser.everything)
}

// releaseFiltered keeps, of what a policy releases, what every filter lets
// through, one after the other.
type releaseFiltered struct {
	policy  releaser
	filters []valueFilter
}

func (p releaseFiltered) release(uid string, from, into identity.Attributes) {
	part := identity.Attributes{}
	p.policy.release(uid, from, part)
	for i := range p.filters {
		part = p.filters[i].apply(part)
	}
	maps.Copy(into, part)
}

func (p releaseFiltered) everything() bool {
	for i := range p.filters {
		if p.filters[i].namesAll() {
			return false
		}
	}
	return p.policy.everything()
}

// union appends to a new slice the values of b that a does not hold.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, value := range b {
		if !slices.Contains(all, value) {
			all = append(all, value)
		}
	}
	return all
}
