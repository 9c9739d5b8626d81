package ops_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chromedp/chromedp"

	"parvis/internal/audit"
	"parvis/internal/ops"
	"parvis/internal/slo"
	"parvis/internal/testkit"
)

var update = flag.Bool("update", false, "write the golden files")

const password = "correct horse"

// logouts are outcomes to show.
type logouts struct {
	outcomes []slo.Outcome
	waiting  int
	err      error
}

func (l logouts) Outcomes(context.Context, int) ([]slo.Outcome, error) { return l.outcomes, l.err }
func (l logouts) Waiting(context.Context) (int, error)                 { return l.waiting, l.err }

func some() logouts {
	at := time.Date(2026, 11, 22, 8, 0, 5, 0, time.UTC)
	return logouts{waiting: 3, outcomes: []slo.Outcome{
		{At: at, Service: "Moodle", Host: "moodle.univ.example", Success: true, Tries: 1},
		{At: at.Add(-time.Second), Service: "Vieux <script>alert(1)</script>", Host: "old.univ.example", Reason: "timeout", Tries: 4},
		{At: at.Add(-2 * time.Second), Service: "Vieux <script>alert(1)</script>", Host: "old.univ.example", Reason: "status_500", Tries: 4},
		{At: at.Add(-3 * time.Second), Service: "Nuage", Host: "nuage.univ.example", Reason: "forbidden", Tries: 1},
	}}
}

// trail keeps audit events.
type trail struct {
	mu     sync.Mutex
	events []audit.Event
}

func (t *trail) Record(_ context.Context, e audit.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, e)
}

func (t *trail) outcomes() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []string
	for _, e := range t.events {
		list = append(list, strings.TrimSpace(e.Action+" "+e.Outcome+" "+e.Address+" "+e.Reason))
	}
	return strings.Join(list, "\n")
}

func handler(l ops.Logouts, events *trail) *ops.Handler {
	return ops.New(ops.Options{Logger: quiet(), Logouts: l, Password: password, Auditor: events})
}

// look asks for a page with a password.
func look(ctx context.Context, h http.Handler, target, given, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, "GET", target, nil)
	if given != "" {
		r.SetBasicAuth("anybody", given)
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestLogoutsPage(t *testing.T) {
	var events trail
	h := handler(some(), &events)
	for name, answer := range map[string]*httptest.ResponseRecorder{
		"logouts.html": look(t.Context(), h, "/logouts", password, "text/html,application/xhtml+xml,*/*;q=0.8"),
		"logouts.json": look(t.Context(), h, "/logouts", password, "application/json"),
		"nothing.html": look(t.Context(), handler(logouts{}, &events), "/logouts", password, ""),
		"nothing.json": look(t.Context(), handler(logouts{}, &events), "/logouts.json", password, "text/html"),
	} {
		t.Run(name, func(t *testing.T) {
			if answer.Code != http.StatusOK || answer.Header().Get("Cache-Control") != "no-store" {
				t.Fatalf("%d, %v", answer.Code, answer.Header())
			}
			if kind := answer.Header().Get("Content-Type"); strings.Contains(kind, "json") != strings.HasSuffix(name, "json") {
				t.Errorf("type %q", kind)
			}
			got := answer.Body.String()
			if strings.HasSuffix(name, "json") && !json.Valid([]byte(got)) {
				t.Errorf("no JSON: %s", got)
			}
			if strings.Contains(got, "<script") && strings.HasSuffix(name, "html") {
				t.Error("a name is taken for markup")
			}
			path := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("page\n%s\nwant\n%s", got, want)
			}
		})
	}
	if want := strings.TrimSpace(strings.Repeat("logouts_viewed success 192.0.2.1\n", 4)); events.outcomes() != want {
		t.Errorf("trail\n%s\nwant\n%s", events.outcomes(), want)
	}
}

// The list is bounded; the sums count all.
func TestLogoutsPageIsBounded(t *testing.T) {
	var l logouts
	for range slo.MaxOutcomes {
		l.outcomes = append(l.outcomes, slo.Outcome{Service: "Moodle", Success: true, Tries: 1})
	}
	var got struct {
		Applications []struct{ Success int }
		Last         []slo.Outcome
	}
	answer := look(t.Context(), handler(l, &trail{}), "/logouts.json", password, "")
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Last) != 200 || len(got.Applications) != 1 || got.Applications[0].Success != slo.MaxOutcomes {
		t.Errorf("%d listed, sums %v", len(got.Last), got.Applications)
	}
}

// S37: nobody sees it without the password, and nobody tries many.
func TestLogoutsPageIsGuarded(t *testing.T) {
	for _, page := range []string{"/logouts", "/logouts.json"} {
		t.Run("S37 "+page, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var events trail
				h := handler(some(), &events)
				if w := look(t.Context(), h, page, "", ""); w.Code != 401 || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") || strings.Contains(w.Body.String(), "Moodle") {
					t.Errorf("no password: %d, %v", w.Code, w.Header())
				}
				for _, wrong := range []string{"x", password + " ", strings.ToUpper(password), password[:5]} {
					begun := time.Now()
					if w := look(t.Context(), h, page, wrong, ""); w.Code != 401 || strings.Contains(w.Body.String(), "Moodle") || time.Since(begun) < time.Second {
						t.Errorf("wrong password: %d after %v", w.Code, time.Since(begun))
					}
				}
				if w := look(t.Context(), h, page, password, ""); w.Code != 200 {
					t.Errorf("right password: %d", w.Code)
				}
				const failure = "logouts_viewed failure 192.0.2.1 bad credentials\n"
				if want := strings.Repeat(failure, 4) + "logouts_viewed success 192.0.2.1"; events.outcomes() != want {
					t.Errorf("trail\n%s\nwant\n%s", events.outcomes(), want)
				}
			})
		})
	}
}

