package ldapstore_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parvis/identity"
	"parvis/internal/testkit"
	"parvis/ldapstore"
)

const (
	login    = "o22502142"
	password = "LesPigeons9BoiventDuThe"
	// patience is how long a recovery may take on a busy machine.
	patience = 10 * time.Second
)

func TestDirectoryDownAtStart(t *testing.T) {
	server := testkit.Slapd(t)
	server.Stop()
	store := open(t, options(server))
	wantUnavailable(t, store)
	server.Start()
	wantBack(t, store)
}

func TestDirectoryGoesAndComesBack(t *testing.T) {
	for name, stop := range map[string]func(*testkit.SlapdServer){
		"stopped": (*testkit.SlapdServer).Stop,
		"killed":  (*testkit.SlapdServer).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			server := testkit.Slapd(t)
			store := open(t, options(server))
			wantBack(t, store)
			stop(server)
			wantUnavailable(t, store)
			server.Start()
			wantBack(t, store)
		})
	}
}

func TestDirectoryRestartedBetweenLogins(t *testing.T) {
	server := testkit.Slapd(t)
	store := open(t, options(server))
	wantBack(t, store)
	server.Restart()
	if _, err := store.Authenticate(t.Context(), login, password); err != nil {
		t.Errorf("first login after a restart: %v", err)
	}
}

func TestSilentDirectory(t *testing.T) {
	server := testkit.Slapd(t)
	o := options(server)
	o.Timeout = 600 * time.Millisecond
	store := open(t, o)
	wantBack(t, store)
	server.Pause()
	begun := time.Now()
	wantUnavailable(t, store)
	if took := time.Since(begun); took > 8*o.Timeout {
		t.Errorf("three calls to a silent directory took %s, with a limit of %s each", took, o.Timeout)
	}
	server.Resume()
	wantBack(t, store)
}

