package cas

import (
	"net/http"
	"time"

	"parvis/tickets"
)

// The cookies of the login. The ticket-granting cookie's name is the
// configuration's, "TGC" by default.
const (
	browserCookie = "parvis_browser"
	warnCookie    = "CASPRIVACY"
	deviceCookie  = "parvis_device"
)

// CookieOptions says how cookies are set.
type CookieOptions struct {
	// Name of the ticket-granting cookie (specification, section 3.6).
	Name string
	// Path the cookies are limited to: the path of the server's address.
	Path string
	// Secure is false only where the server's address is plain http, as on a
	// developer's machine.
	Secure bool
	// SameSite is Lax, or None where services embed the login in frames or
	// reach it by cross-site posts.
	SameSite http.SameSite
}

// make builds a cookie of this server. Zero lifetime means until the browser
// closes, a negative one removes it.
func (o CookieOptions) make(name, value string, lifetime time.Duration) *http.Cookie {
	maxAge := int(lifetime / time.Second)
	if lifetime < 0 {
		maxAge = -1
	}
	return &http.Cookie{
		Name: name, Value: value, Path: o.Path, MaxAge: maxAge,
		Secure: o.Secure, HttpOnly: true, SameSite: o.SameSite,
	}
}

// presented lists the ticket-granting tickets that a request carries. A
// browser may send several: another path of the same host may have set one of
// the same name, and it must not hide ours.
func (o CookieOptions) presented(r *http.Request) []tickets.TGT {
	const most = 8
	var ids []tickets.TGT
	for _, c := range r.CookiesNamed(o.Name) {
		if id := tickets.TGT(c.Value); id.Valid() && len(ids) < most {
			ids = append(ids, id)
		}
	}
	return ids
}

// carries tells whether a request holds a ticket-granting cookie at all.
func (o CookieOptions) carries(r *http.Request) bool {
	return len(r.CookiesNamed(o.Name)) > 0
}

// forget removes the ticket-granting cookie, at our path and at the paths
// where an older server or another application may have left one.
func (o CookieOptions) forget(w http.ResponseWriter) {
	paths := []string{o.Path}
	for _, stale := range []string{"/", o.Path + "/"} {
		if o.Path != "/" {
			paths = append(paths, stale)
		}
	}
	for _, path := range paths {
		gone := o.make(o.Name, "", -1)
		gone.Path = path
		http.SetCookie(w, gone)
	}
}
