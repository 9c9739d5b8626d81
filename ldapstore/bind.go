package ldapstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// binder tries passwords on connections that do nothing else, one at a time on
// each. A bind, refused or not, leaves a connection that the next bind changes
// again, so none is ever used for a search.
type binder struct {
	servers *servers
	maxAge  time.Duration
	turns   chan struct{}

	mu     sync.Mutex
	idle   []*link // the latest used last
	closed bool
}

func newBinder(servers *servers, o Options) *binder {
	return &binder{servers: servers, maxAge: o.MaxAge, turns: make(chan struct{}, o.BindConns)}
}

// bind tries a password. It returns the controls of the server's answer and, for
// a refusal, an [ldap.Error]; any other error is the want of an answer.
func (b *binder) bind(ctx context.Context, dn, password string) ([]ldap.Control, error) {
	select {
	case b.turns <- struct{}{}:
		defer func() { <-b.turns }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a turn to bind: %w", ctx.Err())
	}
	request := ldap.NewSimpleBindRequest(dn, password, []ldap.Control{ldap.NewControlBeheraPasswordPolicy()})
	for attempt := 0; ; attempt++ {
		l, err := b.take(ctx, attempt > 0)
		if err != nil {
			return nil, err
		}
		controls, err := l.bind(ctx, request)
		if err == nil || answered(err) {
			b.put(l)
			return controls, err
		}
		l.close()
		if ctx.Err() != nil || attempt > 0 {
			return nil, err
		}
	}
}

// take returns an idle connection that lives, or a new one: after a connection
// broke, the other idle ones may be broken too and not know it yet.
func (b *binder) take(ctx context.Context, fresh bool) (*link, error) {
	for !fresh {
		l, err := b.pop()
		if err != nil {
			return nil, err
		}
		if l == nil {
			break
		}
		if l.alive() && time.Since(l.born) < b.maxAge {
			return l, nil
		}
		l.close()
	}
	return b.servers.connect(ctx)
}

func (b *binder) pop() (*link, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, errClosed
	}
	// The longest idle goes first out of the house: under little load the bottom
	// of the stack would otherwise stay for ever.
	if n := len(b.idle); n > 1 && time.Since(b.idle[0].born) >= b.maxAge {
		b.idle[0].close()
		b.idle = b.idle[1:]
	}
	n := len(b.idle)
	if n == 0 {
		return nil, nil
	}
	l := b.idle[n-1]
	b.idle = b.idle[:n-1]
	return l, nil
}

func (b *binder) put(l *link) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		l.close()
		return
	}
	b.idle = append(b.idle, l)
}

func (b *binder) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, l := range b.idle {
		l.close()
	}
	b.idle = nil
}

// bind runs one bind. The connection is closed when it takes longer than one
// request may, or than the caller has: nobody else is on it.
func (l *link) bind(ctx context.Context, request *ldap.SimpleBindRequest) ([]ldap.Control, error) {
	limit := l.server.requestLimit
	if deadline, ok := ctx.Deadline(); ok {
		if left := time.Until(deadline); left < limit {
			timer := time.AfterFunc(left, l.close)
			defer timer.Stop()
		}
	}
	silence := time.AfterFunc(limit, l.silent)
	defer silence.Stop()
	result, err := l.conn.SimpleBind(request)
	if result == nil {
		return nil, err
	}
	return result.Controls, err
}
