package ticketstest

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"parvis/tickets"
)

// granting grants a proxy-granting ticket that lives for lifetime.
func (b *bench) granting(tgt tickets.TGT, lifetime time.Duration) tickets.Ticket {
	b.Helper()
	pgt := b.ticket(tickets.ProxyGrantingTicket, tgt)
	pgt.Service = "https://portail.univ.example/"
	pgt.Proxies = []string{"https://portail.univ.example/pgt", "https://a.example/pgt"}
	pgt.Lifetime = lifetime
	_, err := b.Store.Grant(b.Context(), tgt, pgt)
	b.must(err)
	return pgt
}

// proxy grants a proxy ticket the way a proxy gets one: by a proxy-granting
// ticket and nothing else.
func (b *bench) proxy(pgt tickets.TicketID, uses int) tickets.Ticket {
	b.Helper()
	found, s, err := b.Store.Lookup(b.Context(), pgt)
	b.must(err)
	pt := b.ticket(tickets.ProxyTicket, s.ID)
	pt.Service, pt.Proxies, pt.Uses, pt.FromNewLogin = "imap://mail.univ.example", found.Proxies, uses, false
	_, err = b.Store.Grant(b.Context(), s.ID, pt)
	b.must(err)
	return pt
}

func (b *bench) noPGT(what string, id tickets.TicketID) {
	b.Helper()
	_, _, err := b.Store.Lookup(b.Context(), id)
	b.gone(what, err)
}

func testLookup(t *testing.T, b *bench) {
	s := b.open("moreau-s")
	want := b.granting(s.ID, time.Hour)
	for range 3 {
		got, session, err := b.Store.Lookup(t.Context(), want.ID)
		b.must(err)
		b.same("ticket", got, want)
		b.same("session", session, s)
		got.Proxies[0] = "https://changed.example/"
	}
	pt := b.proxy(want.ID, 0)
	got, session, err := b.Store.Redeem(t.Context(), pt.ID)
	b.must(err)
	b.same("proxy ticket", got, pt)
	b.same("proxies of the proxy ticket", got.Proxies, want.Proxies)
	b.same("session of the proxy ticket", session, s)
}

func testLookupKinds(t *testing.T, b *bench) {
	s := b.open("moreau-s")
	pgt := b.granting(s.ID, time.Hour)
	st, pt := b.grant(s.ID), b.proxy(pgt.ID, 3)
	unknown := b.ticket(tickets.ProxyGrantingTicket, s.ID).ID
	for name, id := range map[string]tickets.TicketID{
		"service ticket": st.ID, "proxy ticket": pt.ID, "ticket-granting ticket": tickets.TicketID(s.ID), "never granted": unknown,
		"nothing": "", "prefix": "PGT-", "TGT with another name": "PGT" + tickets.TicketID(s.ID[3:]), "cut": pgt.ID[:63],
		"long": pgt.ID + "0", "very long": "PGT-" + tickets.TicketID(make([]byte, 4096)),
	} {
		b.noPGT(name, id)
	}
	// Being asked for has spent none of them.
	for _, id := range []tickets.TicketID{st.ID, pt.ID} {
		_, _, err := b.Store.Redeem(t.Context(), id)
		b.must(err)
	}
	b.proxy(pgt.ID, 0)
}

func testLookupRace(t *testing.T, b *bench) {
	const callers = 100
	s := b.open("moreau-s")
	pgt := b.granting(s.ID, time.Hour)
	var got atomic.Int32
	race(callers, func(int) {
		found, session, err := b.Store.Lookup(t.Context(), pgt.ID)
		if err != nil || found.ID != pgt.ID || session.ID != s.ID {
			t.Errorf("look up: %v", err)
			return
		}
		id, err := b.mint.Ticket(tickets.ProxyTicket, session.ID)
		if err != nil {
			t.Errorf("mint: %v", err)
			return
		}
		_, err = b.Store.Grant(t.Context(), session.ID, tickets.Ticket{ID: id, Kind: tickets.ProxyTicket, Service: "imap://a", Lifetime: time.Minute})
		if err != nil {
			t.Errorf("grant: %v", err)
			return
		}
		if _, _, err := b.Store.Redeem(t.Context(), id); err != nil {
			t.Errorf("redeem: %v", err)
			return
		}
		got.Add(1)
	})
	b.same("proxy tickets redeemed", got.Load(), int32(callers))
}

