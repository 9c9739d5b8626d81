package services

import (
	"fmt"
	"regexp"
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

// access is who may use a service, and when.
type access struct {
	// require holds what must be true: all of it, or one of it when anyOf.
	require []requirement
	anyOf   bool
	// requireOne is a second group, one of which must be true when it is not
	// empty.
	requireOne []requirement
	// reject closes the service as soon as one of it is true.
	reject []requirement
	// users are the only ones allowed, when there are any.
	users []string
	// periods must all be open.
	periods  []period
	redirect string
}

// requirement is true of a person when one value of the attribute matches one
// of the patterns.
type requirement struct {
	attribute string
	patterns  []*regexp.Regexp
	shown     []string
}

// period is a stretch of time; a zero end is open.
type period struct {
	from, until time.Time
}

func (a *access) closedReason(now time.Time) string {
	for _, p := range a.periods {
		if !p.from.IsZero() && now.Before(p.from) {
			return "the entry opens on " + p.from.Format(time.RFC3339)
		}
		if !p.until.IsZero() && !now.Before(p.until) {
			return "the entry expired on " + p.until.Format(time.RFC3339)
		}
	}
	return ""
}

// refusal says why a person is not let in, or "".
func (a *access) refusal(uid string, attrs identity.Attributes) string {
	if len(a.users) > 0 && !slices.Contains(a.users, uid) {
		return "the person is not one of the users named"
	}
	for _, r := range a.reject {
		if r.holds(attrs) {
			return fmt.Sprintf("attribute %s is one of the rejected: %s", r.attribute, r.list())
		}
	}
	if a.anyOf {
		if reason := oneOf(a.require, attrs); reason != "" {
			return reason
		}
	} else {
		for _, r := range a.require {
			if !r.holds(attrs) {
				return r.unmet(attrs)
			}
		}
	}
	return oneOf(a.requireOne, attrs)
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
	for _, value := range lookup(attrs, r.attribute) {
		for _, p := range r.patterns {
			if p.MatchString(value) {
				return true
			}
		}
	}
	return false
}

func (r requirement) unmet(attrs identity.Attributes) string {
	if len(lookup(attrs, r.attribute)) == 0 {
		return fmt.Sprintf("attribute %s is missing (needs %s)", r.attribute, r.list())
	}
	return fmt.Sprintf("attribute %s is none of: %s", r.attribute, r.list())
}

func (r requirement) list() string { return strings.Join(r.shown, ", ") }

// lookup finds an attribute by its name, else by the same name in another
// case: LDAP names have none, and files are written by hand.
func lookup(attrs identity.Attributes, name string) []string {
	if values, ok := attrs[name]; ok {
		return values
	}
	for key, values := range attrs {
		if strings.EqualFold(key, name) {
			return values
		}
	}
	return nil
}

// globPattern matches a whole value; "*" stands for any characters, and
// nothing else is special.
func globPattern(glob string) *regexp.Regexp {
	parts := strings.Split(glob, "*")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return regexp.MustCompile(`(?s)\A` + strings.Join(parts, ".*") + `\z`)
}

// groupPattern matches a distinguished name whatever its case and the blanks
// around its commas and equal signs, which directories do not agree on.
func groupPattern(dn string) *regexp.Regexp {
	names := strings.Split(dn, ",")
	for i, name := range names {
		sides := strings.SplitN(name, "=", 2)
		for j, side := range sides {
			sides[j] = regexp.QuoteMeta(strings.TrimSpace(side))
		}
		names[i] = strings.Join(sides, ` *= *`)
	}
	return regexp.MustCompile(`(?i)\A *` + strings.Join(names, ` *, *`) + ` *\z`)
}
