package slotest

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parvis/internal/slo"
)

// Patience is what the queues under test must wait for a silent taker.
const Patience = 400 * time.Millisecond

const (
	wait = 2 * time.Second
	many = 1000
)

// Queues returns new queues, empty and the same one: what one is given, the
// others have. Where a queue is one process's own, they are one.
type Queues func(t *testing.T, n int) []slo.Queue

// Run holds queues to the contract.
func Run(t *testing.T, open Queues) {
	t.Run("order", func(t *testing.T) { order(t, open(t, 1)[0]) })
	t.Run("one taker each", func(t *testing.T) { oneTaker(t, open(t, 2)) })
	t.Run("waits", func(t *testing.T) { waits(t, open(t, 2)) })
	t.Run("a silent taker", func(t *testing.T) { silent(t, open(t, 2)) })
	t.Run("a taker that keeps", func(t *testing.T) { keeps(t, open(t, 2)) })
	t.Run("outcomes", func(t *testing.T) { outcomes(t, open(t, 2)) })
	t.Run("callers that gave up", func(t *testing.T) { gaveUp(t, open(t, 1)[0]) })
}

// Notices are n notices that differ.
func Notices(n int) []slo.Notice {
	notices := make([]slo.Notice, n)
	for i := range notices {
		notices[i] = slo.Notice{
			URL: fmt.Sprintf("https://app%d.univ.example/cas", i), Service: "Moodle", Ticket: fmt.Sprintf("ST-%029d", i), Name: "o22502142",
			At: time.Unix(1_700_000_000, int64(i)).UTC(), Request: "0123456789abcdefghij",
			Networks: []netip.Prefix{netip.MustParsePrefix("10.12.0.0/16")}, AllowHTTP: i%2 == 0,
		}
	}
	return notices
}