func testLookupClosed(t *testing.T, b *bench) {
	s, other := b.open("moreau-s"), b.open("moreau-s")
	pgt, kept := b.granting(s.ID, time.Hour), b.granting(other.ID, time.Hour)
	pt := b.proxy(pgt.ID, 3)
	b.same("tickets told, a proxy-granting ticket being none", ticketsOf(b.close(s.ID)), []tickets.TicketID{pt.ID})
	b.noPGT("look up", pgt.ID)
	_, _, err := b.Store.Redeem(t.Context(), pt.ID)
	b.gone("redeem", err)
	b.proxy(kept.ID, 0)
}

// testLookupRenewed: a password typed again leaves what proxies hold.
func testLookupRenewed(t *testing.T, b *bench) {
	s := b.open("roux-p")
	pgt := b.granting(s.ID, time.Hour)
	b.proxy(pgt.ID, 0)
	renewed := s
	var err error
	renewed.ID, err = b.mint.Rotate(s.ID)
	b.must(err)
	b.must(b.Store.Renew(t.Context(), s.ID, renewed))
	_, session, err := b.Store.Lookup(t.Context(), pgt.ID)
	b.must(err)
	b.same("session", session, renewed)
	pt := b.proxy(pgt.ID, 0)
	visits, err := b.Store.Visits(t.Context(), renewed.ID)
	b.must(err)
	b.same("visits", len(visits), 2)
	b.same("last visit", visits[1].Ticket, pt.ID)
}

// testLookupRenewedLimits: the limits of a renewed session hold for what was
// granted before, too.
func testLookupRenewedLimits(t *testing.T, b *bench) {
	s := b.fresh("roux-p")
	s.Max = 10 * time.Minute
	b.must(b.Store.Open(t.Context(), s))
	pgt := b.granting(s.ID, time.Hour)
	renewed := s
	var err error
	renewed.ID, err = b.mint.Rotate(s.ID)
	b.must(err)
	renewed.Max = 8 * time.Hour
	b.must(b.Store.Renew(t.Context(), s.ID, renewed))
	b.Travel(50 * time.Minute)
	b.proxy(pgt.ID, 0)
	b.Travel(11 * time.Minute)
	b.noPGT("after its own lifetime", pgt.ID)
}

func testLookupExpiry(t *testing.T, b *bench) {
	s := b.open("roux-p")
	short := b.granting(s.ID, 30*time.Minute)
	b.Travel(29 * time.Minute)
	_, _, err := b.Store.Lookup(t.Context(), short.ID)
	b.must(err)
	b.Travel(2 * time.Minute)
	b.noPGT("after its own lifetime", short.ID)

	// The idle limit counts from the last ticket, not from the last look.
	idle := b.open("roux-p")
	pgt := b.granting(idle.ID, 100*time.Hour)
	b.Travel(idle.Idle - time.Minute)
	_, _, err = b.Store.Lookup(t.Context(), pgt.ID)
	b.must(err)
	b.Travel(2 * time.Minute)
	b.noPGT("after the idle limit", pgt.ID)

	busy := b.open("roux-p")
	pgt = b.granting(busy.ID, 100*time.Hour)
	for spent := time.Duration(0); spent+time.Hour < busy.Max; spent += time.Hour {
		b.Travel(time.Hour)
		b.proxy(pgt.ID, 0)
	}
	b.Travel(time.Hour - time.Minute)
	b.proxy(pgt.ID, 0)
	b.Travel(2 * time.Minute)
	b.noPGT("after the absolute limit", pgt.ID)
}

