package testkit

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/go-ldap/ldif"

	"parvis/deploy/openldap"
	"parvis/internal/demo"
)

const (
	slapdRootDN   = "cn=admin,dc=univ,dc=example"
	slapdConfigDN = "cn=admin,cn=config"
	slapdStart    = 20 * time.Second
	slapdTries    = 5
)

// SlapdServer is a running OpenLDAP server with the demonstration's people, set
// up by the files that operators get (deploy/openldap).
type SlapdServer struct {
	// BaseDN is the suffix; people live in ou=people below it.
	BaseDN string
	// BindDN and BindPassword are the account of Parvis, which may read.
	BindDN, BindPassword string
	// RootDN and RootPassword are the administrator's.
	RootDN, RootPassword string
	// DecoyDN is the account to bind as for a login that nobody has.
	DecoyDN string

	t            testing.TB
	dir          string
	port, tlsTCP int
	authority    *Authority
	program      *exec.Cmd
	exited       chan struct{}
	output       bytes.Buffer
}

// SlapdOption changes how [Slapd] sets its server up.
type SlapdOption func(*slapdSetup)

type slapdSetup struct {
	people     []byte
	noMemberOf bool
}

// WithPeople loads another LDIF than the demonstration's. It must begin with the
// entry dc=univ,dc=example.
func WithPeople(content []byte) SlapdOption {
	return func(s *slapdSetup) { s.people = content }
}

// WithoutMemberOf leaves the memberof overlay out, as on servers where a group
// names its members and a member does not name its groups.
func WithoutMemberOf() SlapdOption {
	return func(s *slapdSetup) { s.noMemberOf = true }
}

// Slapd starts Debian's slapd in a folder of its own on two free loopback ports,
// one for LDAP and StartTLS, one for LDAPS, and returns when it answers. It is
// gone when the test ends.
func Slapd(t testing.TB, options ...SlapdOption) *SlapdServer {
	t.Helper()
	setup := slapdSetup{people: demo.People()}
	for _, option := range options {
		option(&setup)
	}
	s := &SlapdServer{
		BaseDN:       "dc=univ,dc=example",
		BindDN:       "cn=parvis,ou=admin,dc=univ,dc=example",
		BindPassword: randomWord(t),
		RootDN:       slapdRootDN,
		RootPassword: randomWord(t),
		DecoyDN:      "cn=decoy,ou=admin,dc=univ,dc=example",
		t:            t,
		dir:          t.TempDir(),
		authority:    NewAuthority(t),
	}
	s.writeConfig()
	t.Cleanup(s.Kill)
	s.startOnFreePorts()
	s.apply(slapdConfigDN, setup.noMemberOf, openldap.Schemas()...)
	s.apply(slapdConfigDN, setup.noMemberOf, openldap.Setup()...)
	s.Load(string(setup.people))
	s.apply(slapdRootDN, false, openldap.Tree())
	s.Load(s.accounts())
	return s
}

// URL returns the ldap:// URL, where StartTLS works too.
func (s *SlapdServer) URL() string { return fmt.Sprintf("ldap://127.0.0.1:%d", s.port) }

// URLTLS returns the ldaps:// URL.
func (s *SlapdServer) URLTLS() string { return fmt.Sprintf("ldaps://127.0.0.1:%d", s.tlsTCP) }

// CA returns the authority that signed the server's certificate.
func (s *SlapdServer) CA() *x509.CertPool { return s.authority.Pool() }

// CAFile returns the path of the same authority as PEM.
func (s *SlapdServer) CAFile() string { return filepath.Join(s.dir, "ca.pem") }

// Start starts a stopped server again, on the same ports with the same data, and
// returns when it answers.
func (s *SlapdServer) Start() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatalf("start slapd: %v", err)
	}
}

// Stop ends the server as an operator would and waits for its end.
func (s *SlapdServer) Stop() { s.end(syscall.SIGTERM) }

// Kill ends the server as a crash would and waits for its end.
func (s *SlapdServer) Kill() { s.end(syscall.SIGKILL) }

// Restart stops the server and starts it again.
func (s *SlapdServer) Restart() {
	s.t.Helper()
	s.Stop()
	s.Start()
}

// Pause freezes the server: connections stay open and nothing answers.
func (s *SlapdServer) Pause() {
	s.t.Helper()
	pause(s.t, s.program.Process)
}

// Resume lets a paused server go on.
func (s *SlapdServer) Resume() { s.signal(syscall.SIGCONT) }

// Load applies LDIF as the administrator: content records and changetype add are
// added, changetype modify and delete are done.
func (s *SlapdServer) Load(content string) {
	s.t.Helper()
	if err := s.load(slapdRootDN, content); err != nil {
		s.t.Fatalf("load into slapd: %v", err)
	}
}

