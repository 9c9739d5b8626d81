package interop_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"parvis/internal/testkit"
)

const (
	student         = "o22502142"
	studentPassword = "LesPigeons9BoiventDuThe"
	studentMail     = "jean-pierre.martin@etu.univ.example"

	// soon is how long anything may take on a busy machine.
	soon = 20 * time.Second
)

// binary is the program, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(testkit.MainWithParvis(func(path string) int {
		binary = path
		return m.Run()
	}))
}

// site is a university's: a directory, a Redis, an authority that signs all
// certificates, and the server, once it was started.
type site struct {
	t         *testing.T
	dir       string
	authority *testkit.Authority
	services  int
	// port is the server's, url its address: https://localhost:PORT/cas. Until
	// the server starts, taken keeps the port for it.
	port  int
	url   string
	taken net.Listener
}

func newSite(t *testing.T) *site {
	t.Helper()
	testkit.LookAtSources(t, "..")
	s := &site{t: t, dir: t.TempDir(), authority: testkit.NewAuthority(t), port: testkit.FreePort(t)}
	s.url = "https://localhost:" + strconv.Itoa(s.port) + "/cas"
	s.authority.Write(t, s.dir)
	if err := os.Mkdir(s.path("services"), 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.taken, err = net.Listen("tcp", "localhost:"+strconv.Itoa(s.port)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.taken.Close() })
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) caFile() string { return s.path("ca.pem") }

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// service registers an application, with lines of its own: what it is told,
// whether it may be a proxy.
func (s *site) service(address string, lines ...string) {
	s.t.Helper()
	s.services++
	s.write(fmt.Sprintf("services/application-%d.yaml", s.services), fmt.Sprintf("name: Application %d\nmatch: %s/\n%s\n", s.services, address, strings.Join(lines, "\n")))
}

// serve starts the server. Services registered later are seen within a second.
func (s *site) serve() {
	s.t.Helper()
	slapd, redis := testkit.Slapd(s.t), testkit.Redis(s.t)
	s.write("keys", testkit.ServerKey(s.t))
	s.write("bind_password", slapd.BindPassword)
	operations := "127.0.0.1:" + strconv.Itoa(testkit.FreePort(s.t))
	s.write("parvis.yaml", fmt.Sprintf(`url: %s
listen: localhost:%d
tls: {certificate: server.pem, key: server.key}
operations: {listen: %q}
%stickets: {redis: {url: %q}}
services: {folder: services}
log: {audit: audit.log}
%s
`, s.url, s.port, operations, testkit.SiteConfig(slapd), redis.URL(), outgoing))
	if err := s.taken.Close(); err != nil {
		s.t.Fatal(err)
	}
	parvis := testkit.StartParvis(s.t, binary, "serve", "-config", s.path("parvis.yaml"))
	parvis.Answers("http://"+operations+"/healthz", soon)
}

// outgoing lets the server reach the applications, which are on this machine.
const outgoing = `outgoing: {networks: [127.0.0.0/8, "::1/128"], ca_file: ca.pem}`

// program is the path of a program that a test needs.
func program(t *testing.T, name, debianPackage string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	// Debian keeps daemons out of the path of plain users.
	path := filepath.Join("/usr/sbin", name)
	installed(t, path, debianPackage)
	return path
}

// installed fails a test that needs a file which is not there.
func installed(t *testing.T, path, debianPackage string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is not installed: apt-get install %s", path, debianPackage)
	}
}
