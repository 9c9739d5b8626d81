package services

import (
	"strings"
	"time"
)

func (in *importer) accessStrategy(o *object, s *Service) {
	if o == nil {
		return
	}
	s.sso.never = !in.strategy(o, &s.access)
	s.enabled = !s.access.disabled
	s.access.disabled = false
	if redirect := o.text("unauthorizedRedirectUrl"); Redirectable(redirect) && !strings.Contains(redirect, "${") {
		s.access.redirect = redirect
	} else if redirect != "" {
		in.warn(o.key("unauthorizedRedirectUrl"), "is not a full http or https URL; it is not used")
	}
	o.done()
}

// strategy reads one strategy, with those of its chain, and tells whether it
// takes open sessions.
func (in *importer) strategy(o *object, a *access) bool {
	sso := true
	switch class := o.class(); class {
	case "DefaultRegisteredServiceAccessStrategy":
	case "TimeBasedRegisteredServiceAccessStrategy":
		in.between(o, a, "startingDateTime", "endingDateTime")
	case "ChainingRegisteredServiceAccessStrategy":
		sso = in.strategies(o, a)
	default:
		in.refuse(o.key("@class"), "%s is not supported", class)
		o.covered = true
		return false
	}
	a.disabled = !o.boolean("enabled", true)
	sso = o.boolean("ssoEnabled", true) && sso
	fold := o.boolean("caseInsensitive", false)
	required := in.requirements(o, "requiredAttributes", fold)
	if o.boolean("requireAllAttributes", true) {
		a.require = required
	} else {
		a.requireOne = required
	}
	// Where Apereo may want all the rejected attributes at once, one is enough
	// here: the narrower reading.
	a.reject = in.requirements(o, "rejectedAttributes", fold)
	if d := o.child("delegatedAuthenticationPolicy", true); d != nil {
		if d.boolean("exclusive", false) {
			in.refuse(d.key("exclusive"), "wants people to log in elsewhere only, which is not supported")
		}
		if d.has("allowedProviders") {
			in.warn(d.key("allowedProviders"), "has no effect here: people log in with their password")
		}
		d.accept("permitUndefined")
	}
	for _, name := range []string{"activationCriteria", "requiredAuthorities"} {
		if o.has(name) {
			in.refuse(o.key(name), "is not supported")
		}
	}
	o.accept("order")
	return sso
}

// strategies reads a chain. One branch must let the person in by itself, where
// Apereo CAS may take a branch for its dates and another for its attributes.
func (in *importer) strategies(o *object, a *access) bool {
	var branches []access
	sso := true
	for _, child := range o.children("strategies", true) {
		var branch access
		sso = in.strategy(child, &branch) && sso
		if child.text("unauthorizedRedirectUrl") != "" {
			in.warn(child.key("unauthorizedRedirectUrl"), "is not used: the chain has its own")
		}
		child.done()
		branches = append(branches, branch)
	}
	switch operator := strings.ToUpper(o.text("operator")); operator {
	case "", "AND":
		a.allOf = branches
	case "OR":
		a.anyOf = branches
		if !sso {
			in.warn(o.key("strategies"), "some take no open session: the password is asked for each time")
		}
	default:
		in.refuse(o.key("operator"), "%s is not known", operator)
	}
	if len(branches) == 0 {
		in.refuse(o.key("strategies"), "are missing")
	}
	return sso
}

// requirements reads the values of attributes. Apereo CAS takes each for an
// expression, and looks for it anywhere in the value: "staff" is in "non-staff".
func (in *importer) requirements(o *object, name string, fold bool) []requirement {
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
		r := requirement{attribute: attribute}
		if len(values) == 0 {
			in.refuse(rules.key(attribute), "has no values")
		}
		for _, value := range values {
			if isScript(value) || isScript(attribute) {
				in.refuse(rules.key(attribute), "holds a script or an expression to evaluate")
				continue
			}
			if strings.TrimSpace(value) == "" {
				in.refuse(rules.key(attribute), "holds a value that is empty, and so would be found in every text")
				continue
			}
			test, err := newTest(testSearch, value, fold)
			if err != nil {
				in.refuse(rules.key(attribute), "%v", err)
				continue
			}
			r.tests = append(r.tests, test)
		}
		list = append(list, r)
	}
	return list
}

// expiration reads the date after which the entry is closed.
func (in *importer) expiration(o *object, s *Service) {
	if o == nil {
		return
	}
	in.between(o, &s.access, "", "expirationDate")
	for _, name := range []string{"deleteWhenExpired", "notifyWhenDeleted"} {
		if o.boolean(name, false) {
			in.warn(o.key(name), "is not done here: the entry is closed on its date")
		}
	}
	if o.boolean("notifyWhenExpired", false) {
		in.warn(o.key("notifyWhenExpired"), "writes to nobody: lint tells of the date from %d days before", defaultNotice)
		for i := range s.access.periods {
			s.access.periods[i].noticeDays = defaultNotice
		}
	}
	o.done()
}

// defaultNotice is how many days before an end lint tells, where somebody wanted
// to be told.
const defaultNotice = 30

// between narrows the access to the dates that are there.
func (in *importer) between(o *object, a *access, from, until string) {
	var p period
	if from != "" {
		p.from = in.dateTime(o, from)
	}
	p.until = in.dateTime(o, until)
	o.accept("zoneId")
	if p.from.IsZero() && p.until.IsZero() {
		return
	}
	if a.narrow(p); a.isNever() {
		in.refuse(o.key(until), "is before the entry opens: it never does")
	}
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
