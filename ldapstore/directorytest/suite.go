package directorytest

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parvis/identity"
)

// Directory is what is tested.
type Directory interface {
	Authenticate(ctx context.Context, login, password string) (identity.Person, error)
	Find(ctx context.Context, login string) (identity.Person, error)
	Stopped(ctx context.Context, since time.Time) ([]string, error)
	Ping(ctx context.Context) error
	Close() error
}

//go:embed testdata/people.json
var golden []byte

// Run holds a directory to the contract. The directory serves [People], with the
// default attributes and login attributes; it is closed by the suite.
func Run(t *testing.T, directory Directory, update *bool) {
	t.Helper()
	t.Cleanup(func() {
		if err := directory.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	t.Run("Ping", func(t *testing.T) {
		if err := directory.Ping(t.Context()); err != nil {
			t.Errorf("ping: %v", err)
		}
	})
	t.Run("Logins", func(t *testing.T) { testLogins(t, directory) })
	t.Run("S22 refusals", func(t *testing.T) { testRefusals(t, directory) })
	t.Run("States", func(t *testing.T) { testStates(t, directory) })
	t.Run("Find", func(t *testing.T) { testFind(t, directory) })
	t.Run("Stopped", func(t *testing.T) { testStopped(t, directory) })
	t.Run("Attributes", func(t *testing.T) { testAttributes(t, directory, update != nil && *update) })
	t.Run("Values are the caller's", func(t *testing.T) { testCopies(t, directory) })
	t.Run("S40 concurrent callers get their own person", func(t *testing.T) { testConcurrent(t, directory) })
}

// UpdateFlag adds -update to a test binary, which writes the golden file anew.
func UpdateFlag() *bool {
	return flag.Bool("update", false, "write golden files anew")
}

func testLogins(t *testing.T, directory Directory) {
	tests := []struct{ name, login, password, uid string }{
		{"uid", "o22502142", "LesPigeons9BoiventDuThe", "o22502142"},
		{"uid of Provence", "s21004567", "TroisChats5DansLeTramway", "s21004567"},
		{"teacher", "dupont-a", "UnArchet4PourDeuxVoix", "dupont-a"},
		{"staff", "moreau-s", "LaGrenouille7LitLeJournal", "moreau-s"},
		{"upper case uid", "O22502142", "LesPigeons9BoiventDuThe", "o22502142"},
		{"alias", "jpmartin", "LesPigeons9BoiventDuThe", "o22502142"},
		{"alias in another case", "JPMartin", "LesPigeons9BoiventDuThe", "o22502142"},
		{"mail", "jean-pierre.martin@etu.univ.example", "LesPigeons9BoiventDuThe", "o22502142"},
		{"mail as the directory spells it", "Eva.Smith@etu.univ.example", "TroisChats5DansLeTramway", "s21004567"},
		{"mail in lower case", "eva.smith@etu.univ.example", "TroisChats5DansLeTramway", "s21004567"},
		{"mail in upper case", "EVA.SMITH@ETU.UNIV.EXAMPLE", "TroisChats5DansLeTramway", "s21004567"},
		{"blanks around", "  dupont-a\t", "UnArchet4PourDeuxVoix", "dupont-a"},
		{"no-break space around", "\u00a0dupont-a\u00a0", "UnArchet4PourDeuxVoix", "dupont-a"},
		{"full width letters", "\uff4f22502142", "LesPigeons9BoiventDuThe", "o22502142"},
		{"accent", "\u00e9lodie", Secret, "elodie"},
		{"accent, decomposed and upper case", "E\u0301LODIE", Secret, "elodie"},
		{"a star in a uid", "star*", Secret, "star*"},
		{"parentheses in a uid", "paren(s)", Secret, "paren(s)"},
		{"no state", "bare", Secret, "bare"},
		{"state of grace", "grace", Secret, "grace"},
		{"locked after failures, long ago", "failures", Secret, "failures"},
		{"NUL in the password", "nul", "avant\x00apres", "nul"},
		{"longest password", "long", strings.Repeat("long", 256), "long"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			person, err := directory.Authenticate(t.Context(), test.login, test.password)
			if err != nil {
				t.Fatalf("authenticate: %v", err)
			}
			if person.UID != test.uid || person.State != identity.Active {
				t.Errorf("person is %q, %s; want %q, active", person.UID, person.State, test.uid)
			}
			if !slices.Contains(person.Logins, identity.FoldLogin(test.login)) || person.Logins[0] != identity.FoldLogin(test.uid) {
				t.Errorf("logins are %q: want what was typed, and the uid first", person.Logins)
			}
		})
	}
}

func testRefusals(t *testing.T, directory Directory) {
	const login, password = "o22502142", "LesPigeons9BoiventDuThe"
	// found are those whose one person is told to the caller, for the count.
	found := map[string]string{
		"wrong password": login, "password in another case": login, "password with a blank": login,
		"password with a NUL": login, "password of NUL": login, "stored hash as password": login,
		"somebody else's password": login, "wrong password of a mail": login, "wrong password of an alias": login,
		"no password at all": "o22609001", "suspended, wrong password": "roux-p", "ended, wrong password": "ended",
	}
	tests := []struct{ name, login, password string }{
		{"wrong password of a mail", "Jean-Pierre.Martin@etu.univ.example", "wrong"},
		{"wrong password of an alias", "JPMartin", "wrong"},
		{"wrong password", login, "LesPigeons9BoiventDuThé"},
		{"password in another case", login, strings.ToLower(password)},
		{"password with a blank", login, password + " "},
		{"password with a NUL", login, password + "\x00"},
		{"empty password", login, ""},
		{"password of NUL", login, "\x00"},
		{"stored hash as password", login, "{SSHA}"},
		{"huge password", login, strings.Repeat("a", 1<<20)},
		{"somebody else's password", login, "UnArchet4PourDeuxVoix"},
		{"nobody", "nobody", password},
		{"nobody, empty password", "nobody", ""},
		{"empty login", "", password},
		{"blank login", "   ", password},
		{"star", "*", password},
		{"prefix and star", "o225*", password},
		{"any uid", ")(uid=*", password},
		{"closed filter", login + ")", password},
		{"or", login + ")(|(uid=*", password},
		{"escaped", `o2250214\32`, password},
		{"DN", "uid=o22502142,ou=people,dc=univ,dc=example", password},
		{"comma", login + ",ou=people", password},
		{"NUL after the login", login + "\x00", password},
		{"NUL", "\x00", password},
		{"line break", login + "\n(uid=*)", password},
		{"broken UTF-8", login + "\xff", password},
		{"very long", strings.Repeat("o", 100_000), password},
		{"surname", "Martin", password},
		{"student number", "22502142", password},
		{"INE", "120350042KA", password},
		{"personal mail", "jp.martin@mail.example", password},
		{"two with one alias", "jumeau", Secret},
		{"a uid that is somebody's alias", "both", Secret},
		{"no password at all", "o22609001", Secret},
		{"suspended, wrong password", "roux-p", "wrong"},
		{"ended, wrong password", "ended", "wrong"},
		{"a group", "ent-admins", Secret},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			person, err := directory.Authenticate(t.Context(), test.login, test.password)
			var state *identity.StateError
			if !errors.Is(err, identity.ErrBadCredentials) || errors.As(err, &state) {
				t.Errorf("error = %v, want %v", err, identity.ErrBadCredentials)
			}
			if diff := cmp.Diff(identity.Person{UID: found[test.name]}, person); diff != "" {
				t.Errorf("a refusal tells more or less than the uid (-want +got):\n%s", diff)
			}
		})
	}
}

