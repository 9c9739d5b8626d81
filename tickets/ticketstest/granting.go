package ticketstest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parvis/tickets"
)

func testRedeem(t *testing.T, b *bench) {
	s := b.open("moreau-s")
	want := b.ticket(tickets.ProxyTicket, s.ID)
	want.Proxies = []string{"https://b.example/pgt", "https://a.example/pgt"}
	granted, err := b.Store.Grant(t.Context(), s.ID, want)
	b.must(err)
	b.same("session granted", granted, s)
	got, redeemed, err := b.Store.Redeem(t.Context(), want.ID)
	b.must(err)
	b.same("ticket", got, want)
	b.same("session redeemed", redeemed, s)
	_, _, err = b.Store.Redeem(t.Context(), want.ID)
	b.gone("redeem again", err)
}

func testTicketExpiry(t *testing.T, b *bench) {
	s := b.open("moreau-s")
	soon, late := b.grant(s.ID), b.grant(s.ID)
	b.Travel(soon.Lifetime - 2*time.Second)
	if _, _, err := b.Store.Redeem(t.Context(), soon.ID); err != nil {
		t.Errorf("redeem in time: %v", err)
	}
	b.Travel(4 * time.Second)
	_, _, err := b.Store.Redeem(t.Context(), late.ID)
	b.gone("redeem too late", err)
	never := b.ticket(tickets.ServiceTicket, s.ID)
	never.Lifetime = 0
	_, err = b.Store.Grant(t.Context(), s.ID, never)
	b.must(err)
	_, _, err = b.Store.Redeem(t.Context(), never.ID)
	b.gone("redeem a ticket with no lifetime", err)
}

func testRedeemKinds(t *testing.T, b *bench) {
	s := b.open("moreau-s")
	pgt := b.ticket(tickets.ProxyGrantingTicket, s.ID)
	_, err := b.Store.Grant(t.Context(), s.ID, pgt)
	b.must(err)
	_, _, err = b.Store.Redeem(t.Context(), pgt.ID)
	b.gone("redeem a proxy-granting ticket", err)
	st := b.grant(s.ID)
	_, _, err = b.Store.Redeem(t.Context(), "PT"+st.ID[2:])
	b.gone("redeem a service ticket as a proxy ticket", err)
	_, _, err = b.Store.Redeem(t.Context(), st.ID)
	b.must(err)
	visits, err := b.Store.Visits(t.Context(), s.ID)
	b.must(err)
	b.same("visits, a proxy-granting ticket being none", len(visits), 1)
}

func testRedeemRace(t *testing.T, b *bench) {
	const callers, rounds = 100, 5
	s := b.open("moreau-s")
	for range rounds {
		ticket := b.grant(s.ID)
		var got atomic.Int32
		race(callers, func(int) {
			redeemed, _, err := b.Store.Redeem(t.Context(), ticket.ID)
			switch {
			case err == nil && redeemed.ID == ticket.ID:
				got.Add(1)
			case !errors.Is(err, tickets.ErrNotFound):
				t.Errorf("redeem: %v", err)
			}
		})
		if got.Load() != 1 {
			t.Errorf("%d callers got the ticket, want 1", got.Load())
		}
	}
}

func testGrantEnded(t *testing.T, b *bench) {
	s := b.open("moreau-s")
	b.close(s.ID)
	ticket := b.ticket(tickets.ServiceTicket, s.ID)
	_, err := b.Store.Grant(t.Context(), s.ID, ticket)
	b.gone("grant", err)
	_, _, err = b.Store.Redeem(t.Context(), ticket.ID)
	b.gone("redeem what was not granted", err)
}

