package ldapstore

import (
	"context"
	"fmt"

	"github.com/go-ldap/ldap/v3"

	"parvis/identity"
)

// FindDecoy looks the decoy up with the account that searches. It returns an
// error that wraps [identity.ErrNotFound] when there is no such entry, or the
// account may not read it: binds on it would then be refused sooner than those of
// people.
func (s *Store) FindDecoy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	entries, err := s.searcher.search(ctx, &ldap.SearchRequest{
		BaseDN:       s.options.DecoyDN,
		Scope:        ldap.ScopeBaseObject,
		DerefAliases: ldap.NeverDerefAliases,
		SizeLimit:    1,
		Filter:       "(objectClass=*)",
		Attributes:   []string{"1.1"},
	})
	switch {
	case err == nil && len(entries) == 1:
		return nil
	case err == nil:
		return identity.ErrNotFound
	case answered(err):
		return fmt.Errorf("%w: %w", identity.ErrNotFound, err)
	}
	return unavailable("look the decoy up", err)
}
