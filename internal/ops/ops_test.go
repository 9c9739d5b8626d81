package ops_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parvis/internal/ops"
)

func get(h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
	return w
}

func wantAnswer(t *testing.T, h http.Handler, path string, status int, body string) {
	t.Helper()
	w := get(h, path)
	if w.Code != status || strings.TrimSpace(w.Body.String()) != body {
		t.Errorf("%s: %d %s, want %d %s", path, w.Code, w.Body, status, body)
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestReady(t *testing.T) {
	var log bytes.Buffer
	var down atomic.Bool
	clock := time.Unix(0, 0)
	h := ops.New(ops.Options{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Now:    func() time.Time { clock = clock.Add(time.Minute); return clock },
		Checks: []ops.Check{
			{Name: "directory", Probe: func(context.Context) error {
				if down.Load() {
					return errors.New("dial tcp 10.0.0.1:636: refused")
				}
				return nil
			}},
			{Name: "tickets", Probe: func(context.Context) error { return nil }},
		},
	})
	const up = `{"status":"ready","checks":{"directory":"up","tickets":"up"}}`
	wantAnswer(t, h, "/healthz", 200, `{"status":"alive","checks":{}}`)
	wantAnswer(t, h, "/readyz", 200, up)
	if log.Len() != 0 {
		t.Errorf("logged although all is up: %s", log.String())
	}
	down.Store(true)
	// S45: the answer names what is down, not why.
	wantAnswer(t, h, "/readyz", 503, `{"status":"down","checks":{"directory":"down","tickets":"up"}}`)
	wantAnswer(t, h, "/readyz", 503, `{"status":"down","checks":{"directory":"down","tickets":"up"}}`)
	wantAnswer(t, h, "/healthz", 200, `{"status":"alive","checks":{}}`)
	down.Store(false)
	wantAnswer(t, h, "/readyz", 200, up)
	if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "10.0.0.1") {
		t.Errorf("%d lines, want one for down and one for up:\n%s", n, log.String())
	}
	h.Stop()
	wantAnswer(t, h, "/readyz", 503, `{"status":"stopping","checks":{"directory":"up","tickets":"up"}}`)
}

// S39: asking often does not load what is asked.
func TestReadyIsKept(t *testing.T) {
	var asked, seconds atomic.Int64
	h := ops.New(ops.Options{
		Logger: quiet(),
		Now:    func() time.Time { return time.Unix(seconds.Load(), 0) },
		Checks: []ops.Check{{Name: "x", Probe: func(context.Context) error { asked.Add(1); return nil }}},
	})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { get(h, "/readyz") })
	}
	wg.Wait()
	if got := asked.Load(); got != 1 {
		t.Errorf("50 requests asked %d times, want once", got)
	}
	seconds.Add(1)
	get(h, "/readyz")
	if got := asked.Load(); got != 2 {
		t.Errorf("a second later asked %d times, want twice", got)
	}
}

func TestReadyDoesNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var asked atomic.Int64
		h := ops.New(ops.Options{Logger: quiet(), Checks: []ops.Check{
			{Name: "stuck", Probe: func(context.Context) error { asked.Add(1); <-release; return nil }},
			{Name: "slow", Probe: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
		}})
		start := time.Now()
		wantAnswer(t, h, "/readyz", 503, `{"status":"down","checks":{"slow":"down","stuck":"down"}}`)
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v, want 2s", took)
		}
		for range 5 {
			time.Sleep(2 * time.Second)
			get(h, "/readyz")
		}
		if got := asked.Load(); got != 1 {
			t.Errorf("a check that is stuck was asked %d times", got)
		}
		close(release)
	})
}

// A prober that gives up does not make others believe that all is down.
func TestReadyOutlivesWhoAsked(t *testing.T) {
	h := ops.New(ops.Options{Logger: quiet(), Checks: []ops.Check{
		{Name: "x", Probe: func(ctx context.Context) error { return ctx.Err() }},
	}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/readyz", nil))
	wantAnswer(t, h, "/readyz", 200, `{"status":"ready","checks":{"x":"up"}}`)
}

// S37: only the exact paths are there.
func TestPathTricks(t *testing.T) {
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics") })
	server := httptest.NewServer(ops.New(ops.Options{Logger: quiet(), Metrics: metrics}))
	defer server.Close()
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	tests := []struct {
		path   string
		status int
	}{
		{"/metrics", 200},
		{"/metrics?x=1", 200},
		{"/healthz", 200},
		{"/readyz", 200},
		{"/", 404},
		{"/metrics/", 404},
		{"//metrics", 404},
		{"/x/../metrics", 404},
		{"/./metrics", 404},
		{"/x/%2e%2e/metrics", 404},
		{"/%2fmetrics", 404},
		{"/metrics%2f", 404},
		{"/%6detrics", 404},
		{"/metrics;x=1", 404},
		{"/metrics%00", 404},
		{"/Metrics", 404},
		{"/debug/pprof/", 404},
		{"/cas/login", 404},
	}
	for _, test := range tests {
		t.Run("S37 "+test.path, func(t *testing.T) {
			answer, err := client.Get(server.URL + test.path)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != test.status {
				t.Errorf("status %d, want %d", answer.StatusCode, test.status)
			}
		})
	}
	answer, err := client.Post(server.URL+"/metrics", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 405 || answer.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: status %d, Allow %q", answer.StatusCode, answer.Header.Get("Allow"))
	}
	wantAnswer(t, ops.New(ops.Options{Logger: quiet()}), "/metrics", 404, "404 page not found")
}
