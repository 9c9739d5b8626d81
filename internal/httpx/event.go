package httpx

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// Event is what the log will say of one request. Its handler adds to it; it
// is written once, when the request ends. Only the goroutine that serves the
// request may add to it.
type Event struct {
	route     string
	requestID string
	client    netip.Addr
	gone      bool
	extra     []slog.Attr
	response  *response
}

type eventKey struct{}

// EventOf returns the event of the request that ctx belongs to. Outside of
// [Observe] it returns an event that nobody will read.
func EventOf(ctx context.Context) *Event {
	if e, ok := ctx.Value(eventKey{}).(*Event); ok {
		return e
	}
	return &Event{}
}

// Add adds attributes to the request's line in the log. They must hold no
// ticket, login, service or other personal data: these belong to the audit.
func (e *Event) Add(attrs ...slog.Attr) { e.extra = append(e.extra, attrs...) }

// SetRoute names the route, for the log and the metrics. Names are few and
// fixed ("login", "serviceValidate"), never made from the request.
func (e *Event) SetRoute(name string) { e.route = name }

// Route is the name given by SetRoute, or "unrouted".
func (e *Event) Route() string {
	if e.route == "" {
		return "unrouted"
	}
	return e.route
}

// RequestID identifies the request in logs, audit and error pages: 96 random
// bits as 20 characters of [0-9a-v]. It is "" outside of [Observe].
func (e *Event) RequestID() string { return e.requestID }

// Client is the address that the request came from, as far as trusted proxies
// tell it. IPv4 is never mapped into IPv6, and there is no zone. It is the
// zero Addr where the peer has no IP address.
func (e *Event) Client() netip.Addr { return e.client }

func (e *Event) written() bool { return e.response != nil && e.response.status != 0 }

// exchange is one request under observation. It is the request's context, the
// event found in it and the writer of its answer in one allocation, and it is
// not pooled: a goroutine that outlives its request sees an old event, never
// another person's.
type exchange struct {
	context.Context //nolint:containedctx // it is the request's context
	event           Event
	response        response
	attrs           [4]slog.Attr
}

// Value finds the event, and else what the parent context holds.
func (x *exchange) Value(key any) any {
	if _, ok := key.(eventKey); ok {
		return &x.event
	}
	return x.Context.Value(key)
}

// response counts what is written through it.
type response struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the status. Informational ones do not count: the answer
// is still to come.
func (w *response) WriteHeader(code int) {
	if w.status == 0 && (code >= 200 || code == http.StatusSwitchingProtocols) {
		w.status = code
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *response) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// FlushError lets [http.ResponseController] flush without our missing that
// this sends the header.
func (w *response) FlushError() error {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap gives [http.ResponseController] the rest.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// milliseconds keeps microseconds and drops the noise below.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
