package ldif_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parvis/identity"
	"parvis/internal/demo"
	"parvis/ldapstore/directorytest"
	"parvis/ldapstore/ldif"
)

var update = directorytest.UpdateFlag()

func TestContract(t *testing.T) {
	directory, err := ldif.New(directorytest.People(), ldif.Options{})
	if err != nil {
		t.Fatalf("read the people: %v", err)
	}
	directorytest.Run(t, directory, update)
}

func TestPasswordSchemes(t *testing.T) {
	const password = "LesPigeons9BoiventDuThe"
	tests := []struct {
		name, stored string
		works        bool
	}{
		{"SHA", "{SHA}l2qK1UtuoJ3/OBoAWA6EgINdzvM=", true},
		{"SSHA", "{SSHA}eJYxUm/cVe5vqzg7uk8zOL7pDPVzYWx0c2FsdA==", true},
		{"scheme in lower case", "{ssha}eJYxUm/cVe5vqzg7uk8zOL7pDPVzYWx0c2FsdA==", true},
		{"SSHA256", "{SSHA256}2H3ofSP6K8gq8UmdUXwl4T4ytFXT7mYg14HK6RQ3d8lzYWx0c2FsdA==", true},
		{"SSHA384", "{SSHA384}UJfOHn8myuRPbrh4j34gjuhW8r676PuOwjgrnKtTuVbbftfBs7roDJ67IvlKKrQ5c2FsdHNhbHQ=", true},
		{"SSHA512", "{SSHA512}nU/VyImln9hDJkm4VyWGXksaOnSIlCrXqOeH0+QCCJPARKeWRyokaLYXBo9GZijX0u5ZVRmIZcwXIU21RQ0boXNhbHRzYWx0", true},
		{"argon2id", "{ARGON2}$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$CrmavAIV6QK0Nufnt3QWQn9s2fh5Pn4kwL76kA53PDQ", true},
		{"argon2i", "{ARGON2}$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$njDXhIaBuJQUeXwhBvn6WY2b7924zvKj2+8OP/r4Acg", true},
		{"bcrypt", "{CRYPT}$2a$04$zjwGbGTJCZUSGCHtyukw5eoz8mymR09dxBlN3BSALPiaGmmWfzSd6", true},
		{"clear text", password, false},
		{"clear text in braces", "{CLEARTEXT}" + password, false},
		{"unknown scheme", "{ROT13}" + password, false},
		{"broken base64", "{SSHA}!!!", false},
		{"short digest", "{SSHA}AAAA", false},
		{"salted without a salt", "{SSHA}AAAAAAAAAAAAAAAAAAAAAAAAAAA=", false},
		{"old crypt", "{CRYPT}ab01FAX.bQRSU", false},
		{"greedy argon2", "{ARGON2}$argon2id$v=19$m=4294967295,t=3,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false},
		{"idle argon2", "{ARGON2}$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			directory, err := ldif.New([]byte("dn: uid=a,dc=univ\nuid: a\nuserPassword: "+test.stored+"\n"),
				ldif.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatalf("read: %v", err)
			}
			_, err = directory.Authenticate(t.Context(), "a", password)
			if works := err == nil; works != test.works {
				t.Errorf("authenticate: %v, want success: %t", err, test.works)
			}
			if _, err := directory.Authenticate(t.Context(), "a", password+"x"); !errors.Is(err, identity.ErrBadCredentials) {
				t.Errorf("wrong password: %v", err)
			}
			if warned := log.Len() > 0; warned == test.works {
				t.Errorf("log = %q", log.String())
			}
			if strings.Contains(log.String(), password) {
				t.Error("S23: the log holds a password")
			}
		})
	}
}

func TestBadFiles(t *testing.T) {
	tests := map[string]string{
		"no DN":             "uid: a\n",
		"broken DN":         "dn: nothing\nuid: a\n",
		"twice":             "dn: uid=a,dc=univ\nuid: a\n\ndn: UID=A, dc=univ\nuid: a\n",
		"a change":          "dn: uid=a,dc=univ\nchangetype: delete\n",
		"another file":      "dn: uid=a,dc=univ\nuid: a\njpegPhoto:< file:///etc/passwd\n",
		"broken base64":     "dn: uid=a,dc=univ\nuid:: %%%\n",
		"no colon":          "dn: uid=a,dc=univ\nuid\n",
		"version from 2049": "version: 2\ndn: uid=a,dc=univ\nuid: a\n",
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := ldif.New([]byte(content), ldif.Options{}); err == nil {
				t.Error("the file was read")
			}
		})
	}
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.ldif")
	if _, err := ldif.Open(path, ldif.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, demo.People(), 0o600); err != nil {
		t.Fatalf("write: %v", err)
	}
	directory, err := ldif.Open(path, ldif.Options{})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	if _, err := directory.Find(t.Context(), "moreau-s"); err != nil {
		t.Errorf("find: %v", err)
	}
}

// FuzzNew reads any file without a panic, and whatever it reads opens nothing to
// an empty or a strange password.
func FuzzNew(f *testing.F) {
	f.Add([]byte("dn: uid=a,dc=univ\nuid: a\nuserPassword: {SSHA}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), "a")
	f.Add([]byte("version: 1\n\n# people\ndn:: dWlkPWEsZGM9dW5pdg==\nuid: a\n b\n"), "ab")
	f.Add([]byte("dn: cn=g,dc=univ\ncn: g\nmember: uid=a,dc=univ\n"), "g")
	f.Add([]byte("dn: uid=a,dc=univ\ncontrol: 1.2.3\nchangetype: modify\n-\n"), "a")
	f.Fuzz(func(t *testing.T, content []byte, login string) {
		directory, err := ldif.New(content, ldif.Options{})
		if err != nil {
			return
		}
		for _, password := range []string{"", "\x00", "2b0f0a7e-not-a-password"} {
			if _, err := directory.Authenticate(t.Context(), login, password); err == nil {
				t.Errorf("%q opened with %q", login, password)
			}
		}
	})
}
