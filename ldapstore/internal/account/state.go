package account

import (
	"strconv"
	"strings"
	"time"

	"parvis/identity"
)

const (
	stateAttribute      = "supannRessourceEtat"
	datedStateAttribute = "supannRessourceEtatDate"
	resource            = "{COMPTE}"
	day                 = 24 * time.Hour
)

// StateAttributes returns the attributes that [State] reads.
func StateAttributes() []string {
	return []string{stateAttribute, datedStateAttribute, lockAttribute, "shadowExpire", "shadowLastChange", "shadowMax"}
}

// State tells what the entry's own attributes say of the account: SupAnn's
// states of the resource COMPTE, the shadow attributes of RFC 2307, and a lock
// that an administrator set, which not every policy makes a directory heed. What it
// cannot understand of a state is taken as a stop, never as a leave to enter.
func State(entry Entry, now time.Time) identity.State {
	state, stated := supannState(entry.Values(stateAttribute))
	if !stated {
		state = datedState(entry.Values(datedStateAttribute), now)
	}
	if lockedForGood(entry) {
		state = Graver(state, identity.Suspended)
	}
	return Graver(state, shadowState(entry, now))
}

// Graver returns the state that weighs more: the end of an account before the
// age of its password.
func Graver(a, b identity.State) identity.State {
	if weight(b) > weight(a) {
		return b
	}
	return a
}

func weight(state identity.State) int {
	switch state {
	case identity.Active:
		return 0
	case identity.MustChange:
		return 1
	case identity.PasswordExpired:
		return 2
	case identity.OtherWorkstation:
		return 3
	case identity.OutOfHours:
		return 4
	case identity.Locked:
		return 5
	case identity.PreCreated:
		return 6
	case identity.Suspended:
		return 7
	default:
		return 8
	}
}

// supannState reads values of the form {COMPTE}ETAT[:sous-état]; the gravest
// counts. It returns false when no value speaks of the account.
func supannState(values []string) (identity.State, bool) {
	state, stated := identity.Active, false
	for _, value := range values {
		rest, ok := cutResource(value)
		if !ok {
			continue
		}
		letter, detail, _ := strings.Cut(rest, ":")
		state, stated = Graver(state, stateOf(letter, detail)), true
	}
	return state, stated
}

// datedState reads values of the form {COMPTE}ETAT:sous-état:début:fin. Among
// those in force today the gravest counts; an account whose every period is past
// or to come is stopped.
func datedState(values []string, now time.Time) identity.State {
	state, dated, inForce := identity.Active, false, false
	for _, value := range values {
		rest, ok := cutResource(value)
		if !ok {
			continue
		}
		dated = true
		fields := strings.SplitN(rest+":::", ":", 5)
		if !within(fields[2], fields[3], now) {
			continue
		}
		state, inForce = Graver(state, stateOf(fields[0], fields[1])), true
	}
	if dated && !inForce {
		return identity.Suspended
	}
	return state
}

func cutResource(value string) (string, bool) {
	value = strings.TrimSpace(value)
	if len(value) < len(resource) || !strings.EqualFold(value[:len(resource)], resource) {
		return "", false
	}
	return value[len(resource):], true
}

// stateOf reads a state's letter and SupAnn's sub-state, which says more.
func stateOf(letter, detail string) identity.State {
	switch strings.ToLower(strings.TrimSpace(detail)) {
	case "supannanticipe":
		return identity.PreCreated
	case "supannsupprcompte":
		return identity.Closed
	case "supanninactif":
		return identity.Suspended
	}
	if strings.EqualFold(strings.TrimSpace(letter), "A") {
		return identity.Active
	}
	return identity.Suspended
}

// within tells whether now lies between two dates, both included. An empty date
// is no limit; one that cannot be read shuts the period.
func within(begin, end string, now time.Time) bool {
	if begin != "" {
		if from, ok := parseDate(begin); !ok || now.Before(from) {
			return false
		}
	}
	if end != "" {
		to, ok := parseDate(end)
		if len(end) == len("20060102") {
			to = to.Add(day)
		}
		if !ok || !now.Before(to) {
			return false
		}
	}
	return true
}

// parseDate reads AAAAMMJJ and the generalized time AAAAMMJJhhmmssZ.
func parseDate(text string) (time.Time, bool) {
	for _, layout := range []string{"20060102", "20060102150405Z"} {
		if date, err := time.Parse(layout, text); err == nil {
			return date, true
		}
	}
	return time.Time{}, false
}

// shadowState reads shadowExpire, shadowLastChange and shadowMax, counted in days
// since 1970 as in shadow(5): nothing, zero or less than zero is no limit, but
// for a last change on day zero, which asks for a new password.
func shadowState(entry Entry, now time.Time) identity.State {
	today := now.Unix() / int64(day/time.Second)
	if expire, ok := number(entry, "shadowExpire"); ok && expire > 0 && today >= expire {
		return identity.Closed
	}
	changed, ok := number(entry, "shadowLastChange")
	if !ok {
		return identity.Active
	}
	if changed == 0 {
		return identity.MustChange
	}
	if longest, ok := number(entry, "shadowMax"); ok && longest > 0 && changed > 0 && today > changed+longest {
		return identity.PasswordExpired
	}
	return identity.Active
}

func number(entry Entry, attribute string) (int64, bool) {
	values := entry.Values(attribute)
	if len(values) == 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(values[0]), 10, 64)
	return n, err == nil
}
