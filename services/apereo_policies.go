package services

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

func (in *importer) accessStrategy(o *object, s *Service) {
	if o == nil {
		return
	}
	a := &s.access
	switch class := o.class(); class {
	case "DefaultRegisteredServiceAccessStrategy":
	case "TimeBasedRegisteredServiceAccessStrategy":
		a.periods = append(a.periods, period{from: in.dateTime(o, "startingDateTime"), until: in.dateTime(o, "endingDateTime")})
	default:
		in.refuse(o.key("@class"), "%s is not supported", class)
	}
	s.enabled = o.boolean("enabled", true)
	s.sso = o.boolean("ssoEnabled", true)
	fold := o.boolean("caseInsensitive", false)
	a.anyOf = !o.boolean("requireAllAttributes", true)
	a.require = in.requirements(o, "requiredAttributes", true, fold)
	// Where Apereo searches a rejected value and may want all of them at once,
	// one is enough here: the narrower reading.
	a.reject = in.requirements(o, "rejectedAttributes", false, fold)
	if redirect := o.text("unauthorizedRedirectUrl"); Redirectable(redirect) && !strings.Contains(redirect, "${") {
		a.redirect = redirect
	} else if redirect != "" {
		in.warn(o.key("unauthorizedRedirectUrl"), "is not a full http or https URL; it is not used")
	}
	if d := o.child("delegatedAuthenticationPolicy", true); d != nil && d.boolean("exclusive", false) {
		in.refuse(d.key("exclusive"), "wants people to log in elsewhere only, which is not supported")
	}
	for _, name := range []string{"activationCriteria", "requiredAuthorities"} {
		if o.has(name) {
			in.refuse(o.key(name), "is not supported")
		}
	}
	o.accept("order", "zoneId")
	o.done()
}

func (in *importer) requirements(o *object, name string, whole, fold bool) []requirement {
	rules := o.child(name, true)
	if rules == nil {
		return nil
	}
	var list []requirement
	for _, attribute := range sortedKeys(rules.values) {
		if attribute == "@class" {
			continue
		}
		values := rules.list(attribute)
		r := requirement{attribute: attribute, shown: values}
		if len(values) == 0 {
			in.refuse(rules.key(attribute), "has no values")
		}
		for _, value := range values {
			if isScript(value) || isScript(attribute) {
				in.refuse(rules.key(attribute), "holds a script or an expression to evaluate")
				continue
			}
			pattern, err := valuePattern(value, whole, fold)
			if err != nil {
				in.refuse(rules.key(attribute), "%v", err)
				continue
			}
			r.patterns = append(r.patterns, pattern)
		}
		list = append(list, r)
	}
	return list
}

var script = regexp.MustCompile(`groovy\s*\{|\.groovy\b|\$\{|#\{#|\.py\b|\.js$`)

func isScript(text string) bool { return script.MatchString(text) }

func (in *importer) releasePolicy(o *object, s *Service) {
	if o == nil {
		return
	}
	s.AuthenticationAttributes = o.boolean("authorizedToReleaseAuthenticationAttributes", true)
	s.release = in.releaser(o)
}