func TestFailOver(t *testing.T) {
	first, second := testkit.Slapd(t), testkit.Slapd(t)
	second.Modify("uid="+login+",ou=people,"+second.BaseDN, "displayName", "Second")
	second.Modify(second.BindDN, "userPassword", first.BindPassword)
	for name, end := range map[string]func(){"stopped": first.Stop, "silent": first.Pause} {
		t.Run(name, func(t *testing.T) {
			o := options(first)
			o.URLs = append(o.URLs, second.URL())
			o.MaxAge = 500 * time.Millisecond
			store := open(t, o)
			if got := displayName(t, store); got != "Jean-Pierre Martin" {
				t.Fatalf("the preferred server says %q", got)
			}
			end()
			if got := displayName(t, store); got != "Second" {
				t.Fatalf("the other server says %q", got)
			}
			first.Resume()
			first.Stop()
			first.Start()
			deadline := time.Now().Add(patience)
			for displayName(t, store) != "Jean-Pierre Martin" {
				if time.Now().After(deadline) {
					t.Fatal("the preferred server is not used again")
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}

func TestLoginsDuringAnOutage(t *testing.T) {
	server := testkit.Slapd(t)
	store := open(t, options(server))
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				person, err := store.Authenticate(t.Context(), login, password)
				if err != nil && !errors.Is(err, identity.ErrUnavailable) {
					t.Errorf("in an outage: %v", err)
				}
				if err == nil && person.UID != login {
					t.Errorf("in an outage: got %q", person.UID)
				}
			}
		})
	}
	for range 3 {
		server.Kill()
		server.Start()
	}
	close(stop)
	callers.Wait()
	wantBack(t, store)
}

func TestCloseLeavesNothing(t *testing.T) {
	server := testkit.Slapd(t)
	before := goleak.IgnoreCurrent()
	store, err := ldapstore.New(options(server))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	wantBack(t, store)
	if err := store.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if _, err := store.Authenticate(t.Context(), login, password); !errors.Is(err, identity.ErrUnavailable) {
		t.Errorf("after Close: %v, want %v", err, identity.ErrUnavailable)
	}
	goleak.VerifyNone(t, before)
}

// TestTLS is S22's "TLS verified": passwords travel only to the directory that an
// authority vouches for under the name it was called by.
func TestTLS(t *testing.T) {
	server := testkit.Slapd(t)
	trusted := &tls.Config{RootCAs: server.CA()}
	stranger := &tls.Config{RootCAs: x509.NewCertPool()}
	byName := func(url string) string { return strings.Replace(url, "127.0.0.1", "localhost", 1) }
	tests := []struct {
		name     string
		url      string
		startTLS bool
		tls      *tls.Config
		works    bool
	}{
		{"LDAPS", server.URLTLS(), false, trusted, true},
		{"LDAPS by name", byName(server.URLTLS()), false, trusted, true},
		{"StartTLS", server.URL(), true, trusted, true},
		{"LDAPS, unknown authority", server.URLTLS(), false, stranger, false},
		{"StartTLS, unknown authority", server.URL(), true, stranger, false},
		{"LDAPS, system's authorities", server.URLTLS(), false, nil, false},
		{"LDAPS to a clear port", strings.Replace(server.URL(), "ldap:", "ldaps:", 1), false, trusted, false},
		{"LDAPS, another name", relay(t, server.URLTLS()), false, trusted, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := options(server)
			o.URLs, o.StartTLS, o.TLS = []string{test.url}, test.startTLS, test.tls
			store := open(t, o)
			if !test.works {
				wantUnavailable(t, store)
				return
			}
			if _, err := store.Authenticate(t.Context(), login, password); err != nil {
				t.Errorf("authenticate: %v", err)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := ldapstore.Options{URLs: []string{"ldaps://ldap.univ.example"}, BindDN: "cn=parvis", Password: "x", Base: "dc=univ"}
	if _, err := ldapstore.New(good); err != nil {
		t.Fatalf("good options: %v", err)
	}
	tests := map[string]func(*ldapstore.Options){
		"no URL":                   func(o *ldapstore.Options) { o.URLs = nil },
		"unknown scheme":           func(o *ldapstore.Options) { o.URLs = []string{"http://ldap.univ.example"} },
		"clear text":               func(o *ldapstore.Options) { o.URLs = []string{"ldap://ldap.univ.example"} },
		"password in the URL":      func(o *ldapstore.Options) { o.URLs = []string{"ldaps://cn:pw@ldap.univ.example"} },
		"no base":                  func(o *ldapstore.Options) { o.Base = "" },
		"broken base":              func(o *ldapstore.Options) { o.Base = "people" },
		"no password":              func(o *ldapstore.Options) { o.Password = "" },
		"broken filter":            func(o *ldapstore.Options) { o.PeopleFilter = "(a=b" },
		"attribute that is none":   func(o *ldapstore.Options) { o.LoginAttributes = []string{"uid)(cn"} },
		"certificate not checked":  func(o *ldapstore.Options) { o.TLS = &tls.Config{InsecureSkipVerify: true} },
		"decoy is our own account": func(o *ldapstore.Options) { o.DecoyDN = "CN=Parvis" },
		"negative limit":           func(o *ldapstore.Options) { o.BindConns = -1 },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			o := good
			spoil(&o)
			if _, err := ldapstore.New(o); err == nil {
				t.Error("the options were accepted")
			}
		})
	}
}

// relay listens on an address that the certificate does not name and passes connections on.
func relay(t *testing.T, to string) string {
	t.Helper()
	scheme, address, _ := strings.Cut(to, "://")
	listener, err := net.Listen("tcp4", "127.0.0.2:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			go pass(from, address)
		}
	}()
	return fmt.Sprintf("%s://%s", scheme, listener.Addr())
}

func pass(from net.Conn, address string) {
	defer from.Close()
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer to.Close()
	go func() { _, _ = io.Copy(from, to) }()
	_, _ = io.Copy(to, from)
}

func displayName(t *testing.T, store *ldapstore.Store) string {
	t.Helper()
	person, err := store.Authenticate(t.Context(), login, password)
	if err != nil {
		t.Fatalf("authenticate: %v", err)
	}
	return person.Attributes.First("displayName")
}

func wantUnavailable(t *testing.T, store *ldapstore.Store) {
	t.Helper()
	begun := time.Now()
	_, errLogin := store.Authenticate(t.Context(), login, password)
	_, errFind := store.Find(t.Context(), login)
	errPing := store.Ping(t.Context())
	for _, err := range []error{errLogin, errFind, errPing} {
		if !errors.Is(err, identity.ErrUnavailable) {
			t.Errorf("error = %v, want %v", err, identity.ErrUnavailable)
		}
	}
	if took := time.Since(begun); took > patience {
		t.Errorf("three calls took %s", took)
	}
}

func wantBack(t *testing.T, store *ldapstore.Store) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		_, err := store.Authenticate(t.Context(), login, password)
		if err == nil {
			return
		}
		if !errors.Is(err, identity.ErrUnavailable) || time.Now().After(deadline) {
			t.Fatalf("the directory is not found again: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
