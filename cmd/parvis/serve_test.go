package main

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"parvis/internal/testkit"
)

// serving is a server that answers.
type serving struct {
	*process
	public, operations string
	folder             string
}

func startServe(t *testing.T, file string) serving {
	t.Helper()
	p := startCommand(t, "serve", "-config", file)
	var line struct {
		Message string `json:"msg"`
		Listen  struct{ Public, Operations string }
	}
	testkit.Eventually(t, "the server says where it listens", soon, func() bool {
		for text := range strings.Lines(p.err.String()) {
			if json.Unmarshal([]byte(text), &line) == nil && line.Message == "parvis answers" {
				return true
			}
		}
		return false
	})
	return serving{process: p, public: "http://" + line.Listen.Public, operations: "http://" + line.Listen.Operations, folder: filepath.Dir(file)}
}

func TestServe(t *testing.T) {
	s := startServe(t, site(t))
	visitor, probe := testkit.NewVisitor(t, s.public), testkit.NewVisitor(t, s.operations)
	if got := visitor.Login(testkit.LoginPath("http://localhost:9081/"), "jpmartin", "LesPigeons9BoiventDuThe"); got.Ticket() == "" {
		t.Fatalf("no ticket: %d %s", got.Status, got.Body)
	}
	for path, want := range map[string]string{"/healthz": "alive", "/readyz": `"ready"`, "/metrics": `parvis_logins_total{outcome="success"} 1`} {
		if got := probe.Get(path); got.Status != http.StatusOK || !strings.Contains(got.Body, want) {
			t.Errorf("%s: %d %s, want %s", path, got.Status, got.Body, want)
		}
	}
	t.Run("S37: nothing of the operations on the public listener", func(t *testing.T) {
		for _, path := range []string{"/metrics", "/healthz", "/readyz", "/cas/metrics", "//metrics", "/cas/../metrics", "/cas/..;/metrics", "/cas/%2e%2e/metrics", "/%2fmetrics"} {
			if got := visitor.Get(path); got.Status != http.StatusNotFound {
				t.Errorf("%s: %d, want 404", path, got.Status)
			}
		}
	})
	t.Run("S45: 404 and 405 show nothing of the inside", func(t *testing.T) {
		for _, got := range []testkit.Answer{visitor.Get("/cas/nowhere"), visitor.Get("/nowhere"), visitor.Post("/cas/static/x", url.Values{"a": {"b"}})} {
			if got.Status != http.StatusNotFound && got.Status != http.StatusMethodNotAllowed {
				t.Errorf("status %d", got.Status)
			}
			if leak := regexp.MustCompile(`\.go\b|panic|goroutine|/root|/home`).FindString(got.Body); leak != "" {
				t.Errorf("the page shows %q", leak)
			}
		}
	})
	t.Run("home leads to the login", func(t *testing.T) {
		for _, path := range []string{"/", "/cas", "/cas/"} {
			if got := visitor.Get(path); got.Location != "/cas/login" {
				t.Errorf("%s leads to %q", path, got.Location)
			}
		}
	})
	t.Run("logos are shown and run nothing", func(t *testing.T) {
		got := visitor.Get("/cas/logo/bureau-virtuel.svg")
		if got.Status != http.StatusOK || got.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(got.Header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%d %v", got.Status, got.Header)
		}
		if got := visitor.Get("/cas/logo/..%2fparvis.yaml"); got.Status != http.StatusNotFound {
			t.Errorf("a logo outside of the folder: %d", got.Status)
		}
	})
	t.Run("S23: no password in what was written", func(t *testing.T) {
		trail, err := os.ReadFile(filepath.Join(s.folder, "audit.log"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(trail), `"action":"login"`) || strings.Contains(string(trail)+s.err.String()+s.out.String(), "LesPigeons") {
			t.Errorf("audit:\n%s\nlog:\n%s", trail, s.err.String())
		}
	})
	if code := s.end(t); code != exitFine {
		t.Errorf("exit code %d:\n%s", code, s.err.String())
	}
}

// TestHangup: the audit file was moved away, a service was added.
func TestHangup(t *testing.T) {
	s := startServe(t, site(t, "reload: 1s", "reload: 1h"))
	visitor := testkit.NewVisitor(t, s.public)
	added := testkit.LoginPath("http://localhost:9099/")
	if got := visitor.Get(added); got.Status != http.StatusForbidden {
		t.Fatalf("status %d before the service was added, want 403", got.Status)
	}
	audit := filepath.Join(s.folder, "audit.log")
	if err := os.Rename(audit, audit+".1"); err != nil {
		t.Fatal(err)
	}
	writeFile(t, s.folder, "services/added.yaml", "id: 9099\nname: Added\nmatch: http://localhost:9099/\n")
	s.hangup <- syscall.SIGHUP
	testkit.Eventually(t, "the service is known", soon, func() bool { return visitor.Get(added).Status == http.StatusOK })
	visitor.Login(testkit.LoginPath(""), "jpmartin", "LesPigeons9BoiventDuThe")
	text, err := os.ReadFile(audit)
	if err != nil || !strings.Contains(string(text), `"action":"login"`) {
		t.Errorf("the new audit file holds %q (%v)", text, err)
	}
}

// TestHangupWithABrokenFile is S44: the rest of the folder is taken, and
// operators are told.
func TestHangupWithABrokenFile(t *testing.T) {
	s := startServe(t, site(t, "reload: 1s", "reload: 1h"))
	visitor, probe := testkit.NewVisitor(t, s.public), testkit.NewVisitor(t, s.operations)
	writeFile(t, s.folder, "services/broken.yaml", "id: [")
	writeFile(t, s.folder, "services/added.yaml", "id: 9099\nname: Added\nmatch: http://localhost:9099/\n")
	s.hangup <- syscall.SIGHUP
	testkit.Eventually(t, "the other service is known", soon, func() bool {
		return visitor.Get(testkit.LoginPath("http://localhost:9099/")).Status == http.StatusOK
	})
	if text := probe.Get("/metrics").Body; !strings.Contains(text, "\nparvis_services 6\n") || !strings.Contains(text, "\nparvis_services_faults 1\n") {
		t.Errorf("metrics:\n%s", text)
	}
	if got := probe.Get("/readyz"); got.Status != http.StatusOK {
		t.Errorf("/readyz: %d %s", got.Status, got.Body)
	}
	testkit.Eventually(t, "the log names the file", soon, func() bool {
		for line := range strings.Lines(s.err.String()) {
			if strings.Contains(line, `"level":"ERROR"`) && strings.Contains(line, "broken.yaml") {
				return true
			}
		}
		return false
	})
}

// TestStopFinishesRequests stops a server while a login is on its way.
func TestStopFinishesRequests(t *testing.T) {
	s := startServe(t, site(t))
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.public, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	const body = "username=a&password=b"
	request := "POST /cas/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 21\r\nExpect: 100-continue\r\n\r\n"
	if _, err := connection.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(connection)
	wantLine := func(want string) {
		t.Helper()
		if err := connection.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if line, err := answers.ReadString('\n'); err != nil || !strings.HasPrefix(line, want) {
			t.Fatalf("the server says %q (%v), want %q", line, err, want)
		}
	}
	wantLine("HTTP/1.1 100 ") // it reads the body: the request is under way
	wantLine("\r\n")
	done := make(chan int, 1)
	go func() { done <- s.end(t) }()
	testkit.Eventually(t, "the server begins to stop", soon, func() bool { return strings.Contains(s.err.String(), "finishing requests under way") })
	if _, err := connection.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	wantLine("HTTP/1.1 422 ") // answered, and refused: no form of ours was sent
	if code := <-done; code != exitFine {
		t.Errorf("exit code %d", code)
	}
}

func TestServeRefusesToStart(t *testing.T) {
	tests := []struct {
		name   string
		change []string
		want   string
	}{
		{"S18: without keys", []string{"secrets:", "#secrets:"}, "there is no key, and no default"},
		{"S44: with a broken service", []string{"services: {folder: services", "services: {folder: ."}, "load services"},
		{"without its audit file", []string{"audit: audit.log", "audit: nowhere/audit.log"}, "open audit file"},
		{"on an address of others", []string{"listen: localhost:0\n", "listen: 203.0.113.1:80\n"}, "listen on 203.0.113.1:80"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, said, code := runOnce(t, "serve", "-config", site(t, test.change...))
			if code != exitFault || !strings.Contains(said, test.want) {
				t.Errorf("exit code %d, said:\n%s\nwant in it: %s", code, said, test.want)
			}
		})
	}
}
