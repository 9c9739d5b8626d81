package ldapstore_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"parvis/internal/testkit"
	"parvis/ldapstore/internal/account"
)

const (
	benchCallers  = 64
	benchLogin    = "o22502142"
	benchPassword = "LesPigeons9BoiventDuThe"
	benchRounds   = 6
	benchSlice    = 400 * time.Millisecond
)

// BenchmarkAuthenticate reports how many logins a second 64 callers get, the
// same of a bare loop of go-ldap's Search and Bind on connections of its own on
// the same server, and the ratio. The two take turns, so that a busy machine slows
// both.
func BenchmarkAuthenticate(b *testing.B) {
	server := testkit.Slapd(b)
	store := open(b, options(server))
	for _, conns := range []int{16, benchCallers} {
		b.Run(fmt.Sprintf("raw conns %d", conns), func(b *testing.B) {
			raw := newRaw(b, server, conns)
			for b.Loop() {
				ours, bare := 0, 0
				for range benchRounds {
					ours += count(b, func() error {
						_, err := store.Authenticate(b.Context(), benchLogin, benchPassword)
						return err
					})
					bare += count(b, raw.login)
				}
				seconds := (benchRounds * benchSlice).Seconds()
				b.ReportMetric(float64(ours)/seconds, "logins/s")
				b.ReportMetric(float64(bare)/seconds, "raw/s")
				b.ReportMetric(float64(ours)/float64(bare), "ratio")
			}
		})
	}
}

// BenchmarkAuthenticateOne is one caller's login, with its allocations.
func BenchmarkAuthenticateOne(b *testing.B) {
	store := open(b, options(testkit.Slapd(b)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := store.Authenticate(b.Context(), benchLogin, benchPassword); err != nil {
			b.Fatalf("authenticate: %v", err)
		}
	}
}

// count runs logins in all callers for one slice of time.
func count(b *testing.B, login func() error) int {
	b.Helper()
	var all sync.WaitGroup
	totals := make(chan int, benchCallers)
	end := time.Now().Add(benchSlice)
	for range benchCallers {
		all.Go(func() {
			done := 0
			for time.Now().Before(end) {
				if err := login(); err != nil {
					b.Errorf("log in: %v", err)
					break
				}
				done++
			}
			totals <- done
		})
	}
	all.Wait()
	close(totals)
	sum := 0
	for done := range totals {
		sum += done
	}
	return sum
}

// raw is the least a login can be: a pool of pairs of connections, one search and
// one bind, nothing checked.
type raw struct {
	pairs  chan [2]*ldap.Conn
	search *ldap.SearchRequest
}

func newRaw(b *testing.B, server *testkit.SlapdServer, conns int) *raw {
	b.Helper()
	r := &raw{pairs: make(chan [2]*ldap.Conn, conns)}
	r.search = ldap.NewSearchRequest("ou=people,"+server.BaseDN, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
		2, 0, false, "(|(uid="+benchLogin+")(supannAliasLogin="+benchLogin+")(mail="+benchLogin+"))",
		account.Attributes(), nil)
	for range conns {
		var pair [2]*ldap.Conn
		for i := range pair {
			conn, err := ldap.DialURL(server.URL())
			if err != nil {
				b.Fatalf("dial: %v", err)
			}
			b.Cleanup(func() { _ = conn.Close() })
			pair[i] = conn
		}
		if err := pair[0].Bind(server.BindDN, server.BindPassword); err != nil {
			b.Fatalf("bind: %v", err)
		}
		r.pairs <- pair
	}
	return r
}

func (r *raw) login() error {
	pair := <-r.pairs
	defer func() { r.pairs <- pair }()
	found, err := pair[0].Search(r.search)
	if err != nil {
		return err
	}
	return pair[1].Bind(found.Entries[0].DN, benchPassword)
}
