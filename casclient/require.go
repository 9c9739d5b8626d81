package casclient

import (
	"net/http"
	"time"
)

// minFresh is the least that [Client.RequireFresh] asks for: with less, a slow
// page would send its reader back to the login for ever.
const minFresh = 30 * time.Second

// Require lets only logged-in people in. Others are sent to the server and come
// back to the same address; requests that no redirect can answer get 401.
func (c *Client) Require(next http.Handler) http.Handler {
	return c.inside(func(w http.ResponseWriter, r *http.Request, v *visit) {
		if v.session == nil {
			c.askLogin(w, r, v, "")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// RequireFresh lets in who gave a password for this service at most so long ago
// (30 seconds at least), and sends others to give it again, whatever session
// they have at the server (renew: specification, sections 2.1.1 and 2.5.1).
func (c *Client) RequireFresh(age time.Duration, next http.Handler) http.Handler {
	age = max(age, minFresh)
	return c.inside(func(w http.ResponseWriter, r *http.Request, v *visit) {
		if v.session == nil || c.o.Now().Sub(v.session.Fresh) > age {
			c.askLogin(w, r, v, askedRenew)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Gateway lets everybody in, but asks the server first, without a page of its
// own, whether somebody is logged in there (specification, section 2.1.1,
// "gateway"). It asks once, and again after the idle time of a session.
func (c *Client) Gateway(next http.Handler) http.Handler {
	return c.inside(func(w http.ResponseWriter, r *http.Request, v *visit) {
		page := c.o.Navigation(r) && (r.Method == http.MethodGet || r.Method == http.MethodHead)
		if v.session != nil || !page || v.address.asked == askedGateway || c.cookies.wasAsked(r) {
			next.ServeHTTP(w, r)
			return
		}
		c.cookies.set(w, c.cookies.asked, "1", c.o.Idle)
		c.redirect(w, c.loginAddress(v.address.clean, askedGateway))
	})
}

// Allow lets in the logged-in people for whom rule is true; others get 403.
//
//	staff := client.Allow(func(p *casclient.Principal) bool {
//		return p.Attributes.Has("eduPersonAffiliation", "staff", "teacher")
//	})
//	mux.Handle("/marks", staff(marks))
func (c *Client) Allow(rule func(*Principal) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return c.Require(c.inside(func(w http.ResponseWriter, r *http.Request, v *visit) {
			if !rule(&v.session.Principal) {
				c.fail(w, r, http.StatusForbidden, v.address.clean, ErrForbidden, nil)
				return
			}
			next.ServeHTTP(w, r)
		}))
	}
}

// LoginURL is where a link "log in" leads: to the server, and back to the page
// of this request, which [Client.Wrap] must have passed on.
func (c *Client) LoginURL(r *http.Request) string {
	if v := visitOf(r.Context()); v != nil && v.client == c {
		return c.loginAddress(v.address.clean, "")
	}
	return c.loginAddress(c.addressOf(r).clean, "")
}

// inside hands a handler what [Client.Wrap] found, and wraps it first where that
// was not done.
func (c *Client) inside(h func(http.ResponseWriter, *http.Request, *visit)) http.Handler {
	return c.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h(w, r, visitOf(r.Context()))
	}))
}

func (c *Client) askLogin(w http.ResponseWriter, r *http.Request, v *visit, asked string) {
	if !c.o.Navigation(r) {
		c.fail(w, r, http.StatusUnauthorized, v.address.clean, ErrLogin, nil)
		return
	}
	c.redirect(w, c.loginAddress(v.address.clean, asked))
}

// backFromGateway cleans the address of a browser that comes back from the
// server and that nobody is logged in with. One without cookies is served where
// it is: cleaning its address would send it round for ever.
func (c *Client) backFromGateway(w http.ResponseWriter, r *http.Request, v *visit) bool {
	back := v.address.asked == askedGateway && c.cookies.wasAsked(r) && r.Method == http.MethodGet && c.o.Navigation(r)
	if back {
		c.redirect(w, v.address.clean)
	}
	return back
}
