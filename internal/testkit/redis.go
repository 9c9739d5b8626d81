package testkit

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startLimit is how long a program may take until it answers.
const startLimit = 20 * time.Second

// RedisServer is a real redis-server that keeps an append-only file, written
// to the disk before each answer: what it acknowledged survives [RedisServer.Kill].
type RedisServer struct {
	t    testing.TB
	dir  string
	port int
	args []string

	process *exec.Cmd
	exited  chan struct{}
}

// Redis starts a redis-server that ends with the test. Further arguments are
// settings of redis.conf in the form of the command line: "--maxclients", "10".
func Redis(t testing.TB, args ...string) *RedisServer {
	t.Helper()
	const attempts = 5
	r := &RedisServer{t: t, dir: t.TempDir(), args: args}
	t.Cleanup(r.Kill)
	for range attempts {
		r.port = FreePort(t)
		if r.launch() {
			return r
		}
	}
	t.Fatalf("start redis-server: %s", r.log())
	return nil
}

// Addr is where the server listens, as host:port.
func (r *RedisServer) Addr() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port))
}

// URL is where the server listens, as a redis:// URL.
func (r *RedisServer) URL() string { return "redis://" + r.Addr() + "/0" }

// Start starts the server again after a Stop or a Kill, on the same port and
// files, and waits until it answers.
func (r *RedisServer) Start() {
	r.t.Helper()
	if !r.launch() {
		r.t.Fatalf("start redis-server again: %s", r.log())
	}
}

// Stop asks the server to end and waits until it has.
func (r *RedisServer) Stop() {
	r.t.Helper()
	r.signal(syscall.SIGTERM)
	r.wait()
}

// Kill ends the server as a power cut would, and waits until it has.
func (r *RedisServer) Kill() {
	r.t.Helper()
	r.signal(syscall.SIGKILL)
	r.wait()
}

// Restart stops the server cleanly and starts it again.
func (r *RedisServer) Restart() {
	r.t.Helper()
	r.Stop()
	r.Start()
}

// Pause freezes the server: it keeps its connections and answers nothing.
func (r *RedisServer) Pause() {
	r.t.Helper()
	pause(r.t, r.process.Process)
}

// Resume lets a paused server go on.
func (r *RedisServer) Resume() {
	r.t.Helper()
	r.signal(syscall.SIGCONT)
}

// launch starts the program and reports whether it answers.
func (r *RedisServer) launch() bool {
	r.t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		r.t.Fatal("redis-server is not installed: apt-get install redis-server")
	}
	args := append([]string{
		"--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--dir", r.dir, "--logfile", r.logFile(),
		"--appendonly", "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no",
	}, r.args...)
	r.process = exec.Command(path, args...)
	r.exited = make(chan struct{})
	if err := r.process.Start(); err != nil {
		r.t.Fatalf("start redis-server: %v", err)
	}
	go func(process *exec.Cmd, exited chan<- struct{}) {
		_ = process.Wait() // A killed process has no exit status of interest.
		close(exited)
	}(r.process, r.exited)
	for limit := time.Now().Add(startLimit); time.Now().Before(limit); {
		select {
		case <-r.exited:
			return false
		case <-time.After(5 * time.Millisecond):
		}
		if r.answers() == nil {
			return true
		}
	}
	return false
}

// answers asks the server, once, whether it serves commands. One that wants a
// password does.
func (r *RedisServer) answers() error {
	const patience = time.Second
	connection, err := net.DialTimeout("tcp4", r.Addr(), patience)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return fmt.Errorf("set a deadline: %w", err)
	}
	if _, err := connection.Write([]byte("PING\r\n")); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	answer, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if !strings.HasPrefix(answer, "+PONG") && !strings.HasPrefix(answer, "-NOAUTH") {
		return fmt.Errorf("answer %q", answer)
	}
	return nil
}

func (r *RedisServer) signal(signal syscall.Signal) {
	if r.process != nil && r.process.Process != nil {
		_ = r.process.Process.Signal(signal) // It may be gone already.
	}
}

func (r *RedisServer) wait() {
	r.t.Helper()
	if r.exited == nil {
		return
	}
	select {
	case <-r.exited:
	case <-time.After(startLimit):
		r.t.Errorf("redis-server does not end: %s", r.log())
	}
}

func (r *RedisServer) logFile() string { return filepath.Join(r.dir, "redis.log") }

// log is the end of what the server logged.
func (r *RedisServer) log() string {
	const shown = 2000
	text, err := os.ReadFile(r.logFile())
	if err != nil {
		return "no log"
	}
	return string(bytes.TrimSpace(text[max(0, len(text)-shown):]))
}
