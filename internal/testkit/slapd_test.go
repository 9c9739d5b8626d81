package testkit_test

import (
	"crypto/tls"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"parvis/internal/testkit"
)

const jeanPierre = "uid=o22502142,ou=people,dc=univ,dc=example"

func TestSlapdAnswers(t *testing.T) {
	server := testkit.Slapd(t)
	conn, err := ldap.DialURL(server.URL())
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	defer conn.Close()
	if err := conn.StartTLS(&tls.Config{RootCAs: server.CA(), ServerName: "localhost"}); err != nil {
		t.Fatalf("StartTLS: %v", err)
	}
	if err := conn.Bind(jeanPierre, "LesPigeons9BoiventDuThe"); err != nil {
		t.Fatalf("bind as a person: %v", err)
	}
	groups := server.Values(jeanPierre, "memberOf")
	if len(groups) != 1 || groups[0] != "cn=cours-info-l2,ou=groups,dc=univ,dc=example" {
		t.Errorf("memberOf = %q", groups)
	}
}

func TestSlapdRefusesAnonymous(t *testing.T) {
	server := testkit.Slapd(t)
	conn, err := ldap.DialURL(server.URLTLS(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: server.CA()}))
	if err != nil {
		t.Fatalf("dial with TLS: %v", err)
	}
	defer conn.Close()
	if err := conn.UnauthenticatedBind(""); err == nil {
		t.Error("an anonymous bind was accepted")
	}
}

func TestSlapdKeepsItsDataOverARestart(t *testing.T) {
	server := testkit.Slapd(t)
	server.Modify(jeanPierre, "mailForwardingAddress", "jp@mail.example")
	server.Restart()
	if got := server.Values(jeanPierre, "mailForwardingAddress"); len(got) != 1 {
		t.Errorf("after a restart mailForwardingAddress = %q", got)
	}
	server.Kill()
	server.Start()
}

func TestSlapdWithoutMemberOf(t *testing.T) {
	server := testkit.Slapd(t, testkit.WithoutMemberOf())
	if got := server.Values(jeanPierre, "memberOf"); len(got) != 0 {
		t.Errorf("memberOf = %q, want none", got)
	}
}
