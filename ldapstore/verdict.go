package ldapstore

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/go-ldap/ldap/v3"

	"parvis/identity"
)

// Errors of the password policy control, draft-behera-ldap-password-policy-10,
// section 6.2. A control without an error says noPolicyError.
const (
	policyPasswordExpired  = 0
	policyChangeAfterReset = 2
	noPolicyError          = -1
)

// activeDirectory finds the code that Active Directory puts into the diagnostic
// message of a refused bind.
var activeDirectory = regexp.MustCompile(`AcceptSecurityContext error, data ([0-9a-f]+),`)

// verdict reads what a bind says. It returns the state of a password that was
// proven, identity.ErrBadCredentials for one that was not, and
// identity.ErrUnavailable when the directory did not judge.
//
// Only what a directory tells after the right password counts as proven. OpenLDAP
// and draft-behera servers find a password expired once they have compared it;
// accountLocked comes before, whatever the password, and is a plain refusal.
func verdict(controls []ldap.Control, err error) (identity.State, error) {
	policy := policyError(controls)
	if err == nil {
		if policy == policyChangeAfterReset {
			return identity.MustChange, nil
		}
		return identity.Active, nil
	}
	var refusal *ldap.Error
	if !answered(err) || !errors.As(err, &refusal) {
		return "", fmt.Errorf("bind: %w: %w", identity.ErrUnavailable, err)
	}
	switch refusal.ResultCode {
	case ldap.LDAPResultInvalidCredentials:
		if policy == policyPasswordExpired {
			return identity.PasswordExpired, nil
		}
		if state, ok := activeDirectoryState(refusal); ok {
			return state, nil
		}
		return "", identity.ErrBadCredentials
	case ldap.LDAPResultConstraintViolation, ldap.LDAPResultInappropriateAuthentication,
		ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultUnwillingToPerform:
		// 389 Directory Server answers the first for too many tries and the last
		// for an inactivated account, before it looks at the password.
		return "", identity.ErrBadCredentials
	default:
		return "", fmt.Errorf("bind: %w: %w", identity.ErrUnavailable, err)
	}
}

func policyError(controls []ldap.Control) int8 {
	for _, control := range controls {
		if policy, ok := control.(*ldap.ControlBeheraPasswordPolicy); ok {
			return policy.Error
		}
	}
	return noPolicyError
}

// activeDirectoryState reads the codes that Active Directory gives only after the
// right password. 775 (locked) is not among them: it comes whatever the password.
func activeDirectoryState(refusal *ldap.Error) (identity.State, bool) {
	found := activeDirectory.FindStringSubmatch(refusal.Err.Error())
	if found == nil {
		return "", false
	}
	switch found[1] {
	case "530":
		return identity.OutOfHours, true
	case "531":
		return identity.OtherWorkstation, true
	case "532":
		return identity.PasswordExpired, true
	case "533":
		return identity.Suspended, true
	case "701":
		return identity.Closed, true
	case "773":
		return identity.MustChange, true
	default:
		return "", false
	}
}
