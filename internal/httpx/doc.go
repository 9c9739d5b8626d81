// Package httpx is what every page and endpoint of Parvis shares of HTTP:
// handlers that return errors, one event a request, the client's real
// address, security headers, limits, and a strict reading of parameters.
//
// It knows nothing of tickets, directories or pages: what a failure looks
// like is given to it. It must never log a URL, a query, a parameter's value
// or a cookie, and never build a URL from the Host header: those come from
// whoever sent the request, and hold tickets, services and names.
//
// cas, account and ent write their handlers against it; cmd wraps them:
//
//	Observe(Headers(router, …), Options{…})
package httpx
