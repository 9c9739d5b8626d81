package conformance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parvis/conformance"
	"parvis/internal/testkit"
	"parvis/ldapstore/directorytest"
)

// site is a university with two servers: one as universities run it, one that
// is impatient.
type site struct {
	t         *testing.T
	dir       string
	binary    string
	slapd     *testkit.SlapdServer
	redis     *testkit.RedisServer
	authority *conformance.Authority
}

// startParvis runs the program with a directory, a Redis and the suite's
// services.
func startParvis(t *testing.T) *conformance.Target {
	t.Helper()
	testkit.LookAtSources(t, "..")
	s := &site{t: t, dir: t.TempDir(), slapd: testkit.Slapd(t, testkit.WithPeople(directorytest.People())), redis: testkit.Redis(t)}
	var err error
	if s.binary, err = testkit.BuildParvis(s.dir); err != nil {
		t.Fatal(err)
	}
	if s.authority, err = conformance.OpenAuthority(s.dir); err != nil {
		t.Fatal(err)
	}
	if err := s.authority.Write(s.dir); err != nil {
		t.Fatal(err)
	}
	folder, err := conformance.Services()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(s.dir, "services"), folder); err != nil {
		t.Fatal(err)
	}
	s.write("keys", testkit.ServerKey(t))
	s.write("bind_password", s.slapd.BindPassword)
	return &conformance.Target{
		URL:   s.serve("patient", patient),
		Hasty: s.serve("hasty", hasty),
		Roots: s.authority.Pool(), Authority: s.authority,
		Suspend: func(_ testing.TB, who conformance.Account) func() {
			dn := "uid=" + who.UID + ",ou=people," + s.slapd.BaseDN
			before := s.slapd.Values(dn, "supannRessourceEtat")
			s.slapd.Modify(dn, "supannRessourceEtat", "{COMPTE}S")
			return func() { s.slapd.Modify(dn, "supannRessourceEtat", before...) }
		},
		Outage: func(testing.TB) func() {
			s.redis.Stop()
			return s.redis.Start
		},
		Register: func(_ testing.TB, name, text string) { s.write(filepath.Join("services", name), text) },
	}
}

// The two ways to be set up.
const (
	patient = `
sessions: {per_person: 1000, remember_me: {enabled: true}}
outgoing: {ca_file: ca.pem, networks: [127.0.0.0/8, "::1/128"]}
rest: {enabled: true, publish: {attribute: memberOf, value: "cn=ent-admins,ou=groups,dc=univ,dc=example"}}
logout: {tell: every, suspended: 1s}
`
	hasty = `
outgoing: {ca_file: ca.pem, timeout: 500ms}
logout: {tell: newest}
throttle:
  account_and_address: {burst: 3, every: 400ms}
  account: {burst: 60, every: 200ms}
`
)

// serve starts a server and returns its address.
func (s *site) serve(name, more string) string {
	s.t.Helper()
	port, operations := testkit.FreePort(s.t), testkit.FreePort(s.t)
	base := fmt.Sprintf("https://localhost:%d/cas", port)
	s.write(name+".yaml", fmt.Sprintf(`url: %s
listen: localhost:%d
tls: {certificate: server.pem, key: server.key}
operations: {listen: "localhost:%d"}
trusted_proxies: [127.0.0.1, "::1"]
%stickets: {redis: {url: %q, prefix: "%s:"}}
services: {folder: services, reload: 1s}
log: {audit: %s.log}
%s`, base, port, operations, testkit.SiteConfig(s.slapd), s.redis.URL(), name, name, more))
	program := testkit.StartParvis(s.t, s.binary, "serve", "-config", filepath.Join(s.dir, name+".yaml"))
	program.Answers(fmt.Sprintf("http://localhost:%d/readyz", operations), 20*time.Second)
	return base
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}
