package ticketstest

import (
	"sync"
	"testing"
	"time"

	"parvis/tickets"
)

// testForgotten: no ticket can be used that no logout would tell of, and none
// that is within the bound is lost.
func testForgotten(t *testing.T, b *bench) {
	const beyond = 5
	s, other := b.open("moreau-s"), b.open("moreau-s")
	pgt := b.granting(s.ID, time.Hour)
	untouched := b.ticket(tickets.ServiceTicket, other.ID)
	untouched.Lifetime = time.Hour
	_, err := b.Store.Grant(t.Context(), other.ID, untouched)
	b.must(err)
	for _, kind := range []tickets.Kind{tickets.ServiceTicket, tickets.ProxyTicket} {
		var granted []tickets.TicketID
		for range tickets.MaxVisits + beyond {
			ticket := b.ticket(kind, s.ID)
			ticket.Lifetime, ticket.Uses = time.Hour, 2
			_, err := b.Store.Grant(t.Context(), s.ID, ticket)
			b.must(err)
			granted = append(granted, ticket.ID)
		}
		for i, id := range granted {
			_, _, err := b.Store.Redeem(t.Context(), id)
			switch {
			case i < beyond:
				b.gone("redeem a forgotten "+string(kind), err)
			case err != nil:
				t.Fatalf("redeem %s number %d of %d: %v", kind, i, len(granted), err)
			}
		}
	}
	_, _, err = b.Store.Redeem(t.Context(), untouched.ID)
	b.must(err)
	// However many tickets it gives out, a proxy keeps what it makes them from.
	b.proxy(pgt.ID, 0)
}

func testGrantingBound(t *testing.T, b *bench) {
	const beyond = 20
	s, other := b.open("moreau-s"), b.open("moreau-s")
	kept := b.granting(other.ID, time.Hour)
	st := b.ticket(tickets.ServiceTicket, s.ID)
	st.Lifetime = time.Hour
	_, err := b.Store.Grant(t.Context(), s.ID, st)
	b.must(err)
	var granted []tickets.TicketID
	for range tickets.MaxGranting + beyond {
		granted = append(granted, b.granting(s.ID, time.Hour).ID)
	}
	for _, id := range granted[:beyond] {
		b.noPGT("beyond the bound", id)
	}
	for _, id := range granted[beyond:] {
		_, _, err := b.Store.Lookup(t.Context(), id)
		b.must(err)
	}
	renewed := s
	renewed.ID, err = b.mint.Rotate(s.ID)
	b.must(err)
	b.must(b.Store.Renew(t.Context(), s.ID, renewed))
	last := b.granting(renewed.ID, time.Hour)
	b.noPGT("beyond the bound of the renewed session", granted[beyond])
	b.proxy(granted[beyond+1], 0)
	b.proxy(last.ID, 0)
	visits, err := b.Store.Visits(t.Context(), renewed.ID)
	b.must(err)
	b.same("visits", len(visits), 3)
	_, _, err = b.Store.Redeem(t.Context(), st.ID)
	b.must(err)
	b.close(renewed.ID)
	b.noPGT("after the session", last.ID)
	b.proxy(kept.ID, 0)
}

func testGrantingRace(t *testing.T, b *bench) {
	const callers = tickets.MaxGranting + 30
	s := b.open("moreau-s")
	var mu sync.Mutex
	var granted []tickets.TicketID
	race(callers, func(int) {
		id, err := b.mint.Ticket(tickets.ProxyGrantingTicket, s.ID)
		if err != nil {
			t.Errorf("mint: %v", err)
			return
		}
		pgt := tickets.Ticket{ID: id, Kind: tickets.ProxyGrantingTicket, Service: "https://a.example/", Lifetime: time.Hour}
		if _, err := b.Store.Grant(t.Context(), s.ID, pgt); err != nil {
			t.Errorf("grant: %v", err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		granted = append(granted, id)
	})
	live := 0
	for _, id := range granted {
		if _, _, err := b.Store.Lookup(t.Context(), id); err == nil {
			live++
		}
	}
	b.same("live proxy-granting tickets", live, tickets.MaxGranting)
}