func order(t *testing.T, q slo.Queue) {
	want := Notices(5)
	add(t, q, want[:2])
	add(t, q, want[2:])
	count(t, q, 5)
	first := take(t, q, 3)
	got := append(first, take(t, q, 3)...)
	if diff := cmp.Diff(want, notices(got), cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
	count(t, q, 5)
	done(t, q, first...)
	done(t, q, first...) // again is no error
	count(t, q, 2)
	if again := take(t, q, 10, 0); len(again) > 0 {
		t.Errorf("taken again: %d items", len(again))
	}
}

func oneTaker(t *testing.T, queues []slo.Queue) {
	add(t, queues[0], Notices(many))
	var mu sync.Mutex
	seen := make(map[string]int)
	var takers sync.WaitGroup
	for i := range 8 {
		takers.Go(func() {
			q := queues[i%len(queues)]
			for {
				items, err := q.Take(context.Background(), 7, 0)
				if err != nil {
					t.Error(err)
				}
				if len(items) == 0 {
					return
				}
				mu.Lock()
				for _, item := range items {
					seen[item.Notice.Ticket]++
				}
				mu.Unlock()
				if err := q.Done(context.Background(), doneOf(items)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	takers.Wait()
	for ticket, times := range seen {
		if times != 1 {
			t.Errorf("%s was taken %d times", ticket, times)
		}
	}
	if len(seen) != many {
		t.Errorf("%d notices taken, want %d", len(seen), many)
	}
	count(t, queues[0], 0)
}

// waits wants a Take to end with the first notice, and not long before or after
// its time where none comes.
func waits(t *testing.T, queues []slo.Queue) {
	taken := make(chan []slo.Item)
	go func() {
		items, err := queues[1].Take(context.Background(), 10, 10*time.Second)
		if err != nil {
			t.Error(err)
		}
		taken <- items
	}()
	time.Sleep(50 * time.Millisecond) // that it waits already is the usual case, and not needed
	begun := time.Now()
	add(t, queues[0], Notices(1))
	if items := <-taken; len(items) != 1 {
		t.Errorf("%d items, want 1", len(items))
	}
	if took := time.Since(begun); took > wait {
		t.Errorf("taken after %v", took)
	}
	begun = time.Now()
	const short = 100 * time.Millisecond
	if items := take(t, queues[0], 1, short); len(items) > 0 {
		t.Errorf("%d items, want none", len(items))
	}
	if took := time.Since(begun); took < short || took > wait {
		t.Errorf("waited %v for nothing, want %v", took, short)
	}
}

func silent(t *testing.T, queues []slo.Queue) {
	add(t, queues[0], Notices(3))
	held := take(t, queues[0], 3)
	done(t, queues[0], held[0])
	if early := take(t, queues[1], 10, 0); len(early) > 0 {
		t.Fatalf("%d items of another taker, who is not silent yet", len(early))
	}
	got := soon(t, queues[1], 2)
	slices.SortFunc(got, func(a, b slo.Item) int { return a.Notice.At.Compare(b.Notice.At) })
	if diff := cmp.Diff(held[1:], got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Error(diff)
	}
	done(t, queues[1], got...)
	count(t, queues[0], 0)
}

func keeps(t *testing.T, queues []slo.Queue) {
	add(t, queues[0], Notices(2))
	held := take(t, queues[0], 2)
	for end := time.Now().Add(3 * Patience); time.Now().Before(end); {
		if err := queues[0].Keep(t.Context(), []string{held[0].ID}); err != nil {
			t.Fatal(err)
		}
		for _, item := range take(t, queues[1], 10, Patience/20) {
			if item.ID == held[0].ID {
				t.Fatal("an item that is kept went to another taker")
			}
		}
	}
	soon(t, queues[1], 1) // kept no more
	done(t, queues[1], held[0])
	if err := queues[0].Keep(t.Context(), []string{held[0].ID}); err != nil {
		t.Errorf("keep what is done: %v", err)
	}
}

func outcomes(t *testing.T, queues []slo.Queue) {
	if got, err := queues[0].Outcomes(t.Context(), 5); err != nil || len(got) > 0 {
		t.Errorf("new: %v, %v", got, err)
	}
	var want []slo.Outcome
	for i := range slo.MaxOutcomes + 10 {
		o := slo.Outcome{
			At: time.Unix(1_700_000_000+int64(i), 0).UTC(), Service: "Moodle « examens »", Host: "moodle.univ.example",
			Success: i%2 == 0, Reason: "timeout", Tries: i,
		}
		want = append(want, o)
		if err := queues[0].Done(t.Context(), []slo.Done{{ID: "1-1", Outcome: o}}); err != nil {
			t.Fatal(err)
		}
	}
	slices.Reverse(want)
	for _, n := range []int{0, 3, slo.MaxOutcomes, 10 * slo.MaxOutcomes} {
		got, err := queues[1].Outcomes(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[:min(n, slo.MaxOutcomes)], got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the last %d: %s", n, diff)
		}
	}
}

func gaveUp(t *testing.T, q slo.Queue) {
	add(t, q, Notices(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = q.Take(ctx, 1, wait)
	soon(t, q, 1)
}

func add(t *testing.T, q slo.Queue, notices []slo.Notice) {
	t.Helper()
	if err := q.Add(t.Context(), notices); err != nil {
		t.Fatalf("add: %v", err)
	}
}

func take(t *testing.T, q slo.Queue, n int, longest ...time.Duration) []slo.Item {
	t.Helper()
	items, err := q.Take(t.Context(), n, append(longest, wait)[0])
	if err != nil {
		t.Fatalf("take: %v", err)
	}
	if len(items) > n {
		t.Errorf("%d items, asked for %d", len(items), n)
	}
	return items
}

// soon takes n items, within a few times the patience.
func soon(t *testing.T, q slo.Queue, n int) []slo.Item {
	t.Helper()
	var items []slo.Item
	for end := time.Now().Add(20 * Patience); len(items) < n && time.Now().Before(end); {
		items = append(items, take(t, q, n-len(items), Patience/10)...)
	}
	if len(items) != n {
		t.Fatalf("%d items, want %d", len(items), n)
	}
	return items
}

func done(t *testing.T, q slo.Queue, items ...slo.Item) {
	t.Helper()
	if err := q.Done(t.Context(), doneOf(items)); err != nil {
		t.Fatalf("done: %v", err)
	}
}

func doneOf(items []slo.Item) []slo.Done {
	var list []slo.Done
	for _, item := range items {
		list = append(list, slo.Done{ID: item.ID, Outcome: slo.Outcome{At: item.Notice.At, Service: item.Notice.Service, Success: true, Tries: 1}})
	}
	return list
}

func notices(items []slo.Item) []slo.Notice {
	var list []slo.Notice
	for _, item := range items {
		list = append(list, item.Notice)
	}
	return list
}

func count(t *testing.T, q slo.Queue, want int) {
	t.Helper()
	if got, err := q.Waiting(t.Context()); err != nil || got != want {
		t.Errorf("%d wait, %v, want %d", got, err, want)
	}
}
