package ldapstore_test

import (
	"testing"

	"parvis/internal/testkit"
	"parvis/ldapstore"
	"parvis/ldapstore/directorytest"
)

func TestContract(t *testing.T) {
	server := contractSlapd(t)
	directorytest.Run(t, open(t, options(server)), nil)
}

func TestContractWithoutDecoy(t *testing.T) {
	server := contractSlapd(t)
	o := options(server)
	o.DecoyDN = ""
	directorytest.Run(t, open(t, o), nil)
}

func TestContractWithGroupSearch(t *testing.T) {
	server := contractSlapd(t, testkit.WithoutMemberOf())
	o := options(server)
	o.GroupBase = "ou=groups," + server.BaseDN
	directorytest.Run(t, open(t, o), nil)
}

// contractSlapd serves the suite's people, and lets it guess for ever: durations
// are those of a password that is compared.
func contractSlapd(t testing.TB, more ...testkit.SlapdOption) *testkit.SlapdServer {
	t.Helper()
	server := testkit.Slapd(t, append(more, testkit.WithPeople(directorytest.People()))...)
	server.Modify("cn=default,ou=policies,"+server.BaseDN, "pwdLockout", "FALSE")
	return server
}

// options are those of an ordinary directory.
func options(server *testkit.SlapdServer) ldapstore.Options {
	return ldapstore.Options{
		URLs:     []string{server.URL()},
		BindDN:   server.BindDN,
		Password: server.BindPassword,
		DecoyDN:  server.DecoyDN,
		Base:     "ou=people," + server.BaseDN,
	}
}

func open(t testing.TB, o ldapstore.Options) *ldapstore.Store {
	t.Helper()
	store, err := ldapstore.New(o)
	if err != nil {
		t.Fatalf("open the directory: %v", err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close the directory: %v", err)
		}
	})
	return store
}
