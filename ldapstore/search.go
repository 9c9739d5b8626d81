package ldapstore

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// searcher carries searches on a few connections bound as Parvis, many searches
// at once on each.
type searcher struct {
	servers      *servers
	dn, password string
	maxAge       time.Duration
	slots        []*slot
	next         atomic.Uint64
	closed       atomic.Bool
}

// slot holds one connection. The gate lets one caller at a time replace it; it is
// a channel so that the others give up when their time is over.
type slot struct {
	gate chan struct{}
	link atomic.Pointer[link]
}

func newSearcher(servers *servers, o Options) *searcher {
	s := &searcher{servers: servers, dn: o.BindDN, password: o.Password, maxAge: o.MaxAge}
	for range o.SearchConns {
		s.slots = append(s.slots, &slot{gate: make(chan struct{}, 1)})
	}
	return s
}

// search asks, once more on a new connection when the first broke.
func (s *searcher) search(ctx context.Context, request *ldap.SearchRequest) ([]*ldap.Entry, error) {
	slot := s.slots[s.next.Add(1)%uint64(len(s.slots))]
	for attempt := 0; ; attempt++ {
		link, err := s.take(ctx, slot)
		if err != nil {
			return nil, err
		}
		entries, err := link.search(ctx, request)
		if err == nil || answered(err) || ctx.Err() != nil || attempt > 0 {
			return entries, err
		}
		link.close()
	}
}

// take returns the slot's connection, a new one if it broke or grew old. An old
// one serves on when no new one can be had.
func (s *searcher) take(ctx context.Context, slot *slot) (*link, error) {
	if l := slot.link.Load(); l != nil && l.alive() && time.Since(l.born) < s.maxAge {
		return l, nil
	}
	select {
	case slot.gate <- struct{}{}:
		defer func() { <-slot.gate }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	old := slot.link.Load()
	if old != nil && old.alive() && time.Since(old.born) < s.maxAge {
		return old, nil
	}
	if s.closed.Load() {
		return nil, errClosed
	}
	fresh, err := s.open(ctx)
	if err != nil {
		if old != nil && old.alive() {
			return old, nil
		}
		return nil, err
	}
	slot.link.Store(fresh)
	if old != nil {
		// Searches under way end within the time of one request.
		time.AfterFunc(2*old.server.requestLimit, old.close)
	}
	if s.closed.Load() {
		fresh.close()
	}
	return fresh, nil
}

// open connects and binds as Parvis. A server that takes the connection and then
// says nothing is given up for the next.
func (s *searcher) open(ctx context.Context) (*link, error) {
	request := ldap.NewSimpleBindRequest(s.dn, s.password, nil)
	for attempt := 1; ; attempt++ {
		l, err := s.servers.connect(ctx)
		if err != nil {
			return nil, err
		}
		if _, err = l.bind(ctx, request); err == nil {
			return l, nil
		}
		l.close()
		if answered(err) || ctx.Err() != nil || attempt >= len(s.servers.list) {
			return nil, fmt.Errorf("bind as the directory's account: %w", err)
		}
	}
}

func (s *searcher) close() {
	s.closed.Store(true)
	for _, slot := range s.slots {
		if l := slot.link.Load(); l != nil {
			l.close()
		}
	}
}

// search runs one search and leaves it when the caller's time is over: the
// connection is shared, so one impatient caller must not close it. A server that
// does not answer within the time of one request closes it.
func (l *link) search(ctx context.Context, request *ldap.SearchRequest) ([]*ldap.Entry, error) {
	type outcome struct {
		entries []*ldap.Entry
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		silence := time.AfterFunc(l.server.requestLimit, l.silent)
		result, err := l.conn.Search(request)
		silence.Stop()
		if result == nil {
			done <- outcome{nil, err}
			return
		}
		done <- outcome{result.Entries, err}
	}()
	select {
	case o := <-done:
		return o.entries, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
