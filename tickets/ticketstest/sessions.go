package ticketstest

import (
	"testing"
	"time"

	"parvis/tickets"
)

func testSession(t *testing.T, b *bench) {
	want := b.open("o22502142")
	got, err := b.Store.Session(t.Context(), want.ID)
	b.must(err)
	b.same("session", got, want)
	plain := tickets.Session{ID: b.fresh("x").ID, UID: "x", AuthTime: time.Unix(0, 0).UTC(), Idle: time.Minute, Max: time.Minute}
	b.must(b.Store.Open(t.Context(), plain))
	got, err = b.Store.Session(t.Context(), plain.ID)
	b.must(err)
	b.same("session with nothing more", got, plain)
}

func testUnknown(t *testing.T, b *bench) {
	known := b.open("roux-p")
	altered := known.ID[:len(known.ID)-1] + "!"
	other, err := b.mint.Rotate(known.ID)
	b.must(err)
	for name, id := range map[string]tickets.TGT{
		"unknown": b.fresh("roux-p").ID, "another secret": other, "malformed": altered, "empty": "", "short": "TGT-", "locator only": known.ID[:28],
	} {
		_, err := b.Store.Session(t.Context(), id)
		b.gone(name+": session", err)
		_, err = b.Store.Visits(t.Context(), id)
		b.gone(name+": visits", err)
		ticket := b.ticket(tickets.ServiceTicket, known.ID)
		_, err = b.Store.Grant(t.Context(), id, ticket)
		b.gone(name+": grant", err)
		renewed := known
		renewed.ID = other
		b.gone(name+": renew", b.Store.Renew(t.Context(), id, renewed))
		_, _, err = b.Store.Close(t.Context(), id)
		b.gone(name+": close", err)
		visits, err := b.Store.Farewell(t.Context(), id)
		b.must(err)
		b.same(name+": visits", len(visits), 0)
	}
	for name, id := range map[string]tickets.TicketID{
		"unknown": b.ticket(tickets.ServiceTicket, known.ID).ID, "TGT": tickets.TicketID(known.ID), "empty": "", "prefix": "ST-", "long": "ST-" + tickets.TicketID(make([]byte, 4096)),
	} {
		_, _, err := b.Store.Redeem(t.Context(), id)
		b.gone(name+": redeem", err)
	}
	b.gone("open under a malformed identifier", b.Store.Open(t.Context(), tickets.Session{ID: "TGT-1", Idle: time.Hour, Max: time.Hour}))
	b.live(known.ID)
}

func testIdle(t *testing.T, b *bench) {
	s := b.open("roux-p")
	b.Travel(s.Idle - time.Minute)
	b.live(s.ID) // reading does not slide the limit …
	b.Travel(2 * time.Minute)
	b.dead(s.ID)

	s = b.open("roux-p")
	b.Travel(s.Idle - time.Minute)
	b.grant(s.ID) // … granting does.
	b.Travel(s.Idle - time.Minute)
	pending := b.ticket(tickets.ServiceTicket, s.ID)
	pending.Lifetime = time.Hour
	_, err := b.Store.Grant(t.Context(), s.ID, pending)
	b.must(err)
	b.Travel(time.Minute)
	if _, _, err := b.Store.Redeem(t.Context(), pending.ID); err != nil {
		t.Errorf("redeem before the idle limit: %v", err)
	}
	late := b.ticket(tickets.ServiceTicket, s.ID)
	late.Lifetime = 10 * time.Hour
	_, err = b.Store.Grant(t.Context(), s.ID, late)
	b.must(err)
	b.Travel(s.Idle + time.Second)
	_, _, err = b.Store.Redeem(t.Context(), late.ID)
	b.gone("redeem after the idle limit", err)
	_, err = b.Store.Grant(t.Context(), s.ID, b.ticket(tickets.ServiceTicket, s.ID))
	b.gone("grant after the idle limit", err)
	_, err = b.Store.Visits(t.Context(), s.ID)
	b.gone("visits after the idle limit", err)
	_, _, err = b.Store.Close(t.Context(), s.ID)
	b.gone("close after the idle limit", err)
	visits, err := b.Store.Farewell(t.Context(), s.ID)
	b.must(err)
	b.same("visits of an expired session", len(visits), 0)
}

func testMax(t *testing.T, b *bench) {
	s := b.open("roux-p")
	for spent := time.Duration(0); spent+time.Hour < s.Max; spent += time.Hour {
		b.Travel(time.Hour)
		b.grant(s.ID)
	}
	b.Travel(time.Hour - time.Minute)
	b.grant(s.ID)
	b.Travel(2 * time.Minute)
	b.dead(s.ID)
	_, err := b.Store.Grant(t.Context(), s.ID, b.ticket(tickets.ServiceTicket, s.ID))
	b.gone("grant after the absolute limit", err)
}

func testNoLimits(t *testing.T, b *bench) {
	for name, change := range map[string]func(*tickets.Session){
		"no idle limit":     func(s *tickets.Session) { s.Idle = 0 },
		"no absolute limit": func(s *tickets.Session) { s.Max = 0 },
		"negative":          func(s *tickets.Session) { s.Max = -time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			s := b.fresh("roux-p")
			change(&s)
			b.must(b.Store.Open(t.Context(), s))
			b.dead(s.ID)
		})
	}
}

