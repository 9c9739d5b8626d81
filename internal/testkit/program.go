package testkit

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Program is a running program, whose words are kept.
type Program struct {
	t       testing.TB
	name    string
	command *exec.Cmd
	// done is closed when it has ended, with err.
	done chan struct{}
	err  error

	mu  sync.Mutex
	out bytes.Buffer
}

// StartProgram starts a program, and stops it with the test. What it said is
// logged when the test failed.
func StartProgram(t testing.TB, command *exec.Cmd) *Program {
	t.Helper()
	p := &Program{t: t, name: filepath.Base(command.Path), command: command, done: make(chan struct{})}
	command.Stdout, command.Stderr = p, p
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = command.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.Stop() // a test that cares asks before
		if t.Failed() {
			t.Logf("%s said:\n%s", strings.Join(command.Args, " "), p.Output())
		}
	})
	return p
}

// Write takes what the program says.
func (p *Program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

// Output is all that the program said so far.
func (p *Program) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// Signal sends a signal to the program, which may have ended.
func (p *Program) Signal(s os.Signal) { _ = p.command.Process.Signal(s) }

// Wait waits for the program's end; the result is its own, an
// [*exec.ExitError] where it failed.
func (p *Program) Wait() error {
	p.t.Helper()
	select {
	case <-p.done:
		return p.err
	case <-time.After(30 * time.Second):
		_ = p.command.Process.Kill()
		p.t.Errorf("%s does not end", p.name)
		return errors.New("killed")
	}
}

// Stop asks the program to end and waits for it, as [Program.Wait] does.
func (p *Program) Stop() error {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	return p.Wait()
}

// Eventually waits until something is so while the program runs, and fails the
// test when it never is.
func (p *Program) Eventually(what string, within time.Duration, so func() bool) {
	p.t.Helper()
	Eventually(p.t, what, within, func() bool {
		p.t.Helper()
		select {
		case <-p.done:
			p.t.Fatalf("%s ended before %s: %v\n%s", p.name, what, p.err, p.Output())
		default:
		}
		return so()
	})
}

// Answers waits until the program answers a GET of an address with 200.
func (p *Program) Answers(address string, within time.Duration) {
	p.t.Helper()
	p.Eventually(address+" answers", within, func() bool { return Status(p.t, address) == http.StatusOK })
}

// Status is what a GET is answered with, 0 for no answer.
func Status(t testing.TB, address string) int {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// Eventually waits until something is so, and fails the test when it never is.
func Eventually(t testing.TB, what string, within time.Duration, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}
