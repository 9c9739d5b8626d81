package httpx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"parvis/internal/httpx"
)

// observed serves one request and returns the answer and the log's lines.
func observed(t *testing.T, h http.Handler, r *http.Request, o httpx.Options) (*httptest.ResponseRecorder, []map[string]any) {
	t.Helper()
	var out bytes.Buffer
	o.Logger = slog.New(slog.NewJSONHandler(&out, nil))
	w := httptest.NewRecorder()
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(http.ErrAbortHandler) {
				panic(p)
			}
		}()
		httpx.Observe(h, o).ServeHTTP(w, r)
	}()
	var lines []map[string]any
	for dec := json.NewDecoder(&out); ; {
		var line map[string]any
		err := dec.Decode(&line)
		if errors.Is(err, io.EOF) {
			return w, lines
		}
		if err != nil {
			t.Fatalf("log is not JSON: %v", err)
		}
		lines = append(lines, line)
	}
}

type recorded struct {
	route  string
	status int
	took   time.Duration
}

func (r *recorded) Request(route string, status int, took time.Duration) {
	*r = recorded{route, status, took}
}

func failPage(w http.ResponseWriter, _ *http.Request, err error) {
	w.WriteHeader(httpx.StatusOf(err))
	_, _ = io.WriteString(w, "the page")
}

func TestObserveWritesOneLine(t *testing.T) {
	clock := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	now := func() time.Time { clock = clock.Add(1500 * time.Microsecond); return clock }
	h := httpx.Named("login", httpx.Adapt(func(w http.ResponseWriter, r *http.Request) error {
		httpx.EventOf(r.Context()).Add(slog.String("extra", "yes"))
		w.WriteHeader(http.StatusCreated)
		_, err := io.WriteString(w, "hello")
		return err
	}, failPage))
	r := httptest.NewRequest("GET", "/cas/login?service=https://secret.example&ticket=ST-secret", nil)
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	var metric recorded
	_, lines := observed(t, h, r, httpx.Options{Now: now, Metrics: &metric, Random: bytes.NewReader(make([]byte, 12))})
	if len(lines) != 1 {
		t.Fatalf("%d lines, want 1", len(lines))
	}
	want := map[string]any{
		"level": "INFO", "msg": "request", "id": "00000000000000000000", "method": "GET", "route": "login", "status": 201.0,
		"bytes": 5.0, "ms": 1.5, "network": "192.0.2.0/24", "extra": "yes",
		"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
	for key, value := range want {
		if lines[0][key] != value {
			t.Errorf("%s = %v, want %v", key, lines[0][key], value)
		}
	}
	if text := mustJSON(t, lines[0]); strings.Contains(text, "secret") {
		t.Errorf("S11: the line shows the query: %s", text)
	}
	if want := (recorded{"login", 201, 1500 * time.Microsecond}); metric != want {
		t.Errorf("metrics got %v, want %v", metric, want)
	}
}

func TestObserveErrors(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		status int
		retry  string
		level  string
	}{
		{"untyped error is a 500", errors.New("reason"), 500, "", "ERROR"},
		{"status error", httpx.Status(403, errors.New("reason")), 403, "", "INFO"},
		{"retry is rounded up", &httpx.Error{Code: 423, Err: errors.New("reason"), RetryAfter: 1001 * time.Millisecond}, 423, "2", "INFO"},
		{"nonsense status is a 500", httpx.Status(200, errors.New("reason")), 500, "", "ERROR"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := httpx.Adapt(func(http.ResponseWriter, *http.Request) error { return test.err }, failPage)
			w, lines := observed(t, h, httptest.NewRequest("GET", "/", nil), httpx.Options{})
			if w.Code != test.status || w.Body.String() != "the page" {
				t.Errorf("answer %d %q", w.Code, w.Body)
			}
			if got := w.Header().Get("Retry-After"); got != test.retry {
				t.Errorf("Retry-After %q, want %q", got, test.retry)
			}
			if w.Header().Get("X-Request-Id") != lines[0]["id"] {
				t.Error("the answer does not carry the request's id")
			}
			if lines[0]["error"] != "reason" || lines[0]["level"] != test.level {
				t.Errorf("line %v", lines[0])
			}
		})
	}
}

