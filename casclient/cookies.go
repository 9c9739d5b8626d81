package casclient

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// cookies are the two that a browser gets: the session's, and one that says
// that the server was asked in passing whether somebody is logged in.
type cookies struct {
	session, asked string
	path           string
	secure         bool
}

// newCookies chooses names. Over https they have the prefix by which browsers
// refuse what another host or plain http has set; it needs the path "/", so the
// service's path goes into the name, for two services of one host.
func newCookies(name string, service *url.URL) cookies {
	c := cookies{session: name, path: service.EscapedPath() + "/", secure: service.Scheme == "https"}
	if c.session == "" {
		c.session = "cas" + strings.Map(wordOnly, strings.TrimRight(service.Path, "/"))
		if c.secure {
			c.session = "__Host-" + c.session
		}
	}
	if strings.HasPrefix(c.session, "__Host-") {
		c.path = "/"
	}
	c.asked = c.session + "-asked"
	return c
}

func wordOnly(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}

// set writes a cookie, which ends with the browser if age is 0. It is sent by
// links from elsewhere, for everybody comes back from the server by one, but
// not by other sites' forms and scripts.
func (c cookies) set(w http.ResponseWriter, name, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: c.path, MaxAge: int(age / time.Second),
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (c cookies) remove(w http.ResponseWriter, name string) { c.set(w, name, "", -time.Second) }

// wasAsked tells whether the server was asked of late.
func (c cookies) wasAsked(r *http.Request) bool {
	_, err := r.Cookie(c.asked)
	return err == nil
}

// secretSize is the length of a session identifier in bytes: 256 bits.
const secretSize = 32

func newSecret(random io.Reader) (string, error) {
	secret := make([]byte, secretSize)
	if _, err := io.ReadFull(random, secret); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(secret), nil
}

// keyOf is the name by which stores know the session of a cookie: who reads the
// store cannot take the sessions in it over.
func keyOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// keys are those of the session cookies that a request presents. There may be
// several of one name, of other paths.
func (c cookies) keys(r *http.Request) []string {
	const most = 4
	var found []string
	for _, cookie := range r.CookiesNamed(c.session) {
		if len(cookie.Value) == base64.RawURLEncoding.EncodedLen(secretSize) && len(found) < most {
			found = append(found, keyOf(cookie.Value))
		}
	}
	return found
}
