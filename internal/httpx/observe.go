package httpx

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"
)

// Recorder counts requests. internal/metrics implements it.
type Recorder interface {
	// Request counts one answered request by the name of its route.
	Request(route string, status int, took time.Duration)
}

// Options are what [Observe] needs. The zero value of each but Logger works.
type Options struct {
	// Logger receives one line a request.
	Logger *slog.Logger
	// Trusted are the proxies whose X-Forwarded-For is believed. None: the peer
	// of the connection is the client.
	Trusted []netip.Prefix
	// Now is the clock, time.Now when nil.
	Now func() time.Time
	// Random gives the bits of request ids, crypto/rand when nil.
	Random io.Reader
	// Metrics counts requests, when not nil.
	Metrics Recorder
	// Failure answers after a panic, with plain text when nil.
	Failure Failure
}

// errPanic is what a panic becomes for the page that tells of it.
var errPanic = errors.New("handler panicked")

// Observe gives each request its event, its id and its client's address, and
// when it has been answered writes one line of log and counts it. A panic is
// logged with its stack and answered with 500; where an answer had already
// begun, the connection is cut so that nobody takes half of it for the whole.
func Observe(next http.Handler, o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Failure == nil {
		o.Failure = plainFailure
	}
	return &observer{next: next, o: o, proxies: proxies(o.Trusted)}
}

type observer struct {
	next    http.Handler
	o       Options
	proxies proxies
}

func (b *observer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := b.o.Now()
	x := &exchange{Context: r.Context()}
	x.response.ResponseWriter = w
	x.event.response = &x.response
	x.event.extra = x.attrs[:0]
	x.event.requestID = newRequestID(b.o.Random)
	peer := peerAddress(r.RemoteAddr)
	x.event.client = b.proxies.client(peer, r.Header["X-Forwarded-For"])
	if parent := r.Header["Traceparent"]; len(parent) == 1 && validTraceparent(parent[0]) {
		x.event.Add(slog.String("traceparent", parent[0]))
	}
	r = r.WithContext(x)
	defer b.finish(x, r, start)
	b.next.ServeHTTP(&x.response, r)
}

// finish recovers from a panic of the handler, then writes the event.
func (b *observer) finish(x *exchange, r *http.Request, start time.Time) {
	panicked := recover()
	if panicked == nil {
		b.record(x, r, start)
		return
	}
	aborted := panicked == http.ErrAbortHandler //nolint:errorlint // net/http compares it so, too.
	if !aborted {
		b.o.Logger.LogAttrs(x, slog.LevelError, "handler panicked",
			slog.String("id", x.event.requestID), slog.String("route", x.event.Route()),
			slog.String("panic", fmt.Sprint(panicked)), slog.String("stack", string(debug.Stack())))
	}
	begun := x.event.written()
	defer func() {
		b.record(x, r, start)
		if aborted || begun {
			panic(http.ErrAbortHandler)
		}
	}()
	if !aborted && !begun {
		refuse(&x.response, r, Status(http.StatusInternalServerError, errPanic), b.o.Failure)
	}
}

func (b *observer) record(x *exchange, r *http.Request, start time.Time) {
	end := b.o.Now()
	took := end.Sub(start)
	status := x.response.status
	switch {
	case status == 0 && x.event.gone:
		status = statusClientGone
	case status == 0:
		status = http.StatusOK
	}
	if b.o.Metrics != nil {
		b.o.Metrics.Request(x.event.Route(), status, took)
	}
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	// The request's context may be cancelled by now; the line is written all the same.
	b.write(x, level, knownMethod(r.Method), status, end, took)
}

// write passes the line to the logger's handler itself: a logger would look
// for the place in the code and at the clock once more.
func (b *observer) write(x *exchange, level slog.Level, method string, status int, end time.Time, took time.Duration) {
	if !b.o.Logger.Enabled(x, level) {
		return
	}
	line := slog.NewRecord(end, level, "request", 0)
	line.AddAttrs(
		slog.String("id", x.event.requestID),
		slog.String("method", method),
		slog.String("route", x.event.Route()),
		slog.Int("status", status),
		slog.Int64("bytes", x.response.bytes),
		slog.Float64("ms", milliseconds(took)),
		slog.String("network", networkText(x.event.client)),
	)
	line.AddAttrs(x.event.extra...)
	_ = b.o.Logger.Handler().Handle(x, line) // slog's loggers have nobody to tell either
}

// knownMethod keeps the log's methods few: a method is any token a client sends.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

var requestIDs = base32.HexEncoding.WithPadding(base32.NoPadding)

// newRequestID returns 96 random bits in 20 characters. A request is served
// even where the system has no randomness to give: the id only helps to read
// logs.
func newRequestID(random io.Reader) string {
	var bits [12]byte
	var text [20]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return ""
	}
	requestIDs.Encode(text[:], bits[:])
	return string(lower(text[:]))
}

func lower(text []byte) []byte {
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			text[i] = c + ('a' - 'A')
		}
	}
	return text
}

// validTraceparent tells whether s is a version 00 traceparent of the W3C's
// Trace Context, with ids that are not zero. Anything else is not logged.
func validTraceparent(s string) bool {
	const layout = "00-################################-################-##"
	if len(s) != len(layout) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
		if layout[i] == '#' && !hex || layout[i] != '#' && c != layout[i] {
			return false
		}
	}
	const zeros = "00000000000000000000000000000000"
	return s[3:35] != zeros && s[36:52] != zeros[:16]
}

func plainFailure(w http.ResponseWriter, _ *http.Request, err error) {
	http.Error(w, http.StatusText(StatusOf(err)), StatusOf(err))
}
