package ticketstest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"parvis/tickets"
)

func testDiscard(t *testing.T, b *bench) {
	s := b.open("moreau-s")
	pgt := b.granting(s.ID, time.Hour)
	shown, other, unseen := b.proxy(pgt.ID, 3), b.proxy(pgt.ID, 3), b.grant(s.ID)
	_, _, err := b.Store.Redeem(t.Context(), shown.ID)
	b.must(err)
	for _, ticket := range []tickets.Ticket{shown, unseen} {
		for range 2 {
			b.must(b.Store.Discard(t.Context(), ticket.ID))
			_, _, err := b.Store.Redeem(t.Context(), ticket.ID)
			b.gone("redeem a discarded "+string(ticket.Kind), err)
		}
	}
	for range 3 {
		_, _, err := b.Store.Redeem(t.Context(), other.ID)
		b.must(err)
	}
	visits, err := b.Store.Visits(t.Context(), s.ID)
	b.must(err)
	b.same("visits", len(visits), 3)
	b.close(s.ID)
	b.must(b.Store.Discard(t.Context(), other.ID))
}

func testDiscardKinds(t *testing.T, b *bench) {
	s := b.open("moreau-s")
	pgt, st := b.granting(s.ID, time.Hour), b.grant(s.ID)
	for _, id := range []tickets.TicketID{
		"", "ST-", "ST-1", tickets.TicketID(s.ID), pgt.ID, "PT" + st.ID[2:], b.ticket(tickets.ServiceTicket, s.ID).ID,
		"PT-" + tickets.TicketID(make([]byte, 4096)),
	} {
		b.must(b.Store.Discard(t.Context(), id))
	}
	b.live(s.ID)
	b.proxy(pgt.ID, 0)
	_, _, err := b.Store.Redeem(t.Context(), st.ID)
	b.must(err)
}

// testDiscardRace: while others redeem, a use may be written back; never after
// somebody was told that the ticket is gone.
func testDiscardRace(t *testing.T, b *bench) {
	const callers, rounds = 50, 10
	s := b.open("moreau-s")
	pgt := b.granting(s.ID, time.Hour)
	for range rounds {
		pt := b.proxy(pgt.ID, callers*rounds)
		var gone atomic.Bool
		race(callers, func(i int) {
			if i == callers/2 {
				if err := b.Store.Discard(t.Context(), pt.ID); err != nil {
					t.Errorf("discard: %v", err)
				}
				gone.Store(true)
			}
			late := gone.Load()
			_, _, err := b.Store.Redeem(t.Context(), pt.ID)
			if err != nil && !errors.Is(err, tickets.ErrNotFound) {
				t.Errorf("redeem: %v", err)
			}
			if err == nil && late {
				t.Error("redeemed after it was discarded")
			}
		})
		_, _, err := b.Store.Redeem(t.Context(), pt.ID)
		b.gone("redeem after all", err)
	}
}