func (in *importer) releaser(o *object) releaser {
	var policy releaser
	switch class := o.class(); class {
	case "ReturnAllowedAttributeReleasePolicy":
		names := o.list("allowedAttributes")
		in.noScripts(o.key("allowedAttributes"), names)
		policy = releaseNamed(names)
	case "ReturnAllAttributeReleasePolicy":
		policy = releaseAll(o.list("excludedAttributes"))
	case "ReturnMappedAttributeReleasePolicy":
		policy = releaseMapped(in.textLists(o, "allowedAttributes"))
	case "ReturnStaticAttributeReleasePolicy":
		policy = releaseStatic(in.textLists(o, "allowedAttributes"))
	case "PatternMatchingAttributeReleasePolicy":
		policy = in.releasePatterns(o)
	case "ChainingAttributeReleasePolicy":
		policy = in.releaseChain(o)
	case "DenyAllAttributeReleasePolicy":
		policy = releaseNamed(nil)
	default:
		in.refuse(o.key("@class"), "%s is not supported", class)
		policy = releaseNamed(nil)
	}
	if name := o.text("principalIdAttribute"); name != "" {
		policy = releaseChain{policies: []releaser{policy, releasePrincipal(name)}}
	}
	if filter := o.child("attributeFilter", true); filter != nil {
		policy = in.releaseFilter(filter, policy)
	}
	if o.boolean("authorizedToReleaseCredentialPassword", false) {
		in.refuse(o.key("authorizedToReleaseCredentialPassword"), "is refused: passwords are never kept, so never told")
	}
	if o.boolean("authorizedToReleaseProxyGrantingTicket", false) {
		in.warn(o.key("authorizedToReleaseProxyGrantingTicket"), "is not supported: the ticket goes to the callback only")
	}
	if c := o.child("consentPolicy", false); c != nil && c.boolean("enabled", true) && c.has("includeOnlyAttributes") {
		in.warn(c.path, "consent is not asked for here")
	}
	if r := o.child("principalAttributesRepository", false); r != nil && r.class() != "DefaultPrincipalAttributesRepository" {
		in.warn(r.path, "%s is not supported: attributes are those of the login", r.class())
	}
	if o.has("activationCriteria") {
		in.refuse(o.key("activationCriteria"), "is not supported")
	}
	// No attribute is released by default here, so there is none to exclude.
	o.accept("excludeDefaultAttributes", "order", "authorizedToReleaseAuthenticationAttributes", "name", "canonicalizationMode")
	o.done()
	return policy
}

func (in *importer) noScripts(key string, texts []string) {
	if slices.ContainsFunc(texts, isScript) {
		in.refuse(key, "holds a script or an expression to evaluate")
	}
}

// textLists reads a map of names to texts or lists of texts.
func (in *importer) textLists(o *object, name string) map[string][]string {
	lists := map[string][]string{}
	if m := o.child(name, true); m != nil {
		for _, key := range sortedKeys(m.values) {
			if key != "@class" {
				lists[key] = m.list(key)
				in.noScripts(m.key(key), append([]string{key}, lists[key]...))
			}
		}
	}
	return lists
}

func (in *importer) releasePatterns(o *object) releaser {
	policy := releasePatterns{}
	rules := o.child("allowedAttributes", true)
	if rules == nil {
		return policy
	}
	for _, name := range sortedKeys(rules.values) {
		if name == "@class" {
			continue
		}
		rule := rules.child(name, true)
		if rule == nil {
			continue
		}
		pattern, err := valuePattern(rule.text("pattern"), false, false)
		if err != nil {
			in.refuse(rule.key("pattern"), "%v", err)
			continue
		}
		policy[name] = valueRewrite{pattern: pattern, transform: rule.text("transform")}
		rule.done()
	}
	return policy
}

func (in *importer) releaseChain(o *object) releaser {
	chain := releaseChain{}
	children := o.children("policies", true)
	slices.SortStableFunc(children, func(a, b *object) int { return int(a.integer("order") - b.integer("order")) })
	for _, child := range children {
		chain.policies = append(chain.policies, in.releaser(child))
	}
	switch rule := strings.ToLower(o.text("mergingPolicy")); rule {
	case "", "replace", "source":
		chain.merge = mergeReplace
	case "add", "none", "destination":
		chain.merge = mergeKeepFirst
	case "multivalued":
		chain.merge = mergeUnion
	default:
		in.refuse(o.key("mergingPolicy"), "%s is not known", rule)
	}
	return chain
}

