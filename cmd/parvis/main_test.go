package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parvis/tickets/redis"
)

func TestMain(m *testing.M) {
	redis.LogDriver(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

func TestUsage(t *testing.T) {
	tests := []struct {
		name     string
		args     string
		code     int
		out, err string
	}{
		{"nothing", "", exitUsage, "", "Usage: parvis COMMAND"},
		{"help", "-h", exitFine, "run a server with everything built in", ""},
		{"help by its long name", "--help", exitFine, "Usage: parvis COMMAND", ""},
		{"unknown command", "login", exitUsage, "", `there is no command "login"`},
		{"help of a command", "serve -h", exitFine, "Usage: parvis serve -config FILE", ""},
		{"help after a flag", "serve -config x -h", exitFine, "Usage: parvis serve -config FILE", ""},
		{"help of a group", "services -h", exitFine, "explain", ""},
		{"help inside a group", "services explain -h", exitFine, "Usage: parvis services explain URL -config FILE", ""},
		{"group alone", "services", exitUsage, "", "Usage: parvis services COMMAND"},
		{"unknown flag", "serve -port 80", exitUsage, "", "-port"},
		{"argument too many", "version now", exitUsage, "", `what is "now"?`},
		{"argument too few", "services explain -config x", exitUsage, "", "give the address of the service"},
		{"serve without a configuration", "serve", exitUsage, "", "give the configuration with -config FILE"},
		{"check without a configuration", "check", exitUsage, "", "give the configuration with -config FILE"},
		{"configuration that is not there", "serve -config /nowhere.yaml", exitFault, "", "no such file"},
		{"version", "version", exitFine, "parvis unknown (go", ""},
		{"demo on no port", "demo -listen localhost", exitFault, "", "write host:port"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, err, code := runOnce(t, strings.Fields(test.args)...)
			if code != test.code {
				t.Errorf("exit code = %d, want %d", code, test.code)
			}
			if !strings.Contains(out, test.out) || (test.out == "" && out != "") {
				t.Errorf("output = %q, want in it: %q", out, test.out)
			}
			if !strings.Contains(err, test.err) || (test.err == "" && err != "") {
				t.Errorf("errors = %q, want in them: %q", err, test.err)
			}
		})
	}
}

// runOnce runs a command that ends by itself.
func runOnce(t *testing.T, args ...string) (string, string, int) {
	t.Helper()
	var out, err output
	code := run(t.Context(), args, surroundings{out: &out, err: &err, env: os.LookupEnv})
	return out.String(), err.String(), code
}

// process is a command that runs until it is stopped.
type process struct {
	out, err output
	hangup   chan os.Signal
	stop     context.CancelFunc
	code     chan int
}

// start runs a command in the background. It is stopped when the test ends.
func startCommand(t *testing.T, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	p := &process{hangup: make(chan os.Signal), stop: cancel, code: make(chan int, 1)}
	go func() {
		p.code <- run(ctx, args, surroundings{out: &p.out, err: &p.err, env: os.LookupEnv, hangup: p.hangup})
		close(p.code)
	}()
	t.Cleanup(func() {
		cancel()
		<-p.code
	})
	return p
}

// end stops a process as Ctrl-C does, and returns its exit code.
func (p *process) end(t *testing.T) int {
	t.Helper()
	p.stop()
	select {
	case code := <-p.code:
		return code
	case <-time.After(30 * time.Second):
		t.Fatalf("it does not stop:\n%s", p.err.String())
		return -1
	}
}

// soon is how long a test waits for what another process does.
const soon = 15 * time.Second

// output is a buffer that a process may write to while a test reads it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func writeFile(t *testing.T, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newKey(t *testing.T) string {
	t.Helper()
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(key)
}