func TestObserveHeadersOfError(t *testing.T) {
	err := &httpx.Error{Code: 405, Header: http.Header{"allow": {"GET, HEAD"}}}
	h := httpx.Adapt(func(http.ResponseWriter, *http.Request) error { return err }, failPage)
	w, lines := observed(t, h, httptest.NewRequest("BREW", "/", nil), httpx.Options{})
	if got := w.Header().Get("Allow"); got != "GET, HEAD" {
		t.Errorf("Allow %q", got)
	}
	if lines[0]["method"] != "other" || lines[0]["error"] != "Method Not Allowed" || lines[0]["route"] != "unrouted" {
		t.Errorf("line %v", lines[0])
	}
}

func TestObserveErrorAfterAnswer(t *testing.T) {
	h := httpx.Adapt(func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, "half")
		return errors.New("too late")
	}, failPage)
	w, lines := observed(t, h, httptest.NewRequest("GET", "/", nil), httpx.Options{})
	if w.Code != 200 || w.Body.String() != "half" || lines[0]["error"] != "too late" {
		t.Errorf("answer %d %q, line %v", w.Code, w.Body, lines[0])
	}
}

func TestObserveClientGone(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	h := httpx.Adapt(func(_ http.ResponseWriter, r *http.Request) error {
		cancel()
		<-r.Context().Done()
		return r.Context().Err()
	}, failPage)
	_, lines := observed(t, h, httptest.NewRequest("GET", "/", nil).WithContext(ctx), httpx.Options{})
	if lines[0]["status"] != 499.0 || lines[0]["level"] != "INFO" {
		t.Errorf("line %v", lines[0])
	}
}

func TestObservePanics(t *testing.T) {
	panicking := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the cause") })
	w, lines := observed(t, panicking, httptest.NewRequest("GET", "/", nil), httpx.Options{Failure: failPage})
	if w.Code != 500 || w.Body.String() != "the page" {
		t.Errorf("S45: answer %d %q", w.Code, w.Body)
	}
	if len(lines) != 2 || lines[0]["panic"] != "the cause" || lines[1]["status"] != 500.0 || lines[0]["id"] != lines[1]["id"] {
		t.Fatalf("lines %v", lines)
	}
	if stack, _ := lines[0]["stack"].(string); !strings.Contains(stack, "TestObservePanics") {
		t.Error("the stack does not show who panicked")
	}
	w, _ = observed(t, panicking, httptest.NewRequest("GET", "/", nil), httpx.Options{})
	if w.Code != 500 || strings.Contains(w.Body.String(), "cause") {
		t.Errorf("S45: plain answer %d %q", w.Code, w.Body)
	}
}

// A client must not take half an answer for a whole one.
func TestObservePanicAfterAnswerCutsTheConnection(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic("the cause")
	})
	server := httptest.NewServer(httpx.Observe(h, httpx.Options{Logger: slog.New(slog.DiscardHandler)}))
	defer server.Close()
	answer, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.ReadAll(answer.Body); err == nil {
		t.Error("the answer ends as if it were whole")
	}
}

func TestObserveKeepsResponseController(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		control := http.NewResponseController(w)
		if err := control.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Errorf("SetReadDeadline: %v", err)
		}
		if err := control.Flush(); err != nil {
			t.Errorf("Flush: %v", err)
		}
	})
	server := httptest.NewServer(httpx.Observe(h, httpx.Options{Logger: slog.New(slog.DiscardHandler)}))
	defer server.Close()
	answer, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
}