func testGrantForeign(t *testing.T, b *bench) {
	s := b.open("moreau-s")
	other := b.open("roux-p")
	for other.ID.Tag() == s.ID.Tag() {
		other = b.open("roux-p")
	}
	lying := b.ticket(tickets.ServiceTicket, s.ID)
	lying.Kind = tickets.ProxyTicket
	malformed := b.ticket(tickets.ServiceTicket, s.ID)
	malformed.ID = "ST-1"
	for name, ticket := range map[string]tickets.Ticket{
		"another slot": b.ticket(tickets.ServiceTicket, other.ID), "another kind": lying, "malformed": malformed, "nothing": {},
	} {
		_, err := b.Store.Grant(t.Context(), s.ID, ticket)
		b.gone(name, err)
	}
	visits, err := b.Store.Visits(t.Context(), s.ID)
	b.must(err)
	b.same("visits", len(visits), 0)
}

func testClose(t *testing.T, b *bench) {
	s, other := b.open("moreau-s"), b.open("moreau-s")
	spent, pending := b.grant(s.ID), b.grant(s.ID)
	proxy := b.ticket(tickets.ProxyTicket, s.ID)
	_, err := b.Store.Grant(t.Context(), s.ID, proxy)
	b.must(err)
	untouched := b.grant(other.ID)
	_, _, err = b.Store.Redeem(t.Context(), spent.ID)
	b.must(err)

	closed, visits, err := b.Store.Close(t.Context(), s.ID)
	b.must(err)
	b.same("person", closed.UID, "moreau-s")
	b.same("visits", visits, 3)
	b.dead(s.ID)
	for name, id := range map[string]tickets.TicketID{"spent": spent.ID, "pending": pending.ID, "proxy": proxy.ID} {
		_, _, err := b.Store.Redeem(t.Context(), id)
		b.gone("redeem "+name, err)
	}
	told, err := b.Store.Farewell(t.Context(), s.ID)
	b.must(err)
	b.same("tickets told", ticketsOf(told), []tickets.TicketID{spent.ID, pending.ID, proxy.ID})
	told, err = b.Store.Farewell(t.Context(), s.ID)
	b.must(err)
	b.same("visits told twice", len(told), 0)
	_, _, err = b.Store.Close(t.Context(), s.ID)
	b.gone("close twice", err)
	told, err = b.Store.Farewell(t.Context(), other.ID)
	b.must(err)
	b.same("visits of a live session told", len(told), 0)
	_, _, err = b.Store.Redeem(t.Context(), untouched.ID)
	b.must(err)
	b.live(other.ID)
}

// testCloseRace ends a session under way: once Close has returned, no ticket
// is worth anything, and Close told every ticket that was granted before.
func testCloseRace(t *testing.T, b *bench) {
	s := b.open("moreau-s")
	var mu sync.Mutex
	granted := make(map[tickets.TicketID]bool)
	var told []tickets.Visit
	race(20, func(i int) {
		if i == 10 {
			told = b.close(s.ID)
			return
		}
		id, err := b.mint.Ticket(tickets.ServiceTicket, s.ID)
		if err != nil {
			t.Errorf("mint: %v", err)
			return
		}
		_, err = b.Store.Grant(t.Context(), s.ID, tickets.Ticket{ID: id, Kind: tickets.ServiceTicket, Service: "https://a.example/", Lifetime: time.Minute})
		if err == nil {
			mu.Lock()
			granted[id] = true
			mu.Unlock()
		} else if !errors.Is(err, tickets.ErrNotFound) {
			t.Errorf("grant: %v", err)
		}
	})
	for _, visit := range told {
		if !granted[visit.Ticket] {
			t.Errorf("told of a ticket that was not granted")
		}
		delete(granted, visit.Ticket)
		_, _, err := b.Store.Redeem(t.Context(), visit.Ticket)
		b.gone("redeem", err)
	}
	if len(granted) != 0 {
		t.Errorf("%d granted tickets were not told", len(granted))
	}
}

