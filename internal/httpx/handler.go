package httpx

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// Handler answers a request, or says why it cannot. A handler that returns an
// error has written nothing yet.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Failure answers a request whose handler returned err. It shows a page or a
// body with [StatusOf] err, and never the text of err, which is for the log.
type Failure func(w http.ResponseWriter, r *http.Request, err error)

// Error is an error that knows the HTTP status it deserves.
type Error struct {
	// Code is the HTTP status, 400 to 599.
	Code int
	// Err is the reason. It is logged, and never sent to the client.
	Err error
	// RetryAfter, above zero, is sent as Retry-After, in seconds rounded up.
	RetryAfter time.Duration
	// Header holds further headers of the answer, such as Allow. May be nil.
	Header http.Header
}

// Error gives the reason, or the text of the status where there is none.
func (e *Error) Error() string {
	if e.Err == nil {
		return http.StatusText(e.Code)
	}
	return e.Err.Error()
}

// Unwrap gives the reason to [errors.Is] and [errors.As].
func (e *Error) Unwrap() error { return e.Err }

// Status returns err with the HTTP status it deserves.
func Status(code int, err error) error { return &Error{Code: code, Err: err} }

// StatusOf is the HTTP status that err deserves: that of the [Error] in its
// chain, else 500. For nil it is 200.
func StatusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	var e *Error
	if errors.As(err, &e) && e.Code >= 400 && e.Code < 600 {
		return e.Code
	}
	return http.StatusInternalServerError
}

// statusClientGone is what logs show when the client left before the answer.
const statusClientGone = 499

// Adapt makes an [http.Handler] of h: the one place where an error becomes an
// answer. The error joins the request's event; fail writes the answer, unless
// h had already begun one or the client has left.
func Adapt(h Handler, fail Failure) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		event := EventOf(r.Context())
		event.Add(slog.String("error", err.Error()))
		if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
			event.gone = true
			return
		}
		if !event.written() {
			refuse(w, r, err, fail)
		}
	})
}

// Named gives a request's event and metrics the name of its route.
func Named(route string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		EventOf(r.Context()).SetRoute(route)
		next.ServeHTTP(w, r)
	})
}

// refuse writes the headers that err asks for, and lets fail write the rest.
func refuse(w http.ResponseWriter, r *http.Request, err error, fail Failure) {
	h := w.Header()
	var e *Error
	if errors.As(err, &e) {
		for name, values := range e.Header {
			h[http.CanonicalHeaderKey(name)] = append([]string(nil), values...)
		}
		if e.RetryAfter > 0 {
			h.Set("Retry-After", retryAfter(e.RetryAfter))
		}
	}
	if id := EventOf(r.Context()).RequestID(); id != "" {
		h.Set("X-Request-Id", id)
	}
	fail(w, r, err)
}

// retryAfter is d in whole seconds, rounded up: a client that obeys never
// comes too early (RFC 9110, section 10.2.3).
func retryAfter(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
