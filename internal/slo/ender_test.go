package slo_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parvis/internal/audit"
	"parvis/internal/slo"
	"parvis/tickets"
	"parvis/tickets/memory"
)

// world is an Ender with all it needs, and what it told.
type world struct {
	t     testing.TB
	store *memory.Store
	ender *slo.Ender
	trail trail

	mu      sync.Mutex
	told    slo.Batch
	tickets []tickets.TicketID
}

func (w *world) Tell(ctx context.Context, t slo.Telling) {
	notices, err := t.Notices(ctx)
	if err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, notices...)
}

// addresses are where requests go.
func (w *world) addresses() []string {
	var list []string
	for _, n := range w.told {
		list = append(list, n.URL)
	}
	return list
}

func newWorld(t testing.TB, entries map[string]string, newest bool) *world {
	t.Helper()
	w := &world{t: t, store: memory.New(nil)}
	w.ender = slo.NewEnder(slo.EnderOptions{
		Sessions: w.store, Registry: registry(t, entries), Teller: w, Auditor: &w.trail, Newest: newest,
		Now: func() time.Time { return instant }, Random: zeros{},
	})
	return w
}

// open begins a session that visits services, the first one first. A service
// that begins with "PT " is visited through a proxy.
func (w *world) open(t testing.TB, uid string, visited ...string) tickets.TGT {
	t.Helper()
	mint := tickets.NewMinter(nil)
	id, err := mint.TGT()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.Open(context.Background(), tickets.Session{ID: id, UID: uid, Idle: time.Hour, Max: time.Hour}); err != nil {
		t.Fatal(err)
	}
	for _, service := range visited {
		kind := tickets.ServiceTicket
		service, proxied := strings.CutPrefix(service, "PT ")
		if proxied {
			kind = tickets.ProxyTicket
		}
		ticket, err := mint.Ticket(kind, id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.Grant(context.Background(), id, tickets.Ticket{ID: ticket, Kind: kind, Service: service, Lifetime: time.Minute}); err != nil {
			t.Fatal(err)
		}
		w.tickets = append(w.tickets, ticket)
	}
	return id
}

var campus = map[string]string{
	"moodle":  "name: Moodle\nmatch: https://moodle.univ.example/\nnetworks: [10.12.0.0/16]\n",
	"plain":   "name: Plain\nmatch: http://old.univ.example/\n",
	"quiet":   "name: Quiet\nmatch: https://quiet.univ.example/\nlogout: none\n",
	"fixed":   "name: Fixed\nmatch: https://fixed.univ.example/\nlogout: {url: [https://fixed.univ.example/bye, https://other.univ.example/bye]}\n",
	"closed":  "name: Closed\nmatch: https://closed.univ.example/\nenabled: false\n",
	"over":    "name: Over\nmatch: https://over.univ.example/\nvalid: {from: 2020-01-01, until: 2021-01-01}\n",
	"front":   "name: Front\nmatch: https://front.univ.example/\nlogout: front\n",
	"mail":    "name: Mail\nmatch:\n  exact: imap://mail.univ.example\n",
	"http":    "name: Half\nmatch: https://half.univ.example/\nlogout: {url: http://half.univ.example/bye}\n",
	"proxied": "name: Proxied\nmatch: https://back.univ.example/\n",
}

// Section 1.3: who is told, and where.
func TestEnd(t *testing.T) {
	tests := []struct {
		name    string
		newest  bool
		visited []string
		want    []string
	}{
		{"nothing visited", false, nil, nil},
		{"every ticket", false, []string{"https://moodle.univ.example/a?x=1", "https://moodle.univ.example/a?x=1"}, []string{"https://moodle.univ.example/a?x=1", "https://moodle.univ.example/a?x=1"}},
		{"the address as it was given", false, []string{"https://moodle.univ.example/É%2f;jsessionid=1?a=b#c"}, []string{"https://moodle.univ.example/%C3%89%2f;jsessionid=1?a=b"}},
		{"its own address", false, []string{"https://fixed.univ.example/a"}, []string{"https://fixed.univ.example/bye", "https://other.univ.example/bye"}},
		{"told nothing", false, []string{"https://quiet.univ.example/"}, nil},
		{"disabled since", false, []string{"https://closed.univ.example/", "https://over.univ.example/"}, []string{"https://closed.univ.example/", "https://over.univ.example/"}},
		{"unknown", false, []string{"https://evil.example/", "https://moodle.univ.example/"}, []string{"https://moodle.univ.example/"}},
		{"no web address", false, []string{"PT imap://mail.univ.example"}, nil},
		{"proxied", false, []string{"https://moodle.univ.example/", "PT https://back.univ.example/rest"}, []string{"https://moodle.univ.example/", "https://back.univ.example/rest"}},
		{"newest of each path", true, []string{
			"https://moodle.univ.example/a?1", "https://moodle.univ.example/b", "https://moodle.univ.example/a;jsessionid=2",
			"https://fixed.univ.example/a", "https://moodle.univ.example/a#3", "https://moodle.univ.example/a/",
		}, []string{
			"https://moodle.univ.example/b", "https://fixed.univ.example/bye", "https://other.univ.example/bye",
			"https://moodle.univ.example/a", "https://moodle.univ.example/a/",
		}},
		{"front channel", false, []string{"https://front.univ.example/"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, campus, test.newest)
			id := w.open(t, "o22502142", test.visited...)
			why := slo.Why{Action: audit.Logout, Address: "192.0.2.1", Request: "0123456789abcdefghij"}
			ended, err := w.ender.End(t.Context(), id, why)
			if err != nil || ended.UID != "o22502142" {
				t.Fatalf("%+v, %v", ended, err)
			}
			if diff := cmp.Diff(test.want, w.addresses(), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			want := []audit.Event{{
				Action: audit.Logout, Outcome: audit.Success, User: "o22502142", Session: id.Hint(),
				Address: "192.0.2.1", Request: "0123456789abcdefghij", Count: len(test.visited),
			}}
			if diff := cmp.Diff(want, w.trail.all()); diff != "" {
				t.Error(diff)
			}
			// O6: it has ended, and nobody is told again.
			told := len(w.told)
			again, err := w.ender.End(t.Context(), id, why)
			if err != nil || again.UID != "" || again.Front != nil || len(w.told) != told || len(w.trail.all()) != 1 {
				t.Errorf("again: %+v, %v, %d told", again, err, len(w.told)-told)
			}
		})
	}
}

func TestNoticeCarriesItsRights(t *testing.T) { // S28
	w := newWorld(t, campus, false)
	id := w.open(t, "o22502142", "https://moodle.univ.example/", "http://old.univ.example/", "https://half.univ.example/", "HTTP://old.univ.example/x")
	if _, err := w.ender.End(t.Context(), id, slo.Why{Action: audit.Logout, Request: "r"}); err != nil {
		t.Fatal(err)
	}
	one := func(i int, address, service string, http bool, networks ...netip.Prefix) slo.Notice {
		return slo.Notice{
			URL: address, Service: service, Ticket: string(w.tickets[i]), Name: "o22502142", At: instant, Request: "r",
			AllowHTTP: http, Networks: networks,
		}
	}
	want := slo.Batch{
		one(0, "https://moodle.univ.example/", "Moodle", false, netip.MustParsePrefix("10.12.0.0/16")),
		one(1, "http://old.univ.example/", "Plain", true),
		one(2, "http://half.univ.example/bye", "Half", true), // as its owner wrote it
		one(3, "HTTP://old.univ.example/x", "Plain", true),
	}
	if diff := cmp.Diff(want, w.told, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
}

func TestEndAll(t *testing.T) {
	w := newWorld(t, campus, false)
	var ids []tickets.TGT
	for i := range 3 {
		ids = append(ids, w.open(t, "o22502142", fmt.Sprintf("https://moodle.univ.example/%d", i)))
	}
	other := w.open(t, "dupont-a", "https://moodle.univ.example/dupont")
	keep, err := tickets.NewMinter(nil).Rotate(ids[1]) // its cookie, from before a new password
	if err != nil {
		t.Fatal(err)
	}
	why := slo.Why{Action: audit.SessionEnded, Reason: "suspended"}
	if n, err := w.ender.EndAll(t.Context(), "o22502142", keep, why); n != 2 || err != nil {
		t.Errorf("%d ended, %v", n, err)
	}
	for id, lives := range map[tickets.TGT]bool{ids[0]: false, ids[1]: true, ids[2]: false, other: true} {
		if _, err := w.store.Session(t.Context(), id); (err == nil) != lives {
			t.Errorf("%s: %v", id.Hint(), err)
		}
	}
	if diff := cmp.Diff([]string{"https://moodle.univ.example/0", "https://moodle.univ.example/2"}, w.addresses(), cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Error(diff)
	}
	if n, err := w.ender.EndAll(t.Context(), "o22502142", "", why); n != 1 || err != nil {
		t.Errorf("%d ended, %v", n, err)
	}
	for _, e := range w.trail.all() {
		if e.Action != audit.SessionEnded || e.Reason != "suspended" || e.User != "o22502142" {
			t.Errorf("event %+v", e)
		}
	}
}

// Two requests, on two nodes, that end the same session tell it once.
func TestEndedAtOnce(t *testing.T) {
	w := newWorld(t, campus, false)
	for range 50 {
		w.told = nil
		id := w.open(t, "o22502142", "https://moodle.univ.example/", "https://closed.univ.example/")
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				if _, err := w.ender.End(t.Context(), id, slo.Why{Action: audit.Logout}); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if len(w.told) != 2 {
			t.Fatalf("%d notices, want 2", len(w.told))
		}
	}
}

// TestPseudonymsHide: a service that knows people by other names is not told
// their own at the end (S32).
func TestPseudonymsHide(t *testing.T) {
	entries := maps.Clone(campus)
	entries["poll"] = "id: 77\nname: Poll\nmatch: https://poll.univ.example/\nusername: {pairwise_salt: a-salt-that-nobody-knows}\n"
	w := newWorld(t, entries, false)
	if _, err := w.ender.End(t.Context(), w.open(t, "o22502142", "https://poll.univ.example/", "https://moodle.univ.example/"), slo.Why{Action: audit.Logout}); err != nil {
		t.Fatal(err)
	}
	if len(w.told) != 2 || w.told[0].Name != "@NOT_USED@" || w.told[1].Name != "o22502142" {
		t.Errorf("told %+v", w.told)
	}
}

// TestOneSessionTellsNobodyThousandsOfTimes: the newest tickets of each service
// (S39).
func TestOneSessionTellsNobodyThousandsOfTimes(t *testing.T) {
	w := newWorld(t, campus, false)
	visited := []string{"https://fixed.univ.example/first"}
	for i := range 500 {
		visited = append(visited, fmt.Sprintf("https://moodle.univ.example/%d", i))
	}
	if _, err := w.ender.End(t.Context(), w.open(t, "o22502142", visited...), slo.Why{Action: audit.Logout}); err != nil {
		t.Fatal(err)
	}
	got := w.addresses()
	if len(got) != 202 || got[0] != "https://fixed.univ.example/bye" || got[2] != "https://moodle.univ.example/300" || got[201] != "https://moodle.univ.example/499" {
		t.Errorf("%d told, %.200q", len(got), got)
	}
}

// lazily keeps what it is told, and works nothing out.
type lazily struct{ told []slo.Telling }

func (l *lazily) Tell(_ context.Context, t slo.Telling) { l.told = append(l.told, t) }

// backChannel is the campus without applications that hear of a logout through
// the browser.
func backChannel() map[string]string {
	entries := maps.Clone(campus)
	delete(entries, "front")
	return entries
}

// TestNobodyWaitsForManyVisits: whom to tell is worked out later, unless the
// browser has to know.
func TestNobodyWaitsForManyVisits(t *testing.T) {
	w := newWorld(t, campus, false)
	teller := &lazily{}
	ender := slo.NewEnder(slo.EnderOptions{Sessions: w.store, Registry: registry(t, backChannel()), Teller: teller, Auditor: &w.trail})
	for _, visited := range [][]string{{"https://moodle.univ.example/", "https://evil.example/"}, nil} {
		if _, err := ender.End(t.Context(), w.open(t, "o22502142", visited...), slo.Why{Action: audit.Logout}); err != nil {
			t.Fatal(err)
		}
	}
	if len(teller.told) != 1 || teller.told[0].Size() != 2 {
		t.Fatalf("told %v", teller.told)
	}
	if _, ready := teller.told[0].(slo.Batch); ready {
		t.Error("somebody waited")
	}
	notices, err := teller.told[0].Notices(t.Context())
	if err != nil || len(notices) != 1 || notices[0].URL != "https://moodle.univ.example/" {
		t.Errorf("%+v, %v", notices, err)
	}
}

// S39: one page makes a browser call so many addresses and no more.
func TestFrontIsBounded(t *testing.T) {
	w := newWorld(t, campus, false)
	visited := make([]string, 500)
	for i := range visited {
		visited[i] = fmt.Sprintf("https://front.univ.example/%d", i)
	}
	ended, err := w.ender.End(t.Context(), w.open(t, "o22502142", visited...), slo.Why{Action: audit.Logout})
	if err != nil || len(ended.Front) != 100 || !strings.HasPrefix(ended.Front[99], "https://front.univ.example/499?") {
		t.Errorf("%d addresses, %v", len(ended.Front), err)
	}
}

// broken is a store that cannot be asked.
type broken struct{ slo.Sessions }

func (broken) SessionsOf(context.Context, string) ([]tickets.Session, error) {
	return make([]tickets.Session, 2), nil
}

func (broken) Close(context.Context, tickets.TGT) (tickets.Session, int, error) {
	return tickets.Session{}, 0, tickets.ErrUnavailable
}

func TestStoreDown(t *testing.T) {
	var events trail
	e := slo.NewEnder(slo.EnderOptions{Sessions: broken{}, Registry: registry(t, campus), Teller: &world{}, Auditor: &events})
	if _, err := e.End(t.Context(), "", slo.Why{}); !errors.Is(err, tickets.ErrUnavailable) {
		t.Errorf("end: %v", err)
	}
	if n, err := e.EndAll(t.Context(), "x", "", slo.Why{}); n != 0 || !errors.Is(err, tickets.ErrUnavailable) {
		t.Errorf("end all: %d, %v", n, err)
	}
	if len(events.all()) != 0 {
		t.Error("what did not happen is in the trail")
	}
}

// forgetful is a Teller and an Auditor that keeps nothing.
type forgetful struct{}

func (forgetful) Tell(context.Context, slo.Telling) {}

func (forgetful) Record(context.Context, audit.Event) {}

// BenchmarkEnd is what the end of a session costs its caller: the same whatever
// it led to, unless some application hears of it through the browser.
func BenchmarkEnd(b *testing.B) {
	channels := []struct {
		name    string
		entries map[string]string
	}{{"back", backChannel()}, {"front", campus}}
	for _, channel := range channels {
		for _, visits := range []int{1, 50} {
			b.Run(fmt.Sprintf("%s/%d", channel.name, visits), func(b *testing.B) {
				w := newWorld(b, channel.entries, false)
				ender := slo.NewEnder(slo.EnderOptions{Sessions: w.store, Registry: registry(b, channel.entries), Teller: forgetful{}, Auditor: forgetful{}})
				visited := make([]string, visits)
				for i := range visited {
					visited[i] = fmt.Sprintf("https://moodle.univ.example/%d", i)
				}
				for b.Loop() {
					b.StopTimer()
					id := w.open(b, "o22502142", visited...)
					w.tickets = nil
					b.StartTimer()
					if _, err := ender.End(b.Context(), id, slo.Why{Action: audit.Logout}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
