package interop_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"parvis/internal/testkit"
)

const apacheModules = "/usr/lib/apache2/modules"

// apacheConf is the least that mod_auth_cas needs. The applications behind it
// are one that tells the headers of a request.
const apacheConf = `ServerRoot DIR
PidFile DIR/apache.pid
ServerName localhost
ErrorLog DIR/error.log
LogLevel warn
LoadModule mpm_event_module MODULES/mod_mpm_event.so
LoadModule authn_core_module MODULES/mod_authn_core.so
LoadModule authz_core_module MODULES/mod_authz_core.so
LoadModule authz_user_module MODULES/mod_authz_user.so
LoadModule ssl_module MODULES/mod_ssl.so
LoadModule proxy_module MODULES/mod_proxy.so
LoadModule proxy_http_module MODULES/mod_proxy_http.so
LoadModule auth_cas_module MODULES/mod_auth_cas.so

SSLCertificateFile DIR/server.pem
SSLCertificateKeyFile DIR/server.key
SSLSessionCache none
CASLoginURL CAS/login
CASCertificatePath DIR/ca.pem
CASCookiePath DIR/cookies/
CASAttributePrefix CAS-
CASSSOEnabled On
`

// apacheHost is one application. Its cookies have names of their own: all
// applications of a test share a host name.
const apacheHost = `
Listen 127.0.0.1:PORT https
<VirtualHost 127.0.0.1:PORT>
  SSLEngine On
  CASVersion 2
  CASRootProxiedAs https://localhost:PORT
  VALIDATION
  ProxyPass / ECHO/
  <Location />
    AuthType CAS
    Require valid-user
    CASAuthNHeader CAS-User
    CASScope /
    CASSecureCookie S_PORT
    CASGatewayCookie G_PORT
  </Location>
  <Location /students>
    <RequireAll>
      Require cas-attribute eduPersonAffiliation:student
    </RequireAll>
  </Location>
  <Location /staff>
    Require cas-attribute eduPersonAffiliation:staff
  </Location>
  <Location /public/>
    CASGateway /public/
  </Location>
  <Location /vote/>
    CASRenew /vote/
  </Location>
</VirtualHost>
`

// apache starts Apache with an application for each list of directives that say
// how tickets are validated, and returns their addresses.
func (s *site) apache(validations ...string) []string {
	s.t.Helper()
	installed(s.t, filepath.Join(apacheModules, "mod_auth_cas.so"), "libapache2-mod-auth-cas")
	dir, owner := apacheFolder(s.t)
	s.authority.Write(s.t, dir)
	if err := os.Mkdir(filepath.Join(dir, "cookies"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	first := testkit.FreePorts(s.t, len(validations))
	conf := strings.Builder{}
	conf.WriteString(apacheConf)
	addresses := make([]string, len(validations))
	for i, validation := range validations {
		port := strconv.Itoa(first + i)
		addresses[i] = "https://localhost:" + port
		conf.WriteString(strings.NewReplacer("PORT", port, "VALIDATION", validation).Replace(apacheHost))
	}
	text := strings.NewReplacer("DIR", dir, "MODULES", apacheModules, "CAS/", s.url+"/", "ECHO", echo(s.t)).Replace(conf.String())
	file := filepath.Join(dir, "apache.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	give(s.t, dir, owner)

	command := exec.Command(program(s.t, "apache2", "apache2-bin"), "-f", file, "-D", "FOREGROUND")
	if owner != nil {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	}
	running := testkit.StartProgram(s.t, command)
	s.t.Cleanup(func() {
		if log, err := os.ReadFile(filepath.Join(dir, "error.log")); err == nil && s.t.Failed() {
			s.t.Logf("Apache logged:\n%s", log)
		}
	})
	running.Eventually("Apache answers", soon, func() bool {
		connection, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(first)))
		return err == nil && connection.Close() == nil
	})
	return addresses
}

// apacheFolder is a folder for Apache, and whose it must be: Apache does not
// run as root, and then cannot read what only root may.
func apacheFolder(t *testing.T) (string, *syscall.Credential) {
	t.Helper()
	dir, err := os.MkdirTemp("", "parvis-apache")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if os.Getuid() != 0 {
		return dir, nil
	}
	account, err := user.Lookup("www-data")
	if err != nil {
		t.Fatal(err)
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	if uidErr != nil || gidErr != nil {
		t.Fatalf("read the account of Apache: %q, %q", account.Uid, account.Gid)
	}
	return dir, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// give makes a folder somebody's.
func give(t *testing.T, dir string, owner *syscall.Credential) {
	t.Helper()
	if owner == nil {
		return
	}
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, int(owner.Uid), int(owner.Gid))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// echo is an application that answers with the headers that it was sent.
func echo(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(r.Header); err != nil {
			t.Errorf("write what was sent: %v", err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// header reads what the application behind Apache was told of a person.
func (p page) header(t *testing.T, header string) string {
	t.Helper()
	var sent http.Header
	if err := json.Unmarshal([]byte(p.Body), &sent); err != nil || p.Status != http.StatusOK {
		t.Fatalf("%s: status %d, not the application's answer, by way of %q\n%.2000s", p.address, p.Status, p.hops, p.Body)
	}
	return sent.Get(header)
}
