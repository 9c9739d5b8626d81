package testkit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// slapdConfig is the least a server needs before deploy/openldap's files can be
// applied to it over LDAP; it has what Debian's package sets up.
const slapdConfig = `dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: DIR/slapd.pid
olcLogLevel: 0
olcThreads: 4
olcTLSCACertificateFile: DIR/ca.pem
olcTLSCertificateFile: DIR/server.pem
olcTLSCertificateKeyFile: DIR/server.key

dn: cn=module{0},cn=config
objectClass: olcModuleList
cn: module{0}
olcModulePath: MODULES
olcModuleLoad: back_mdb.la

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file://SCHEMAS/core.ldif

include: file://SCHEMAS/cosine.ldif

include: file://SCHEMAS/nis.ldif

include: file://SCHEMAS/inetorgperson.ldif

dn: olcDatabase={-1}frontend,cn=config
objectClass: olcDatabaseConfig
objectClass: olcFrontendConfig
olcDatabase: {-1}frontend
olcSizeLimit: 500

dn: olcDatabase={0}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {0}config
olcRootDN: cn=admin,cn=config
olcRootPW: PASSWORD

dn: olcDatabase={1}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {1}mdb
olcDbDirectory: DIR/data
olcDbMaxSize: 1073741824
olcDbNoSync: TRUE
olcSuffix: dc=univ,dc=example
olcRootDN: cn=admin,dc=univ,dc=example
olcRootPW: PASSWORD
olcDbIndex: objectClass eq
`

// writeConfig makes the server's folders, certificate and cn=config.
func (s *SlapdServer) writeConfig() {
	s.t.Helper()
	for _, name := range []string{"config", "data"} {
		if err := os.Mkdir(filepath.Join(s.dir, name), 0o700); err != nil {
			s.t.Fatalf("make slapd's folder: %v", err)
		}
	}
	s.authority.Write(s.t, s.dir)
	config := strings.NewReplacer(
		"DIR", s.dir,
		"PASSWORD", s.RootPassword,
		"MODULES", firstFolder("/usr/lib/ldap", "/usr/lib/openldap", "/usr/lib64/openldap"),
		"SCHEMAS", firstFolder("/etc/ldap/schema", "/etc/openldap/schema"),
	).Replace(slapdConfig)
	add := exec.Command(lookSlapd(s.t, "slapadd"), "-n", "0", "-F", filepath.Join(s.dir, "config"))
	add.Stdin = strings.NewReader(config)
	if output, err := add.CombinedOutput(); err != nil {
		s.t.Fatalf("write slapd's configuration: %v\n%s", err, output)
	}
}

// accounts are those that operators make by hand (deploy/openldap/README.md).
func (s *SlapdServer) accounts() string {
	const account = `dn: DN
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: CN
userPassword: PASSWORD
pwdPolicySubentry: cn=applications,ou=policies,dc=univ,dc=example

`
	parvis := strings.NewReplacer("DN", s.BindDN, "CN", "parvis", "PASSWORD", hashSSHA(s.t, s.BindPassword))
	decoy := strings.NewReplacer("DN", s.DecoyDN, "CN", "decoy", "PASSWORD", hashSSHA(s.t, randomWord(s.t)))
	return parvis.Replace(account) + decoy.Replace(account)
}

// startOnFreePorts chooses ports and starts, again on others when somebody took
// them in between.
func (s *SlapdServer) startOnFreePorts() {
	s.t.Helper()
	var err error
	for range slapdTries {
		s.port, s.tlsTCP = FreePort(s.t), FreePort(s.t)
		if err = s.start(); err == nil {
			return
		}
		s.Kill()
	}
	s.t.Fatalf("start slapd: %v", err)
}

// start runs the program and waits until it answers or ends.
func (s *SlapdServer) start() error {
	if s.program != nil {
		return errors.New("slapd runs already")
	}
	s.output.Reset()
	// -d 0 keeps it in the foreground, so that it is this process's child.
	s.program = exec.Command(lookSlapd(s.t, "slapd"), "-d", "0",
		"-h", s.URL()+" "+s.URLTLS(), "-F", filepath.Join(s.dir, "config"))
	s.program.Stdout, s.program.Stderr = &s.output, &s.output
	if err := s.program.Start(); err != nil {
		s.program = nil
		return err
	}
	s.exited = make(chan struct{})
	go func(program *exec.Cmd, exited chan struct{}) {
		// Its status tells nothing: tests end it by signals.
		_ = program.Wait()
		close(exited)
	}(s.program, s.exited)
	return s.wait()
}

// wait returns when the server accepts a bind.
func (s *SlapdServer) wait() error {
	deadline := time.Now().Add(slapdStart)
	for {
		conn, err := s.admin(slapdConfigDN)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-s.exited:
			return fmt.Errorf("slapd ended: %s", s.output.String())
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("slapd does not answer: %w", err)
		}
	}
}

// end sends a signal and waits for the end of the program, if it runs.
func (s *SlapdServer) end(signal syscall.Signal) {
	if s.program == nil {
		return
	}
	s.signal(signal)
	s.signal(syscall.SIGCONT)
	<-s.exited
	s.program = nil
}

func (s *SlapdServer) signal(signal syscall.Signal) {
	if s.program == nil {
		return
	}
	if err := s.program.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Errorf("signal slapd: %v", err)
	}
}

// firstFolder returns the first path that exists, or the first.
func firstFolder(paths ...string) string {
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return path
		}
	}
	return paths[0]
}
