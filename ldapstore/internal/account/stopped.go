package account

import (
	"slices"
	"time"

	"parvis/identity"
)

// lockAttribute is where a password policy keeps a lock
// (draft-behera-ldap-password-policy-10, section 5.3.3).
const lockAttribute = "pwdAccountLockedTime"

// forGood are the spellings of the instant that stands for a lock which only an
// administrator sets and lifts. Any other instant is a lock after failures.
var forGood = []string{"000001010000Z", "00000101000000Z"}

// lockedForGood tells whether an administrator locked the account. A lock after
// failures is none: strangers set it.
func lockedForGood(entry Entry) bool {
	return slices.ContainsFunc(entry.Values(lockAttribute), func(value string) bool { return slices.Contains(forGood, value) })
}

// Stopped tells whether somebody stopped the account: suspended, closed or locked
// it.
func Stopped(entry Entry, now time.Time) bool {
	state := State(entry, now)
	return state == identity.Suspended || state == identity.Closed
}

// StoppedFilter returns an LDAP filter that lets through every account that
// [Stopped] may find so, and few others: not the many that are plainly active.
func StoppedFilter() string {
	state, dated := "("+stateAttribute+"="+resource, "("+datedStateAttribute+"="+resource
	return "(|" +
		"(" + lockAttribute + "=" + forGood[0] + ")" +
		state + "I*)" + state + "S*)" + // even beside another value
		"(&" + state + "*)(!" + state + "A*)))" +
		state + "A:SupannInactif)" + state + "A:SupannSupprCompte)" +
		dated + "*)" +
		"(shadowExpire=*)" +
		")"
}
