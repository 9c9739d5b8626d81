package casclient

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

// What an [Error] can be about, for errors.Is.
var (
	// ErrLogin: nobody is logged in, and the request is none that a redirect to
	// the login page can answer. Status 401.
	ErrLogin = errors.New("a login is needed")
	// ErrTicket: the ticket is none, was refused, or came by proxies that are not
	// allowed. Status 403.
	ErrTicket = errors.New("the ticket is refused")
	// ErrUnavailable: the server, or the store of the sessions, does not answer
	// as it should. Status 503.
	ErrUnavailable = errors.New("the login service does not answer")
	// ErrForbidden: the person may not have this page. Status 403.
	ErrForbidden = errors.New("not allowed for this person")
	// ErrForged: another site sent the request. Status 403.
	ErrForged = errors.New("the request comes from another site")
	// ErrMalformed: the request says something that cannot be read. Status 400.
	ErrMalformed = errors.New("the request cannot be read")
)

// Error is why a request gets no answer from the service itself.
type Error struct {
	// Status is the HTTP status that fits.
	Status int
	// Again is the address to try again, with neither ticket nor marker.
	Again string
	// Err tells what happened: one of the errors of this package, and its cause.
	// It is for the log, and may hold what the server said.
	Err error
}

// Error implements error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns what happened.
func (e *Error) Unwrap() error { return e.Err }

// ErrorHandler answers a request that cannot be served. It must not redirect to
// the login page: the browser may just come from there.
type ErrorHandler func(w http.ResponseWriter, r *http.Request, e *Error)

// Refusal is what the server says when it does not vouch for a ticket
// (specification, sections 2.5.3 and 2.7.3).
type Refusal struct {
	// Code is the server's, like "INVALID_TICKET".
	Code string
	// Text is the server's explanation. Clean it before you show or log it.
	Text string
}

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("the server answers %q: %q", r.Code, r.Text) }

// fail answers with what went wrong.
func (c *Client) fail(w http.ResponseWriter, r *http.Request, status int, again string, kind, cause error) {
	err := kind
	if cause != nil {
		err = fmt.Errorf("%w: %w", kind, cause)
	}
	switch {
	case errors.Is(kind, ErrUnavailable):
		c.o.Logger.ErrorContext(r.Context(), "CAS does not work", "error", cause)
	case errors.Is(kind, ErrTicket):
		c.o.Logger.WarnContext(r.Context(), "CAS ticket refused", "error", cause)
	}
	c.o.Errors(w, r, &Error{Status: status, Again: again, Err: err})
}

// said are the words of the pages, in French and in English.
var said = map[error][2]string{
	ErrLogin:       {"Connectez-vous pour continuer.", "Log in to continue."},
	ErrTicket:      {"Votre connexion n’a pas pu être vérifiée.", "Your login could not be verified."},
	ErrUnavailable: {"Le service de connexion ne répond pas. Réessayez dans quelques instants.", "The login service does not answer. Try again in a moment."},
	ErrForbidden:   {"Vous n’avez pas accès à cette page.", "You have no access to this page."},
	ErrForged:      {"Cette demande vient d’un autre site.", "This request comes from another site."},
	ErrMalformed:   {"Cette demande est illisible.", "This request cannot be read."},
}

var again = [2]string{"Réessayer", "Try again"}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="{{.Lang}}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">
<title>{{.Text}}</title>
<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}</style>
<main><h1>{{.Text}}</h1>
{{if .Link}}<p><a href="{{.Link}}">{{.Label}}</a></p>{{end}}{{if .Button}}<form method="post"><button>{{.Button}}</button></form>{{end}}</main>
</html>
`))

type pageData struct{ Lang, Text, Link, Label, Button string }

// WriteError is the default [ErrorHandler]: a short page in French or English,
// or one line of text where a program asked.
func WriteError(w http.ResponseWriter, r *http.Request, e *Error) {
	lang := language(r)
	data := pageData{Lang: []string{"fr", "en"}[lang], Text: http.StatusText(e.Status)}
	for kind, words := range said {
		if errors.Is(e.Err, kind) {
			data.Text = words[lang]
		}
	}
	if errors.Is(e.Err, ErrTicket) || errors.Is(e.Err, ErrUnavailable) || errors.Is(e.Err, ErrLogin) {
		data.Link, data.Label = e.Again, again[lang]
	}
	h := w.Header()
	switch e.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "CAS")
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "10")
	}
	if !Navigation(r) {
		noStore(w)
		h.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(e.Status)
		_, _ = w.Write([]byte(data.Text + "\n")) // the client is gone: there is nobody to tell
		return
	}
	writePage(w, e.Status, data)
}

func writePage(w http.ResponseWriter, status int, data pageData) {
	noStore(w)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_ = page.Execute(w, data) // the client is gone: there is nobody to tell
}

// noStore keeps tickets and names out of every cache.
func noStore(w http.ResponseWriter) { w.Header().Set("Cache-Control", "no-store") }

// language is 0 for French, 1 for English: the first of the two that the
// browser names.
func language(r *http.Request) int {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag := strings.ToLower(strings.TrimSpace(part))
		switch {
		case strings.HasPrefix(tag, "fr"):
			return 0
		case strings.HasPrefix(tag, "en"):
			return 1
		}
	}
	return 1
}

// Navigation tells whether a browser loads a page with this request, so that it
// can be sent to the login page: a script's request cannot follow there. What
// says nothing of itself is taken for a browser.
func Navigation(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	if strings.EqualFold(r.Header.Get("X-Requested-With"), "XMLHttpRequest") {
		return false
	}
	accept := r.Header.Get("Accept")
	return accept == "" || strings.Contains(accept, "text/html") ||
		strings.Contains(accept, "*/*") && !strings.Contains(accept, "json")
}
