package slo_test

import (
	"context"
	"flag"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"parvis/internal/audit"
	"parvis/internal/safehttp"
	"parvis/internal/slo"
	"parvis/services"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
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
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

// zeros is randomness that is none, so that ids are the same each time.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// network is what applications answer, and what they were sent. Its functions
// are asked by host; a host without one answers 200.
type network struct {
	hosts map[string]func(ctx context.Context) (int, error)

	mu   sync.Mutex
	sent []sent
	busy map[string]int
	most map[string]int
}

type sent struct {
	at      time.Time
	request safehttp.Request
}

func (n *network) Do(ctx context.Context, r safehttp.Request) (int, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return 0, err
	}
	n.mu.Lock()
	n.sent = append(n.sent, sent{time.Now(), r})
	if n.busy == nil {
		n.busy, n.most = make(map[string]int), make(map[string]int)
	}
	host := strings.ToLower(u.Host)
	for _, name := range []string{"", host} {
		n.busy[name]++
		n.most[name] = max(n.most[name], n.busy[name])
	}
	answer := n.hosts[host]
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		n.busy[""]--
		n.busy[host]--
		n.mu.Unlock()
	}()
	if answer == nil {
		return 200, nil
	}
	return answer(ctx)
}

// to lists the requests to a host.
func (n *network) to(host string) []sent {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []sent
	for _, one := range n.sent {
		if strings.HasPrefix(one.request.URL, "https://"+host+"/") {
			list = append(list, one)
		}
	}
	return list
}

// dead answers nothing until the caller gives up.
func dead(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }

func status(code int) func(context.Context) (int, error) {
	return func(context.Context) (int, error) { return code, nil }
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

func (t *trail) all() []audit.Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]audit.Event(nil), t.events...)
}

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// registry reads entries, each a name and the text of its YAML file.
func registry(t testing.TB, entries map[string]string) *services.Registry {
	t.Helper()
	folder := fstest.MapFS{}
	for name, text := range entries {
		folder[name+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	r, err := services.OpenFS(folder, quiet(), services.Clock(func() time.Time { return instant }))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var instant = time.Date(2026, 11, 22, 8, 0, 0, 999_000_000, time.UTC)

// start runs a notifier until the returned function is called, which waits for
// its end.
func start(t testing.TB, o slo.Options) (*slo.Notifier, func()) {
	t.Helper()
	if o.Logger == nil {
		o.Logger = quiet()
	}
	if o.Auditor == nil {
		o.Auditor = &trail{}
	}
	n := slo.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); n.Run(ctx) }()
	stop := func() { cancel(); <-done }
	t.Cleanup(stop)
	return n, stop
}

// settle lets everything happen that happens at once.
func settle() {
	time.Sleep(10 * time.Millisecond)
	synctest.Wait()
}

func notice(address string) slo.Notice {
	return slo.Notice{URL: address, Service: "Moodle", Ticket: "ST-0123456789abcdefghijklmnopqrs", Name: "o22502142", At: time.Now()}
}
