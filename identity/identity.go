package identity

import (
	"errors"
	"fmt"
)

// Attributes are what the directory says of a person, by the attribute names
// that the configuration uses ("eduPersonAffiliation"). Names are compared
// exactly; values keep the directory's order. A name is never present with no
// value.
type Attributes map[string][]string

// First returns the first value of an attribute, or "".
func (a Attributes) First(name string) string {
	if values := a[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Person is someone whose account the directory knows.
type Person struct {
	// UID is the canonical login name, in the directory's own spelling. It is
	// the CAS principal, whatever was typed to log in.
	UID string
	// Attributes are those the configuration asks the directory for.
	Attributes Attributes
	// State tells whether the account may be used.
	State State
	// Logins are the names that the person may log in with, the uid among
	// them, folded by [FoldLogin]. They are for counting and comparing, and
	// are shown to nobody.
	Logins []string
}

// State is what an account is in, as the directory's attributes and password
// policy tell it. Only [Active] opens a session.
type State string

// The states of an account.
const (
	// Active may log in (supannRessourceEtat A: SupannActif, SupannSursis).
	Active State = "active"
	// PreCreated was never activated by its owner (SupannAnticipe).
	PreCreated State = "pre-created"
	// Suspended was stopped by the university (supannRessourceEtat S or I).
	Suspended State = "suspended"
	// Closed has passed the end of its life (SupannSupprCompte, shadowExpire).
	Closed State = "closed"
	// Locked is locked by the directory's password policy.
	Locked State = "locked"
	// PasswordExpired has a password that is too old to be used.
	PasswordExpired State = "password-expired"
	// MustChange has a password that somebody else chose.
	MustChange State = "must-change"
	// OutOfHours may not log in at this time of day.
	OutOfHours State = "out-of-hours"
	// OtherWorkstation may not log in from this place.
	OtherWorkstation State = "other-workstation"
)

// Errors that a directory answers with. Callers test them with [errors.Is].
var (
	// ErrBadCredentials stands for every refused login whose password was not
	// proven: unknown person, wrong password, empty password, ambiguous login.
	// A directory that found exactly one person returns their UID with it, and
	// nothing else of them: failures are counted by it, whatever name was
	// typed. It must show nowhere.
	ErrBadCredentials = errors.New("unknown login or wrong password")
	// ErrNotFound is the answer of a look-up that found nobody.
	ErrNotFound = errors.New("no such person")
	// ErrUnavailable means that the directory could not be asked.
	ErrUnavailable = errors.New("directory unavailable")
)

// StateError refuses a login whose password was right but whose account may
// not be used. It is never returned for a password that was not proven.
type StateError struct {
	UID   string
	State State
}

// Error names the state, never the person.
func (e *StateError) Error() string { return fmt.Sprintf("account is %s", e.State) }
