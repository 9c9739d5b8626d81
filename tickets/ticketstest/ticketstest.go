package ticketstest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parvis/identity"
	"parvis/tickets"
)

// Harness is a store under test.
type Harness struct {
	// Store is empty, and its own to the test that asked for it.
	Store tickets.Store
	// Travel puts the store's clock forward.
	Travel func(time.Duration)
}

// Run holds a store to the contract. Each test takes a harness of its own.
func Run(t *testing.T, start func(testing.TB) Harness) {
	tests := []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"session comes back as it was opened", testSession},
		{"unknown and malformed identifiers", testUnknown},
		{"idle limit (S16)", testIdle},
		{"absolute limit (S16)", testMax},
		{"session without limits never lives", testNoLimits},
		{"ticket is redeemed once", testRedeem},
		{"ticket expires by the store's clock (S4)", testTicketExpiry},
		{"only service and proxy tickets are redeemed (S6)", testRedeemKinds},
		{"100 callers redeem one ticket (S2, V26)", testRedeemRace},
		{"grant on a session that ended", testGrantEnded},
		{"grant a ticket of another session's slot", testGrantForeign},
		{"close kills pending tickets (S5, S14)", testClose},
		{"close races grants and redeems (S5)", testCloseRace},
		{"visits are listed, the oldest first", testVisits},
		{"visits beyond the limit are forgotten", testMaxVisits},
		{"a visit is small, its ticket is whole (S39)", testLongService},
		{"renew changes the secret and keeps the rest (S13)", testRenew},
		{"renew starts the limits anew (S16)", testRenewLimits},
		{"renew refuses another session or person (S13)", testRenewForeign},
		{"sessions of a person", testSessionsOf},
		{"sessions of a person, ended ones dropped", testSessionsOfEnded},
		{"sessions of people do not mix (S40)", testPeople},
		{"proxy-granting ticket is read, and stays (P12)", testLookup},
		{"only proxy-granting tickets are looked up (P10, S6)", testLookupKinds},
		{"100 callers use one proxy-granting ticket (P12)", testLookupRace},
		{"close kills proxy-granting tickets (P13, S5)", testLookupClosed},
		{"renew keeps proxy-granting tickets", testLookupRenewed},
		{"renew gives proxy-granting tickets its limits", testLookupRenewedLimits},
		{"proxy-granting ticket outlives no limit (S4, S16)", testLookupExpiry},
		{"uses of a ticket are counted (P12)", testUses},
		{"50 callers redeem a ticket of 3 uses (P12)", testUsesRace},
		{"ticket of several uses expires (S4)", testUsesExpiry},
		{"discarded ticket has no uses left (S3, V17)", testDiscard},
		{"only service and proxy tickets are discarded", testDiscardKinds},
		{"50 callers redeem and discard a ticket (S3)", testDiscardRace},
		{"visits of proxy tickets are bounded apart", testProxiedVisits},
		{"ticket of a forgotten visit is gone (S39)", testForgotten},
		{"proxy-granting tickets are bounded (S39)", testGrantingBound},
		{"callers get more proxy-granting tickets than there may be (S39)", testGrantingRace},
		{"token is spent once (S15)", testSpend},
		{"50 callers spend one token (S15)", testSpendRace},
		{"ping", testPing},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, &bench{TB: t, Harness: start(t), mint: tickets.NewMinter(nil)})
		})
	}
	t.Run("any sequence of calls agrees with the model", func(t *testing.T) { testModel(t, start(t)) })
}

// bench is a harness at work: calls that must succeed, made short.
type bench struct {
	testing.TB
	Harness
	mint *tickets.Minter
}

// fresh returns a session nobody opened yet.
func (b *bench) fresh(uid string) tickets.Session {
	b.Helper()
	id, err := b.mint.TGT()
	b.must(err)
	return tickets.Session{
		ID:  id,
		UID: uid,
		Attributes: identity.Attributes{
			"uid":                  {uid},
			"displayName":          {"Éloïse d'Été <&>"},
			"eduPersonAffiliation": {"student", "member"},
		},
		AuthTime:   time.Date(2026, 11, 22, 8, 0, 0, 42, time.UTC),
		RememberMe: true,
		Idle:       2 * time.Hour,
		Max:        8 * time.Hour,
		Address:    "2001:db8::17",
		UserAgent:  "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
	}
}

func (b *bench) open(uid string) tickets.Session {
	b.Helper()
	s := b.fresh(uid)
	b.must(b.Store.Open(b.Context(), s))
	return s
}

func (b *bench) ticket(kind tickets.Kind, tgt tickets.TGT) tickets.Ticket {
	b.Helper()
	id, err := b.mint.Ticket(kind, tgt)
	b.must(err)
	return tickets.Ticket{
		ID:           id,
		Kind:         kind,
		Service:      "https://cours.univ.example/login?next=%2Fé#top",
		Lifetime:     10 * time.Second,
		FromNewLogin: true,
	}
}

func (b *bench) grant(tgt tickets.TGT) tickets.Ticket {
	b.Helper()
	t := b.ticket(tickets.ServiceTicket, tgt)
	_, err := b.Store.Grant(b.Context(), tgt, t)
	b.must(err)
	return t
}

// close ends a session, and returns whom to tell.
func (b *bench) close(id tickets.TGT) []tickets.Visit {
	b.Helper()
	_, count, err := b.Store.Close(b.Context(), id)
	b.must(err)
	visits, err := b.Store.Farewell(b.Context(), id)
	b.must(err)
	b.same("more visits than announced", len(visits) > count, false)
	return visits
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// gone wants ErrNotFound and nothing else.
func (b *bench) gone(what string, err error) {
	b.Helper()
	if !errors.Is(err, tickets.ErrNotFound) || errors.Is(err, tickets.ErrUnavailable) {
		b.Errorf("%s: %v, want ErrNotFound", what, err)
	}
}

// same compares two values.
func (b *bench) same(what string, got, want any) {
	b.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// live and dead tell whether the identifier opens its session.
func (b *bench) live(id tickets.TGT) {
	b.Helper()
	_, err := b.Store.Session(b.Context(), id)
	b.must(err)
}

func (b *bench) dead(id tickets.TGT) {
	b.Helper()
	_, err := b.Store.Session(b.Context(), id)
	b.gone("session", err)
}

// ids lists identifiers of sessions, in order.
func ids(sessions []tickets.Session) []tickets.TGT {
	var out []tickets.TGT
	for _, s := range sessions {
		out = append(out, s.ID)
	}
	return out
}
