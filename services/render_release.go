package services

import "slices"

// releaseValue is the release policy: a list of names where that says it all.
func (s *Service) releaseValue() any {
	m := releaseMapping(s.release)
	if !s.AuthenticationAttributes {
		m.set("authentication", false)
	}
	if len(m) == 0 {
		return []string{}
	}
	if names, ok := m[0].value.([]string); ok && len(m) == 1 && m[0].key == "attributes" {
		return names
	}
	return m
}

func releaseMapping(policy releaser) mapping {
	var m mapping
	switch p := policy.(type) {
	case releaseNamed:
		m.set("attributes", withoutSecretNames(p))
	case releaseAll:
		m.set("all", true)
		m.set("except", withoutSecretNames(p))
	case releaseMapped:
		m.set("rename", listsMapping(p))
	case releaseStatic:
		m.set("constant", listsMapping(p))
	case releasePrincipal:
		m.set("uid_as", string(p))
	case releaseMatching:
		var rules mapping
		for _, name := range sortedKeys(p) {
			rules.set(name, p[name].mapping())
		}
		m.set("matching", rules)
	case releaseFiltered:
		m = releaseMapping(p.policy)
		m = append(m, filterMapping(p.filters)...)
	case releaseChain:
		return chainMapping(p)
	}
	return m
}

// chainMapping writes a chain; the login name that a policy adds goes beside it.
func chainMapping(chain releaseChain) mapping {
	if n := len(chain.policies); n == 2 && chain.merge == mergeReplace {
		_, filtered := chain.policies[0].(releaseFiltered)
		if login, ok := chain.policies[1].(releasePrincipal); ok && !filtered {
			m := releaseMapping(chain.policies[0])
			m.set("uid_as", string(login))
			return m
		}
	}
	var links []mapping
	for _, policy := range chain.policies {
		links = append(links, releaseMapping(policy))
	}
	var m mapping
	m.set("chain", links)
	if len(links) > 0 {
		m.set("merge", map[mergeRule]string{mergeKeepFirst: "keep", mergeUnion: "union"}[chain.merge])
	}
	return m
}

func filterMapping(filters []valueFilter) mapping {
	var list []mapping
	for i := range filters {
		f := &filters[i]
		var m mapping
		switch f.kind {
		case filterOnly:
			m.set("only", testsMapping(f.tests))
		case filterNever:
			m.set("never", testsMapping(f.tests))
		case filterRewrite:
			var rules mapping
			for _, name := range sortedKeys(f.rewrites) {
				var rewrites []mapping
				for _, rewrite := range f.rewrites[name] {
					rewrites = append(rewrites, rewrite.mapping())
				}
				rules.set(name, rewrites)
			}
			m.set("rewrite", rules)
		}
		if f.dropOthers {
			m.set("drop_others", true)
		}
		if len(m) > 0 {
			list = append(list, m)
		}
	}
	if len(list) == 1 && len(list[0]) == 1 && list[0][0].key == "only" {
		return list[0]
	}
	var m mapping
	m.set("filters", list)
	return m
}

func testsMapping(tests map[string][]valueTest) mapping {
	var m mapping
	for _, name := range sortedKeys(tests) {
		m.set(name, testsValue(tests[name]))
	}
	return m
}

func (r valueRewrite) mapping() mapping {
	var m mapping
	if r.test.kind == testRegex {
		m.set("regex", r.test.source)
	} else {
		m.set("search", r.test.source)
	}
	m.set("to", r.to)
	if r.test.fold {
		m.set("ignore_case", true)
	}
	return m
}

func listsMapping(lists map[string][]string) mapping {
	var m mapping
	for _, name := range sortedKeys(lists) {
		m.set(name, lists[name])
	}
	return m
}

// withoutSecretNames leaves out what no policy can release.
func withoutSecretNames(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), isSecret)
}

// shown is the username policy: an attribute's name where that says it all. What
// a refused entry lacks is left out.
func (u *username) shown() any {
	var m mapping
	switch {
	case u.kind == usernameAttribute && !isSecret(u.attribute):
		m.set("attribute", u.attribute)
	case u.kind == usernameStatic:
		m.set("static", u.value)
	case u.kind == usernamePairwise && len(u.salt) >= minSalt:
		m.set("pairwise_salt", u.salt)
		m.set("pairwise_of", u.attribute)
	}
	m.set("case", map[casing]string{casingUpper: "upper", casingLower: "lower"}[u.casing])
	if u.remove != nil {
		m.set("remove", u.removeSource)
	}
	m.set("scope", u.scope)
	if len(m) == 1 && m[0].key == "attribute" {
		return u.attribute
	}
	return m
}
