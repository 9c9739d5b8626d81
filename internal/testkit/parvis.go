package testkit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BuildParvis builds the program with the race detector into the folder and
// returns its path. A package does it once, in its TestMain.
func BuildParvis(dir string) (string, error) {
	binary := filepath.Join(dir, "parvis")
	build := exec.Command("go", "build", "-race", "-o", binary, "parvis/cmd/parvis")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build parvis: %w\n%s", err, out)
	}
	return binary, nil
}

// LookAtSources makes the result of a test depend on every file below root, the
// project's folder: go test gives a former result again unless something changed
// that a test imports or looked at, and a program that it built is neither.
func LookAtSources(t testing.TB, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // an editor's file, gone since it was listed
			return nil
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "bin"):
			return filepath.SkipDir
		}
		if _, err := os.Stat(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Program is a running program, whose words are kept.
type Program struct {
	// Done is closed when it has ended.
	Done <-chan struct{}

	t       testing.TB
	name    string
	command *exec.Cmd
	err     error
	mu      sync.Mutex
	out     bytes.Buffer
}

// StartProgram starts a program, and stops it with the test. What it said is
// logged when the test failed.
func StartProgram(t testing.TB, command *exec.Cmd) *Program {
	t.Helper()
	done := make(chan struct{})
	p := &Program{Done: done, t: t, name: filepath.Base(command.Path), command: command}
	command.Stdout, command.Stderr = p, p
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = command.Wait()
		close(done)
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

// Stop asks the program to end and waits for it; the result is its own.
func (p *Program) Stop() error {
	_ = p.command.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.Done:
		return p.err
	case <-time.After(30 * time.Second):
		_ = p.command.Process.Kill()
		p.t.Errorf("%s does not stop", p.name)
		return errors.New("killed")
	}
}

// Eventually waits until something is so while the program runs, and fails the
// test when it never is.
func (p *Program) Eventually(what string, within time.Duration, so func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(within); !so(); {
		select {
		case <-p.Done:
			p.t.Fatalf("%s ended before %s: %v\n%s", p.name, what, p.err, p.Output())
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("not within %v: %s\n%s", within, what, p.Output())
		}
	}
}
