package services

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"

	"parvis/identity"
)

// username is what a service calls a person. The zero value is the uid.
type username struct {
	kind usernameKind
	// attribute is the one to take; its first value is the name.
	attribute string
	// value is the same for everybody.
	value string
	// salt is the key of the pseudonyms.
	salt string

	casing casing
	// remove takes parts of the name away; removeSource is as it was written.
	remove       *regexp.Regexp
	removeSource string
	scope        string
}

type usernameKind int

const (
	usernameUID usernameKind = iota
	usernameAttribute
	usernamePairwise
	usernameStatic
)

type casing int

const (
	casingKept casing = iota
	casingUpper
	casingLower
)

// minSalt is how many characters the key of pseudonyms needs: with a shorter
// one, the whole directory could be hashed and compared.
const minSalt = 16

// of returns the name. An attribute that the person does not have falls back
// on the uid, as Apereo CAS does: an application never gets an empty name.
func (u *username) of(service int64, uid string, attrs identity.Attributes) string {
	name, fallback := uid, uid
	switch u.kind {
	case usernameAttribute:
		if values := lookup(attrs, u.attribute); len(values) > 0 && strings.TrimSpace(values[0]) != "" {
			name = values[0]
		}
	case usernameStatic:
		name = u.value
	case usernamePairwise:
		// A pseudonym that has nothing left must not become the uid.
		name = u.pseudonym(service, uid, attrs)
		fallback = name
	}
	switch u.casing {
	case casingUpper:
		name = strings.ToUpper(name)
	case casingLower:
		name = strings.ToLower(name)
	}
	if u.remove != nil {
		name = u.remove.ReplaceAllString(name, "")
	}
	if name == "" {
		return fallback
	}
	if u.scope != "" {
		name += "@" + u.scope
	}
	return name
}

// pseudonym is the same for one person at one service, tells nothing of the
// person, and differs from service to service.
func (u *username) pseudonym(service int64, uid string, attrs identity.Attributes) string {
	if values := lookup(attrs, u.attribute); u.attribute != "" && len(values) > 0 {
		uid = values[0]
	}
	mac := hmac.New(sha256.New, []byte(u.salt))
	mac.Write([]byte(strconv.FormatInt(service, 10) + "!" + uid))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// proxyPolicy is where a service may have proxy-granting tickets sent. The zero
// value is nowhere.
type proxyPolicy struct {
	matchers []matcher
}

func (p *proxyPolicy) allows(callback string) bool {
	t := newTarget(callback)
	for i := range p.matchers {
		// One address only is that one: a session id makes another of it.
		if m := &p.matchers[i]; m.kind == matchExact && callback != m.text {
			continue
		} else if m.matches(&t) {
			return true
		}
	}
	return false
}
