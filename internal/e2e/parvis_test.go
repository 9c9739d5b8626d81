package e2e_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/internal/demo"
	"parvis/internal/testkit"
)

// binary is the program, built with the race detector once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(testkit.MainWithParvis(func(path string) int {
		binary = path
		return m.Run()
	}))
}

// start runs parvis with arguments, and stops it with the test.
func start(t *testing.T, args ...string) *testkit.Program {
	t.Helper()
	testkit.LookAtSources(t, filepath.Join("..", ".."))
	return testkit.StartParvis(t, binary, args...)
}

// site is what a university has: a directory, a Redis, a folder of services,
// and keys that its nodes share.
type site struct {
	t     *testing.T
	dir   string
	slapd *testkit.SlapdServer
	redis *testkit.RedisServer
	// redisURL is where nodes keep tickets: in redis, unless a test says other.
	redisURL string
	// operations is what nodes say of their operations besides the address.
	operations string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), slapd: testkit.Slapd(t), redis: testkit.Redis(t)}
	s.redisURL = s.redis.URL()
	if err := os.CopyFS(filepath.Join(s.dir, "services"), demo.Services()); err != nil {
		t.Fatal(err)
	}
	s.write("bind_password", s.slapd.BindPassword)
	s.write("keys", testkit.ServerKey(t))
	return s
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
	*testkit.Program
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
%stickets: {redis: {url: %q}}
services: {folder: services}
log: {audit: %q}
%s
`, port, port, operations, s.operations, testkit.SiteConfig(s.slapd), s.redisURL, n.audit, strings.Join(extra, "\n"))
	n.config = s.write(fmt.Sprintf("parvis-%d.yaml", port), config)
	n.Program = start(s.t, "serve", "-config", n.config)
	n.Answers(n.operations+"/healthz", 10*time.Second)
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
