package slo_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parvis/internal/audit"
	"parvis/internal/safehttp"
	"parvis/internal/slo"
	"parvis/internal/slo/memory"
)

// refusing takes no connections.
func refusing(context.Context) (int, error) {
	return 0, fmt.Errorf("call: %w", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
}

// What is the end, what is tried again, and for how long.
func TestOutcomes(t *testing.T) {
	fails := func(err error) func(context.Context) (int, error) {
		return func(context.Context) (int, error) { return 0, fmt.Errorf("call: %w", err) }
	}
	tests := []struct {
		name    string
		answer  func(context.Context) (int, error)
		success bool
		reason  string
		tries   int
	}{
		{"200", status(200), true, "", 1},
		{"204", status(204), true, "", 1},
		{"302 to the login, as mod_auth_cas answers", status(302), true, "", 1},
		{"399", status(399), true, "", 1},
		{"400", status(400), false, "status_400", 1},
		{"404", status(404), false, "status_404", 1},
		{"500", status(500), false, "status_500", 4},
		{"503", status(503), false, "status_503", 4},
		{"101", status(101), false, "status_101", 1},
		{"silence", dead, false, "timeout", 4},
		{"no connection", refusing, false, "refused", 4},
		{"no such name", fails(&net.DNSError{IsNotFound: true}), false, "name", 4},
		{"connection cut", fails(syscall.ECONNRESET), false, "connection", 4},
		{"certificate", fails(x509.UnknownAuthorityError{}), false, "tls", 1},
		{"alert", fails(&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}), false, "tls", 1},
		{"forbidden", fails(&net.OpError{Op: "dial", Err: safehttp.ErrForbidden}), false, "forbidden", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := &network{hosts: map[string]func(context.Context) (int, error){"moodle.univ.example": test.answer}}
				queue, events := memory.New(memory.Options{}), &trail{}
				n, stop := start(t, slo.Options{Queue: queue, Client: net, Auditor: events})
				one := notice("https://moodle.univ.example/login?secret=1")
				one.Request = "0123456789abcdefghij"
				n.Tell(t.Context(), slo.Batch{one})
				time.Sleep(4 * time.Minute)
				settle()
				stop()
				got, err := queue.Outcomes(t.Context(), 10)
				if err != nil || len(got) != 1 {
					t.Fatalf("outcomes %v, %v", got, err)
				}
				got[0].At = time.Time{}
				want := slo.Outcome{Service: "Moodle", Host: "moodle.univ.example", Success: test.success, Reason: test.reason, Tries: test.tries}
				if diff := cmp.Diff(want, got[0]); diff != "" {
					t.Error(diff)
				}
				if waiting, _ := queue.Waiting(t.Context()); waiting != 0 || len(net.sent) != test.tries {
					t.Errorf("%d wait, %d requests", waiting, len(net.sent))
				}
				// S38: one line an outcome, with no whole ticket.
				outcome := map[bool]string{true: audit.Success, false: audit.Failure}[test.success]
				line := []audit.Event{{
					Action: audit.LogoutSent, Outcome: outcome, User: "o22502142", Service: one.URL,
					Ticket: "ST-01234", Request: one.Request, Reason: test.reason,
				}}
				if diff := cmp.Diff(line, events.all()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestRetriesWaitLongerAndLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		net := &network{hosts: map[string]func(context.Context) (int, error){"moodle.univ.example": func(context.Context) (int, error) {
			if tries++; tries < 3 {
				return 502, nil
			}
			return 200, nil
		}}}
		queue := memory.New(memory.Options{})
		n, stop := start(t, slo.Options{Queue: queue, Client: net})
		n.Tell(t.Context(), slo.Batch{notice("https://moodle.univ.example/")})
		time.Sleep(10 * time.Minute)
		settle()
		stop()
		var gaps []time.Duration
		for i := 1; i < len(net.sent); i++ {
			gaps = append(gaps, net.sent[i].at.Sub(net.sent[i-1].at))
		}
		if diff := cmp.Diff([]time.Duration{5 * time.Second, 25 * time.Second}, gaps); diff != "" {
			t.Error(diff)
		}
		if got, _ := queue.Outcomes(t.Context(), 1); len(got) != 1 || !got[0].Success || got[0].Tries != 3 {
			t.Errorf("outcomes %v", got)
		}
	})
}

// One dead application delays no other.
func TestDeadApplicationsDelayNobody(t *testing.T) {
	tests := []struct {
		name string
		// healthy tells that the dead were well a moment before.
		healthy bool
	}{{"dead from the start", false}, {"dead all of a sudden", true}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const hosts, each = 20, 200
				net := &network{hosts: make(map[string]func(context.Context) (int, error))}
				var mu sync.Mutex
				well := test.healthy
				var batch slo.Batch
				for i := range hosts {
					host := fmt.Sprintf("dead%d.univ.example", i)
					net.hosts[host] = func(ctx context.Context) (int, error) {
						mu.Lock()
						answer := well
						mu.Unlock()
						if answer {
							return 200, nil
						}
						return dead(ctx)
					}
					for range each {
						batch = append(batch, notice("https://"+host+"/"))
					}
				}
				queue := memory.New(memory.Options{})
				n, stop := start(t, slo.Options{Queue: queue, Client: net})
				if test.healthy {
					n.Tell(t.Context(), batch)
					settle()
					mu.Lock()
					well = false
					mu.Unlock()
				}
				n.Tell(t.Context(), batch)
				for range 60 {
					time.Sleep(time.Second)
					begun := time.Now()
					n.Tell(t.Context(), slo.Batch{notice("https://alive.univ.example/")})
					settle()
					got := net.to("alive.univ.example")
					if len(got) == 0 || got[len(got)-1].at.Sub(begun) > 200*time.Millisecond {
						t.Fatalf("after %v: not told", time.Since(begun))
					}
				}
				time.Sleep(10 * time.Minute)
				settle()
				if waiting, _ := queue.Waiting(t.Context()); waiting != 0 {
					t.Errorf("%d notices still wait", waiting)
				}
				want := map[bool]int{true: 4, false: 1}[test.healthy]
				if got := net.most["dead0.univ.example"]; got != want {
					t.Errorf("%d requests to one host at once, want %d", got, want)
				}
				if got := net.most[""]; got > 256 {
					t.Errorf("%d requests at once", got)
				}
				stop()
			})
		})
	}
}

