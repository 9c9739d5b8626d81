package ldapstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"

	"parvis/identity"
	"parvis/ldapstore/internal/account"
)

var (
	errClosed    = errors.New("the directory was closed")
	errNobody    = errors.New("nobody has this login")
	errAmbiguous = errors.New("several people have this login")
)

// Store is a directory over LDAP. It is safe for concurrent use.
type Store struct {
	options  Options
	wanted   []string // asked of the directory
	searcher *searcher
	binder   *binder
}

// New checks the options and returns a directory that connects when it is first
// asked: a directory that is down is no error here.
func New(options Options) (*Store, error) {
	options = options.withDefaults()
	if err := options.check(); err != nil {
		return nil, fmt.Errorf("set up the directory: %w", err)
	}
	all := &servers{timeout: options.Timeout / 3}
	for _, address := range options.URLs {
		server, err := newServer(address, options)
		if err != nil {
			return nil, fmt.Errorf("set up the directory: %w", err)
		}
		server.requestLimit = options.Timeout / 2
		all.list = append(all.list, server)
	}
	wanted := slices.Concat(options.Attributes, account.StateAttributes(), []string{options.UIDAttribute}, options.LoginAttributes)
	return &Store{
		options:  options,
		wanted:   unique(wanted),
		searcher: newSearcher(all, options),
		binder:   newBinder(all, options),
	}, nil
}

// Authenticate proves a password: one search, one bind. It returns
// [identity.ErrBadCredentials] for all that was not proven, with the UID of the
// one person whose login it was, an [*identity.StateError] for a right password on
// an account that may not be used, and an error that wraps
// [identity.ErrUnavailable] when the directory could not be asked.
func (s *Store) Authenticate(ctx context.Context, login, password string) (identity.Person, error) {
	// RFC 4513, section 5.1.2: a bind with a name and no password succeeds, as
	// nobody.
	if password == "" || len(password) > identity.MaxPassword {
		return identity.Person{}, identity.ErrBadCredentials
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	found, err := s.lookUp(ctx, login)
	if errors.Is(err, errNobody) || errors.Is(err, errAmbiguous) {
		if err := s.pretend(ctx, password); err != nil {
			return identity.Person{}, err
		}
		return identity.Person{}, identity.ErrBadCredentials
	}
	if err != nil {
		return identity.Person{}, err
	}
	state, err := s.prove(ctx, found, password)
	if errors.Is(err, identity.ErrBadCredentials) {
		return identity.Person{UID: s.uid(found)}, err
	}
	if err != nil {
		return identity.Person{}, err
	}
	person := s.person(found)
	person.State = account.Graver(person.State, state)
	if person.State != identity.Active {
		return identity.Person{}, &identity.StateError{UID: person.UID, State: person.State}
	}
	return s.withGroups(ctx, person, found.DN)
}

// Find returns the person who has a login, whatever the state of their account,
// or [identity.ErrNotFound].
func (s *Store) Find(ctx context.Context, login string) (identity.Person, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	found, err := s.lookUp(ctx, login)
	if errors.Is(err, errNobody) || errors.Is(err, errAmbiguous) {
		return identity.Person{}, fmt.Errorf("%w: %w", identity.ErrNotFound, err)
	}
	if err != nil {
		return identity.Person{}, err
	}
	return s.withGroups(ctx, s.person(found), found.DN)
}

// Ping tells whether the directory answers and knows the branch of people.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	_, err := s.searcher.search(ctx, &ldap.SearchRequest{
		BaseDN:       s.options.Base,
		Scope:        ldap.ScopeBaseObject,
		DerefAliases: ldap.NeverDerefAliases,
		SizeLimit:    1,
		Filter:       "(objectClass=*)",
		Attributes:   []string{"1.1"},
	})
	if err != nil {
		return unavailable("read the branch of people", err)
	}
	return nil
}

// Close ends every connection. Calls under way fail, later ones too.
func (s *Store) Close() error {
	s.searcher.close()
	s.binder.close()
	return nil
}

// lookUp finds the one entry that a login names.
func (s *Store) lookUp(ctx context.Context, login string) (*ldap.Entry, error) {
	filter := s.loginFilter(login)
	if filter == "" {
		return nil, errNobody
	}
	entries, err := s.searcher.search(ctx, &ldap.SearchRequest{
		BaseDN:       s.options.Base,
		Scope:        ldap.ScopeWholeSubtree,
		DerefAliases: ldap.NeverDerefAliases,
		SizeLimit:    2,
		TimeLimit:    int(s.options.Timeout/time.Second) + 1,
		Filter:       filter,
		Attributes:   s.wanted,
	})
	if len(entries) > 1 || ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) {
		return nil, errAmbiguous
	}
	if err != nil {
		return nil, unavailable("search for a login", err)
	}
	if len(entries) == 0 || entries[0].GetEqualFoldAttributeValue(s.options.UIDAttribute) == "" {
		return nil, errNobody
	}
	return entries[0], nil
}