func testVisits(t *testing.T, b *bench) {
	s := b.open("moreau-s")
	visits, err := b.Store.Visits(t.Context(), s.ID)
	b.must(err)
	b.same("visits of a new session", len(visits), 0)
	var want []tickets.Ticket
	for i := range 20 {
		ticket := b.ticket(tickets.ServiceTicket, s.ID)
		ticket.Service = fmt.Sprintf("https://service-%d.example/é?a=b&c=%%20", i)
		_, err := b.Store.Grant(t.Context(), s.ID, ticket)
		b.must(err)
		want = append(want, ticket)
		b.Travel(time.Minute)
	}
	visits, err = b.Store.Visits(t.Context(), s.ID)
	b.must(err)
	if len(visits) != len(want) {
		t.Fatalf("%d visits, want %d", len(visits), len(want))
	}
	for i, visit := range visits {
		if visit.Ticket != want[i].ID || visit.Service != want[i].Service {
			t.Errorf("visit %d is %s, want %s", i, visit.Service, want[i].Service)
		}
		if i > 0 {
			if gap := visit.At.Sub(visits[i-1].At); gap < time.Minute-time.Millisecond || gap > time.Minute+10*time.Second {
				t.Errorf("visit %d came %v after the one before, want a minute", i, gap)
			}
		}
	}
}

func testMaxVisits(t *testing.T, b *bench) {
	const beyond = 30
	s := b.open("moreau-s")
	var want []tickets.TicketID
	for range tickets.MaxVisits + beyond {
		want = append(want, b.grant(s.ID).ID)
	}
	visits, err := b.Store.Visits(t.Context(), s.ID)
	b.must(err)
	b.same("visits", ticketsOf(visits), want[beyond:])
	b.same("visits told", ticketsOf(b.close(s.ID)), want[beyond:])
	_, _, err = b.Store.Redeem(t.Context(), want[0])
	b.gone("redeem a ticket whose visit was forgotten", err)
}

// testLongService: addresses may be as long as a request, and a session keeps
// many visits.
func testLongService(t *testing.T, b *bench) {
	const most = 1 << 10
	s := b.open("moreau-s")
	for _, test := range []struct{ service, visit string }{
		{"https://a.example/?" + strings.Repeat("q", most), "https://a.example/"},
		{"https://a.example/" + strings.Repeat("p", most), ("https://a.example/" + strings.Repeat("p", most))[:most]},
		{"https://a.example/?" + strings.Repeat("q", 100), "https://a.example/?" + strings.Repeat("q", 100)},
	} {
		ticket := b.ticket(tickets.ServiceTicket, s.ID)
		ticket.Service = test.service
		_, err := b.Store.Grant(t.Context(), s.ID, ticket)
		b.must(err)
		visits, err := b.Store.Visits(t.Context(), s.ID)
		b.must(err)
		b.same("service of the visit", visits[len(visits)-1].Service, test.visit)
		redeemed, _, err := b.Store.Redeem(t.Context(), ticket.ID)
		b.must(err)
		b.same("service of the ticket", redeemed.Service, test.service)
	}
}

func testSpend(t *testing.T, b *bench) {
	spend := func(token string, want bool) {
		t.Helper()
		first, err := b.Store.Spend(t.Context(), token, time.Hour)
		b.must(err)
		b.same("first to spend "+token, first, want)
	}
	spend("a", true)
	spend("a", false)
	spend("b", true)
	spend("", true)
	b.Travel(time.Hour - time.Minute)
	spend("a", false)
	b.Travel(2 * time.Minute)
	spend("a", true)
	spend("a", false)
	if _, err := b.Store.Spend(t.Context(), "no time", 0); err != nil {
		t.Errorf("spend for no time: %v", err)
	}
}

func testSpendRace(t *testing.T, b *bench) {
	var firsts atomic.Int32
	race(50, func(int) {
		first, err := b.Store.Spend(t.Context(), "token", time.Minute)
		if err != nil {
			t.Errorf("spend: %v", err)
		}
		if first {
			firsts.Add(1)
		}
	})
	if firsts.Load() != 1 {
		t.Errorf("%d callers were first, want 1", firsts.Load())
	}
}

// race runs callers at once.
func race(callers int, call func(int)) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			<-start
			call(i)
		})
	}
	close(start)
	wg.Wait()
}

func ticketsOf(visits []tickets.Visit) []tickets.TicketID {
	var out []tickets.TicketID
	for _, visit := range visits {
		out = append(out, visit.Ticket)
	}
	return out
}