func testStates(t *testing.T, directory Directory) {
	tests := []struct {
		uid, password string
		want          identity.State
	}{
		{"roux-p", "MilleVents2SurLaColline", identity.Suspended},
		{"ended", Secret, identity.Closed},
		{"waiting", Secret, identity.PreCreated},
		{"expired", Secret, identity.Closed},
		{"locked", Secret, identity.Suspended},
		{"stale", Secret, identity.PasswordExpired},
		{"reset", Secret, identity.MustChange},
	}
	for _, test := range tests {
		t.Run(test.uid, func(t *testing.T) {
			_, err := directory.Authenticate(t.Context(), test.uid, test.password)
			var state *identity.StateError
			if !errors.As(err, &state) {
				t.Fatalf("error = %v, want a state", err)
			}
			if state.State != test.want || state.UID != test.uid {
				t.Errorf("%q is %s, want %q, %s", state.UID, state.State, test.uid, test.want)
			}
		})
	}
}

func testFind(t *testing.T, directory Directory) {
	found := []struct {
		login, uid string
		state      identity.State
	}{
		{"JPMARTIN", "o22502142", identity.Active},
		{"roux-p", "roux-p", identity.Suspended},
		{"lea.bernard@etu.univ.example", "o22609001", identity.PreCreated},
	}
	for _, test := range found {
		t.Run(test.login, func(t *testing.T) {
			person, err := directory.Find(t.Context(), test.login)
			if err != nil {
				t.Fatalf("find: %v", err)
			}
			if person.UID != test.uid || person.State != test.state {
				t.Errorf("found %q, %s; want %q, %s", person.UID, person.State, test.uid, test.state)
			}
		})
	}
	for _, login := range []string{"", "nobody", "*", "jumeau", "both", "ent-admins", "o22502142\x00"} {
		if _, err := directory.Find(t.Context(), login); !errors.Is(err, identity.ErrNotFound) {
			t.Errorf("find %q: error = %v, want %v", login, err, identity.ErrNotFound)
		}
	}
}

