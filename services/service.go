package services

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"parvis/identity"
)

// Errors of [Registry.Find]. Callers test them with [errors.Is].
var (
	// ErrUnknown means that no entry matches the service.
	ErrUnknown = errors.New("no registered service matches")
	// ErrUnsafe means that the service cannot be matched safely, whatever the
	// entries say. It is an [ErrUnknown] too.
	ErrUnsafe = fmt.Errorf("unsafe service URL: %w", ErrUnknown)
	// ErrDisabled means that the first entry that matches is disabled, outside
	// its dates, or refused because it asks for what this server cannot do.
	ErrDisabled = errors.New("registered service is disabled")
)

// The protocols that a service may be limited to.
const (
	CAS10 = "CAS10"
	CAS20 = "CAS20"
	CAS30 = "CAS30"
	SAML1 = "SAML1"
)

// The ways of handing a ticket over, CAS Protocol Specification 2.1.1.
const (
	ResponseRedirect = "redirect"
	ResponsePost     = "post"
	ResponseHeader   = "header"
)

// LogoutType is how a service is told that the session has ended.
type LogoutType string

// The ways of telling a service.
const (
	// LogoutBack posts to the service from this server.
	LogoutBack LogoutType = "back"
	// LogoutFront goes through the person's browser.
	LogoutFront LogoutType = "front"
	// LogoutNone tells nothing.
	LogoutNone LogoutType = "none"
)

// Service is a registered application. It is never changed once loaded, so any
// number of requests may share it; the maps and slices it hands out are to be
// read only.
type Service struct {
	// ID is unique in the folder, and positive.
	ID int64
	// Name is what people see.
	Name string
	// Description is in the file's only or first language; see
	// [Service.DescriptionIn].
	Description string
	// File is the path inside the folder, with slashes.
	File string
	// Patterns are what the entry matches, as its owner wrote it.
	Patterns []string
	// Order sorts the entries, smallest first.
	Order int

	// Logo is a file name inside the folder's logos/, or "".
	Logo string
	// InformationURL and PrivacyURL are https pages about the service, or "".
	InformationURL, PrivacyURL string
	// Theme and Locale are asked for on the login page, or "".
	Theme, Locale string
	// Contacts are who to call.
	Contacts []Contact

	// Protocols limits the validation endpoints; empty means all.
	Protocols []string
	// ResponseType is "", "redirect", "post" or "header".
	ResponseType string
	// RedirectURL, when set, is where tickets go instead of the service given.
	// It matches the entry's own pattern.
	RedirectURL string
	// Lifetimes are this service's own; zero means the server's.
	Lifetimes Lifetimes
	// Logout is how the service hears that a session has ended.
	Logout Logout
	// Networks are the private addresses where this application's proxy callbacks
	// and logout requests may go, besides those of the configuration. Public
	// addresses need none.
	Networks []netip.Prefix
	// AuthenticationAttributes tells whether authenticationDate,
	// isFromNewLogin and longTermAuthenticationRequestTokenUsed go along with
	// the person's attributes (CAS Protocol Specification 2.5.7).
	AuthenticationAttributes bool

	enabled      bool
	refused      string
	sso          participation
	descriptions map[string]string
	matchers     []matcher
	access       access
	release      releaser
	username     username
	proxy        proxyPolicy
}

// Contact is somebody who answers for a service.
type Contact struct {
	Name       string `yaml:"name"`
	Email      string `yaml:"email"`
	Phone      string `yaml:"phone"`
	Department string `yaml:"department"`
	Type       string `yaml:"type"`
}

// Lifetimes are how long tickets live; zero means the server's own.
type Lifetimes struct {
	ServiceTicket       time.Duration
	ProxyTicket         time.Duration
	ProxyGrantingTicket time.Duration
	// Session is the longest life of a session opened by a login for this
	// service.
	Session time.Duration
	// ProxyTicketUses is how often one proxy ticket may be validated; zero
	// means once.
	ProxyTicketUses int
}

// Logout is how a service hears of the end of a session.
type Logout struct {
	Type LogoutType
	// URLs are told instead of the service's own URL, when there are any.
	URLs []string
}

