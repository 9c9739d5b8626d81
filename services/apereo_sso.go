package services

import (
	"slices"
	"strings"
	"time"
)

// participation reads when an open session is enough. A condition that cannot
// be judged here asks for the password each time.
func (in *importer) participation(o *object, s *Service) {
	if o == nil {
		return
	}
	p := &s.sso
	switch class := o.class(); class {
	case "DefaultRegisteredServiceSingleSignOnParticipationPolicy":
	case "ChainingRegisteredServiceSingleSignOnParticipationPolicy":
		children := o.children("policies", false)
		slices.SortStableFunc(children, byOrder)
		for _, child := range children {
			in.participation(child, s)
		}
	case "AuthenticationDateRegisteredServiceSingleSignOnParticipationPolicy":
		in.sessionAge(o, p)
	case "LastUsedTimeRegisteredServiceSingleSignOnParticipationPolicy":
		in.warn(o.key("@class"), "the last use of a session is not known here: the time counts from the login")
		in.sessionAge(o, p)
	case "AttributeBasedRegisteredServiceSingleSignOnParticipationPolicy":
		in.sessionOf(o, p)
	default:
		p.never = true
		o.covered = true
		in.warn(o.key("@class"), "%s is not supported: the password is asked for each time", class)
	}
	switch cookie := strings.ToUpper(o.text("createCookieOnRenewedAuthentication")); cookie {
	case "", "UNDEFINED", "TRUE":
	case "FALSE":
		p.noCookieOnRenew = true
	default:
		in.warn(o.key("createCookieOnRenewedAuthentication"), "%s is not known", cookie)
	}
	o.accept("order")
	o.done()
}

// timeUnits are Java's.
var timeUnits = map[string]time.Duration{
	"": time.Second, "NANOSECONDS": time.Nanosecond, "MICROSECONDS": time.Microsecond, "MILLISECONDS": time.Millisecond,
	"SECONDS": time.Second, "MINUTES": time.Minute, "HOURS": time.Hour, "DAYS": 24 * time.Hour,
}

// sessionAge takes sessions up to an age; without one, of any age.
func (in *importer) sessionAge(o *object, p *participation) {
	unit, known := timeUnits[strings.ToUpper(o.text("timeUnit"))]
	value := o.integer("timeValue")
	switch {
	case !known:
		p.never = true
		in.warn(o.key("timeUnit"), "is not a unit of time: the password is asked for each time")
	case value <= 0:
	default:
		// A hundred years stand for what a Duration cannot hold.
		age := min(time.Duration(min(value, int64(maxAge/unit)))*unit, maxAge)
		if p.maxAge == 0 || age < p.maxAge {
			p.maxAge = age
		}
	}
}

const maxAge = 100 * 365 * 24 * time.Hour

// sessionOf takes sessions of people with certain attributes. Apereo CAS looks at
// no case here.
func (in *importer) sessionOf(o *object, p *participation) {
	// What is wrong in these rules closes nothing: the password is asked for.
	rules := &importer{file: in.file}
	inside := rules.open(o.path, o.values, true)
	required := rules.requirements(inside, "attributes", true)
	o.accept("attributes")
	for _, fault := range rules.faults {
		p.never = true
		in.warn(fault.Key, "%s: the password is asked for each time", fault.Message)
	}
	var who access
	if o.boolean("requireAllAttributes", false) {
		who.require = required
	} else {
		who.requireOne = required
		p.never = p.never || len(required) == 0
	}
	if len(required) > 0 {
		p.who.allOf = append(p.who.allOf, who)
	}
}