// LoadConfig applies LDIF to cn=config as its administrator: more modules, other
// limits.
func (s *SlapdServer) LoadConfig(content string) {
	s.t.Helper()
	if err := s.load(slapdConfigDN, content); err != nil {
		s.t.Fatalf("configure slapd: %v", err)
	}
}

// Modify replaces one attribute of an entry as the administrator; no value
// removes it. Attributes that clients may not write, as pwdChangedTime, are
// written all the same (the Relax control).
func (s *SlapdServer) Modify(dn, attribute string, values ...string) {
	s.t.Helper()
	request := ldap.NewModifyRequest(dn, []ldap.Control{ldap.NewControlString("1.3.6.1.4.1.4203.666.5.12", true, "")})
	request.Replace(attribute, values)
	s.asAdmin(func(conn *ldap.Conn) error { return conn.Modify(request) })
}

// Values reads one attribute of an entry as the administrator, operational
// attributes too.
func (s *SlapdServer) Values(dn, attribute string) []string {
	s.t.Helper()
	var values []string
	s.asAdmin(func(conn *ldap.Conn) error {
		result, err := conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases,
			0, 0, false, "(objectClass=*)", []string{attribute}, nil))
		if err == nil && len(result.Entries) == 1 {
			values = result.Entries[0].GetEqualFoldAttributeValues(attribute)
		}
		return err
	})
	return values
}

func (s *SlapdServer) asAdmin(do func(*ldap.Conn) error) {
	s.t.Helper()
	conn, err := s.admin(slapdRootDN)
	if err != nil {
		s.t.Fatalf("bind to slapd: %v", err)
	}
	defer conn.Close()
	if err := do(conn); err != nil {
		s.t.Fatalf("ask slapd: %v", err)
	}
}

func (s *SlapdServer) admin(dn string) (*ldap.Conn, error) {
	conn, err := ldap.DialURL(s.URL())
	if err != nil {
		return nil, err
	}
	if err := conn.Bind(dn, s.RootPassword); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// apply loads files of deploy/openldap.
func (s *SlapdServer) apply(dn string, noMemberOf bool, names ...string) {
	s.t.Helper()
	for _, name := range names {
		content, err := openldap.Files.ReadFile(name)
		if err != nil {
			s.t.Fatalf("read the sample %s: %v", name, err)
		}
		if noMemberOf {
			content = withoutRecord(content, "olcOverlay=memberof")
			content = bytes.ReplaceAll(content, []byte("olcDbIndex: memberOf eq\n"), nil)
		}
		if err := s.load(dn, string(content)); err != nil {
			s.t.Fatalf("apply %s: %v", name, err)
		}
	}
}

func (s *SlapdServer) load(dn, content string) error {
	parsed, err := ldif.Parse(content)
	if err != nil {
		return fmt.Errorf("parse LDIF: %w", err)
	}
	conn, err := s.admin(dn)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, record := range parsed.Entries {
		if err := applyRecord(conn, record); err != nil {
			return err
		}
	}
	return nil
}

func applyRecord(conn *ldap.Conn, record *ldif.Entry) error {
	switch {
	case record.Entry != nil:
		add := ldap.NewAddRequest(record.Entry.DN, nil)
		for _, attribute := range record.Entry.Attributes {
			add.Attribute(attribute.Name, attribute.Values)
		}
		return wrapDN(add.DN, conn.Add(add))
	case record.Add != nil:
		return wrapDN(record.Add.DN, conn.Add(record.Add))
	case record.Modify != nil:
		return wrapDN(record.Modify.DN, conn.Modify(record.Modify))
	case record.Del != nil:
		return wrapDN(record.Del.DN, conn.Del(record.Del))
	default:
		return nil
	}
}

func wrapDN(dn string, err error) error {
	if err != nil {
		return fmt.Errorf("change %s: %w", dn, err)
	}
	return nil
}

// withoutRecord drops the LDIF record whose DN begins so.
func withoutRecord(content []byte, dn string) []byte {
	var kept [][]byte
	for record := range bytes.SplitSeq(content, []byte("\n\n")) {
		if !bytes.Contains(record, []byte("dn: "+dn)) {
			kept = append(kept, record)
		}
	}
	return bytes.Join(kept, []byte("\n\n"))
}

// lookSlapd finds one of the server's programs, which Debian keeps out of the
// path of ordinary users.
func lookSlapd(t testing.TB, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/libexec"} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	t.Fatalf("%s is not installed: this test needs it (Debian package slapd)", name)
	return ""
}
