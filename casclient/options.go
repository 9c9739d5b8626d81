package casclient

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The limits that a service has when it states none.
const (
	defaultIdle     = 2 * time.Hour
	defaultLifetime = 8 * time.Hour
	defaultSessions = 100_000
	defaultTimeout  = 10 * time.Second
)

// proxiedIdle is how long a session that a proxy ticket opened waits for the
// next request: programs bring a new ticket each time, or come back soon.
const proxiedIdle = 10 * time.Minute

// Options say what a [Client] works with. Server and Service are needed; the
// zero value of all others has a meaning.
type Options struct {
	// Server is the CAS server's address, the one that browsers are sent to:
	// "https://cas.univ.example/cas". It is https; http is taken for a server
	// on this machine only.
	Server string
	// Service is the public address of what this service's handler sees as "/":
	// "https://cours.univ.example", or "https://www.univ.example/cours" behind a
	// proxy that takes "/cours" off. Every address that is sent to the server
	// starts with it; what a request says of its host is never read.
	Service string

	// CAS2 validates at /serviceValidate, for servers that have no
	// /p3/serviceValidate.
	CAS2 bool
	// Post asks the server to hand tickets over by a form instead of in the
	// address. They are taken in both ways whatever it says.
	Post bool

	// ProxyCallback is the path, below Service, where the server brings
	// proxy-granting tickets: "/cas/proxy". "" asks for none. Service must then
	// be https, but on this machine.
	ProxyCallback string
	// ProxyChains are the chains of proxies through which others may come here
	// in a person's name, each with the most recent proxy first, as the server
	// tells them. An entry is a proxy's call-back address, compared whole; one
	// that begins with "^" is a regular expression, matched whole. A chain is
	// allowed if one of these has its length and each entry fits. With none,
	// proxy tickets are refused.
	ProxyChains [][]string

	// LogoutRequests is the path where the server's logout requests are taken,
	// "" for any address of the service, which is where servers send them if
	// they are not told otherwise.
	LogoutRequests string

	// Idle is how long a session lives without a request, 2 hours if 0. One that
	// a proxy ticket opened lives 10 minutes at most.
	Idle time.Duration
	// Lifetime is how long a session lives at most, 8 hours if 0.
	Lifetime time.Duration
	// Cookie is the session cookie's name. "" makes one from Service, with the
	// prefix "__Host-" if that is https.
	Cookie string

	// Sessions keeps the sessions, nil for this process's memory. A service of
	// several processes needs one that they share.
	Sessions Sessions
	// Grants keeps proxy-granting tickets from the server's call to the answer
	// that names them, nil for this process's memory.
	Grants Grants
	// HTTP calls the server, nil for a client of 10 seconds' patience. It is
	// copied, and the copy follows no redirect.
	HTTP *http.Client
	// Navigation tells the requests that a redirect to the login page can
	// answer; the others get 401. nil is [Navigation].
	Navigation func(*http.Request) bool
	// Errors answers when something is wrong, nil for a plain page in French or
	// English.
	Errors ErrorHandler
	// Logger gets what an operator should know: refused tickets, a server that
	// does not answer. nil for nothing.
	Logger *slog.Logger
	// Now and Random are the clock and the source of session identifiers, nil
	// for the system's.
	Now    func() time.Time
	Random io.Reader
}

// Client is a service's side of CAS. It is safe for concurrent use.
type Client struct {
	o Options

	server, service, origin string
	secure                  bool
	cookies                 cookies
	chains                  []chain
	used                    *usedTickets
	crossOrigin             *http.CrossOriginProtection
}

// New returns a client, or an error that says which option is wrong.
func New(o Options) (*Client, error) {
	server, err := readAddress("Server", o.Server)
	if err != nil {
		return nil, err
	}
	service, err := readAddress("Service", o.Service)
	if err != nil {
		return nil, err
	}
	if server.Scheme != "https" && !thisMachine(server) {
		return nil, errors.New("option Server: tickets are validated over https, but on this machine")
	}
	if o.ProxyCallback != "" {
		if !strings.HasPrefix(o.ProxyCallback, "/") {
			return nil, errors.New("option ProxyCallback: want a path that starts with /")
		}
		if service.Scheme != "https" && !thisMachine(service) {
			return nil, errors.New("option ProxyCallback: servers call back over https, and Service is not")
		}
	}
	if o.LogoutRequests != "" && !strings.HasPrefix(o.LogoutRequests, "/") {
		return nil, errors.New("option LogoutRequests: want a path that starts with /")
	}
	chains, err := readChains(o.ProxyChains)
	if err != nil {
		return nil, fmt.Errorf("option ProxyChains: %w", err)
	}
	c := &Client{
		o: o, server: server.String(), service: service.String(), origin: service.Scheme + "://" + service.Host,
		secure: service.Scheme == "https", chains: chains,
		crossOrigin: http.NewCrossOriginProtection(),
	}
	c.setDefaults()
	c.cookies = newCookies(o.Cookie, service)
	c.used = newUsedTickets(c.o.Now)
	if err := c.crossOrigin.AddTrustedOrigin(c.origin); err != nil {
		return nil, fmt.Errorf("option Service: %w", err)
	}
	return c, nil
}

func (c *Client) setDefaults() {
	if c.o.Idle <= 0 {
		c.o.Idle = defaultIdle
	}
	if c.o.Lifetime <= 0 {
		c.o.Lifetime = defaultLifetime
	}
	if c.o.Now == nil {
		c.o.Now = time.Now
	}
	if c.o.Random == nil {
		c.o.Random = rand.Reader
	}
	if c.o.Logger == nil {
		c.o.Logger = slog.New(slog.DiscardHandler)
	}
	if c.o.Navigation == nil {
		c.o.Navigation = Navigation
	}
	if c.o.Errors == nil {
		c.o.Errors = WriteError
	}
	memory := NewMemory(c.o.Now, defaultSessions)
	if c.o.Sessions == nil {
		c.o.Sessions = memory
	}
	if c.o.Grants == nil {
		c.o.Grants = memory
	}
	caller := http.Client{}
	if c.o.HTTP != nil {
		caller = *c.o.HTTP
	}
	if caller.Timeout == 0 {
		caller.Timeout = defaultTimeout
	}
	caller.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.o.HTTP = &caller
}

// readAddress reads a base address: http or https, a host, a path at most. The
// slash at the end goes.
func readAddress(option, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("option %s: %w", option, err)
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "", u.Opaque != "":
		return nil, fmt.Errorf("option %s: %q is no address; want one like https://cas.univ.example/cas", option, text)
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return nil, fmt.Errorf("option %s: want no user, query or fragment in the address", option)
	}
	u.Host = strings.ToLower(u.Host)
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	return u, nil
}

func thisMachine(u *url.URL) bool {
	host := u.Hostname()
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host).IsLoopback()
}
