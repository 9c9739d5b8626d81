package ldif

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"parvis/identity"
	"parvis/ldapstore/internal/account"
)

// Options say how the file is laid out; all have defaults.
type Options struct {
	// UIDAttribute is the canonical login; "uid" by default. Entries that have it
	// are people.
	UIDAttribute string
	// LoginAttributes are what a login may be; uid, supannAliasLogin and mail by
	// default. A login that several people have opens nothing.
	LoginAttributes []string
	// Attributes are what a person carries, under these names.
	Attributes []string
	// Now is the clock that account states are read by; time.Now by default.
	Now func() time.Time
	// Log is told of passwords that cannot be used; nothing is said by default.
	Log *slog.Logger
}

// Store is a directory in memory. It is safe for concurrent use.
type Store struct {
	options Options
	people  *tree
	decoy   hash
	opened  time.Time
}

// Open reads a directory from a file.
func Open(path string, options Options) (*Store, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the directory: %w", err)
	}
	store, err := New(content, options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return store, nil
}

// New reads a directory from the content of an LDIF file.
func New(content []byte, options Options) (*Store, error) {
	options = options.withDefaults()
	people, err := parse(content, options)
	if err != nil {
		return nil, fmt.Errorf("read the directory: %w", err)
	}
	store := &Store{options: options, people: people, decoy: costliest(people.entries), opened: options.Now()}
	for _, entry := range people.entries {
		if entry.unusable > 0 {
			options.Log.Warn("the directory has a password that cannot be used: hash it, as with slappasswd",
				slog.String("dn", entry.dn), slog.Int("passwords", entry.unusable))
		}
	}
	return store, nil
}

func (o Options) withDefaults() Options {
	if o.UIDAttribute == "" {
		o.UIDAttribute = "uid"
	}
	if len(o.LoginAttributes) == 0 {
		o.LoginAttributes = account.LoginAttributes()
	}
	if len(o.Attributes) == 0 {
		o.Attributes = account.Attributes()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Authenticate proves a password. It returns [identity.ErrBadCredentials] for all
// that was not proven, with the UID of the one person whose login it was, and an [*identity.StateError] for a right password on an
// account that may not be used.
func (s *Store) Authenticate(_ context.Context, login, password string) (identity.Person, error) {
	if password == "" || len(password) > identity.MaxPassword {
		return identity.Person{}, identity.ErrBadCredentials
	}
	found := s.people.find(login)
	if found == nil {
		s.decoy.matches(password)
		return identity.Person{}, identity.ErrBadCredentials
	}
	if len(found.hashes) == 0 {
		s.decoy.matches(password)
	}
	if !found.proves(password) {
		return identity.Person{UID: found.uid}, identity.ErrBadCredentials
	}
	person := s.person(found)
	if person.State != identity.Active {
		return identity.Person{}, &identity.StateError{UID: person.UID, State: person.State}
	}
	return person, nil
}

// Find returns the person who has a login, whatever the state of their account,
// or [identity.ErrNotFound].
func (s *Store) Find(_ context.Context, login string) (identity.Person, error) {
	found := s.people.find(login)
	if found == nil {
		return identity.Person{}, identity.ErrNotFound
	}
	return s.person(found), nil
}

// Stopped lists the people whose account is suspended, closed or locked by an
// administrator, by their uid, sorted, if since is not after the file was read:
// nothing changes later.
func (s *Store) Stopped(_ context.Context, since time.Time) ([]string, error) {
	if since.After(s.opened) {
		return nil, nil
	}
	var uids []string
	for _, e := range s.people.entries {
		if e.uid != "" && account.Stopped(e, s.options.Now()) {
			uids = append(uids, e.uid)
		}
	}
	slices.Sort(uids)
	return slices.Compact(uids), nil
}

// Ping always succeeds: the directory is in memory.
func (s *Store) Ping(context.Context) error { return nil }

// Close has nothing to end.
func (s *Store) Close() error { return nil }

func (s *Store) person(found *entry) identity.Person {
	return identity.Person{
		UID:        found.uid,
		Attributes: account.Select(found, s.options.Attributes),
		State:      account.State(found, s.options.Now()),
		Logins:     account.Logins(found, found.uid, s.options.LoginAttributes),
	}
}

// Values implements [account.Entry].
func (e *entry) Values(attribute string) []string {
	return e.attributes[strings.ToLower(attribute)]
}
