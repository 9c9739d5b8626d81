package services

import (
	"fmt"
	"slices"
)

func (b *ownBuilder) release(s *Service) {
	if own := b.own.Release; own.given {
		s.release = b.releaser("release", own)
	}
}

// releaser reads one policy, with those of its chain.
func (b *ownBuilder) releaser(key string, own ownRelease) releaser {
	for _, name := range slices.Concat(own.Attributes, own.Except) {
		if isSecret(name) {
			b.fault(key, "%s is never released", name)
		}
	}
	if !own.All && len(own.Except) > 0 {
		b.fault(key+".except", "only goes with all: true")
	}
	var parts releaseChain
	if chain := b.chain(key, own); chain != nil {
		parts.policies = append(parts.policies, chain)
	}
	if own.All {
		parts.policies = append(parts.policies, releaseAll(own.Except))
	}
	if len(own.Attributes) > 0 {
		parts.policies = append(parts.policies, releaseNamed(own.Attributes))
	}
	if len(own.Rename) > 0 {
		mapped := releaseMapped{}
		for name, as := range own.Rename {
			mapped[name] = as
		}
		parts.policies = append(parts.policies, mapped)
	}
	if len(own.Matching) > 0 {
		matching := releaseMatching{}
		for _, name := range sortedKeys(own.Matching) {
			matching[name] = b.rewrite(key+".matching."+name, own.Matching[name])
		}
		parts.policies = append(parts.policies, matching)
	}
	if len(own.Constant) > 0 {
		static := releaseStatic{}
		for name, values := range own.Constant {
			static[name] = values
		}
		parts.policies = append(parts.policies, static)
	}
	if own.UIDAs != "" {
		parts.policies = append(parts.policies, releasePrincipal(own.UIDAs))
	}
	filters := b.filters(key, own)
	if len(filters) == 0 {
		return parts.shortest()
	}
	return releaseFiltered{policy: parts.shortest(), filters: filters}
}

// chain reads the policies of a chain, or returns nil when there is none.
func (b *ownBuilder) chain(key string, own ownRelease) releaser {
	chain := releaseChain{}
	switch own.Merge {
	case "", "replace":
	case "keep":
		chain.merge = mergeKeepFirst
	case "union":
		chain.merge = mergeUnion
	default:
		b.fault(key+".merge", "is replace, keep or union")
	}
	if len(own.Chain) == 0 {
		if own.Merge != "" || own.Chain != nil {
			b.fault(key+".merge", "goes with a chain of policies")
		}
		return nil
	}
	for i, link := range own.Chain {
		inside := fmt.Sprintf("%s.chain[%d]", key, i)
		if link.Authentication != nil {
			b.fault(inside+".authentication", "is for the whole entry: write it in release itself")
		}
		chain.policies = append(chain.policies, b.releaser(inside, link))
	}
	return chain
}

func (b *ownBuilder) filters(key string, own ownRelease) []valueFilter {
	var list []valueFilter
	if len(own.Only) > 0 {
		list = append(list, b.filter(key, ownFilter{Only: own.Only}))
	}
	for i, f := range own.Filters {
		list = append(list, b.filter(fmt.Sprintf("%s.filters[%d]", key, i), f))
	}
	return list
}

func (b *ownBuilder) filter(key string, own ownFilter) valueFilter {
	f := valueFilter{dropOthers: own.DropOthers, tests: map[string][]valueTest{}, rewrites: map[string][]valueRewrite{}}
	kinds := 0
	for name, rules := range map[string]map[string]ownRule{"only": own.Only, "never": own.Never} {
		if len(rules) == 0 {
			continue
		}
		kinds++
		if name == "never" {
			f.kind = filterNever
		}
		for _, attribute := range sortedKeys(rules) {
			f.tests[attribute] = b.tests(key+"."+name+"."+attribute, rules[attribute])
		}
	}
	if len(own.Rewrite) > 0 {
		kinds++
		f.kind = filterRewrite
		for _, attribute := range sortedKeys(own.Rewrite) {
			inside := key + ".rewrite." + attribute
			if len(own.Rewrite[attribute]) == 0 {
				b.fault(inside, "is empty")
			}
			for _, rewrite := range own.Rewrite[attribute] {
				f.rewrites[attribute] = append(f.rewrites[attribute], b.rewrite(inside, rewrite))
			}
		}
	}
	if kinds != 1 {
		b.fault(key, "takes one of only, never and rewrite")
	}
	return f
}

func (b *ownBuilder) rewrite(key string, own ownRewrite) valueRewrite {
	kind, text := testSearch, own.Search
	if own.Regex != "" {
		kind, text = testRegex, own.Regex
	}
	if (own.Regex == "") == (own.Search == "") {
		b.fault(key, "needs a search or a regex")
	}
	test, err := newTest(kind, text, own.IgnoreCase)
	if err != nil {
		b.fault(key, "%v", err)
	}
	return valueRewrite{test: test, to: own.To}
}
