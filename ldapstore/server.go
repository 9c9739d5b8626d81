package ldapstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// retryAfter is how long a server that did not answer is left alone.
const retryAfter = time.Second

type mode int

const (
	cleartext mode = iota
	startTLS
	wholeTLS
)

// server is one directory server.
type server struct {
	network, address string
	tls              *tls.Config
	mode             mode
	requestLimit     time.Duration // of one request

	mu        sync.Mutex
	downUntil time.Time
	// epoch counts the times the server fell silent: connections of an earlier
	// epoch are not used again.
	epoch atomic.Int64
}

// link is a connection to a server.
type link struct {
	conn   *ldap.Conn
	raw    net.Conn
	server *server
	epoch  int64
	born   time.Time
	closed atomic.Bool
}

// close ends the connection at once, whatever it waits for: the reader of
// [ldap.Conn] sees the end of its stream and stops.
func (l *link) close() {
	l.closed.Store(true)
	_ = l.raw.Close()
}

// alive tells whether the connection may carry a request.
func (l *link) alive() bool {
	return !l.closed.Load() && !l.conn.IsClosing() && l.epoch == l.server.epoch.Load()
}

// silent marks the server of a request that was not answered in time. Its other
// connections would only wait in turn.
func (l *link) silent() {
	if l.server.epoch.CompareAndSwap(l.epoch, l.epoch+1) {
		l.server.down()
	}
	l.close()
}

func (s *server) down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.downUntil = time.Now().Add(retryAfter)
}

func (s *server) up() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !time.Now().Before(s.downUntil)
}

// servers are the directory's servers in order of preference.
type servers struct {
	list    []*server
	timeout time.Duration // of one connection
}

// connect opens a connection to the first server that answers. Servers that just
// failed are not tried. Its errors hide those they come from: a refusal of
// StartTLS must not be taken for the answer to a bind.
func (s *servers) connect(ctx context.Context) (*link, error) {
	var faults []error
	for _, server := range s.list {
		if !server.up() {
			continue
		}
		opened, err := server.connect(ctx, s.timeout)
		if err == nil {
			return opened, nil
		}
		faults = append(faults, fmt.Errorf("connect to %s: %w", server.address, err))
		if ctx.Err() != nil {
			break
		}
		server.down()
	}
	if len(faults) == 0 {
		return nil, errors.New("no directory server answered a moment ago")
	}
	return nil, errors.New(errors.Join(faults...).Error())
}

func (s *server) connect(ctx context.Context, timeout time.Duration) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	l := &link{server: s, epoch: s.epoch.Load(), born: time.Now()}
	raw, err := (&net.Dialer{}).DialContext(ctx, s.network, s.address)
	if err != nil {
		return nil, err
	}
	l.raw = raw
	if s.mode == wholeTLS {
		secure := tls.Client(raw, s.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			l.close()
			return nil, fmt.Errorf("set up TLS: %w", err)
		}
		l.conn = ldap.NewConn(secure, true)
	} else {
		l.conn = ldap.NewConn(raw, false)
	}
	l.conn.Start()
	if s.mode == startTLS {
		stop := context.AfterFunc(ctx, l.close)
		err := l.conn.StartTLS(s.tls)
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			l.close()
			return nil, fmt.Errorf("start TLS: %w", err)
		}
	}
	return l, nil
}

// answered tells whether an error is the directory's answer, and not the want of
// one.
func answered(err error) bool {
	var answer *ldap.Error
	return errors.As(err, &answer) && answer.ResultCode < ldap.ErrorNetwork
}
