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

// browser is the name of the cookie that forms are bound to. Over https its
// prefix keeps other hosts of the domain from planting one, and a form of
// their own with it (RFC 6265bis, section 4.1.3.2).
func (o CookieOptions) browser() string {
	if o.Secure {
		return "__Host-" + browserCookie
	}
	return browserCookie
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

// forget removes the ticket-granting cookie, at our path and at those where an
// older server or another application may have left one.
func (o CookieOptions) forget(w http.ResponseWriter) {
	http.SetCookie(w, o.make(o.Name, "", -1))
	o.forgetElsewhere(w)
}

// forgetElsewhere removes the ticket-granting cookies of other paths, which
// would stand beside ours or before it.
func (o CookieOptions) forgetElsewhere(w http.ResponseWriter) {
	if o.Path == "/" {
		return
	}
	for _, path := range []string{"/", o.Path + "/"} {
		gone := o.make(o.Name, "", -1)
		gone.Path = path
		http.SetCookie(w, gone)
	}
}
