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
			s.proxy.exact = []string{pattern}
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
		return
	}
	o.done()
}

// expiration reads the date after which the entry is closed.
func (in *importer) expiration(o *object, s *Service) {
	if o == nil {
		return
	}
	if until := in.dateTime(o, "expirationDate"); !until.IsZero() {
		s.access.periods = append(s.access.periods, period{until: until})
	}
	for _, name := range []string{"deleteWhenExpired", "notifyWhenExpired", "notifyWhenDeleted"} {
		if o.boolean(name, false) {
			in.warn(o.key(name), "is not done here: the entry is closed on its date")
		}
	}
	o.accept("zoneId")
	o.done()
}

// participation reads when an open session is enough. A condition that cannot
// be judged here asks for the password each time.
func (in *importer) participation(o *object, s *Service) {
	if o == nil {
		return
	}
	switch class := o.class(); class {
	case "DefaultRegisteredServiceSingleSignOnParticipationPolicy":
		o.accept("createCookieOnRenewedAuthentication", "order")
		o.done()
	default:
		s.sso = false
		in.warn(o.path, "%s is not supported: the password is asked for each time", class)
	}
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
	o.accept("failureMode", "bypassTrustedDeviceEnabled", "bypassIfMissingPrincipalAttribute", "forceExecution")
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
	o.used["@class"] = true
	for _, name := range sortedKeys(o.values) {
		if o.used[name] {
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
}
