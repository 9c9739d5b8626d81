package casclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// visit is what is known of a request.
type visit struct {
	client  *Client
	address address
	// session is nil where nobody is known; key is its name in the store.
	session *Session
	key     string
}

type visitKey struct{}

func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// Wrap goes around the whole service, outside of anything that reads forms or
// refuses posts of other sites: it takes the tickets that browsers bring, opens
// and loads sessions, and answers the server's calls. It turns nobody away:
// [Client.Require] and the others do, further in.
func (c *Client) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v := visitOf(r.Context()); v != nil && v.client == c {
			next.ServeHTTP(w, r)
			return
		}
		if c.o.ProxyCallback != "" && r.URL.Path == c.o.ProxyCallback {
			c.proxyCallback(w, r)
			return
		}
		posted, r := peek(r)
		if c.logoutRequest(w, r, posted) {
			return
		}
		v := &visit{client: c, address: c.addressOf(r)}
		if err := c.load(r, v); err != nil {
			c.fail(w, r, http.StatusServiceUnavailable, v.address.clean, ErrUnavailable, err)
			return
		}
		ticket := v.address.ticket
		if posted.ticket != "" {
			ticket = posted.ticket
		}
		if ticket != "" && !c.enter(w, r, v, ticket, posted.ticket != "") {
			return
		}
		if c.backFromGateway(w, r, v) {
			return
		}
		if v.session != nil {
			// A page made for one person is for no shared cache; handlers may say more.
			w.Header().Set("Cache-Control", "private")
		}
		r = withQuery(r, v.address.query)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	})
}

// load finds the session of a request.
func (c *Client) load(r *http.Request, v *visit) error {
	for _, key := range c.cookies.keys(r) {
		session, err := c.o.Sessions.Load(r.Context(), key)
		switch {
		case errors.Is(err, ErrNoSession):
			continue
		case err != nil:
			return fmt.Errorf("load the session: %w", err)
		case c.o.Now().Before(session.End):
			v.session, v.key = &session, key
			return nil
		}
	}
	return nil
}

// enter makes a session of a ticket. It tells whether the request goes on to
// the service; if not, it has answered.
func (c *Client) enter(w http.ResponseWriter, r *http.Request, v *visit, ticket string, posted bool) bool {
	browser := posted || c.o.Navigation(r) && (r.Method == http.MethodGet || r.Method == http.MethodHead)
	if v.session != nil && v.session.Ticket == ticket && browser {
		c.redirect(w, v.address.clean)
		return false
	}
	if !validTicket(ticket) {
		c.fail(w, r, http.StatusForbidden, v.address.clean, ErrTicket, errNoTicket)
		return false
	}
	if !c.used.begin(ticket) {
		return c.secondUse(w, r, v, browser)
	}
	// A browser that gives up waiting must not waste the ticket: its next click
	// finds the session.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), c.o.HTTP.Timeout+time.Second)
	defer cancel()
	answer, err := c.validate(ctx, v.address, ticket)
	if err == nil {
		err = c.open(ctx, w, v, ticket, answer)
	}
	switch refusal := (*Refusal)(nil); {
	case err == nil:
	case errors.As(err, &refusal) && v.session != nil && browser && v.address.asked != askedRenew:
		// An address of last time, found in the history: the session stands.
		c.used.forget(ticket)
		c.redirect(w, v.address.clean)
		return false
	case errors.Is(err, ErrTicket), errors.As(err, &refusal):
		c.used.forget(ticket)
		c.fail(w, r, http.StatusForbidden, v.address.clean, ErrTicket, err)
		return false
	default:
		c.used.forget(ticket)
		c.fail(w, r, http.StatusServiceUnavailable, v.address.clean, ErrUnavailable, err)
		return false
	}
	if browser && len(answer.principal.Proxies) == 0 {
		c.redirect(w, v.address.clean)
		return false
	}
	// A program that calls with a ticket wants its answer, not a redirect that
	// only those with cookies can follow.
	return true
}

// secondUse answers a ticket that was here a moment ago. A browser goes on
// without it, to the session that the first use opens, or to a new login; it
// gets no session of it here, or whoever reads the ticket over a shoulder would.
func (c *Client) secondUse(w http.ResponseWriter, r *http.Request, v *visit, browser bool) bool {
	if browser {
		c.redirect(w, v.address.clean)
	} else {
		c.fail(w, r, http.StatusForbidden, v.address.clean, ErrTicket, errUsedTicket)
	}
	return false
}

var (
	errNoTicket   = errors.New("what came as a ticket is none")
	errUsedTicket = errors.New("the ticket was used before")
)

// open starts a session under a new identifier, and ends the one that the
// browser had.
func (c *Client) open(ctx context.Context, w http.ResponseWriter, v *visit, ticket string, a answer) error {
	secret, err := newSecret(c.o.Random)
	if err != nil {
		return fmt.Errorf("make a session identifier: %w", err)
	}
	now := c.o.Now()
	session := Session{
		Principal: a.principal, Ticket: ticket, Started: now, PGT: a.pgt,
		Idle: c.o.Idle, End: now.Add(c.o.Lifetime),
	}
	if len(a.principal.Proxies) > 0 {
		session.Idle = min(session.Idle, proxiedIdle)
	}
	if v.address.asked == askedRenew || a.principal.FromNewLogin && !a.principal.RememberMe {
		session.Fresh = now
	}
	key := keyOf(secret)
	if err := c.o.Sessions.Save(ctx, key, session); err != nil {
		return fmt.Errorf("save the session: %w", err)
	}
	if v.session != nil {
		if err := c.o.Sessions.Delete(ctx, v.key); err != nil {
			return fmt.Errorf("end the session before: %w", err)
		}
	}
	v.session, v.key = nil, ""
	if c.used.ended(ticket) {
		// The server's logout request came before the session was saved.
		if err := c.o.Sessions.Delete(ctx, key); err != nil {
			return fmt.Errorf("end the session: %w", err)
		}
		return fmt.Errorf("%w: %w", ErrTicket, errEnded)
	}
	v.session, v.key = &session, key
	c.cookies.set(w, c.cookies.session, secret, 0)
	c.cookies.remove(w, c.cookies.asked)
	return nil
}

var errEnded = errors.New("the server ended the session while it began")

// redirect sends a browser on, with a GET, to an address of this service or of
// the server.
func (c *Client) redirect(w http.ResponseWriter, location string) {
	noStore(w)
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
}
