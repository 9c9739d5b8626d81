package ops

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed" // for the page and its style
	"encoding/base64"
	"encoding/json"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"parvis/internal/slo"
)

// Logouts is what is known of logout requests: a part of [slo.Queue].
type Logouts interface {
	Outcomes(ctx context.Context, n int) ([]slo.Outcome, error)
	Waiting(ctx context.Context) (int, error)
}

// maxRows is how many outcomes are listed; all that are kept are counted.
const maxRows = 200

var (
	//go:embed logouts.html
	logoutsHTML string
	//go:embed style.css
	style string
)

// logoutsPage shows how logout requests end.
type logoutsPage struct {
	logouts Logouts
	log     *slog.Logger
	page    *template.Template
	style   template.CSS
	policy  string
}

func newLogoutsPage(logouts Logouts, log *slog.Logger) *logoutsPage {
	sum := sha256.Sum256([]byte(style))
	return &logoutsPage{
		logouts: logouts, log: log,
		page:  template.Must(template.New("logouts.html").Funcs(template.FuncMap{"words": words}).Parse(logoutsHTML)),
		style: template.CSS(style), //nolint:gosec // it is a file of ours
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
}

// report is what is shown, as HTML or JSON.
type report struct {
	// Waiting is how many requests have not ended.
	Waiting int `json:"waiting"`
	// Applications sums the last outcomes up, those with most failures first.
	Applications []application `json:"applications"`
	// Last are the last outcomes, the latest first.
	Last []slo.Outcome `json:"last"`
}

type application struct {
	Name    string `json:"application"`
	Success int    `json:"success"`
	Failure int    `json:"failure"`
	// Reason is why the last failure failed.
	Reason string `json:"last_failure,omitempty"`
}

// Success is how many of the last requests succeeded.
func (r report) Success() int {
	n := 0
	for _, a := range r.Applications {
		n += a.Success
	}
	return n
}

// Failure is how many of the last requests failed.
func (r report) Failure() int {
	n := 0
	for _, a := range r.Applications {
		n += a.Failure
	}
	return n
}

// show answers in HTML, or in JSON to those who ask for it.
func (p *logoutsPage) show(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	accept := r.Header.Get("Accept")
	if strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html") {
		p.showJSON(w, r)
		return
	}
	report, ok := p.report(w, r)
	if !ok {
		return
	}
	var page bytes.Buffer
	if err := p.page.Execute(&page, map[string]any{"Style": p.style, "Report": report}); err != nil {
		p.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", p.policy)
	w.Header().Set("Referrer-Policy", "no-referrer")
	_, _ = page.WriteTo(w) // who asked is gone: there is nobody to tell
}

func (p *logoutsPage) showJSON(w http.ResponseWriter, r *http.Request) {
	report, ok := p.report(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(report) // who asked is gone: there is nobody to tell
}

func (p *logoutsPage) report(w http.ResponseWriter, r *http.Request) (report, bool) {
	waiting, err := p.logouts.Waiting(r.Context())
	if err != nil {
		p.fail(w, r, http.StatusServiceUnavailable, err)
		return report{}, false
	}
	outcomes, err := p.logouts.Outcomes(r.Context(), slo.MaxOutcomes)
	if err != nil {
		p.fail(w, r, http.StatusServiceUnavailable, err)
		return report{}, false
	}
	last := outcomes[:min(len(outcomes), maxRows)]
	if last == nil {
		last = []slo.Outcome{} // [] in JSON
	}
	return report{Waiting: waiting, Applications: sums(outcomes), Last: last}, true
}

// fail keeps the reason for the log: it may hold addresses.
func (p *logoutsPage) fail(w http.ResponseWriter, r *http.Request, status int, err error) {
	p.log.ErrorContext(r.Context(), "logout requests cannot be shown", "error", err)
	http.Error(w, http.StatusText(status), status)
}

// sums counts by application. The outcomes are in order, the latest first.
func sums(outcomes []slo.Outcome) []application {
	byName := make(map[string]*application)
	for _, o := range outcomes {
		a := byName[o.Service]
		if a == nil {
			a = &application{Name: o.Service}
			byName[o.Service] = a
		}
		if o.Success {
			a.Success++
			continue
		}
		a.Failure++
		a.Reason = cmp.Or(a.Reason, o.Reason)
	}
	list := make([]application, 0, len(byName))
	for _, a := range byName {
		list = append(list, *a)
	}
	slices.SortFunc(list, func(a, b application) int {
		return cmp.Or(cmp.Compare(b.Failure, a.Failure), cmp.Compare(b.Success, a.Success), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// words says what a reason means, and what to look at.
func words(reason string) string {
	switch reason {
	case "":
		return ""
	case "timeout":
		return "no answer in time"
	case "refused":
		return "no connection taken: is it running?"
	case "name":
		return "host name unknown"
	case "tls":
		return "certificate or handshake refused"
	case "forbidden":
		return "address not allowed: see networks in its entry"
	case "connection":
		return "connection broken"
	case "bad_address":
		return "not an address"
	case "given_up":
		return "not tried in time: its host is down, or too slow"
	}
	if status, ok := strings.CutPrefix(reason, "status_"); ok {
		return "answered " + status
	}
	return reason
}
