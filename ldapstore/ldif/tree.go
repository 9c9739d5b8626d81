package ldif

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"
	format "github.com/go-ldap/ldif"

	"parvis/identity"
)

const memberOf = "memberof"

// reference finds a value that is kept elsewhere ("jpegPhoto:< file:///…").
var reference = regexp.MustCompile(`(?m)^[A-Za-z0-9.;_-]+:<`)

// entry is one entry of the file, with its attributes by lower-case name.
type entry struct {
	dn         string
	uid        string // empty for what is no person
	attributes map[string][]string
	hashes     []hash
	unusable   int // passwords in clear, or of a scheme that is not known
}

// tree is the file in memory, in the file's order.
type tree struct {
	entries []*entry
	logins  map[string][]*entry
}

// find returns the one person who has a login, or nil.
func (t *tree) find(login string) *entry {
	folded := identity.FoldLogin(login)
	if folded == "" {
		return nil
	}
	if found := t.logins[folded]; len(found) == 1 {
		return found[0]
	}
	return nil
}

// proves tells whether a password is one of the entry's.
func (e *entry) proves(password string) bool {
	proven := false
	for _, h := range e.hashes {
		if h.matches(password) {
			proven = true
		}
	}
	return proven
}

// parse reads content records.
func parse(content []byte, options Options) (*tree, error) {
	if reference.Match(content) {
		return nil, errors.New("a value is kept in another file: put it into this one")
	}
	parsed := format.LDIF{}
	if err := format.Unmarshal(bytes.NewReader(content), &parsed); err != nil {
		return nil, err
	}
	t := &tree{logins: make(map[string][]*entry)}
	byDN := make(map[string]*entry, len(parsed.Entries))
	for _, record := range parsed.Entries {
		if record.Entry == nil {
			return nil, errors.New("a record changes the directory: only content records are read")
		}
		key, err := foldDN(record.Entry.DN)
		if err != nil {
			return nil, fmt.Errorf("%q is no DN: %w", record.Entry.DN, err)
		}
		if byDN[key] != nil {
			return nil, fmt.Errorf("%q is there twice", record.Entry.DN)
		}
		e := newEntry(record.Entry, options)
		byDN[key] = e
		t.entries = append(t.entries, e)
	}
	t.addGroups(byDN)
	t.index(options.LoginAttributes)
	return t, nil
}

func newEntry(record *ldap.Entry, options Options) *entry {
	e := &entry{dn: record.DN, attributes: make(map[string][]string, len(record.Attributes))}
	for _, attribute := range record.Attributes {
		name := strings.ToLower(attribute.Name)
		e.attributes[name] = append(e.attributes[name], attribute.Values...)
	}
	if values := e.Values(options.UIDAttribute); len(values) > 0 {
		e.uid = values[0]
	}
	for _, value := range e.attributes["userpassword"] {
		if h, ok := parseHash(value); ok {
			e.hashes = append(e.hashes, h)
		} else {
			e.unusable++
		}
	}
	return e
}

// addGroups gives memberOf to people who carry none, in the order of the file.
func (t *tree) addGroups(byDN map[string]*entry) {
	given := make(map[*entry][]string)
	for _, group := range t.entries {
		for _, attribute := range []string{"member", "uniquemember"} {
			for _, dn := range group.attributes[attribute] {
				key, err := foldDN(dn)
				if member := byDN[key]; err == nil && member != nil {
					given[member] = append(given[member], group.dn)
				}
			}
		}
	}
	for member, groups := range given {
		if len(member.attributes[memberOf]) == 0 {
			member.attributes[memberOf] = groups
		}
	}
}

// index lists the people of every login, so that a login of two is known to be
// nobody's.
func (t *tree) index(attributes []string) {
	for _, e := range t.entries {
		if e.uid == "" {
			continue
		}
		seen := make(map[string]bool)
		for _, attribute := range attributes {
			for _, value := range e.Values(attribute) {
				login := identity.FoldLogin(value)
				if login != "" && !seen[login] {
					seen[login] = true
					t.logins[login] = append(t.logins[login], e)
				}
			}
		}
	}
}

func foldDN(dn string) (string, error) {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return "", err
	}
	return strings.ToLower(parsed.String()), nil
}