// LogoutAddresses returns where the end of a session is told for one visit: the
// entry's own addresses, else the service that was visited. There are none where
// nothing is to be told, or where the service is no http or https address.
func (s *Service) LogoutAddresses(visited string) []string {
	switch {
	case s.Logout.Type == LogoutNone:
		return nil
	case len(s.Logout.URLs) > 0:
		return slices.Clone(s.Logout.URLs)
	case Redirectable(visited):
		return []string{visited}
	}
	return nil
}

// HasRelease tells whether the entry has a release policy, be it one that
// releases nothing.
func (s *Service) HasRelease() bool { return s.release != nil }

// Enabled tells whether the entry lets anybody in at that time: it is enabled,
// not refused, and within its dates.
func (s *Service) Enabled(now time.Time) bool { return s.closedReason(now) == "" }

// closedReason says why the entry is closed to everybody, or "".
func (s *Service) closedReason(now time.Time) string {
	switch {
	case s.refused != "":
		return "the entry is refused: " + s.refused
	case !s.enabled:
		return "the entry is disabled"
	}
	return s.access.closedReason(now)
}

// Speaks tells whether the service may use a protocol: CAS10, CAS20, CAS30 or
// SAML1.
func (s *Service) Speaks(protocol string) bool {
	return len(s.Protocols) == 0 || slices.Contains(s.Protocols, protocol)
}

// Participates tells whether the open session of a person, who gave the password
// at authTime, is enough to enter this service at that time. False asks for the
// password. A rule about the last use of the session counts from authTime: that
// use is not known, and the password is then asked for sooner, never later.
func (s *Service) Participates(uid string, attrs identity.Attributes, authTime, now time.Time) bool {
	return s.sso.allows(uid, attrs, authTime, now)
}

// CookieOnRenew tells whether a password given because it was asked for anew
// opens a session, as any other does.
func (s *Service) CookieOnRenew() bool { return !s.sso.noCookieOnRenew }

// MayProxy tells whether the service may get a proxy-granting ticket at this
// callback URL. It is always false unless the entry says otherwise.
func (s *Service) MayProxy(callback string) bool {
	return safety(callback) == "" && s.proxy.allows(callback)
}

// Matches tells whether the entry's own patterns match a service, whatever the
// other entries say. An unsafe service never matches.
func (s *Service) Matches(service string) bool {
	t := newTarget(service)
	return t.fault == "" && s.matches(&t)
}

func (s *Service) matches(t *target) bool {
	for i := range s.matchers {
		if s.matchers[i].matches(t) {
			return true
		}
	}
	return false
}

// DescriptionIn returns the description in a language ("fr", "en-GB"), or in
// the file's own when there is none.
func (s *Service) DescriptionIn(language string) string {
	base, _, _ := strings.Cut(strings.ToLower(language), "-")
	if text, ok := s.descriptions[base]; ok {
		return text
	}
	return s.Description
}

// isSpoken tells whether pages have the language of a locale ("fr", "en_GB").
func isSpoken(locale string) bool {
	base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(locale), "_", "-"), "-")
	return base == "fr" || base == "en"
}

// Release returns what this service may know of a person: only what its policy
// names, and nothing when it has none. The values are shared with attrs and
// must not be changed. It never holds a password attribute.
func (s *Service) Release(uid string, attrs identity.Attributes) identity.Attributes {
	released := identity.Attributes{}
	if s.release == nil || s.refused != "" {
		return released
	}
	// Taken away before and not only after: a policy may rename.
	s.release.release(uid, withoutSecrets(attrs), released)
	for name, values := range released {
		if len(values) == 0 || isSecret(name) {
			delete(released, name)
		}
	}
	return released
}

// Username returns what this service calls a person: the uid, unless its
// policy says otherwise.
func (s *Service) Username(uid string, attrs identity.Attributes) string {
	return s.username.of(s.ID, uid, attrs)
}

// Pseudonymous tells whether the service must not learn who its people are: it
// knows them by names that are its own.
func (s *Service) Pseudonymous() bool {
	return s.username.kind == usernamePairwise || s.username.kind == usernameStatic
}

// Allow returns nil when the entry lets this person in, else an *AccessError.
func (s *Service) Allow(uid string, attrs identity.Attributes, now time.Time) error {
	if reason := s.closedReason(now); reason != "" {
		return &AccessError{Reason: reason, RedirectURL: s.access.redirect}
	}
	if reason := s.access.refusal(uid, attrs, now); reason != "" {
		return &AccessError{Reason: reason, RedirectURL: s.access.redirect}
	}
	return nil
}
