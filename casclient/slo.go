package casclient

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// maxIndexes is how many sessions one logout request can end.
const maxIndexes = 16

// logoutRequest answers the server's request to end a session (specification,
// section 2.3.3), which it posts itself, or has a browser bring as a GET with the
// text deflated. It tells whether the request was one. The answer is the same
// whether or not there was such a session.
func (c *Client) logoutRequest(w http.ResponseWriter, r *http.Request, p posted) bool {
	if c.o.LogoutRequests != "" && r.URL.Path != c.o.LogoutRequests {
		return false
	}
	var text []byte
	var err error
	switch front := frontRequest(r); {
	case p.logout != nil:
		text, err = readPostedRequest(p.logout)
	case front != "":
		text, err = inflate(front)
	default:
		return false
	}
	var tickets []string
	if err == nil {
		tickets, err = readLogoutRequest(text)
	}
	if err != nil {
		c.fail(w, r, http.StatusBadRequest, "", ErrMalformed, err)
		return true
	}
	for _, ticket := range tickets {
		c.used.end(ticket)
		if err := c.o.Sessions.DeleteTicket(r.Context(), ticket); err != nil {
			c.fail(w, r, http.StatusServiceUnavailable, "", ErrUnavailable, fmt.Errorf("end a session: %w", err))
			return true
		}
	}
	acknowledge(w, r)
	return true
}

// frontRequest is the text that a browser brings, "" for none.
func frontRequest(r *http.Request) string {
	if r.Method != http.MethodGet || !strings.Contains(r.URL.RawQuery, "logoutRequest=") {
		return ""
	}
	return r.URL.Query().Get("logoutRequest")
}

// callbackName is what a script's call-back may be called: it is said back.
var callbackName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]{0,63}$`)

// acknowledge says that the request was taken: with nothing, or by the call-back
// that Apereo's logout page waits for.
func acknowledge(w http.ResponseWriter, r *http.Request) {
	noStore(w)
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodGet {
		if name := r.URL.Query().Get("callback"); callbackName.MatchString(name) {
			h.Set("Content-Type", "application/javascript; charset=utf-8")
			fmt.Fprintf(w, "/**/%s();", name) //nolint:gosec // the pattern lets no more than a name through
			return
		}
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusOK)
}

func readPostedRequest(body io.Reader) ([]byte, error) {
	form, err := readAll(body, maxLogoutRequest)
	if err != nil {
		return nil, fmt.Errorf("read the logout request: %w", err)
	}
	values, err := url.ParseQuery(string(form))
	if err != nil {
		return nil, fmt.Errorf("read the form: %w", err)
	}
	return []byte(values.Get("logoutRequest")), nil
}

// inflate reads what a browser brings: base64 of zlib's format, or of the bare
// one, as servers' languages have it.
func inflate(text string) ([]byte, error) {
	// A "+" of base64 that nobody escaped was read as a blank.
	text = strings.NewReplacer(" ", "+", "-", "+", "_", "/", "\r", "", "\n", "", "=", "").Replace(text)
	packed, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("read the base64: %w", err)
	}
	if reader, err := zlib.NewReader(bytes.NewReader(packed)); err == nil {
		if plain, err := readAll(reader, maxLogoutRequest); err == nil {
			return plain, nil
		}
	}
	plain, err := readAll(flate.NewReader(bytes.NewReader(packed)), maxLogoutRequest)
	if err != nil {
		return nil, fmt.Errorf("inflate the logout request: %w", err)
	}
	return plain, nil
}

var errTooLong = errors.New("too long")

func readAll(r io.Reader, most int64) ([]byte, error) {
	all, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(all)) > most {
		return nil, errTooLong
	}
	return all, nil
}

const samlNamespace = "urn:oasis:names:tc:SAML:2.0:protocol"

// readLogoutRequest returns the tickets whose sessions are to end.
func readLogoutRequest(text []byte) ([]string, error) {
	root, err := readXML(text)
	if err != nil {
		return nil, fmt.Errorf("read the logout request: %w", err)
	}
	if !root.is(samlNamespace, "LogoutRequest") {
		return nil, errors.New("the document is no logout request")
	}
	var tickets []string
	for _, child := range root.children {
		if !child.is(samlNamespace, "SessionIndex") {
			continue
		}
		ticket := strings.TrimSpace(child.text)
		if !validToken(ticket) || len(child.children) > 0 || len(tickets) == maxIndexes {
			return nil, errors.New("the logout request names no session of ours")
		}
		tickets = append(tickets, ticket)
	}
	if len(tickets) == 0 {
		return nil, errors.New("the logout request names no session")
	}
	return tickets, nil
}
