package ldapstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/identity"
	"parvis/internal/testkit"
	"parvis/ldapstore"
)

// stopped asks who was stopped since an instant.
func stopped(t *testing.T, store *ldapstore.Store, since time.Time) []string {
	t.Helper()
	uids, err := store.Stopped(t.Context(), since)
	if err != nil {
		t.Fatalf("stopped: %v", err)
	}
	return uids
}

// changed is when the directory says that an entry changed.
func changed(t *testing.T, server *testkit.SlapdServer, dn string) time.Time {
	t.Helper()
	values := server.Values(dn, "modifyTimestamp")
	at, err := time.Parse("20060102150405Z", strings.Join(values, ""))
	if err != nil {
		t.Fatalf("modifyTimestamp %q: %v", values, err)
	}
	return at
}

// Whichever tool writes it, a stop is listed from the second it was written.
func TestStoppedByAnyTool(t *testing.T) {
	server := testkit.Slapd(t)
	store := open(t, options(server))
	tests := []struct {
		name, attribute, stop, lift string
	}{
		{"suspended", "supannRessourceEtat", "{COMPTE}S", "{COMPTE}A:SupannActif"},
		{"to be deleted", "supannRessourceEtat", "{COMPTE}I:SupannSupprCompte", "{COMPTE}A"},
		{"locked by an administrator", "pwdAccountLockedTime", "000001010000Z", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server.Modify(personDN, test.attribute, test.stop)
			at := changed(t, server, personDN)
			if got := stopped(t, store, at); !slices.Contains(got, login) {
				t.Errorf("since that second: %v, want %s among them", got, login)
			}
			if got := stopped(t, store, at.Add(-time.Second+time.Millisecond)); !slices.Contains(got, login) {
				t.Errorf("since shortly before: %v, want %s among them", got, login)
			}
			if got := stopped(t, store, at.Add(time.Second)); slices.Contains(got, login) {
				t.Errorf("since the next second: %v, want no %s", got, login)
			}
			var lift []string
			if test.lift != "" {
				lift = []string{test.lift}
			}
			server.Modify(personDN, test.attribute, lift...)
			if got := stopped(t, store, at); slices.Contains(got, login) {
				t.Errorf("once it is lifted: %v, want no %s", got, login)
			}
		})
	}
}

// Who guesses somebody's password ends none of their sessions.
func TestStrangersStopNobody(t *testing.T) { // S20
	server := testkit.Slapd(t)
	server.Modify(policyDN, "pwdLockout", "TRUE")
	server.Modify(policyDN, "pwdMaxFailure", "3")
	server.Modify(policyDN, "pwdLockoutDuration", "0")
	store := open(t, options(server))
	for range 10 {
		if _, err := store.Authenticate(t.Context(), login, "wrong"); !errors.Is(err, identity.ErrBadCredentials) {
			t.Fatalf("authenticate: %v", err)
		}
	}
	if locked := server.Values(personDN, "pwdAccountLockedTime"); len(locked) == 0 {
		t.Fatal("the directory did not lock the account")
	}
	server.Modify(personDN, "description", "changed since")
	if got := stopped(t, store, changed(t, server, personDN)); slices.Contains(got, login) {
		t.Errorf("stopped: %v, want no %s", got, login)
	}
	if person, err := store.Find(t.Context(), login); err != nil || person.State != identity.Active {
		t.Errorf("found %s, %v, want an active account", person.State, err)
	}
}

// A tool may stop more people at once than a search may bring: they come page
// after page, where the directory's limits let them.
func TestStoppedAreManyPages(t *testing.T) { // S39
	const many = 1200
	server := testkit.Slapd(t)
	store := open(t, options(server))
	start := time.Now().Add(-time.Minute)
	before := stopped(t, store, start)
	var people strings.Builder
	for i := range many {
		fmt.Fprintf(&people, "dn: uid=gone-%d,ou=people,dc=univ,dc=example\nobjectClass: inetOrgPerson\nobjectClass: supannPerson\n"+
			"uid: gone-%[1]d\ncn: gone\nsn: gone\nsupannRessourceEtat: {COMPTE}I:SupannSupprCompte\n\n", i)
	}
	server.Load(people.String())
	got := stopped(t, store, start)
	if len(got) != len(before)+many || !slices.IsSorted(got) {
		t.Errorf("%d stopped, want %d, sorted", len(got), len(before)+many)
	}
	server.LoadConfig("dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\ndelete: olcLimits\n-\n")
	_, err := store.Stopped(t.Context(), start)
	if !errors.Is(err, identity.ErrUnavailable) || !strings.Contains(err.Error(), "may not read that many") {
		t.Errorf("with the limits of everybody: %v, want ErrUnavailable that names the limit", err)
	}
	if _, err := store.Authenticate(t.Context(), login, password); err != nil {
		t.Errorf("authenticate after that: %v", err)
	}
}

func TestStoppedWithoutDirectory(t *testing.T) {
	server := testkit.Slapd(t)
	o := options(server)
	o.Timeout = 600 * time.Millisecond
	store := open(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Stopped(ctx, time.Now()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, want context.Canceled", err)
	}
	server.Pause()
	start := time.Now()
	_, err := store.Stopped(t.Context(), time.Now())
	if took := time.Since(start); !errors.Is(err, identity.ErrUnavailable) || took > 5*o.Timeout {
		t.Errorf("frozen: %v after %v, want ErrUnavailable within %v", err, took, o.Timeout)
	}
	server.Resume()
	server.Stop()
	if _, err := store.Stopped(t.Context(), time.Now()); !errors.Is(err, identity.ErrUnavailable) {
		t.Errorf("down: %v, want ErrUnavailable", err)
	}
	server.Start()
	wantBack(t, store)
	if _, err := store.Stopped(t.Context(), time.Now()); err != nil {
		t.Errorf("back: %v", err)
	}
}
