package ops

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"time"

	"parvis/internal/audit"
)

// Auditor writes down who looked.
type Auditor interface {
	Record(ctx context.Context, e audit.Event)
}

// guard lets in who knows the password. Their name is theirs to choose.
type guard struct {
	shut     bool
	password [sha256.Size]byte
	auditor  Auditor
	// tries holds a token for each try under way; a wrong one keeps its token
	// for a while, whatever becomes of who tried.
	tries chan struct{}
}

const (
	// maxTries is how many passwords are tried at once, and wrong ones for
	// each penalty. Beyond that, none is looked at.
	maxTries = 5
	penalty  = time.Second
)

func newGuard(password string, auditor Auditor) *guard {
	return &guard{
		shut: password == "", password: sha256.Sum256([]byte(password)), auditor: auditor,
		tries: make(chan struct{}, maxTries),
	}
}

// protect shows a page to those who may see it, and records the look as action.
func (g *guard) protect(action string, page http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, password, given := r.BasicAuth()
		switch {
		case g.shut:
			http.Error(w, "This page is shut: set operations.password in the configuration to open it.", http.StatusForbidden)
		case !given:
			g.ask(w)
		default:
			g.try(w, r, password, action, page)
		}
	}
}

func (g *guard) try(w http.ResponseWriter, r *http.Request, password, action string, page http.HandlerFunc) {
	select {
	case g.tries <- struct{}{}:
	default:
		w.Header().Set("Retry-After", "1")
		http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
		return
	}
	given := sha256.Sum256([]byte(password))
	if subtle.ConstantTimeCompare(given[:], g.password[:]) == 1 {
		<-g.tries
		g.record(r, audit.Event{Action: action, Outcome: audit.Success})
		page(w, r)
		return
	}
	g.record(r, audit.Event{Action: action, Outcome: audit.Failure, Reason: "bad credentials"})
	over := time.NewTimer(penalty)
	defer over.Stop()
	time.AfterFunc(penalty, func() { <-g.tries })
	select {
	case <-over.C:
		g.ask(w)
	case <-r.Context().Done():
	}
}

func (g *guard) ask(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Basic realm="operations", charset="UTF-8"`)
	http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
}

func (g *guard) record(r *http.Request, e audit.Event) {
	if g.auditor == nil {
		return
	}
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	e.Address = address
	g.auditor.Record(r.Context(), e)
}