func testRenew(t *testing.T, b *bench) {
	old := b.open("roux-p")
	pending := b.grant(old.ID)
	renewed := old
	var err error
	renewed.ID, err = b.mint.Rotate(old.ID)
	b.must(err)
	renewed.AuthTime = old.AuthTime.Add(time.Hour)
	renewed.Attributes = map[string][]string{"mail": {"paul.roux@univ.example"}}
	b.must(b.Store.Renew(t.Context(), old.ID, renewed))

	b.dead(old.ID)
	_, err = b.Store.Grant(t.Context(), old.ID, b.ticket(tickets.ServiceTicket, old.ID))
	b.gone("grant by the old secret", err)
	b.gone("renew by the old secret", b.Store.Renew(t.Context(), old.ID, renewed))
	_, _, err = b.Store.Close(t.Context(), old.ID)
	b.gone("close by the old secret", err)

	got, err := b.Store.Session(t.Context(), renewed.ID)
	b.must(err)
	b.same("session", got, renewed)
	visits, err := b.Store.Visits(t.Context(), renewed.ID)
	b.must(err)
	b.same("visits kept", len(visits), 1)
	_, got, err = b.Store.Redeem(t.Context(), pending.ID)
	b.must(err)
	b.same("session of a ticket granted before", got, renewed)
	sessions, err := b.Store.SessionsOf(t.Context(), "roux-p")
	b.must(err)
	b.same("sessions of the person", ids(sessions), []tickets.TGT{renewed.ID})
}

func testRenewLimits(t *testing.T, b *bench) {
	old := b.open("roux-p")
	younger := b.open("roux-p")
	b.grant(old.ID)
	b.Travel(old.Idle - time.Minute)
	b.grant(younger.ID)
	renewed := old
	var err error
	renewed.ID, err = b.mint.Rotate(old.ID)
	b.must(err)
	renewed.Idle, renewed.Max = 3*time.Hour, 12*time.Hour
	b.must(b.Store.Renew(t.Context(), old.ID, renewed))
	sessions, err := b.Store.SessionsOf(t.Context(), "roux-p")
	b.must(err)
	b.same("sessions of the person", ids(sessions), []tickets.TGT{younger.ID, renewed.ID})
	for range 5 {
		b.Travel(2*time.Hour + 12*time.Minute)
		b.grant(renewed.ID)
	}
	visits, err := b.Store.Visits(t.Context(), renewed.ID)
	b.must(err)
	b.same("visits", len(visits), 6)
	sessions, err = b.Store.SessionsOf(t.Context(), "roux-p")
	b.must(err)
	b.same("sessions of the person", ids(sessions), []tickets.TGT{renewed.ID})
	b.Travel(time.Hour + time.Minute)
	b.dead(renewed.ID)
	_, err = b.mint.Rotate(renewed.ID)
	b.must(err)
	b.gone("renew an ended session", b.Store.Renew(t.Context(), renewed.ID, old))
}

func testRenewForeign(t *testing.T, b *bench) {
	s := b.open("roux-p")
	other := b.fresh("roux-p")
	b.gone("renew to another locator", b.Store.Renew(t.Context(), s.ID, other))
	b.dead(other.ID)
	stranger := s
	stranger.UID = "moreau-s"
	var err error
	stranger.ID, err = b.mint.Rotate(s.ID)
	b.must(err)
	b.gone("renew for another person", b.Store.Renew(t.Context(), s.ID, stranger))
	b.dead(stranger.ID)
	b.live(s.ID)
	stranger.ID = ""
	b.gone("renew to no identifier", b.Store.Renew(t.Context(), s.ID, stranger))
}

func testSessionsOf(t *testing.T, b *bench) {
	sessions, err := b.Store.SessionsOf(t.Context(), "roux-p")
	b.must(err)
	b.same("sessions of nobody", len(sessions), 0)
	var want []tickets.Session
	for i := range 10 {
		s := b.fresh("roux-p")
		s.Max += time.Duration(10-i) * time.Minute // the first opened lives longest
		b.must(b.Store.Open(t.Context(), s))
		want = append(want, s)
	}
	sessions, err = b.Store.SessionsOf(t.Context(), "roux-p")
	b.must(err)
	b.same("sessions", sessions, want)
}

func testSessionsOfEnded(t *testing.T, b *bench) {
	closed, idle, alive := b.open("roux-p"), b.open("roux-p"), b.open("roux-p")
	b.close(closed.ID)
	b.Travel(idle.Idle - time.Minute)
	b.grant(alive.ID)
	b.Travel(2 * time.Minute)
	for range 2 {
		sessions, err := b.Store.SessionsOf(t.Context(), "roux-p")
		b.must(err)
		b.same("sessions", ids(sessions), []tickets.TGT{alive.ID})
	}
	b.Travel(alive.Max)
	sessions, err := b.Store.SessionsOf(t.Context(), "roux-p")
	b.must(err)
	b.same("sessions after all limits", len(sessions), 0)
	again := b.open("roux-p")
	sessions, err = b.Store.SessionsOf(t.Context(), "roux-p")
	b.must(err)
	b.same("sessions after a new login", ids(sessions), []tickets.TGT{again.ID})
}

func testPeople(t *testing.T, b *bench) {
	uids := []string{"roux-p", "roux-P", "roux-p ", "", "élève", "{roux-p}"}
	opened := make(map[string]tickets.TGT)
	for _, uid := range uids {
		opened[uid] = b.open(uid).ID
	}
	for _, uid := range uids {
		sessions, err := b.Store.SessionsOf(t.Context(), uid)
		b.must(err)
		b.same("sessions of "+uid, ids(sessions), []tickets.TGT{opened[uid]})
	}
}

func testPing(t *testing.T, b *bench) { b.must(b.Store.Ping(t.Context())) }
