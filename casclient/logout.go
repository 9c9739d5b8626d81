package casclient

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Logout ends the session here and at the server, which brings the browser back
// to the path back of this service if it is registered there ("" stays at the
// server). It takes posts of this service's own pages only: no other site can
// log people out. A GET gets a page with a button.
func (c *Client) Logout(back string) http.Handler {
	location := c.server + "/logout"
	if back != "" {
		location += "?service=" + url.QueryEscape(c.page(back))
	}
	return c.logoutTo(location)
}

// LogoutHere ends the session here only, and sends the browser to the path back
// of this service. At the server the person stays logged in: who next opens a
// page that needs a login gets in without a password.
func (c *Client) LogoutHere(back string) http.Handler {
	return c.logoutTo(c.page(back))
}

// page is the public address of a path of this service.
func (c *Client) page(path string) string { return c.service + "/" + strings.TrimLeft(path, "/") }

var (
	question = [2]string{"Voulez-vous vous déconnecter ?", "Do you want to log out?"}
	button   = [2]string{"Se déconnecter", "Log out"}
)

func (c *Client) logoutTo(location string) http.Handler {
	return c.inside(func(w http.ResponseWriter, r *http.Request, v *visit) {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			lang := language(r)
			writePage(w, http.StatusOK, pageData{Lang: []string{"fr", "en"}[lang], Text: question[lang], Button: button[lang]})
			return
		case http.MethodPost:
		default:
			w.Header().Set("Allow", "GET, HEAD, POST")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		if err := c.crossOrigin.Check(r); err != nil {
			c.fail(w, r, http.StatusForbidden, v.address.clean, ErrForged, err)
			return
		}
		if v.session != nil {
			if err := c.o.Sessions.Delete(r.Context(), v.key); err != nil {
				c.fail(w, r, http.StatusServiceUnavailable, v.address.clean, ErrUnavailable, fmt.Errorf("end the session: %w", err))
				return
			}
		}
		c.cookies.remove(w, c.cookies.session)
		// A page that only looks in at the server must not log the person in again.
		c.cookies.set(w, c.cookies.asked, "1", c.o.Idle)
		c.redirect(w, location)
	})
}
