package slo

import "net/netip"

// Request is what a [Client] sends.
type Request struct {
	Method, URL, ContentType string
	Body                     []byte
	Networks                 []netip.Prefix
	AllowHTTP                bool
}