// loginFilter returns "" for what cannot be a login. The login is asked for in
// lower case and as it was typed, for attributes that match case exactly, as
// supannAliasLogin does.
func (s *Store) loginFilter(login string) string {
	folded := identity.FoldLogin(login)
	if folded == "" {
		return ""
	}
	values := []string{ldap.EscapeFilter(folded)}
	if typed := strings.TrimSpace(norm.NFKC.String(login)); typed != folded {
		values = append(values, ldap.EscapeFilter(typed))
	}
	var filter strings.Builder
	filter.WriteString("(&" + s.options.PeopleFilter + "(|")
	for _, attribute := range s.options.LoginAttributes {
		for _, value := range values {
			filter.WriteString("(" + attribute + "=" + value + ")")
		}
	}
	filter.WriteString("))")
	return filter.String()
}

// prove binds as the person. Directories refuse an account without a password,
// as a pre-created one, before any hashing: the decoy then takes that time.
func (s *Store) prove(ctx context.Context, found *ldap.Entry, password string) (identity.State, error) {
	controls, err := s.binder.bind(ctx, found.DN, password)
	state, err := verdict(controls, err)
	if errors.Is(err, identity.ErrBadCredentials) && s.neverActivated(found) {
		if err := s.pretend(ctx, password); err != nil {
			return "", err
		}
	}
	return state, err
}

func (s *Store) neverActivated(found *ldap.Entry) bool {
	return account.State(entry{found}, s.options.Now()) == identity.PreCreated
}

// pretend takes the time of a bind. Whatever the directory answers opens nothing.
func (s *Store) pretend(ctx context.Context, password string) error {
	dn := s.options.DecoyDN
	if dn == "" {
		dn = "cn=nobody," + s.options.Base
	}
	_, err := s.binder.bind(ctx, dn, password)
	if err != nil && !answered(err) {
		return unavailable("bind", err)
	}
	return nil
}

func (s *Store) person(found *ldap.Entry) identity.Person {
	view, uid := entry{found}, s.uid(found)
	return identity.Person{
		UID:        uid,
		Attributes: account.Select(view, s.options.Attributes),
		State:      account.State(view, s.options.Now()),
		Logins:     account.Logins(view, uid, s.options.LoginAttributes),
	}
}

func (s *Store) uid(found *ldap.Entry) string {
	return found.GetEqualFoldAttributeValue(s.options.UIDAttribute)
}

// withGroups adds memberOf from the groups that name the person, where the server
// does not keep it.
func (s *Store) withGroups(ctx context.Context, person identity.Person, dn string) (identity.Person, error) {
	name := s.memberOfName()
	if s.options.GroupBase == "" || name == "" {
		return person, nil
	}
	member := ldap.EscapeFilter(dn)
	groups, err := s.searcher.search(ctx, &ldap.SearchRequest{
		BaseDN:       s.options.GroupBase,
		Scope:        ldap.ScopeWholeSubtree,
		DerefAliases: ldap.NeverDerefAliases,
		Filter:       "(|(member=" + member + ")(uniqueMember=" + member + "))",
		Attributes:   []string{"1.1"},
	})
	if err != nil {
		return identity.Person{}, unavailable("search for groups", err)
	}
	delete(person.Attributes, name)
	for _, group := range groups {
		person.Attributes[name] = append(person.Attributes[name], group.DN)
	}
	slices.Sort(person.Attributes[name])
	return person, nil
}

func (s *Store) memberOfName() string {
	for _, name := range s.options.Attributes {
		if strings.EqualFold(name, "memberOf") {
			return name
		}
	}
	return ""
}

// entry reads an [ldap.Entry].
type entry struct{ *ldap.Entry }

// Values implements [account.Entry].
func (e entry) Values(attribute string) []string {
	return e.GetEqualFoldAttributeValues(attribute)
}

func unavailable(doing string, err error) error {
	return fmt.Errorf("%s: %w: %w", doing, identity.ErrUnavailable, err)
}

func unique(names []string) []string {
	var kept []string
	for _, name := range names {
		if !slices.ContainsFunc(kept, func(other string) bool { return strings.EqualFold(name, other) }) {
			kept = append(kept, name)
		}
	}
	return kept
}