// S21: the client is the right-most address that is no trusted proxy.
func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		name, peer string
		header     http.Header
		want       string
	}{
		{"direct", "192.0.2.7:4711", nil, "192.0.2.7"},
		{"direct client forges the header", "192.0.2.7:4711", fwd("10.1.1.1"), "192.0.2.7"},
		{"one proxy", "10.0.0.1:80", fwd("192.0.2.7"), "192.0.2.7"},
		{"client forges behind a proxy", "10.0.0.1:80", fwd("203.0.113.9, 192.0.2.7"), "192.0.2.7"},
		{"client forges a trusted address", "10.0.0.1:80", fwd("203.0.113.9, 10.9.9.9, 192.0.2.7"), "192.0.2.7"},
		{"client forges in a line of its own", "10.0.0.1:80", fwd("203.0.113.9", "192.0.2.7"), "192.0.2.7"},
		{"two proxies", "10.0.0.1:80", fwd("192.0.2.7, 10.0.0.2"), "192.0.2.7"},
		{"two proxies, two lines", "10.0.0.1:80", fwd("192.0.2.7", "10.0.0.2"), "192.0.2.7"},
		{"client within the trusted network", "10.0.0.1:80", fwd("10.5.5.5, 10.0.0.2"), "10.5.5.5"},
		{"proxy without the header", "10.0.0.1:80", nil, "10.0.0.1"},
		{"empty header", "10.0.0.1:80", fwd(""), "10.0.0.1"},
		{"garbage at the right", "10.0.0.1:80", fwd("192.0.2.7, unknown"), "10.0.0.1"},
		{"garbage further left", "10.0.0.1:80", fwd("unknown, 10.0.0.2"), "10.0.0.2"},
		{"obfuscated", "10.0.0.1:80", fwd("_hidden"), "10.0.0.1"},
		{"with a port", "10.0.0.1:80", fwd("192.0.2.7:1234"), "192.0.2.7"},
		{"IPv6", "[fd00::1]:80", fwd("2001:db8::7"), "2001:db8::7"},
		{"IPv6 in brackets", "[fd00::1]:80", fwd("[2001:db8::7]"), "2001:db8::7"},
		{"IPv6 in brackets with a port", "[fd00::1]:80", fwd("[2001:db8::7]:99"), "2001:db8::7"},
		{"IPv4 in IPv6 is the same address", "[::ffff:10.0.0.1]:80", fwd("::ffff:192.0.2.7"), "192.0.2.7"},
		{"zone is dropped", "[fe80::1%eth0]:80", nil, "fe80::1"},
		{"other headers are ignored", "10.0.0.1:80", http.Header{
			"Forwarded": {"for=203.0.113.9"}, "X-Real-Ip": {"203.0.113.9"}, "True-Client-Ip": {"203.0.113.9"},
			"Cf-Connecting-Ip": {"203.0.113.9"}, "X-Client-Ip": {"203.0.113.9"},
		}, "10.0.0.1"},
		{"Unix socket", "@", fwd("203.0.113.9"), "invalid IP"},
	}
	for _, test := range tests {
		t.Run("S21 "+test.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = test.peer
			r.Header = test.header
			var got string
			h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = httpx.EventOf(r.Context()).Client().String()
			})
			observed(t, h, r, httpx.Options{Trusted: trusted})
			if got != test.want {
				t.Errorf("client %s, want %s", got, test.want)
			}
		})
	}
}

func TestTraceparent(t *testing.T) {
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	tests := []struct {
		name, value string
		want        any
	}{
		{"good", good, good},
		{"upper case", strings.ToUpper(good), nil},
		{"zero trace", "00-00000000000000000000000000000000-b7ad6b7169203331-01", nil},
		{"zero parent", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", nil},
		{"unknown version", "01" + good[2:], nil},
		{"injection", strings.Replace(good, "-01", "\n01", 1), nil},
		{"too long", good + "-00", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["Traceparent"] = []string{test.value}
			_, lines := observed(t, http.NotFoundHandler(), r, httpx.Options{})
			if got := lines[0]["traceparent"]; got != test.want {
				t.Errorf("traceparent %v, want %v", got, test.want)
			}
		})
	}
}

// S39: a client that is slow to send its header is cut off, one that sends
// too much of it is refused.
func TestServerLimits(t *testing.T) {
	server := httpx.NewServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if server.ReadHeaderTimeout <= 0 || server.ReadTimeout <= 0 || server.WriteTimeout <= 0 || server.IdleTimeout <= 0 {
		t.Errorf("a time is not limited: %+v", server)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	r, err := http.NewRequest("GET", "http://"+listener.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Long", strings.Repeat("a", 32<<10))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d, want 431", answer.StatusCode)
	}
}

func fwd(lines ...string) http.Header { return http.Header{"X-Forwarded-For": lines} }

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
