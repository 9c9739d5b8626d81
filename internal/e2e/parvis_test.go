package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parvis/internal/demo"
	"parvis/internal/testkit"
)

// binary is the program, built with the race detector once for all tests.
var binary string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "parvis-e2e")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "parvis")
	build := exec.Command("go", "build", "-race", "-o", binary, "parvis/cmd/parvis")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build parvis: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// lookAtSources makes the result of a test depend on every source: go test gives
// a former result again unless something changed that a test imports or looked
// at, and a program that it built is neither.
func lookAtSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "bin"):
			return filepath.SkipDir
		}
		_, err = os.Stat(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// process is a running parvis.
type process struct {
	t       *testing.T
	command *exec.Cmd
	done    chan struct{}
	err     error
	mu      sync.Mutex
	out     bytes.Buffer
}

// start runs parvis with arguments, and stops it with the test.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	lookAtSources(t)
	p := &process{t: t, done: make(chan struct{})}
	p.command = exec.Command(binary, args...)
	p.command.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	p.command.Stdout, p.command.Stderr = p, p
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.command.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.stop()
		if t.Failed() {
			t.Logf("parvis %s said:\n%s", strings.Join(args, " "), p.output())
		}
	})
	return p
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

// output is all that the process said so far.
func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// stop asks the process to end and waits for it; the result is its own.
func (p *process) stop() error {
	_ = p.command.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
		return p.err
	case <-time.After(30 * time.Second):
		_ = p.command.Process.Kill()
		p.t.Error("parvis does not stop")
		return errors.New("killed")
	}
}

// eventually waits until something is so, and fails the test when it never is.
func eventually(t *testing.T, what string, within time.Duration, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// status is what a GET is answered with, 0 for no answer.
func status(address string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// site is what a university has: a directory, a Redis, a folder of services,
// and keys that its nodes share.
type site struct {
	t     *testing.T
	dir   string
	slapd *testkit.SlapdServer
	redis *testkit.RedisServer
	// operations is what nodes say of their operations besides the address.
	operations string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), slapd: testkit.Slapd(t), redis: testkit.Redis(t)}
	if err := os.CopyFS(filepath.Join(s.dir, "services"), demo.Services()); err != nil {
		t.Fatal(err)
	}
	s.write("bind_password", s.slapd.BindPassword)
	s.write("keys", key(t))
	return s
}

// key is a random key as the configuration takes it.
func key(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", "head -c 32 /dev/urandom | base64").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func (s *site) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// node is one process of the site.
type node struct {
	*process
	public, operations string
	audit, config      string
}

// node starts a process with a configuration of its own, extra lines included.
func (s *site) node(extra ...string) *node {
	s.t.Helper()
	port, operations := testkit.FreePort(s.t), testkit.FreePort(s.t)
	n := &node{
		public: fmt.Sprintf("http://127.0.0.1:%d", port), operations: fmt.Sprintf("http://127.0.0.1:%d", operations),
		audit: filepath.Join(s.dir, fmt.Sprintf("audit-%d.log", port)),
	}
	config := fmt.Sprintf(`url: http://localhost:%d/cas
listen: 127.0.0.1:%d
operations: {listen: "127.0.0.1:%d"%s}
trusted_proxies: [127.0.0.1]
university: {name: Université d'Exemple, help: {mail: assistance@univ.example}}
secrets: {keys_file: keys}
directory:
  ldap:
    urls: [%q]
    start_tls: true
    ca_file: %q
    bind_dn: %q
    bind_password_file: bind_password
    base: %q
tickets: {redis: {url: %q}}
services: {folder: services}
log: {audit: %q}
%s
`, port, port, operations, s.operations, s.slapd.URL(), s.slapd.CAFile(), s.slapd.BindDN, s.slapd.BaseDN, s.redis.URL(), n.audit, strings.Join(extra, "\n"))
	n.config = s.write(fmt.Sprintf("parvis-%d.yaml", port), config)
	n.process = start(s.t, "serve", "-config", n.config)
	eventually(s.t, "the node answers", 10*time.Second, func() bool {
		select {
		case <-n.done:
			s.t.Fatalf("the node ended: %v\n%s", n.err, n.output())
		default:
		}
		return status(n.operations+"/healthz") == http.StatusOK
	})
	return n
}

// lines are the lines of a file.
func lines(t *testing.T, path string) []string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []string
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		all = append(all, scanner.Text())
	}
	return all
}
