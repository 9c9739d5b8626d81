package services

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"parvis/identity"
)

// AccessError tells why a service is closed to somebody.
type AccessError struct {
	// Reason names rules and attributes, never the person's values. It is for
	// logs and for the command line.
	Reason string
	// RedirectURL is the page that the entry wants refused people sent to, or
	// "". It comes from the entry, never from the request.
	RedirectURL string
}

// Error gives the reason.
func (e *AccessError) Error() string { return "access denied: " + e.Reason }

// access is who may use a service, and when. All that it holds must be true.
type access struct {
	// disabled closes it to everybody.
	disabled bool
	// require holds what must be true, all of it.
	require []requirement
	// requireOne holds what one of which must be true, when it is not empty.
	requireOne []requirement
	// reject closes the service as soon as one of it is true.
	reject []requirement
	// users are the only ones allowed, when there are any.
	users []string
	// periods are when it is open, at any time when there are none.
	periods []period
	// allOf must all let the person in, and one of anyOf when it is not empty.
	allOf, anyOf []access
	redirect     string
}

// requirement is true of a person when one value of the attribute passes one
// of the tests.
type requirement struct {
	attribute string
	tests     []valueTest
}

// period is a stretch of time; a zero end is open.
type period struct {
	from, until time.Time
	// noticeDays is how many days before its end Lint starts to tell, or 0.
	noticeDays int
}

func (p period) isOpen(now time.Time) bool {
	return !now.Before(p.from) && (p.until.IsZero() || now.Before(p.until))
}

// narrow keeps of the periods what lies in another one.
func (a *access) narrow(by period) {
	if len(a.periods) == 0 {
		a.periods = []period{by}
		return
	}
	for i := range a.periods {
		p := &a.periods[i]
		if by.from.After(p.from) {
			p.from = by.from
		}
		if !by.until.IsZero() && (p.until.IsZero() || by.until.Before(p.until)) {
			p.until = by.until
		}
		p.noticeDays = max(p.noticeDays, by.noticeDays)
	}
}

// isNever tells whether no period ever opens.
func (a *access) isNever() bool {
	return len(a.periods) > 0 && !slices.ContainsFunc(a.periods, func(p period) bool {
		return p.until.IsZero() || p.from.Before(p.until)
	})
}

// closedReason says why nobody is let in at that time, or "".
func (a *access) closedReason(now time.Time) string {
	if a.disabled {
		return "the entry is disabled"
	}
	if reason := outside(a.periods, now); reason != "" {
		return reason
	}
	for i := range a.allOf {
		if reason := a.allOf[i].closedReason(now); reason != "" {
			return reason
		}
	}
	var closed []string
	for i := range a.anyOf {
		reason := a.anyOf[i].closedReason(now)
		if reason == "" {
			return ""
		}
		closed = append(closed, reason)
	}
	return strings.Join(closed, "; and ")
}

// outside says that none of the periods is open, or "".
func outside(periods []period, now time.Time) string {
	var opens, ended time.Time
	for _, p := range periods {
		switch {
		case p.isOpen(now):
			return ""
		case now.Before(p.from) && (opens.IsZero() || p.from.Before(opens)):
			opens = p.from
		case p.until.After(ended):
			ended = p.until
		}
	}
	switch {
	case len(periods) == 0:
		return ""
	case !opens.IsZero():
		return "the entry opens on " + opens.Format(time.RFC3339)
	}
	return "the entry expired on " + ended.Format(time.RFC3339)
}

// refusal says why a person is not let in at that time, or "".
func (a *access) refusal(uid string, attrs identity.Attributes, now time.Time) string {
	if reason := a.closedReason(now); reason != "" {
		return reason
	}
	if len(a.users) > 0 && !slices.Contains(a.users, uid) {
		return "the person is not one of the users named"
	}
	for _, r := range a.reject {
		if r.holds(attrs) {
			return fmt.Sprintf("attribute %s is one of the rejected: %s", r.attribute, r.list())
		}
	}
	for _, r := range a.require {
		if !r.holds(attrs) {
			return r.unmet(attrs)
		}
	}
	if reason := oneOf(a.requireOne, attrs); reason != "" {
		return reason
	}
	for i := range a.allOf {
		if reason := a.allOf[i].refusal(uid, attrs, now); reason != "" {
			return reason
		}
	}
	var refused []string
	for i := range a.anyOf {
		reason := a.anyOf[i].refusal(uid, attrs, now)
		if reason == "" {
			return ""
		}
		refused = append(refused, reason)
	}
	return strings.Join(refused, "; and ")
}

func oneOf(group []requirement, attrs identity.Attributes) string {
	var unmet []string
	for _, r := range group {
		if r.holds(attrs) {
			return ""
		}
		unmet = append(unmet, r.unmet(attrs))
	}
	return strings.Join(unmet, "; and ")
}

func (r requirement) holds(attrs identity.Attributes) bool {
	return slices.ContainsFunc(lookup(attrs, r.attribute), func(value string) bool {
		return anyPasses(r.tests, value)
	})
}

func (r requirement) unmet(attrs identity.Attributes) string {
	if len(lookup(attrs, r.attribute)) == 0 {
		return fmt.Sprintf("attribute %s is missing (needs %s)", r.attribute, r.list())
	}
	return fmt.Sprintf("attribute %s is none of: %s", r.attribute, r.list())
}

func (r requirement) list() string { return strings.Join(sources(r.tests), ", ") }

// participation is when an open session is enough.
type participation struct {
	// never asks for the password each time.
	never bool
	// maxAge is how long after the login, or zero for as long as the session.
	maxAge time.Duration
	// who says for whom.
	who access
	// noCookieOnRenew opens no session for a password that was asked for anew.
	noCookieOnRenew bool
}

func (p *participation) allows(uid string, attrs identity.Attributes, authTime, now time.Time) bool {
	if p.never || p.maxAge > 0 && !now.Before(authTime.Add(p.maxAge)) {
		return false
	}
	return p.who.refusal(uid, attrs, now) == ""
}

// String says when the password is asked for though a session is open, or "".
func (p *participation) String() string {
	var when []string
	if p.never {
		when = append(when, "asked for each time")
	} else if p.maxAge > 0 {
		when = append(when, "asked for again "+shortDuration(p.maxAge)+" after it was given")
	}
	if !p.never && len(p.who.mapping()) > 0 {
		when = append(when, "asked for each time of people who do not pass the entry's rule")
	}
	if p.noCookieOnRenew {
		when = append(when, "opens no session where it was asked for anew")
	}
	return strings.Join(when, ", and ")
}
