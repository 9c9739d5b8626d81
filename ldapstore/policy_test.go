package ldapstore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"parvis/identity"
	"parvis/internal/testkit"
	"parvis/ldapstore"
)

const (
	personDN = "uid=" + login + ",ou=people,dc=univ,dc=example"
	policyDN = "cn=default,ou=policies,dc=univ,dc=example"
)

func TestPasswordPolicy(t *testing.T) {
	old := time.Now().Add(-48 * time.Hour).UTC().Format("20060102150405Z")
	now := time.Now().UTC().Format("20060102150405Z")
	tests := []struct {
		name  string
		setUp func(*testkit.SlapdServer)
		right error // with the right password
	}{
		{"no policy in the way", func(*testkit.SlapdServer) {}, nil},
		{"reset by somebody", func(s *testkit.SlapdServer) {
			s.Modify(personDN, "pwdReset", "TRUE")
		}, &identity.StateError{UID: login, State: identity.MustChange}},
		{"expired", func(s *testkit.SlapdServer) {
			s.Modify(policyDN, "pwdMaxAge", "3600")
			s.Modify(personDN, "pwdChangedTime", old)
		}, &identity.StateError{UID: login, State: identity.PasswordExpired}},
		{"expired, with logins of grace", func(s *testkit.SlapdServer) {
			s.Modify(policyDN, "pwdMaxAge", "3600")
			s.Modify(policyDN, "pwdGraceAuthNLimit", "3")
			s.Modify(personDN, "pwdChangedTime", old)
		}, nil},
		{"expired and suspended", func(s *testkit.SlapdServer) {
			s.Modify(policyDN, "pwdMaxAge", "3600")
			s.Modify(personDN, "pwdChangedTime", old)
			s.Modify(personDN, "supannRessourceEtat", "{COMPTE}S")
		}, &identity.StateError{UID: login, State: identity.Suspended}},
		{"locked: told to nobody, for the password is not compared", func(s *testkit.SlapdServer) {
			s.Modify(personDN, "pwdAccountLockedTime", now)
		}, identity.ErrBadCredentials},
		{"locked for ever", func(s *testkit.SlapdServer) {
			s.Modify(personDN, "pwdAccountLockedTime", "000001010000Z")
		}, identity.ErrBadCredentials},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := testkit.Slapd(t)
			test.setUp(server)
			store := open(t, options(server))
			_, err := store.Authenticate(t.Context(), login, password)
			if fmt.Sprint(err) != fmt.Sprint(test.right) {
				t.Errorf("right password: %v, want %v", err, test.right)
			}
			var state *identity.StateError
			_, err = store.Authenticate(t.Context(), login, "wrong")
			if !errors.Is(err, identity.ErrBadCredentials) || errors.As(err, &state) {
				t.Errorf("wrong password: %v, want %v", err, identity.ErrBadCredentials)
			}
		})
	}
}

// TestStrangersLockNobodyElse is S20: unknown logins and wrong passwords cost the
// decoy and the account of Parvis nothing.
func TestStrangersLockNobodyElse(t *testing.T) {
	server := testkit.Slapd(t)
	server.Modify(policyDN, "pwdMaxFailure", "3")
	store := open(t, options(server))
	for range 20 {
		if _, err := store.Authenticate(t.Context(), "nobody", "wrong"); !errors.Is(err, identity.ErrBadCredentials) {
			t.Fatalf("nobody: %v", err)
		}
	}
	for _, dn := range []string{server.DecoyDN, server.BindDN} {
		if locked := server.Values(dn, "pwdAccountLockedTime"); len(locked) != 0 {
			t.Errorf("%s is locked", dn)
		}
	}
	// The decoy records a refusal as a person does, so both cost the same.
	if len(server.Values(server.DecoyDN, "pwdFailureTime")) == 0 {
		t.Error("the decoy was not asked")
	}
	if _, err := store.Authenticate(t.Context(), login, password); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

func TestRightPasswordLeavesTheDecoyAlone(t *testing.T) {
	server := testkit.Slapd(t)
	store := open(t, options(server))
	if _, err := store.Authenticate(t.Context(), login, password); err != nil {
		t.Fatalf("authenticate: %v", err)
	}
	if len(server.Values(server.DecoyDN, "pwdFailureTime")) != 0 {
		t.Error("a right password asked the decoy too")
	}
}

func TestVerdict(t *testing.T) {
	refused := func(code uint16, message string) error { return ldap.NewError(code, errors.New(message)) }
	activeDirectory := func(data string) error {
		return refused(ldap.LDAPResultInvalidCredentials,
			"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data "+data+", v3839\x00")
	}
	policy := func(code int8) []ldap.Control {
		control := ldap.NewControlBeheraPasswordPolicy()
		control.Error = code
		return []ldap.Control{control}
	}
	tests := []struct {
		name     string
		controls []ldap.Control
		err      error
		state    identity.State
		want     error
	}{
		{"accepted", nil, nil, identity.Active, nil},
		{"accepted, must change", policy(2), nil, identity.MustChange, nil},
		{"refused", nil, refused(49, ""), "", identity.ErrBadCredentials},
		{"refused, expired", policy(0), refused(49, ""), identity.PasswordExpired, nil},
		{"refused, locked", policy(1), refused(49, ""), "", identity.ErrBadCredentials},
		{"refused, no policy error", policy(-1), refused(49, ""), "", identity.ErrBadCredentials},
		{"no such entry", nil, refused(32, ""), "", identity.ErrBadCredentials},
		{"389 DS, too many tries", nil, refused(19, "Exceed password retry limit"), "", identity.ErrBadCredentials},
		{"389 DS, inactivated", nil, refused(53, "Account inactivated"), "", identity.ErrBadCredentials},
		{"busy", nil, refused(51, ""), "", identity.ErrUnavailable},
		{"no answer", nil, refused(ldap.ErrorNetwork, "EOF"), "", identity.ErrUnavailable},
		{"not LDAP", nil, errors.New("EOF"), "", identity.ErrUnavailable},
		{"AD, user not found", nil, activeDirectory("525"), "", identity.ErrBadCredentials},
		{"AD, wrong password", nil, activeDirectory("52e"), "", identity.ErrBadCredentials},
		{"AD, hours", nil, activeDirectory("530"), identity.OutOfHours, nil},
		{"AD, workstation", nil, activeDirectory("531"), identity.OtherWorkstation, nil},
		{"AD, expired", nil, activeDirectory("532"), identity.PasswordExpired, nil},
		{"AD, disabled", nil, activeDirectory("533"), identity.Suspended, nil},
		{"AD, account expired", nil, activeDirectory("701"), identity.Closed, nil},
		{"AD, must change", nil, activeDirectory("773"), identity.MustChange, nil},
		{"AD, locked, whatever the password", nil, activeDirectory("775"), "", identity.ErrBadCredentials},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			state, err := ldapstore.Verdict(test.controls, test.err)
			if state != test.state || !errors.Is(err, test.want) {
				t.Errorf("verdict = %q, %v; want %q, %v", state, err, test.state, test.want)
			}
		})
	}
}
