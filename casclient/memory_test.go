package casclient_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parvis/casclient"
)

func sampleSession(k *clock, ticket string) casclient.Session {
	return casclient.Session{
		Principal: casclient.Principal{Name: "x", Attributes: casclient.Attributes{"a": {"1", "2"}}, AuthTime: k.Now()},
		Ticket:    ticket, Started: k.Now(), PGT: "PGT-1", Idle: 10 * time.Minute, End: k.Now().Add(time.Hour),
	}
}

func TestMemoryLimits(t *testing.T) {
	k := newClock()
	m := casclient.NewMemory(k.Now, 3)
	for i := range 3 {
		check(t, m.Save(t.Context(), fmt.Sprint("k", i), sampleSession(k, fmt.Sprint("ST-", i))))
	}
	there := func(key string) bool {
		_, err := m.Load(t.Context(), key)
		if err != nil && !errors.Is(err, casclient.ErrNoSession) {
			t.Fatal(err)
		}
		return err == nil
	}
	there("k0") // the last used of them
	check(t, m.Save(t.Context(), "k3", sampleSession(k, "ST-3")))
	if !there("k0") || there("k1") || !there("k2") || !there("k3") {
		t.Error("the session unused for longest is not the one that went")
	}
	check(t, m.DeleteTicket(t.Context(), "ST-1")) // of the one that went
	check(t, m.DeleteTicket(t.Context(), "ST-2"))
	check(t, m.Delete(t.Context(), "k9"))
	if there("k2") || !there("k3") {
		t.Error("the wrong session ended")
	}
	k.travel(10 * time.Minute)
	if there("k0") || there("k3") {
		t.Error("an idle session lives")
	}
}

// TestMemoryCountsProxiedApart: a portal that opens sessions all day pushes
// nobody's browser out.
func TestMemoryCountsProxiedApart(t *testing.T) {
	k := newClock()
	m := casclient.NewMemory(k.Now, 2)
	check(t, m.Save(t.Context(), "browser", sampleSession(k, "ST-1")))
	for i := range 5 {
		s := sampleSession(k, fmt.Sprint("PT-", i))
		s.Principal.Proxies = []string{portal + "/cas/proxy"}
		check(t, m.Save(t.Context(), fmt.Sprint("p", i), s))
	}
	for key, want := range map[string]bool{"browser": true, "p2": false, "p3": true, "p4": true} {
		if _, err := m.Load(t.Context(), key); (err == nil) != want {
			t.Errorf("%s: got %v", key, err)
		}
	}
}

func TestMemoryGrants(t *testing.T) {
	k := newClock()
	m := casclient.NewMemory(k.Now, 1)
	check(t, m.Put(t.Context(), "PGTIOU-1", "PGT-1"))
	check(t, m.Put(t.Context(), "PGTIOU-2", "PGT-2"))
	for _, want := range []string{"PGT-1", ""} {
		if got, err := m.Take(t.Context(), "PGTIOU-1"); got != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	k.travel(time.Minute)
	if got, err := m.Take(t.Context(), "PGTIOU-2"); got != "" || err != nil {
		t.Errorf("got %q, %v after a minute", got, err)
	}
}

func TestMemoryTogether(t *testing.T) {
	k := newClock()
	m := casclient.NewMemory(k.Now, 50)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 200 {
				key, ticket := fmt.Sprint(i, "-", j%20), fmt.Sprint("ST-", i, "-", j)
				if m.Save(t.Context(), key, sampleSession(k, ticket)) != nil || m.DeleteTicket(t.Context(), ticket) != nil {
					t.Error("the store fails")
				}
				if _, err := m.Load(t.Context(), key); !errors.Is(err, casclient.ErrNoSession) {
					t.Errorf("a session that ended is there: %v", err)
				}
			}
		})
	}
	wait.Wait()
}

// TestSessionAsJSON: other stores may write sessions as JSON.
func TestSessionAsJSON(t *testing.T) {
	want := sampleSession(newClock(), "ST-1")
	want.Principal.Proxies = []string{portal + "/cas/proxy"}
	text, err := json.Marshal(want)
	check(t, err)
	var got casclient.Session
	check(t, json.Unmarshal(text, &got))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
