package casclient

import (
	"context"
	"slices"
	"time"
)

// Principal is a person who is logged in, as the server tells it. It is shared
// by all requests of a session: do not change it.
type Principal struct {
	// Name is the login name, or what the server gives this service instead.
	Name string `json:"name"`
	// Attributes are those released to this service. How the person logged in
	// is told by the fields below instead.
	Attributes Attributes `json:"attributes,omitempty"`
	// AuthTime is when the person last gave a password, zero if not told.
	AuthTime time.Time `json:"auth_time,omitzero"`
	// FromNewLogin tells that a password was given for this very service.
	FromNewLogin bool `json:"from_new_login,omitempty"`
	// RememberMe tells that the person asked to be remembered by the server: who
	// sits there may not have given a password for weeks.
	RememberMe bool `json:"remember_me,omitempty"`
	// Proxies are the services that came here in the person's name, the most
	// recent first; none if it is the person's own browser.
	Proxies []string `json:"proxies,omitempty"`
}

// Attributes are named lists of values. Names are compared to the letter.
type Attributes map[string][]string

// Get returns the first value of an attribute, "" for none.
func (a Attributes) Get(name string) string {
	if values := a[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Has tells whether an attribute has one of the values; without values,
// whether it has any.
func (a Attributes) Has(name string, values ...string) bool {
	if len(values) == 0 {
		return len(a[name]) > 0
	}
	return slices.ContainsFunc(a[name], func(v string) bool { return slices.Contains(values, v) })
}

// User returns who sent the request that ctx belongs to, nil for nobody known.
func User(ctx context.Context) *Principal {
	if v := visitOf(ctx); v != nil && v.session != nil {
		return &v.session.Principal
	}
	return nil
}

// SessionID returns a name for the session of the request that ctx belongs to,
// "" without one. It is new at each login, the same for all of a session's
// requests, and no secret: nobody gets in with it.
func SessionID(ctx context.Context) string {
	if v := visitOf(ctx); v != nil && v.session != nil {
		return v.key
	}
	return ""
}
