package interop_test

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// application is one whose script answers each request in a process of its own.
type application struct {
	// url is where it is, without a final slash; folder is its own.
	url, folder string
	env         []string
}

// answer is what an application tells of who asks.
type answer struct {
	User       string
	Attributes map[string]any
	// Proxies are those that stand between the person and the application.
	Proxies []string
	// Fine, Code and Behind are about what it asked of another, as a proxy.
	Fine   bool
	Code   any
	Behind string
}

// application starts one: a script of testdata and the program that runs it.
// The script knows where everything is from its environment.
func (s *site) application(interpreter, debianPackage, script string, env ...string) *application {
	s.t.Helper()
	a := &application{folder: s.t.TempDir()}
	path, err := filepath.Abs(filepath.Join("testdata", script))
	if err != nil {
		s.t.Fatal(err)
	}
	run := program(s.t, interpreter, debianPackage)
	said := filepath.Join(a.folder, "said.log")
	a.url = s.https(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log, err := os.OpenFile(said, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			s.t.Errorf("keep what %s says: %v", script, err)
			return
		}
		defer log.Close()
		(&cgi.Handler{Path: run, Args: []string{path}, Env: a.env, Stderr: log}).ServeHTTP(w, r)
	}))
	a.env = append([]string{
		"SCRIPT_FILENAME=" + path, "APP_FOLDER=" + a.folder, "APP_BASE=" + a.url,
		"APP_CAS=" + s.url, "APP_CAS_PORT=" + strconv.Itoa(s.port), "APP_CA=" + s.caFile(),
	}, env...)
	s.t.Cleanup(func() {
		if text, err := os.ReadFile(said); err == nil && s.t.Failed() && len(text) > 0 {
			s.t.Logf("%s at %s said:\n%.20000s", script, a.url, text)
		}
	})
	return a
}

// set tells the application more. It is not for one that is being asked.
func (a *application) set(name, value string) { a.env = append(a.env, name+"="+value) }

// https serves a handler over HTTPS with a certificate of the test's authority.
func (s *site) https(handler http.Handler) string {
	s.t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{s.authority.Certificate(s.t)}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	s.t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// told reads the answer of an application.
func (p page) told(t *testing.T) answer {
	t.Helper()
	var told answer
	if err := json.Unmarshal([]byte(p.Body), &told); err != nil || p.Status != http.StatusOK {
		t.Fatalf("%s: status %d, not the application's answer, by way of %q\n%.2000s", p.address, p.Status, p.hops, p.Body)
	}
	return told
}
