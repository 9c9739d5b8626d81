package tickets_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"parvis/tickets"
)

func key(id string) tickets.Key {
	secret := make([]byte, tickets.KeySize)
	for i := range secret {
		secret[i] = byte(i*7) ^ id[i%len(id)]
	}
	return tickets.Key{ID: id, Secret: secret}
}

func ring(t testing.TB, keys ...tickets.Key) *tickets.Keyring {
	t.Helper()
	k, err := tickets.NewKeyring(keys...)
	if err != nil {
		t.Fatalf("make a keyring: %v", err)
	}
	return k
}

func TestKeyringRefuses(t *testing.T) { // S18
	tests := []struct {
		name string
		keys []tickets.Key
		want string
	}{
		{"no key", nil, "none given"},
		{"empty secret", []tickets.Key{{ID: "a"}}, "secret of 0 bytes"},
		{"short secret", []tickets.Key{{ID: "a", Secret: make([]byte, 31)}}, "secret of 31 bytes"},
		{"long secret", []tickets.Key{{ID: "a", Secret: make([]byte, 33)}}, "secret of 33 bytes"},
		{"zero secret", []tickets.Key{{ID: "a", Secret: make([]byte, 32)}}, "repeats itself"},
		{"default secret", []tickets.Key{{ID: "a", Secret: []byte(strings.Repeat("changeme", 4))}}, "repeats itself"},
		{"no name", []tickets.Key{{Secret: key("a").Secret}}, "name of 0 characters"},
		{"long name", []tickets.Key{{ID: strings.Repeat("a", 33), Secret: key("a").Secret}}, "name of 33 characters"},
		{"odd name", []tickets.Key{{ID: "a\n", Secret: key("a").Secret}}, "has more than"},
		{"name twice", []tickets.Key{key("a"), {ID: "a", Secret: key("b").Secret}}, "given twice"},
		{"secret twice", []tickets.Key{key("a"), {ID: "b", Secret: key("a").Secret}}, "same secret"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := tickets.NewKeyring(test.keys...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestSealedValueOpensOnlyInItsPlace(t *testing.T) { // S17
	k := ring(t, key("a"))
	sealed := k.Seal("session", []byte("plain"), []byte("here"))
	if plain, err := k.Open("session", sealed, []byte("here")); err != nil || string(plain) != "plain" {
		t.Fatalf("got %q, %v", plain, err)
	}
	tests := []struct {
		name           string
		ring           *tickets.Keyring
		purpose, bound string
		sealed         []byte
	}{
		{"another purpose", k, "ticket", "here", sealed},
		{"another place", k, "session", "there", sealed},
		{"another key", ring(t, key("b")), "session", "here", sealed},
		{"another secret under the same name", ring(t, tickets.Key{ID: "a", Secret: key("b").Secret}), "session", "here", sealed},
		{"nothing", k, "session", "here", nil},
		{"another version", k, "session", "here", append([]byte{9}, sealed[1:]...)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := test.ring.Open(test.purpose, test.sealed, []byte(test.bound)); !errors.Is(err, tickets.ErrSeal) {
				t.Errorf("got %v, want ErrSeal", err)
			}
		})
	}
}

func TestAlteredValueDoesNotOpen(t *testing.T) {
	k := ring(t, key("a"))
	sealed := k.Seal("session", []byte("plain"), nil)
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if _, err := k.Open("session", altered, nil); !errors.Is(err, tickets.ErrSeal) {
			t.Errorf("byte %d altered: %v, want ErrSeal", i, err)
		}
		if _, err := k.Open("session", sealed[:i], nil); !errors.Is(err, tickets.ErrSeal) {
			t.Errorf("cut at %d: %v, want ErrSeal", i, err)
		}
	}
}

func TestSealingTwiceDiffers(t *testing.T) {
	k := ring(t, key("a"))
	if bytes.Equal(k.Seal("p", []byte("x"), nil), k.Seal("p", []byte("x"), nil)) {
		t.Error("the same bytes were sealed alike twice")
	}
}

func TestRotation(t *testing.T) { // S18
	before, during, after := ring(t, key("old")), ring(t, key("new"), key("old")), ring(t, key("new"))
	old, fresh := before.Seal("p", []byte("x"), nil), during.Seal("p", []byte("x"), nil)
	for name, sealed := range map[string][]byte{"old": old, "new": fresh} {
		if _, err := during.Open("p", sealed, nil); err != nil {
			t.Errorf("sealed by the %s key: %v", name, err)
		}
	}
	if _, err := after.Open("p", fresh, nil); err != nil {
		t.Errorf("sealed by the new key: %v", err)
	}
	if _, err := after.Open("p", old, nil); !errors.Is(err, tickets.ErrSeal) {
		t.Errorf("sealed by a key taken away: %v, want ErrSeal", err)
	}
	if got, want := during.Pseudonyms("p", "x"), []string{after.Pseudonym("p", "x"), before.Pseudonym("p", "x")}; got[0] != want[0] || got[1] != want[1] {
		t.Errorf("pseudonyms %v, want %v", got, want)
	}
}

func TestPseudonym(t *testing.T) {
	k := ring(t, key("a"))
	name := k.Pseudonym("person", "moreau-s")
	if len(name) != 22 || strings.Contains(name, "moreau") {
		t.Errorf("pseudonym %q", name)
	}
	if name != k.Pseudonym("person", "moreau-s") {
		t.Error("pseudonym changes")
	}
	for what, other := range map[string]string{
		"value":   k.Pseudonym("person", "roux-p"),
		"purpose": k.Pseudonym("token", "moreau-s"),
		"key":     ring(t, key("b")).Pseudonym("person", "moreau-s"),
	} {
		if name == other {
			t.Errorf("another %s has the same pseudonym", what)
		}
	}
}

func TestKeyKeepsItsSecret(t *testing.T) { // S18
	k := tickets.Key{ID: "a", Secret: []byte("0123456789abcdefghijklmnopqrstuv")}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", k)
	for _, shown := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), fmt.Sprintf("%s", []tickets.Key{k}), log.String()} {
		if strings.Contains(shown, "0123") || strings.Contains(shown, "48 49") || strings.Contains(shown, "0x30") || strings.Contains(shown, "MDEy") {
			t.Errorf("secret shown: %s", shown)
		}
	}
}

func TestKeyringIsSafeForConcurrentUse(t *testing.T) {
	k := ring(t, key("a"), key("b"))
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			purpose := fmt.Sprintf("purpose %d", i%4)
			if _, err := k.Open(purpose, k.Seal(purpose, []byte("x"), nil), nil); err != nil {
				t.Errorf("%s: %v", purpose, err)
			}
		})
	}
	wg.Wait()
}

func FuzzOpen(f *testing.F) {
	k, err := tickets.NewKeyring(key("a"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{1, 1, 'a'})
	f.Add([]byte{1, 255})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if _, err := k.Open("p", sealed, nil); !errors.Is(err, tickets.ErrSeal) {
			t.Errorf("opened a forged value: %v", err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	k := ring(b, key("a"))
	plain := tickets.AppendSession(nil, typical())
	b.ReportAllocs()
	for b.Loop() {
		k.Seal("session", plain, []byte("bound"))
	}
}

func BenchmarkOpen(b *testing.B) {
	k := ring(b, key("a"))
	sealed := k.Seal("session", tickets.AppendSession(nil, typical()), []byte("bound"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Open("session", sealed, []byte("bound")); err != nil {
			b.Fatal(err)
		}
	}
}
