package account_test

import (
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"parvis/ldapstore/internal/account"
)

func TestStopped(t *testing.T) {
	now := time.Date(2026, time.October, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		entry entry
		want  bool
	}{
		{"nothing said", entry{}, false},
		{"active", entry{"supannRessourceEtat": {"{COMPTE}A"}}, false},
		{"suspended", entry{"supannRessourceEtat": {"{COMPTE}S"}}, true},
		{"closed", entry{"shadowExpire": {"1"}}, true},
		{"pre-created", entry{"supannRessourceEtat": {"{COMPTE}I:SupannAnticipe"}}, false},
		{"password to change", entry{"shadowLastChange": {"0"}}, false},
		{"password too old", entry{"shadowLastChange": {"10"}, "shadowMax": {"10"}}, false},
		{"locked for good", entry{"pwdAccountLockedTime": {"000001010000Z"}}, true},
		{"locked for good, with seconds", entry{"pwdAccountLockedTime": {"00000101000000Z"}}, true},
		{"locked after failures (S20)", entry{"pwdAccountLockedTime": {"20261001115900Z"}}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := account.Stopped(test.entry, now); got != test.want {
				t.Errorf("stopped: %v, want %v", got, test.want)
			}
		})
	}
}

func TestStoppedFilterCanBeRead(t *testing.T) {
	if _, err := ldap.CompileFilter(account.StoppedFilter()); err != nil {
		t.Errorf("%s: %v", account.StoppedFilter(), err)
	}
}
