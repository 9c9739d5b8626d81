package bench_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"parvis/internal/testkit"
)

const (
	// visited is how many services a session led to, logouts how many sessions
	// are ended in a round.
	visited = 50
	logouts = 150
	// settle lets the logout requests of one session leave before the next is
	// ended: what is measured is how long a person waits, not how many can wait.
	settle = 30 * time.Millisecond
	// warm is how many pages are asked for just before.
	warm = 20
)

// applications are fifty services on addresses of their own, and the files that
// register them.
type applications struct {
	services []string
	files    map[string]string
	told     atomic.Int64
}

func startApplications(b *testing.B) *applications {
	b.Helper()
	listener, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		b.Fatal(err)
	}
	a := &applications{files: map[string]string{}}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		a.told.Add(1)
	})}
	go func() { _ = server.Serve(listener) }()
	b.Cleanup(func() { _ = server.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	for i := range visited {
		address := "http://127.0.1." + strconv.Itoa(i+1) + ":" + port + "/"
		a.services = append(a.services, address)
		a.files[fmt.Sprintf("services/app%d.yaml", i)] = fmt.Sprintf("id: %d\nname: Application %d\nmatch: %s\nnetworks: [127.0.0.0/8]\n", 1000+i, i, address)
	}
	return a
}

// logoutCost is how much longer a logout takes from a session that led to fifty
// services than from one that led to none: medians of logouts in turn.
func logoutCost(b *testing.B, s server, a *applications) float64 {
	b.Helper()
	browser := &http.Client{
		Timeout:       5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ask := func(path, cookie string) {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+s.address+path, nil)
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Cookie", "TGC="+cookie)
		response, err := browser.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode >= http.StatusBadRequest {
			b.Fatalf("%s: %s", path, response.Status)
		}
	}
	var with, without []time.Duration
	for len(with) < logouts {
		for i, cookie := range openSessions(b, s) {
			if i%2 == 0 {
				for _, address := range a.services {
					ask("/cas/login?service="+url.QueryEscape(address), cookie)
				}
			}
			for range warm {
				ask("/cas/login", cookie) // so that both come from the same work
			}
			begun := time.Now()
			ask("/cas/logout", cookie)
			took := time.Since(begun)
			if i%2 == 0 {
				with = append(with, took)
			} else {
				without = append(without, took)
			}
			time.Sleep(settle)
		}
	}
	median := func(all []time.Duration) time.Duration {
		slices.Sort(all)
		return all[len(all)/2]
	}
	fmt.Printf("  logout with no service %v, with %d %v; %d requests sent so far\n", median(without), visited, median(with), a.told.Load())
	return float64(median(with)) / float64(median(without))
}

// BenchmarkLogout prints what services cost the person who logs out.
func BenchmarkLogout(b *testing.B) {
	binary := build(b)
	file := filepath.Join(b.TempDir(), "people.ldif")
	if err := os.WriteFile(file, crowded(), 0o600); err != nil {
		b.Fatal(err)
	}
	a, redis := startApplications(b), testkit.Redis(b, "--appendfsync", "everysec")
	t := &table{b: b}
	for _, kept := range []struct{ name, more string }{
		{"memory", patient},
		{"Redis", patient + fmt.Sprintf("  redis: {url: %q}\n", redis.URL())},
	} {
		s := startParvis(b, binary, "{ldif: "+file+"}", kept.more, a.files)
		t.atMost("logout, 50 services / none, "+kept.name, 1.10, func() float64 { return logoutCost(b, s, a) })
		s.stop()
	}
	t.print()
}