func (in *importer) releaseFilter(o *object, policy releaser) releaser {
	filtered := releaseFiltered{policy: policy, patterns: map[string][]*regexp.Regexp{}}
	switch class := o.class(); class {
	case "RegisteredServiceRegexAttributeFilter":
		in.filterPattern(o, "pattern", "*", []string{o.text("pattern")}, true, filtered.patterns)
	case "RegisteredServiceMappedRegexAttributeFilter":
		filtered.dropOthers = o.boolean("excludeUnmappedAttributes", false)
		whole := o.boolean("completeMatch", false)
		// Case counts here, whatever is asked: it can only release less.
		o.accept("caseInsensitive")
		for name, patterns := range in.textLists(o, "patterns") {
			in.filterPattern(o, "patterns", name, patterns, whole, filtered.patterns)
		}
	default:
		in.refuse(o.key("@class"), "%s is not supported", class)
	}
	o.accept("order")
	o.done()
	return filtered
}

func (in *importer) filterPattern(o *object, key, name string, patterns []string, whole bool, into map[string][]*regexp.Regexp) {
	for _, text := range patterns {
		pattern, err := valuePattern(text, whole, false)
		if err != nil {
			in.refuse(o.key(key), "%v", err)
			continue
		}
		into[name] = append(into[name], pattern)
	}
}

func (in *importer) usernameProvider(o *object, s *Service) {
	if o == nil {
		return
	}
	u := &s.username
	switch class := o.class(); class {
	case "DefaultRegisteredServiceUsernameProvider":
	case "PrincipalAttributeRegisteredServiceUsernameProvider":
		u.kind, u.attribute = usernameAttribute, o.text("usernameAttribute")
		if u.attribute == "" || isSecret(u.attribute) {
			in.refuse(o.key("usernameAttribute"), "must name an attribute that may be told")
		}
	case "StaticRegisteredServiceUsernameProvider":
		u.kind, u.value = usernameStatic, o.text("value")
		if u.value == "" {
			in.refuse(o.key("value"), "is missing")
		}
	case "AnonymousRegisteredServiceUsernameProvider", "AnonymousRegisteredServiceUsernameAttributeProvider":
		u.kind = usernamePairwise
		if g := o.child("persistentIdGenerator", true); g != nil {
			u.salt, u.attribute = g.text("salt"), g.text("attribute")
			g.done()
		}
		if len(u.salt) < minSalt {
			in.refuse(o.key("persistentIdGenerator"), "needs a salt of at least %d characters", minSalt)
		}
		in.warn(o.path, "names are made in this server's own way: they are not those that Apereo CAS made")
	default:
		in.refuse(o.key("@class"), "%s is not supported", class)
	}
	switch mode := strings.ToUpper(o.text("canonicalizationMode")); mode {
	case "", "NONE":
	case "UPPER":
		u.casing = casingUpper
	case "LOWER":
		u.casing = casingLower
	default:
		in.refuse(o.key("canonicalizationMode"), "%s is not known", mode)
	}
	u.scope = o.text("scope")
	if remove := o.text("removePattern"); remove != "" {
		pattern, err := valuePattern(remove, false, false)
		if err != nil {
			in.refuse(o.key("removePattern"), "%v", err)
		}
		u.remove = pattern
	}
	if o.boolean("encryptUsername", false) {
		in.refuse(o.key("encryptUsername"), "is not supported")
	}
	in.noScripts(o.path, []string{u.attribute, u.value, u.scope})
	o.accept("attribute", "order")
	o.done()
}

// dateTime reads the formats that Apereo CAS takes. One that cannot be read
// refuses the entry.
func (in *importer) dateTime(o *object, name string) time.Time {
	text := strings.TrimSpace(o.text(name))
	if text == "" {
		return time.Time{}
	}
	text, _, _ = strings.Cut(text, "[")
	zone := time.Local
	if id := o.text("zoneId"); id != "" {
		loaded, err := time.LoadLocation(id)
		if err != nil {
			in.refuse(o.key("zoneId"), "%s is not a time zone", id)
			return time.Time{}
		}
		zone = loaded
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04",
		time.DateOnly, "01/02/2006", "01/02/2006 15:04", "01/02/2006 03:04 PM",
	} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t
		}
	}
	in.refuse(o.key(name), "%q is not a date that can be read", text)
	return time.Time{}
}
