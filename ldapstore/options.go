package ldapstore

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/go-ldap/ldap/v3"

	"parvis/ldapstore/internal/account"
)

// Options say where the directory is and how it is laid out. URLs, Base, BindDN
// and Password are required; the rest has defaults.
type Options struct {
	// URLs are the servers, ldap://, ldaps:// or ldapi://, in order of preference:
	// the next is asked when one does not answer.
	URLs []string
	// StartTLS protects ldap:// connections.
	StartTLS bool
	// TLS holds the trusted authorities and client certificates of LDAPS and
	// StartTLS. Nil means the system's authorities. The chain and the server's
	// name are always checked.
	TLS *tls.Config
	// Cleartext allows ldap:// without StartTLS to another machine: whoever
	// listens on the network then reads passwords. Loopback needs no leave.
	Cleartext bool

	// BindDN and Password are the account that searches.
	BindDN, Password string
	// DecoyDN is an entry to bind as when a login is nobody's. It must have a
	// password that nobody knows, hashed by the slowest scheme that anybody's is,
	// a password policy that never locks it, and no right. It must be neither
	// BindDN nor a person: it fails as often as strangers choose. With none, a
	// name that does not exist is used, and only the levelled duration hides the
	// difference.
	DecoyDN string

	// Base is the branch of people, searched with all below it.
	Base string
	// PeopleFilter restricts who is a person; "(objectClass=person)" by default.
	PeopleFilter string
	// UIDAttribute is the canonical login; "uid" by default.
	UIDAttribute string
	// LoginAttributes are what a login may be; uid, supannAliasLogin and mail by
	// default. Each needs an equality index. A login that several people have
	// opens nothing.
	LoginAttributes []string
	// Attributes are what a person carries, under these names.
	Attributes []string
	// GroupBase, on servers that do not write memberOf on people, is the branch
	// whose groups are searched for the person, a second search a login. Empty
	// means that memberOf is read as an attribute.
	GroupBase string

	// Timeout bounds each call; 3 s by default. One request has half of it, one
	// connection a third, so that a silent server leaves time for the next.
	Timeout time.Duration
	// SearchConns is how many connections carry searches; 4 by default.
	SearchConns int
	// BindConns is how many binds run at once; 32 by default. Others wait, up to
	// Timeout. It should be no fewer than the callers that are let in at once:
	// how long they wait for each other here is taken for the directory's work.
	BindConns int
	// MaxAge is how old a connection may grow; 5 minutes by default. It brings
	// connections back to the preferred server.
	MaxAge time.Duration
	// Now is the clock that account states are read by; time.Now by default.
	Now func() time.Time
}

// withDefaults fills what was left empty.
func (o Options) withDefaults() Options {
	setDefault(&o.PeopleFilter, "(objectClass=person)")
	setDefault(&o.UIDAttribute, "uid")
	setDefault(&o.Timeout, 3*time.Second)
	setDefault(&o.SearchConns, 4)
	setDefault(&o.BindConns, 32)
	setDefault(&o.MaxAge, 5*time.Minute)
	if len(o.LoginAttributes) == 0 {
		o.LoginAttributes = account.LoginAttributes()
	}
	if len(o.Attributes) == 0 {
		o.Attributes = account.Attributes()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func setDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// check returns every fault of the options at once.
func (o Options) check() error {
	var faults []error
	fault := func(bad bool, format string, values ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, values...))
		}
	}
	fault(len(o.URLs) == 0, "no directory URL")
	fault(o.BindDN == "" || o.Password == "", "the directory's account needs a DN and a password")
	fault(o.DecoyDN != "" && sameDN(o.DecoyDN, o.BindDN), "the decoy must not be the directory's account: strangers could lock it")
	fault(o.TLS != nil && o.TLS.InsecureSkipVerify, "the directory's certificate must be checked")
	fault(o.Timeout < 0 || o.MaxAge < 0 || o.SearchConns < 0 || o.BindConns < 0, "a limit of the directory is negative")
	for name, dn := range map[string]string{"base": o.Base, "account": o.BindDN, "decoy": o.DecoyDN, "group base": o.GroupBase} {
		_, err := ldap.ParseDN(dn)
		fault(err != nil, "the directory's %s is no DN: %w", name, err)
	}
	fault(o.Base == "", "the directory has no base")
	_, err := ldap.CompileFilter(o.PeopleFilter)
	fault(err != nil, "the filter of people cannot be read: %w", err)
	for _, name := range slices.Concat(o.LoginAttributes, []string{o.UIDAttribute}) {
		_, err := ldap.CompileFilter("(" + name + "=x)")
		fault(err != nil, "%q is no attribute: %w", name, err)
	}
	for _, address := range o.URLs {
		_, err := newServer(address, o)
		fault(err != nil, "directory URL %q: %w", address, err)
	}
	return errors.Join(faults...)
}

func sameDN(a, b string) bool {
	first, errA := ldap.ParseDN(a)
	second, errB := ldap.ParseDN(b)
	return errA == nil && errB == nil && first.EqualFold(second)
}

// newServer reads a server's URL.
func newServer(address string, o Options) (*server, error) {
	if path, ok := cutSocket(address); ok {
		return &server{network: "unix", address: path}, nil
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if parsed.Hostname() == "" || parsed.User != nil {
		return nil, errors.New("a directory URL is scheme://host:port")
	}
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		secure = o.TLS.Clone()
		secure.MinVersion = max(secure.MinVersion, tls.VersionTLS12)
	}
	secure.ServerName = parsed.Hostname()
	s := &server{network: "tcp", tls: secure}
	port := parsed.Port()
	switch parsed.Scheme {
	case "ldaps":
		s.mode = wholeTLS
		setDefault(&port, ldap.DefaultLdapsPort)
	case "ldap":
		setDefault(&port, ldap.DefaultLdapPort)
		if o.StartTLS {
			s.mode = startTLS
		} else if !o.Cleartext && !loopback(parsed.Hostname()) {
			return nil, errors.New("passwords would cross the network in clear: use ldaps:// or StartTLS")
		}
	default:
		return nil, fmt.Errorf("unknown scheme %q", parsed.Scheme)
	}
	s.address = net.JoinHostPort(parsed.Hostname(), port)
	return s, nil
}

// cutSocket reads ldapi:// URLs, whose host is the percent-encoded path of a
// socket.
func cutSocket(address string) (string, bool) {
	const scheme = "ldapi://"
	if len(address) < len(scheme) || address[:len(scheme)] != scheme {
		return "", false
	}
	path, err := url.PathUnescape(address[len(scheme):])
	if err != nil || path == "" || path == "/" {
		path = "/var/run/slapd/ldapi"
	}
	return path, true
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
