package ldapstore_test

import (
	"errors"
	"testing"

	"parvis/identity"
	"parvis/internal/testkit"
)

// S19: a decoy that is not there is refused sooner than people are.
func TestFindDecoy(t *testing.T) {
	server := testkit.Slapd(t)
	if err := open(t, options(server)).FindDecoy(t.Context()); err != nil {
		t.Errorf("the decoy: %v", err)
	}
	for name, dn := range map[string]string{"no such entry": "cn=nobody," + server.BaseDN, "no such branch": "cn=x,dc=elsewhere"} {
		o := options(server)
		o.DecoyDN = dn
		if err := open(t, o).FindDecoy(t.Context()); !errors.Is(err, identity.ErrNotFound) {
			t.Errorf("%s: error %v, want %v", name, err, identity.ErrNotFound)
		}
	}
	server.Stop()
	if err := open(t, options(server)).FindDecoy(t.Context()); !errors.Is(err, identity.ErrUnavailable) {
		t.Errorf("directory down: error %v, want %v", err, identity.ErrUnavailable)
	}
}
