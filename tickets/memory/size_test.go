package memory_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"

	"parvis/identity"
	"parvis/tickets"
	"parvis/tickets/memory"
)

// population is the number of sessions that sizes are measured with.
const population = 100_000

// residentChild is set in the process that [BenchmarkResident] measures.
const residentChild = "PARVIS_TEST_RESIDENT"

// A session, its places in the maps and its person's entry included, takes
// fewer than 450 bytes of live heap.
func TestSessionIsSmall(t *testing.T) {
	before := liveHeap()
	store := fill(t, population)
	perSession := float64(liveHeap()-before) / population
	runtime.KeepAlive(store)
	t.Logf("%.0f bytes a session", perSession)
	if perSession > 450 {
		t.Errorf("%.0f bytes a session, want at most 450", perSession)
	}
}

// BenchmarkResident fills a store in a process of its own, with the garbage
// collector as it is by default, and reports what the whole process occupies.
func BenchmarkResident(b *testing.B) {
	if os.Getenv(residentChild) != "" {
		store := fill(b, population)
		fmt.Printf("\nresident=%d\n", resident(b))
		runtime.KeepAlive(store)
		return
	}
	for b.Loop() {
		child := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkResident$", "-test.benchtime=1x")
		child.Env = append(os.Environ(), residentChild+"=1")
		out, err := child.Output()
		if err != nil {
			b.Fatalf("run the process to measure: %v\n%s", err, out)
		}
		_, after, _ := bytes.Cut(out, []byte("\nresident="))
		line, _, _ := bytes.Cut(after, []byte("\n"))
		size, err := strconv.Atoi(string(line))
		if err != nil {
			b.Fatalf("read the size: %v", err)
		}
		b.ReportMetric(float64(size)/(1<<20), "resident-MiB")
	}
}

// BenchmarkGrantRedeem is a ticket's whole life, on all processors.
func BenchmarkGrantRedeem(b *testing.B) {
	store := fill(b, 1000)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		mint := tickets.NewMinter(nil)
		session := student(b, 1)
		if err := store.Open(b.Context(), session); err != nil {
			b.Error(err)
			return
		}
		for pb.Next() {
			id, err := mint.Ticket(tickets.ServiceTicket, session.ID)
			if err != nil {
				b.Error(err)
				return
			}
			ticket := tickets.Ticket{ID: id, Kind: tickets.ServiceTicket, Service: "https://cours.univ.example/login", Lifetime: time.Minute}
			if _, err := store.Grant(b.Context(), session.ID, ticket); err != nil {
				b.Error(err)
				return
			}
			if _, _, err := store.Redeem(b.Context(), id); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// fill returns a store with n sessions of n people, as after a morning.
func fill(t testing.TB, n int) *memory.Store {
	t.Helper()
	store := memory.New(nil)
	for i := range n {
		if err := store.Open(t.Context(), student(t, i)); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func student(t testing.TB, i int) tickets.Session {
	t.Helper()
	id, err := tickets.NewMinter(nil).TGT()
	if err != nil {
		t.Fatal(err)
	}
	uid := fmt.Sprintf("o2%07d", i)
	return tickets.Session{
		ID:  id,
		UID: uid,
		Attributes: identity.Attributes{
			"uid":                  {uid},
			"mail":                 {fmt.Sprintf("jean-pierre.martin%d@etu.univ.example", i)},
			"displayName":          {"Jean-Pierre Martin"},
			"givenName":            {"Jean-Pierre"},
			"sn":                   {"Martin"},
			"eduPersonAffiliation": {"student", "member"},
			"memberOf":             {"cn=cours-info-l2,ou=groups,dc=univ,dc=example"},
		},
		AuthTime:  time.Now(),
		Idle:      2 * time.Hour,
		Max:       8 * time.Hour,
		Address:   fmt.Sprintf("192.0.2.%d", i%256),
		UserAgent: fmt.Sprintf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", 100+i%40),
	}
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// resident is the size of this process in memory, in bytes.
func resident(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatalf("read the size of the process: %v", err)
	}
	_, after, _ := bytes.Cut(status, []byte("VmRSS:"))
	fields := bytes.Fields(after)
	if len(fields) == 0 {
		t.Fatal("read the size of the process: no VmRSS")
	}
	kilobytes, err := strconv.Atoi(string(fields[0]))
	if err != nil {
		t.Fatalf("read the size of the process: %v", err)
	}
	return kilobytes << 10
}
