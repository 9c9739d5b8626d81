package services

import "strings"

func (in *importer) proxyPolicy(o *object, s *Service) {
	if o == nil {
		return
	}
	switch class := o.class(); class {
	case "RefuseRegisteredServiceProxyPolicy":
	case "RegexMatchingRegisteredServiceProxyPolicy":
		pattern := o.text("pattern")
		useID, exact := o.boolean("useServiceId", false), o.boolean("exactMatch", false)
		switch {
		case useID:
			s.proxy.matchers = s.matchers
		case exact && pattern != "":
			s.proxy.matchers = []matcher{{kind: matchExact, source: pattern, text: pattern}}
		case pattern != "":
			m, problem, _ := regexMatcher(pattern, false)
			if problem != "" {
				in.warn(o.key("pattern"), "%s: the service may not proxy", problem)
			} else {
				s.proxy.matchers = []matcher{m}
			}
		}
	default:
		in.warn(o.key("@class"), "%s is not supported: the service may not proxy", class)
		o.covered = true
		return
	}
	o.done()
}

// demands refuses entries that want more of a login than this server asks for:
// to serve them without would widen access.
func (in *importer) demands(o *object) {
	in.multifactor(o.child("multifactorPolicy", true))
	if p := o.child("authenticationPolicy", true); p != nil {
		for _, name := range []string{"requiredAuthenticationHandlers", "excludedAuthenticationHandlers", "criteria"} {
			if p.has(name) {
				in.refuse(p.key(name), "is not supported")
			}
		}
		p.done()
	}
	for name, why := range map[string]string{
		"requiredHandlers": "is not supported",
		"environments":     "is not supported: whether the entry is meant for this server is not known",
		"templateName":     "is not supported: what the template would close is not known",
	} {
		if o.has(name) {
			in.refuse(name, "%s", why)
		}
	}
}

func (in *importer) multifactor(o *object) {
	if o == nil {
		return
	}
	if class := o.class(); class != "DefaultRegisteredServiceMultifactorPolicy" {
		o.covered = true
		in.refuse(o.key("@class"), "%s is not supported", class)
		return
	}
	conditional := o.has("bypassPrincipalAttributeName") || o.has("bypassPrincipalAttributeValue")
	bypassed := o.boolean("bypassEnabled", false) && !conditional
	for _, name := range []string{"multifactorAuthenticationProviders", "principalAttributeNameTrigger", "principalAttributeValueToMatch", "script"} {
		if !o.has(name) {
			continue
		}
		if bypassed && name != "script" {
			in.warn(o.key(name), "is by-passed by the entry itself")
			continue
		}
		in.refuse(o.key(name), "asks for a second factor, which this server cannot ask for")
	}
	if !bypassed && o.boolean("forceExecution", false) {
		in.refuse(o.key("forceExecution"), "asks for a second factor, which this server cannot ask for")
	}
	o.accept("forceExecution")
	for _, name := range []string{"failureMode", "bypassTrustedDeviceEnabled", "bypassIfMissingPrincipalAttribute"} {
		if text := strings.ToUpper(o.text(name)); text != "" && text != "UNDEFINED" && text != "NOT_SET" && text != "FALSE" {
			in.warn(o.key(name), "has no effect here")
		}
	}
	o.done()
}

// ignored are keys of other features; they open nothing here.
var ignored = []string{
	"acceptableUsagePolicy", "webflowInterruptPolicy", "surrogatePolicy", "passwordlessPolicy",
	"properties", "publicKey", "samlMetadataLocation",
}

// leftovers tells of every key that was not read. One that looks like a rule
// refuses the entry: it may be a restriction, or one misspelt.
func (in *importer) leftovers(o *object) {
	for _, name := range ignored {
		if o.has(name) {
			in.warn(name, "has no effect here")
		}
	}
	o.used["@class"], o.covered = true, true
	for _, name := range sortedKeys(o.values) {
		if o.used[name] {
			continue
		}
		if o.get(name) == nil {
			in.warn(name, "%s", unknownEmpty)
			continue
		}
		lower := strings.ToLower(name)
		rule := false
		for _, word := range []string{"access", "policy", "strateg", "release", "attribute", "provider", "require", "restrict", "allow", "enable"} {
			rule = rule || strings.Contains(lower, word)
		}
		if rule {
			in.refuse(name, "is not known, and may be a rule")
		} else {
			in.warn(name, "is not known")
		}
	}
	for _, inside := range in.opened {
		inside.done()
	}
}