// Hosts that answer badly never take all the workers.
func TestUnprovenHostsLeaveRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &network{hosts: make(map[string]func(context.Context) (int, error))}
		n, stop := start(t, slo.Options{Queue: memory.New(memory.Options{}), Client: net, Workers: 8})
		n.Tell(t.Context(), slo.Batch{notice("https://alive.univ.example/")})
		settle()
		var batch slo.Batch
		for i := range 100 {
			host := fmt.Sprintf("dead%d.univ.example", i)
			net.hosts[host] = dead
			batch = append(batch, notice("https://"+host+"/"))
		}
		n.Tell(t.Context(), batch)
		settle()
		n.Tell(t.Context(), slo.Batch{notice("https://alive.univ.example/")})
		settle()
		if got := len(net.to("alive.univ.example")); got != 2 {
			t.Errorf("%d requests, want 2", got)
		}
		if got := net.most[""]; got > 8 || got < 7 {
			t.Errorf("%d requests at once, want 7", got)
		}
		stop()
	})
}

// A host that answers gets more at once, but no more than its share.
func TestPerHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &network{hosts: map[string]func(context.Context) (int, error){"moodle.univ.example": func(context.Context) (int, error) {
			time.Sleep(100 * time.Millisecond)
			return 200, nil
		}}}
		n, stop := start(t, slo.Options{Queue: memory.New(memory.Options{}), Client: net})
		var batch slo.Batch
		for range 41 {
			batch = append(batch, notice("https://MOODLE.univ.example/"), notice("https://moodle.univ.example/x"))
		}
		n.Tell(t.Context(), batch)
		time.Sleep(100*time.Millisecond*82/4 + 200*time.Millisecond)
		settle()
		if got := len(net.sent); got != 82 {
			t.Errorf("%d requests, want 82", got)
		}
		if got := net.most[""]; got != 4 {
			t.Errorf("%d requests at once, want 4", got)
		}
		stop()
	})
}