// testStopped: whoever a tool stopped is listed, and nobody whom strangers or
// other resources' states could have stopped.
func testStopped(t *testing.T, directory Directory) {
	for _, since := range []time.Time{{}, time.Now().Add(-time.Hour), time.Now().Add(-time.Hour).In(time.FixedZone("", 9*3600))} {
		got, err := directory.Stopped(t.Context(), since)
		if err != nil {
			t.Fatalf("stopped since %v: %v", since, err)
		}
		want := []string{"either", "ended", "expired", "inactive", "locked", "over", "roux-p", "strange"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("stopped since %v (-want +got):\n%s", since, diff)
		}
	}
	if got, err := directory.Stopped(t.Context(), time.Now().Add(time.Hour)); err != nil || len(got) > 0 {
		t.Errorf("stopped in an hour: %v, %v", got, err)
	}
}

// testAttributes compares all that each directory tells of the demonstration's
// people with one golden file.
func testAttributes(t *testing.T, directory Directory, update bool) {
	got := make(map[string]identity.Attributes)
	for _, uid := range []string{"o22502142", "s21004567", "dupont-a", "moreau-s", "roux-p", "o22609001", "elodie"} {
		person, err := directory.Find(t.Context(), uid)
		if err != nil {
			t.Fatalf("find %s: %v", uid, err)
		}
		// A set, in whatever order a server finds its groups.
		slices.Sort(person.Attributes["memberOf"])
		got[uid] = person.Attributes
	}
	if update {
		content, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatalf("write the golden file: %v", err)
		}
		if err := os.WriteFile(goldenPath(t), append(content, '\n'), 0o644); err != nil {
			t.Fatalf("write the golden file: %v", err)
		}
		return
	}
	var want map[string]identity.Attributes
	if err := json.Unmarshal(golden, &want); err != nil {
		t.Fatalf("read the golden file: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes differ from the golden file (-want +got):\n%s", diff)
	}
}

// goldenPath finds the golden file from the folder of a caller's package.
func goldenPath(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"directorytest/testdata/people.json", "../directorytest/testdata/people.json"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatal("the golden file is not where the suite looks for it")
	return ""
}

func testCopies(t *testing.T, directory Directory) {
	first, err := directory.Find(t.Context(), "o22502142")
	if err != nil {
		t.Fatalf("find: %v", err)
	}
	first.Attributes["eduPersonAffiliation"][0] = "changed"
	delete(first.Attributes, "mail")
	second, err := directory.Find(t.Context(), "o22502142")
	if err != nil {
		t.Fatalf("find: %v", err)
	}
	if second.Attributes.First("eduPersonAffiliation") != "student" || second.Attributes.First("mail") == "" {
		t.Error("a caller's change of a person reached the directory")
	}
}

func testConcurrent(t *testing.T, directory Directory) {
	accounts := map[string]string{
		"o22502142": "LesPigeons9BoiventDuThe",
		"s21004567": "TroisChats5DansLeTramway",
		"dupont-a":  "UnArchet4PourDeuxVoix",
		"moreau-s":  "LaGrenouille7LitLeJournal",
	}
	for uid, password := range accounts {
		for range 8 {
			t.Run(uid, func(t *testing.T) {
				t.Parallel()
				for range 20 {
					person, err := directory.Authenticate(t.Context(), uid, password)
					if err != nil || person.UID != uid || person.Attributes.First("uid") != uid {
						t.Fatalf("asked for %q, got %q, %v", uid, person.UID, err)
					}
					if _, err := directory.Authenticate(t.Context(), uid, "wrong"); !errors.Is(err, identity.ErrBadCredentials) {
						t.Fatalf("wrong password: %v", err)
					}
				}
			})
		}
	}
}
