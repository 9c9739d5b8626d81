package casclient

import (
	"bufio"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// Limits of what the server and browsers post, in bytes.
const (
	maxPosted        = 4 << 10
	maxLogoutRequest = 64 << 10
)

// posted is what a form brings that is meant for the client, not the service.
type posted struct {
	// ticket is the one of a form that holds nothing else, "" for none.
	ticket string
	// logout reads on behind "logoutRequest=", nil for none.
	logout io.Reader
}

// peek looks at the first bytes of a form. What is not for the client is left to
// the service, whole, in the request that comes back.
func peek(r *http.Request) (posted, *http.Request) {
	const logout, ticket = "logoutRequest=", "ticket="
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || err != nil || media != "application/x-www-form-urlencoded" || r.Body == nil {
		return posted{}, r
	}
	body := bufio.NewReaderSize(r.Body, maxPosted)
	changed := *r
	changed.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	head, err := body.Peek(len(ticket))
	if err != nil {
		return posted{}, &changed
	}
	switch string(head) {
	case ticket:
		whole, err := body.Peek(maxPosted)
		if !errors.Is(err, io.EOF) {
			return posted{}, &changed
		}
		value, err := url.QueryUnescape(string(whole[len(ticket):]))
		if err == nil && looksLikeTicket(value) && !strings.Contains(string(whole), "&") {
			return posted{ticket: value}, &changed
		}
	case logout[:len(ticket)]:
		if head, err := body.Peek(len(logout)); err == nil && string(head) == logout {
			return posted{logout: body}, &changed
		}
	}
	return posted{}, &changed
}
