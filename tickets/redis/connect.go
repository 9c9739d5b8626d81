package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"syscall"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// errURL does not repeat the URL, which may hold a password.
var errURL = errors.New("read the URL of Redis: want redis://host:port/database, rediss://, unix://, " +
	"redis+sentinel://host:port/database?master_name=name&addr=host:port or redis+cluster://host:port?addr=host:port")

// connect makes the client that a URL asks for. None ever sends a call again by
// itself where the first one may have been done: it would redeem, grant or
// spend twice.
func connect(o Options) (goredis.UniversalClient, error) {
	scheme, rest, _ := strings.Cut(o.URL, "://")
	scheme, kind, _ := strings.Cut(scheme, "+")
	switch kind {
	case "":
		return connectOne(o)
	case "sentinel":
		return connectSentinels(o, scheme+"://"+rest)
	case "cluster":
		return connectCluster(o, scheme+"://"+rest)
	default:
		return nil, errURL
	}
}

func connectOne(o Options) (goredis.UniversalClient, error) {
	s, err := goredis.ParseURL(o.URL)
	if err != nil {
		return nil, errURL
	}
	setText(&s.Username, o.Username)
	setText(&s.Password, o.Password)
	s.TLSConfig = chosenTLS(o.TLS, s.TLSConfig)
	if o.PoolSize > 0 {
		s.PoolSize = o.PoolSize
	}
	s.MaxRetries = -1
	s.DialerRetries = 1
	s.DialTimeout, s.ReadTimeout, s.WriteTimeout, s.PoolTimeout = o.Timeout, o.Timeout, o.Timeout, o.Timeout
	s.ContextTimeoutEnabled = true
	s.DisableIdentity = true
	s.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	s.OnConnect = loadScripts
	return goredis.NewClient(s), nil
}

// connectSentinels follows the master that Sentinels name.
func connectSentinels(o Options, url string) (goredis.UniversalClient, error) {
	s, err := goredis.ParseFailoverURL(url)
	if err != nil || s.MasterName == "" {
		return nil, errURL
	}
	setText(&s.Username, o.Username)
	setText(&s.Password, o.Password)
	s.TLSConfig = chosenTLS(o.TLS, anyHost(s.TLSConfig))
	if o.PoolSize > 0 {
		s.PoolSize = o.PoolSize
	}
	// Tickets are read where they are written, nowhere else.
	s.ReplicaOnly, s.RouteByLatency, s.RouteRandomly, s.UseDisconnectedReplicas = false, false, false, false
	s.MaxRetries = -1
	s.DialerRetries = 1
	s.DialTimeout, s.ReadTimeout, s.WriteTimeout, s.PoolTimeout = o.Timeout, o.Timeout, o.Timeout, o.Timeout
	s.ContextTimeoutEnabled = true
	s.DisableIdentity = true
	s.OnConnect = loadScripts
	return goredis.NewFailoverClient(s), nil
}

// connectCluster asks the node that has the slot. The client of a Cluster sends
// a call again when a node tells that it is another's, which has not done it
// then, and would do so when a connection breaks.
func connectCluster(o Options, url string) (goredis.UniversalClient, error) {
	s, err := goredis.ParseClusterURL(url)
	if err != nil {
		return nil, errURL
	}
	setText(&s.Username, o.Username)
	setText(&s.Password, o.Password)
	s.TLSConfig = chosenTLS(o.TLS, anyHost(s.TLSConfig))
	if o.PoolSize > 0 {
		s.PoolSize = o.PoolSize
	}
	s.ReadOnly, s.RouteByLatency, s.RouteRandomly = false, false, false
	s.MaxRetries = -1
	s.DialerRetries = 1
	s.DialTimeout, s.ReadTimeout, s.WriteTimeout, s.PoolTimeout = o.Timeout, o.Timeout, o.Timeout, o.Timeout
	s.ContextTimeoutEnabled = true
	s.DisableIdentity = true
	s.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	s.OnConnect = loadScripts
	var client *goredis.ClusterClient
	dial := goredis.NewDialer(&goredis.Options{DialTimeout: o.Timeout, TLSConfig: s.TLSConfig})
	s.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			client.ReloadState(ctx)
			return nil, err
		}
		return once(conn, func() { client.ReloadState(context.Background()) }), nil
	}
	client = goredis.NewClusterClient(s)
	return client, nil
}

// once makes the faults of a connection final, and calls broken at each: the
// client takes them for no leave to send a call again, and looks who has the
// slots now.
func once(conn net.Conn, broken func()) net.Conn {
	final := finalConn{conn, broken}
	if socket, ok := conn.(syscall.Conn); ok {
		return struct {
			finalConn
			syscall.Conn
		}{final, socket}
	}
	return final
}

type finalConn struct {
	net.Conn
	broken func()
}

func (c finalConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, c.final(err)
}

func (c finalConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	return n, c.final(err)
}

func (c finalConn) final(err error) error {
	if err == nil {
		return nil
	}
	c.broken()
	return finalError(err.Error())
}

// finalError is a fault of a connection that nothing knows for one: it wraps
// none, and is no [net.Error].
type finalError string

func (e finalError) Error() string { return string(e) }

// anyHost has the name of each server checked that is dialled, not that of the
// first one in the URL.
func anyHost(config *tls.Config) *tls.Config {
	if config != nil {
		config.ServerName = ""
	}
	return config
}

func chosenTLS(custom, ofURL *tls.Config) *tls.Config {
	if custom != nil {
		return custom.Clone()
	}
	return ofURL
}

func setText(value *string, chosen string) {
	if chosen != "" {
		*value = chosen
	}
}
