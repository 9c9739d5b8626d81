package slo

import (
	"errors"
	"net/netip"
)

// ErrForbidden tells that a request may not go there.
var ErrForbidden = errors.New("request forbidden")

// Request is what a [Client] sends.
type Request struct {
	Method, URL, ContentType string
	Body                     []byte
	Networks                 []netip.Prefix
	AllowHTTP                bool
}
