package ldapstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-ldap/ldap/v3"

	"parvis/identity"
	"parvis/ldapstore/internal/account"
)

// stoppedPage is how many entries a directory sends at once.
const stoppedPage = 250

// Stopped lists the people whose entry changed at since or later and whose
// account is suspended, closed or locked by an administrator, by their uid,
// sorted, whichever tool did it. A lock after failures is not among them: a
// stranger sets it.
//
// It is one search on the index of modifyTimestamp, on a connection of its own,
// made to be repeated every half minute. Instants are the directory's, to the
// second: who asks again should ask from somewhat before the last time, for
// clocks that differ and replicas that lag. An account that stops because a date
// has come does not change its entry, and one that is deleted has none: neither
// is listed.
//
// The error wraps [identity.ErrUnavailable]; a directory that lets its account
// read no more entries than were found is such an error too.
func (s *Store) Stopped(ctx context.Context, since time.Time) ([]string, error) {
	const doing = "list stopped accounts"
	uids, err := s.searchStopped(ctx, since)
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded):
		return nil, fmt.Errorf("%s: %w: the directory's account may not read that many entries: %w", doing, identity.ErrUnavailable, err)
	case err != nil && ctx.Err() != nil:
		return nil, unavailable(doing, ctx.Err())
	case err != nil:
		return nil, unavailable(doing, err)
	}
	slices.Sort(uids)
	return slices.Compact(uids), nil
}

// searchStopped reads page after page on one connection: a directory remembers
// there how far it got, and no login waits behind a long answer.
func (s *Store) searchStopped(ctx context.Context, since time.Time) ([]string, error) {
	link, err := s.openAlone(ctx)
	if err != nil {
		return nil, err
	}
	defer link.close()
	page := ldap.NewControlPaging(stoppedPage)
	request := &ldap.SearchRequest{
		BaseDN:       s.options.Base,
		Scope:        ldap.ScopeWholeSubtree,
		DerefAliases: ldap.NeverDerefAliases,
		Filter:       "(&" + s.options.PeopleFilter + "(modifyTimestamp>=" + since.UTC().Format("20060102150405Z") + ")" + account.StoppedFilter() + ")",
		Attributes:   append(account.StateAttributes(), s.options.UIDAttribute),
		Controls:     []ldap.Control{page},
	}
	var uids []string
	for {
		result, err := s.readPage(ctx, link, request)
		if err != nil {
			return nil, err
		}
		for _, found := range result.Entries {
			if uid := s.uid(found); uid != "" && account.Stopped(entry{found}, s.options.Now()) {
				uids = append(uids, uid)
			}
		}
		next, _ := ldap.FindControl(result.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if next == nil || len(next.Cookie) == 0 {
			return uids, nil
		}
		page.SetCookie(next.Cookie)
	}
}

// openAlone opens a connection that nothing else uses.
func (s *Store) openAlone(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	return s.searcher.open(ctx)
}

// readPage makes one search, and closes the connection when it takes too long.
// A long answer is no sign that the server is down, as it is for a login.
func (s *Store) readPage(ctx context.Context, link *link, request *ldap.SearchRequest) (*ldap.SearchResult, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, link.close)
	defer stop()
	result, err := link.conn.Search(request)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return result, err
}