// S39: a host that is down holds so many notices, and lets them go at last.
func TestBacklogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &network{hosts: map[string]func(context.Context) (int, error){"dead.univ.example": refusing}}
		queue, events := memory.New(memory.Options{}), &trail{}
		n, stop := start(t, slo.Options{Queue: queue, Client: net, Auditor: events})
		for range 5000 {
			n.Tell(t.Context(), slo.Batch{notice("https://dead.univ.example/")})
		}
		time.Sleep(time.Minute)
		settle()
		if waiting, _ := queue.Waiting(t.Context()); waiting > 1100 {
			t.Errorf("%d wait for a dead host", waiting)
		}
		time.Sleep(5 * time.Minute)
		settle()
		if waiting, _ := queue.Waiting(t.Context()); waiting != 0 || len(events.all()) != 5000 {
			t.Errorf("%d wait, %d outcomes", waiting, len(events.all()))
		}
		if len(net.sent) > 100 {
			t.Errorf("%d requests to a dead host", len(net.sent))
		}
		stop()
	})
}

// Who waits to try again keeps what it holds: no other node takes it.
func TestHandsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &network{hosts: map[string]func(context.Context) (int, error){"ill.univ.example": status(500)}}
		queue := memory.New(memory.Options{})
		n, stop := start(t, slo.Options{Queue: queue, Client: net})
		_, stopOther := start(t, slo.Options{Queue: queue, Client: net})
		n.Tell(t.Context(), slo.Batch{notice("https://ill.univ.example/")})
		time.Sleep(10 * time.Minute)
		settle()
		if len(net.sent) != 4 {
			t.Errorf("%d requests, want 4", len(net.sent))
		}
		stop()
		stopOther()
	})
}

func TestBadAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := memory.New(memory.Options{})
		n, stop := start(t, slo.Options{Queue: queue, Client: &network{}})
		n.Tell(t.Context(), slo.Batch{notice("https://a%zz.example/"), notice("nowhere")})
		settle()
		stop()
		got, _ := queue.Outcomes(t.Context(), 5)
		if len(got) != 2 || got[0].Reason != "bad_address" || got[0].Tries != 0 || got[1].Reason != "bad_address" {
			t.Errorf("outcomes %v", got)
		}
	})
}

// What was told before the end is written to the queue, and sent where it can
// be at once; what waits for another try is left there.
func TestRunEndsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &network{hosts: map[string]func(context.Context) (int, error){
			"dead.univ.example": dead, "ill.univ.example": status(500),
			"slow.univ.example": func(context.Context) (int, error) { time.Sleep(2 * time.Second); return 200, nil },
		}}
		queue, events := memory.New(memory.Options{}), &trail{}
		n, stop := start(t, slo.Options{Queue: queue, Client: net, Auditor: events})
		var batch slo.Batch
		for _, host := range []string{"dead", "ill", "slow"} {
			batch = append(batch, notice("https://"+host+".univ.example/"))
		}
		n.Tell(t.Context(), batch)
		settle()
		for range 3000 {
			n.Tell(t.Context(), slo.Batch{notice("https://moodle.univ.example/")})
		}
		begun := time.Now()
		stop()
		if took := time.Since(begun); took > 6*time.Second {
			t.Errorf("ended after %v", took)
		}
		if got := len(net.to("moodle.univ.example")); got != 3000 {
			t.Errorf("%d requests, want 3000", got)
		}
		if waiting, _ := queue.Waiting(t.Context()); waiting != 2 || len(events.all()) != 3001 {
			t.Errorf("%d left, want the dead and the ill; %d outcomes", waiting, len(events.all()))
		}
		n.Tell(t.Context(), batch[:1])
		last := events.all()[3001:]
		if len(last) != 1 || last[0].Reason != "not_queued" || last[0].Outcome != audit.Failure {
			t.Errorf("told after the end: %+v", last)
		}
	})
}
