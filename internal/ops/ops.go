package ops

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"parvis/internal/audit"
)

// Options are what a [Handler] is made of.
type Options struct {
	// Checks are asked, all at once, whether the server can serve.
	Checks []Check
	// Timeout is how long a check may take, 2 s when 0.
	Timeout time.Duration
	// Keep is how long an answer of the checks is given again, 1 s when 0:
	// asking often must not load what is asked.
	Keep time.Duration
	// Metrics answers /metrics. nil: there are none.
	Metrics http.Handler
	// Logouts is what /logouts shows. nil: there is no such page.
	Logouts Logouts
	// Password opens the pages for people, under any user name. Where it is
	// empty, they are shut.
	Password string
	// Auditor is told of each look at such a page, and may be nil.
	Auditor Auditor
	// Logger is told when a check goes down or comes back, and why.
	Logger *slog.Logger
	// Now is the clock, time.Now when nil.
	Now func() time.Time
}

// Handler answers the operations listener.
type Handler struct {
	checks   *checks
	pages    map[string]http.HandlerFunc
	stopping atomic.Bool
}

// New returns a Handler.
func New(o Options) *Handler {
	const (
		timeout = 2 * time.Second
		keep    = time.Second
	)
	if o.Timeout <= 0 {
		o.Timeout = timeout
	}
	if o.Keep <= 0 {
		o.Keep = keep
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Metrics == nil {
		o.Metrics = http.NotFoundHandler()
	}
	h := &Handler{checks: newChecks(o)}
	h.pages = map[string]http.HandlerFunc{"/healthz": h.health, "/readyz": h.ready, "/metrics": o.Metrics.ServeHTTP}
	if o.Logouts != nil {
		page, guard := newLogoutsPage(o.Logouts, o.Logger), newGuard(o.Password, o.Auditor)
		h.pages["/logouts"] = guard.protect(audit.LogoutsViewed, page.show)
		h.pages["/logouts.json"] = guard.protect(audit.LogoutsViewed, page.showJSON)
	}
	return h
}

// Run keeps asking the checks until ctx ends, so that [Handler.Up] is never
// older than every.
func (h *Handler) Run(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		h.checks.states(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Up tells at once whether all checks were up when they were last asked. It is
// true before that.
func (h *Handler) Up() bool { return !h.checks.down.Load() }

// Stop makes /readyz say that the server is stopping, so that a balancer
// sends nobody here any more while the last requests are answered.
func (h *Handler) Stop() { h.stopping.Store(true) }

// ServeHTTP answers exact paths only. A path in any other spelling ("//",
// "%2f", "..", ";") is another path, and there is nothing there.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	answer := h.pages[r.URL.Path]
	switch {
	case answer == nil || r.URL.RawPath != "":
		http.NotFound(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	default:
		answer(w, r)
	}
}

// readiness is the answer of /readyz, and of /healthz.
type readiness struct {
	// Status is ready, down or stopping; alive to /healthz.
	Status string `json:"status"`
	// Checks gives each check's state: up or down. /healthz asks none.
	Checks map[string]string `json:"checks"`
}

// health says that the process answers, whatever it depends on: restarting it
// would not bring a directory back.
func (h *Handler) health(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, readiness{Status: "alive", Checks: map[string]string{}})
}

func (h *Handler) ready(w http.ResponseWriter, r *http.Request) {
	answer := readiness{Status: "ready", Checks: make(map[string]string)}
	status := http.StatusOK
	for name, up := range h.checks.states(r.Context()) {
		answer.Checks[name] = "up"
		if !up {
			answer.Checks[name] = "down"
			answer.Status, status = "down", http.StatusServiceUnavailable
		}
	}
	if h.stopping.Load() {
		answer.Status, status = "stopping", http.StatusServiceUnavailable
	}
	writeJSON(w, status, answer)
}

func writeJSON(w http.ResponseWriter, status int, v readiness) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the prober is gone: there is nobody to tell
}
