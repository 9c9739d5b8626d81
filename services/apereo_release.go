package services

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

var script = regexp.MustCompile(`groovy\s*\{|\.groovy\b|\$\{|#\{#|\.py\b|\.js$`)

func isScript(text string) bool { return script.MatchString(text) }

func (in *importer) releasePolicy(o *object, s *Service) {
	if o == nil {
		return
	}
	s.AuthenticationAttributes = true
	s.release = in.releaser(o, s)
}

func (in *importer) releaser(o *object, s *Service) releaser {
	var policy releaser
	switch class := o.class(); class {
	case "ReturnAllowedAttributeReleasePolicy":
		names := o.list("allowedAttributes")
		in.noScripts(o.key("allowedAttributes"), names)
		in.secrets(o.key("allowedAttributes"), names)
		policy = releaseNamed(names)
	case "ReturnAllAttributeReleasePolicy":
		policy = releaseAll(o.list("excludedAttributes"))
	case "ReturnMappedAttributeReleasePolicy":
		mapped := in.textLists(o, "allowedAttributes")
		in.secrets(o.key("allowedAttributes"), sortedKeys(mapped))
		policy = releaseMapped(mapped)
	case "ReturnStaticAttributeReleasePolicy":
		policy = releaseStatic(in.textLists(o, "allowedAttributes"))
	case "PatternMatchingAttributeReleasePolicy":
		policy = in.releaseMatching(o)
	case "ChainingAttributeReleasePolicy":
		policy = in.releaseChain(o, s)
	case "DenyAllAttributeReleasePolicy":
		policy = releaseNamed(nil)
	default:
		in.refuse(o.key("@class"), "%s is not supported", class)
		o.covered = true
		return releaseNamed(nil)
	}
	if name := o.text("principalIdAttribute"); name != "" {
		policy = releaseChain{policies: []releaser{policy, releasePrincipal(name)}}
	}
	if filter := o.child("attributeFilter", true); filter != nil {
		policy = releaseFiltered{policy: policy, filters: in.filters(filter)}
	}
	if !o.boolean("authorizedToReleaseAuthenticationAttributes", true) {
		s.AuthenticationAttributes = false
	}
	in.releaseExtras(o)
	o.done()
	return policy
}

// releaseExtras reads what every policy may have besides.
func (in *importer) releaseExtras(o *object) {
	if o.boolean("authorizedToReleaseCredentialPassword", false) {
		in.refuse(o.key("authorizedToReleaseCredentialPassword"), "is refused: passwords are never kept, so never told")
	}
	if o.boolean("authorizedToReleaseProxyGrantingTicket", false) {
		in.warn(o.key("authorizedToReleaseProxyGrantingTicket"), "is not supported: the ticket goes to the callback only")
	}
	if c := o.child("consentPolicy", false); c != nil {
		if c.has("includeOnlyAttributes") || c.boolean("enabled", len(c.values) > 1) {
			c.covered = true
			in.warn(c.path, "consent is not asked for here")
		}
		c.accept("excludedAttributes", "excludedServices", "status", "order")
	}
	if r := o.child("principalAttributesRepository", false); r != nil {
		if r.class() != "DefaultPrincipalAttributesRepository" {
			r.covered = true
			in.warn(r.path, "%s is not supported: attributes are those of the login", r.class())
		}
		r.accept("expiration", "timeUnit", "mergingStrategy")
	}
	if o.has("activationCriteria") {
		in.refuse(o.key("activationCriteria"), "is not supported")
	}
	if mode := strings.ToUpper(o.text("canonicalizationMode")); mode != "" && mode != "NONE" {
		in.refuse(o.key("canonicalizationMode"), "is not supported")
	}
	// No attribute is released by default here, so there is none to exclude.
	o.accept("excludeDefaultAttributes", "order", "name")
}

func (in *importer) noScripts(key string, texts []string) {
	if slices.ContainsFunc(texts, isScript) {
		in.refuse(key, "holds a script or an expression to evaluate")
	}
}

// secrets tells of names that no policy can release.
func (in *importer) secrets(key string, names []string) {
	for _, name := range names {
		if isSecret(name) {
			in.warn(key, "%s is never released", name)
		}
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

func (in *importer) releaseChain(o *object, s *Service) releaser {
	chain := releaseChain{}
	children := o.children("policies", true)
	slices.SortStableFunc(children, byOrder)
	for _, child := range children {
		chain.policies = append(chain.policies, in.releaser(child, s))
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

// byOrder sorts the policies of a chain.
func byOrder(a, b *object) int { return cmp.Compare(a.integer("order"), b.integer("order")) }