// S37: who tries many at once, and hangs up instead of waiting, learns no more
// than who waits: passwords are not looked at.
func TestManyTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(some(), &trail{})
		ctx, hangUp := context.WithCancel(t.Context())
		codes := make(chan int, 100)
		for range 100 {
			go func() { codes <- look(ctx, h, "/logouts", "x", "").Code }()
		}
		synctest.Wait()
		hangUp()
		refused := 0
		for range 100 {
			if <-codes == 429 {
				refused++
			}
		}
		if refused != 95 {
			t.Errorf("%d of 100 refused unseen, want 95", refused)
		}
		if w := look(t.Context(), h, "/logouts", password, ""); w.Code != 429 || w.Header().Get("Retry-After") == "" {
			t.Errorf("meanwhile, even the right one: %d, want 429", w.Code)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for range 20 {
			if w := look(t.Context(), h, "/logouts", password, ""); w.Code != 200 {
				t.Errorf("later: %d", w.Code)
			}
		}
	})
}

func TestNoPasswordConfigured(t *testing.T) {
	h := ops.New(ops.Options{Logger: quiet(), Logouts: some()})
	for _, given := range []string{"", "x"} {
		w := look(t.Context(), h, "/logouts", given, "")
		if body := strings.TrimSpace(w.Body.String()); w.Code != 403 || !strings.Contains(body, "operations.password") || strings.Contains(body, "\n") {
			t.Errorf("%d %q", w.Code, body)
		}
	}
	r := httptest.NewRequest("GET", "/logouts", nil)
	r.SetBasicAuth("", "")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 403 {
		t.Errorf("an empty password opens: %d", w.Code)
	}
	if w := look(t.Context(), ops.New(ops.Options{Logger: quiet()}), "/logouts", "", ""); w.Code != 404 {
		t.Errorf("without logouts: %d, want 404", w.Code)
	}
}

// S45: why the queue cannot be asked goes to the log, not to the page.
func TestLogoutsDown(t *testing.T) {
	var log strings.Builder
	h := ops.New(ops.Options{
		Logger: slog.New(slog.NewTextHandler(&log, nil)), Password: password, Logouts: logouts{err: errors.New("dial tcp 10.0.0.1:6379")},
	})
	w := look(t.Context(), h, "/logouts", password, "")
	if w.Code != 503 || strings.Contains(w.Body.String(), "10.0.0.1") || !strings.Contains(log.String(), "10.0.0.1") {
		t.Errorf("%d %q, log %q", w.Code, w.Body, log.String())
	}
}

// S37: no other spelling of the address leads there.
func TestLogoutsPathTricks(t *testing.T) {
	server := httptest.NewServer(handler(some(), &trail{}))
	defer server.Close()
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for path, want := range map[string]int{
		"/logouts": 401, "/logouts.json": 401, "/logouts?x=1": 401, "/logouts/": 404, "//logouts": 404, "/x/../logouts": 404,
		"/logouts;x": 404, "/logouts%2f": 404, "/%6cogouts": 404, "/x/%2e%2e/logouts": 404, "/logouts.json/x": 404,
		"/healthz/../logouts": 404, "/metrics%2f..%2flogouts": 404, "/Logouts": 404, "/logouts%00": 404, "/logouts.html": 404,
	} {
		t.Run("S37 "+path, func(t *testing.T) {
			answer, err := client.Get(server.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = answer.Body.Close() }()
			if answer.StatusCode != want {
				t.Errorf("status %d, want %d", answer.StatusCode, want)
			}
		})
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/logouts", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("", password)
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", answer.StatusCode)
	}
}

// A browser takes the style, which the page's policy names by its sum, and finds
// nothing to run.
func TestLogoutsInBrowser(t *testing.T) {
	server := httptest.NewServer(handler(some(), &trail{}))
	defer server.Close()
	address, err := url.Parse(server.URL + "/logouts")
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword("operator", password)
	ctx := testkit.Browser(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(address.String())); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`[
		document.querySelectorAll("thead th").length, document.querySelectorAll("tbody tr").length,
		document.scripts.length, getComputedStyle(document.body).backgroundColor].join(" ")`))
	if err != nil {
		t.Fatal(err)
	}
	if want := "10 7 0 rgb(245, 241, 234)"; got != want {
		t.Errorf("columns, rows, scripts, background: %s, want %s", got, want)
	}
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if path := os.Getenv("PARVIS_PICTURES"); path != "" {
		if err := os.WriteFile(filepath.Join(path, "logouts.png"), shot, 0o600); err != nil {
			t.Error(err)
		}
	}
}