func testUses(t *testing.T, b *bench) {
	s := b.open("moreau-s")
	for _, test := range []struct {
		name       string
		kind       tickets.Kind
		uses, want int
	}{
		{"none told", tickets.ProxyTicket, 0, 1},
		{"once", tickets.ProxyTicket, 1, 1},
		{"three times", tickets.ProxyTicket, 3, 3},
		{"fewer than none", tickets.ProxyTicket, -1, 1},
		{"a service ticket (S2)", tickets.ServiceTicket, 3, 1},
	} {
		ticket := b.ticket(test.kind, s.ID)
		ticket.Uses = test.uses
		_, err := b.Store.Grant(t.Context(), s.ID, ticket)
		b.must(err)
		for range test.want {
			got, session, err := b.Store.Redeem(t.Context(), ticket.ID)
			b.must(err)
			b.same(test.name+": ticket", got.Service, ticket.Service)
			b.same(test.name+": session", session, s)
		}
		_, _, err = b.Store.Redeem(t.Context(), ticket.ID)
		b.gone(test.name+": redeem once more", err)
	}
}

func testUsesRace(t *testing.T, b *bench) {
	const callers, uses, rounds = 50, 3, 5
	s := b.open("moreau-s")
	pgt := b.granting(s.ID, time.Hour)
	for range rounds {
		pt := b.proxy(pgt.ID, uses)
		var got atomic.Int32
		race(callers, func(int) {
			redeemed, _, err := b.Store.Redeem(t.Context(), pt.ID)
			switch {
			case err == nil && redeemed.ID == pt.ID:
				got.Add(1)
			case !errors.Is(err, tickets.ErrNotFound):
				t.Errorf("redeem: %v", err)
			}
		})
		b.same("callers who got the ticket", got.Load(), int32(uses))
	}
}

// testUsesExpiry: a use gives the ticket no new life.
func testUsesExpiry(t *testing.T, b *bench) {
	s := b.open("moreau-s")
	pt := b.proxy(b.granting(s.ID, time.Hour).ID, 10)
	for range 2 {
		b.Travel(pt.Lifetime/2 - time.Second)
		_, _, err := b.Store.Redeem(t.Context(), pt.ID)
		b.must(err)
	}
	b.Travel(4 * time.Second)
	_, _, err := b.Store.Redeem(t.Context(), pt.ID)
	b.gone("redeem after the lifetime", err)
}

func testProxiedVisits(t *testing.T, b *bench) {
	const beyond = 30
	s := b.open("moreau-s")
	pgt := b.granting(s.ID, time.Hour)
	want := []tickets.TicketID{b.grant(s.ID).ID}
	b.Travel(time.Second)
	for range tickets.MaxVisits + beyond {
		want = append(want, b.proxy(pgt.ID, 0).ID)
	}
	b.Travel(time.Second)
	want = append(want, b.grant(s.ID).ID)
	b.Travel(time.Second)
	want = append(want, b.proxy(pgt.ID, 0).ID)
	// Of the proxy tickets the oldest are forgotten, of the others none.
	want = slices.Delete(want, 1, 1+beyond+1)
	visits, err := b.Store.Visits(t.Context(), s.ID)
	b.must(err)
	if last := len(visits) - 1; visits[last].Service != "imap://mail.univ.example" || !visits[last].At.After(visits[last-1].At) {
		t.Errorf("last visit %v after %v", visits[last], visits[last-1])
	}
	b.sameVisits("visits", visits, want)
	b.sameVisits("visits told", b.close(s.ID), want)
}

// sameVisits compares long lists without showing all of them.
func (b *bench) sameVisits(what string, visits []tickets.Visit, want []tickets.TicketID) {
	b.Helper()
	got := ticketsOf(visits)
	if len(got) != len(want) {
		b.Fatalf("%s: %d, want %d", what, len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			b.Fatalf("%s: number %d is %s, want %s", what, i, got[i], want[i])
		}
	}
}
