package httpx

import (
	"net/http"
	"net/url"
	"strings"
)

// HeaderOptions say which headers [Headers] sends.
type HeaderOptions struct {
	// HTTPS is set when the public URL is https: browsers are then told to
	// never come back over http (Strict-Transport-Security, one year).
	HTTPS bool
}

const (
	headerPolicy      = "Content-Security-Policy"
	headerOpener      = "Cross-Origin-Opener-Policy"
	headerResource    = "Cross-Origin-Resource-Policy"
	headerPermissions = "Permissions-Policy"

	formsStayHere  = "; form-action 'self'"
	imagesStayHere = "; img-src 'self'"
	// contentPolicy lets a page load its own files and nothing else: no
	// script, style or event handler within the page, no frame around it.
	contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'" + imagesStayHere + "; " +
		"font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'" + formsStayHere
)

// Headers sets the headers that every answer carries, before the handler
// runs, so that a handler may change one. Referrer-Policy matters most: a
// service's address holds its ticket, which must not travel on.
func Headers(next http.Handler, o HeaderOptions) http.Handler {
	fixed := []struct {
		name  string
		value []string
	}{
		{headerPolicy, []string{contentPolicy}},
		{"X-Content-Type-Options", []string{"nosniff"}},
		{"Referrer-Policy", []string{"no-referrer"}},
		{headerOpener, []string{"same-origin"}},
		{headerResource, []string{"same-origin"}},
		{headerPermissions, []string{"camera=(), geolocation=(), microphone=(), payment=(), usb=()"}},
	}
	if o.HTTPS {
		fixed = append(fixed, struct {
			name  string
			value []string
		}{"Strict-Transport-Security", []string{"max-age=31536000"}})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for i := range fixed {
			h[fixed[i].name] = fixed[i].value
		}
		next.ServeHTTP(w, r)
	})
}

// NoPage takes away the headers that only tell browsers how to draw a page, for
// answers that applications read: each validation would carry 400 bytes that
// nobody reads. What keeps browsers from guessing stays.
func NoPage(h http.Header) {
	for _, name := range pageHeaders {
		delete(h, name)
	}
}

var pageHeaders = [...]string{headerPolicy, headerOpener, headerResource, headerPermissions}

// AllowFormTo lets the forms of this answer's page end at target, a service's
// address. Pages whose form leads to a service need it: the login form, the
// warning, the page that posts a ticket.
//
// Chromium holds form-action against every redirect that follows a form, not
// only against the form's own address: with the service's origin alone, a
// service that redirects once more to another host ends in a blank page
// (tried with Chromium 156). Where a service leads is not ours to know, so
// any http and https address is allowed, and target's own scheme where it is
// another one, as native applications have. Only this one directive is
// widened; scripts, styles and frames stay as they are.
func AllowFormTo(h http.Header, target string) {
	widened := "; form-action http: https:"
	if scheme := schemeOf(target); scheme != "" && scheme != "http" && scheme != "https" {
		widened += " " + scheme + ":"
	}
	h.Set(headerPolicy, strings.Replace(h.Get(headerPolicy), formsStayHere, widened, 1))
}

// AllowImagesFrom lets the page of this answer load images from the origins of
// these addresses, which is how a browser calls an application without running
// anything of its. Whatever is no http(s) address, or has a host that cannot be
// written in a policy (an IPv6 literal, letters outside ASCII), is left out:
// the browser does not call it.
//
// The origins are named one by one, with their ports, and no path: a policy's
// path is not held against redirects anyway, and a logout address may have
// bytes that end a policy.
func AllowImagesFrom(h http.Header, addresses ...string) {
	policy := h.Get(headerPolicy)
	at := strings.Index(policy, imagesStayHere)
	if at < 0 {
		return
	}
	at += len(imagesStayHere)
	var widened strings.Builder
	widened.WriteString(policy[:at])
	seen := map[string]bool{}
	for _, address := range addresses {
		if origin := originOf(address); origin != "" && !seen[origin] {
			seen[origin] = true
			widened.WriteString(" " + origin)
		}
	}
	widened.WriteString(policy[at:])
	h.Set(headerPolicy, widened.String())
}

// originOf is scheme://host[:port] of an http(s) address, "" of any other, and
// where the host or the port could be read as anything but one.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return ""
	}
	for _, c := range []byte(u.Host) {
		if lower := c | 0x20; (lower < 'a' || lower > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' && c != ':' {
			return ""
		}
	}
	return u.Scheme + "://" + u.Host
}

// schemeOf is the scheme of an address in lower case, "" where it has none or
// one that runs script in the page it is opened from.
func schemeOf(address string) string {
	scheme, _, found := strings.Cut(address, ":")
	if !found || scheme == "" {
		return ""
	}
	scheme = strings.ToLower(scheme)
	for i := range len(scheme) {
		c := scheme[i]
		letter := c >= 'a' && c <= 'z'
		other := c >= '0' && c <= '9' || c == '+' || c == '.' || c == '-'
		if !letter && (i == 0 || !other) {
			return ""
		}
	}
	switch scheme {
	case "javascript", "data", "vbscript", "blob", "file", "filesystem":
		return ""
	}
	return scheme
}
