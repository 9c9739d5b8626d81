package cas

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Sealer encrypts what a browser keeps for the server between two requests.
// The purpose separates one use of the keys from another; bound is what the
// sealed value may only be opened together with. Pseudonym is a keyed hash:
// the same for the same value, and nothing to guess from without the keys.
type Sealer interface {
	Seal(purpose string, plain, bound []byte) []byte
	Open(purpose string, sealed, bound []byte) ([]byte, error)
	Pseudonym(purpose, value string) string
}

// Tokens remembers which single-use tokens were used.
type Tokens interface {
	// Spend reports whether this call is the first for the token.
	Spend(ctx context.Context, token string, ttl time.Duration) (bool, error)
}

// errFormToken refuses a form that was not given out to this browser, is too
// old, or was sent before.
var errFormToken = errors.New("login form is stale")

// formTokens makes the hidden "execution" field of the login form: it is what
// the specification calls the login ticket (section 3.5). The token is sealed,
// bound to the cookie of the browser it was given to, good for one use, and
// costs the server nothing until the form comes back. What a form must bring
// back unseen and unchanged travels in it.
type formTokens struct {
	sealer   Sealer
	spent    Tokens
	lifetime time.Duration
	now      func() time.Time
	random   io.Reader
}

const (
	formTokenIDSize = 16
	formTokenSize   = 8 + formTokenIDSize // with nothing carried
)

// The forms that carry a token. One form's token is none for the other.
const (
	loginForm     = "login form"
	warningForm   = "warning form"
	interruptForm = "interrupt form"
)

func (f *formTokens) issue(form, browser string, carried []byte) (string, error) {
	plain := make([]byte, formTokenSize, formTokenSize+len(carried))
	binary.BigEndian.PutUint64(plain, uint64(f.now().Unix()))
	if _, err := io.ReadFull(f.random, plain[8:]); err != nil {
		return "", fmt.Errorf("draw a form token: %w", err)
	}
	sealed := f.sealer.Seal(form, append(plain, carried...), browserKey(browser))
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// spend uses a token up and returns what it carried, or errFormToken when the
// token cannot be used, whatever the reason.
func (f *formTokens) spend(ctx context.Context, form, token, browser string) ([]byte, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || browser == "" {
		return nil, errFormToken
	}
	plain, err := f.sealer.Open(form, sealed, browserKey(browser))
	if err != nil || len(plain) < formTokenSize {
		return nil, errFormToken
	}
	age := f.now().Sub(time.Unix(int64(binary.BigEndian.Uint64(plain)), 0))
	// A node whose clock is behind may read a token from the near future.
	if age > f.lifetime || age < -time.Minute {
		return nil, errFormToken
	}
	first, err := f.spent.Spend(ctx, string(plain[8:formTokenSize]), f.lifetime-age+time.Minute)
	if err != nil {
		return nil, fmt.Errorf("spend a form token: %w", err)
	}
	if !first {
		return nil, errFormToken
	}
	return plain[formTokenSize:], nil
}

func browserKey(browser string) []byte {
	sum := sha256.Sum256([]byte(browser))
	return sum[:]
}

// formToken returns a fresh token of a form for the browser that will show it.
func (s *Server) formToken(w http.ResponseWriter, r *http.Request, form string, carried []byte) (string, error) {
	browser, err := s.browser(w, r)
	if err != nil {
		return "", err
	}
	return s.forms.issue(form, browser, carried)
}

// browser returns the name this server gave to the browser, giving one to a
// browser that has none. It identifies no person and opens nothing: it ties a
// form to the browser it was shown in, so that no other site can send one.
func (s *Server) browser(w http.ResponseWriter, r *http.Request) (string, error) {
	if name := s.browserOf(r); name != "" {
		return name, nil
	}
	return s.nameBrowser(w)
}

// nameBrowser gives a browser a name that none had before.
func (s *Server) nameBrowser(w http.ResponseWriter) (string, error) {
	raw := make([]byte, 18)
	if _, err := io.ReadFull(s.random, raw); err != nil {
		return "", fmt.Errorf("name a browser: %w", err)
	}
	name := base64.RawURLEncoding.EncodeToString(raw)
	c := s.cookies.make(s.cookies.browser(), name, 0)
	if s.cookies.Secure {
		c.Path = "/" // as the prefix of its name demands
	}
	http.SetCookie(w, c)
	return name, nil
}

func (s *Server) browserOf(r *http.Request) string {
	if c, err := r.Cookie(s.cookies.browser()); err == nil && len(c.Value) <= 64 {
		return c.Value
	}
	return ""
}
