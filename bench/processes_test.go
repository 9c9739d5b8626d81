package bench_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"parvis/internal/demo"
	"parvis/internal/testkit"
)

// helloAddress makes this program a bare net/http server instead.
const helloAddress = "PARVIS_BENCH_HELLO"

func TestMain(m *testing.M) {
	if address, ok := os.LookupEnv(helloAddress); ok {
		hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = w.Write([]byte("hello\n"))
		})
		server := &http.Server{Addr: address, Handler: hello, ReadHeaderTimeout: time.Second}
		fmt.Fprintln(os.Stderr, server.ListenAndServe())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// server is a process that answers.
type server struct {
	address string
	ready   time.Duration
	program *exec.Cmd
}

// resident is the memory of the process, in MB.
func (s server) resident(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.program.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kilobytes, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kilobytes / 1024
}

func (s server) stop() {
	_ = s.program.Process.Signal(syscall.SIGTERM)
	_ = s.program.Wait()
}

// start runs a program and waits until a page of it is answered with 200.
func start(b *testing.B, program *exec.Cmd, address, page string) server {
	b.Helper()
	// What it writes goes to /dev/null: reading it would take part of the cores.
	begun := time.Now()
	if err := program.Start(); err != nil {
		b.Fatal(err)
	}
	s := server{address: address, program: program}
	b.Cleanup(s.stop)
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for time.Since(begun) < 10*time.Second {
		response, err := client.Get(page)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				s.ready = time.Since(begun)
				return s
			}
		}
		time.Sleep(time.Millisecond)
	}
	b.Fatalf("%s does not answer", program)
	return s
}

func startHello(b *testing.B) server {
	b.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(b))
	program := exec.CommandContext(b.Context(), os.Args[0])
	program.Env = append(os.Environ(), helloAddress+"="+address)
	return start(b, program, address, "http://"+address+"/")
}

// build compiles the server as `make build` does.
func build(b *testing.B) string {
	b.Helper()
	binary := filepath.Join(b.TempDir(), "parvis")
	compile := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "parvis/cmd/parvis")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := compile.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// startParvis runs a node over a directory, with more lines of configuration and
// more files in its folder.
func startParvis(b *testing.B, binary, directory, more string, files map[string]string) server {
	b.Helper()
	folder := b.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "services"), demo.Services()); err != nil {
		b.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	address := fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(b))
	operations := fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(b))
	text := fmt.Sprintf(`url: http://localhost/cas
listen: %s
operations: {listen: %q}
university: {name: Bench, help: {mail: assistance@univ.example}}
secrets: {keys: [%q]}
directory: %s
services: {folder: services}
log: {audit: audit.log}
%s
`, address, operations, base64.StdEncoding.EncodeToString(key), directory, more)
	file := filepath.Join(folder, "parvis.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return start(b, exec.CommandContext(b.Context(), binary, "serve", "-config", file), address, "http://"+operations+"/readyz")
}
