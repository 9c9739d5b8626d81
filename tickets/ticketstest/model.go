package ticketstest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parvis/tickets"
)

// testModel makes random sequences of calls and compares every answer with
// that of a model too simple to be wrong. The model's clock only moves when it
// travels, by whole minutes; every limit ends at half a minute, so that the
// time the test itself takes never decides.
func testModel(t *testing.T, h Harness) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			Harness: h, mint: tickets.NewMinter(nil), ctx: context.Background(), run: rapid.StringMatching(`[a-z]{12}`).Draw(t, "run"),
			granted: make(map[tickets.TicketID]*modelTicket), spent: make(map[string]time.Duration),
		}
		t.Repeat(rapid.StateMachineActions(m))
	})
}

type model struct {
	Harness
	mint *tickets.Minter
	ctx  context.Context //nolint:containedctx // the state machine's methods take no other argument
	// run sets people and tokens apart from those of other runs on the store.
	run      string
	now      time.Duration
	sessions []*modelSession
	order    []tickets.TicketID
	granted  map[tickets.TicketID]*modelTicket
	spent    map[string]time.Duration
}

type modelSession struct {
	tickets.Session
	began, used time.Duration
	closed      bool
	visits      []tickets.TicketID
}

type modelTicket struct {
	tickets.Ticket
	session *modelSession
	until   time.Duration
	left    int
}

func (m *model) alive(s *modelSession) bool {
	return !s.closed && m.now < s.began+s.Max && m.now < s.used+s.Idle
}

// Check is what rapid calls after each action.
func (m *model) Check(*rapid.T) {}

func (m *model) Open(t *rapid.T) {
	id, err := m.mint.TGT()
	if err != nil {
		t.Fatal(err)
	}
	s := &modelSession{Session: tickets.Session{
		ID: id, UID: m.person(t), AuthTime: time.Unix(1, 0).UTC(), UserAgent: "browser", Idle: limit(t), Max: limit(t),
	}, began: m.now, used: m.now}
	if err := m.Store.Open(m.ctx, s.Session); err != nil {
		t.Fatalf("open: %v", err)
	}
	m.sessions = append(m.sessions, s)
}

func (m *model) Read(t *rapid.T) {
	s := m.some(t)
	got, err := m.Store.Session(m.ctx, s.ID)
	m.agree(t, "read", err, m.alive(s))
	if err == nil && (got.ID != s.ID || got.UID != s.UID) {
		t.Fatalf("read another session")
	}
}

func (m *model) Renew(t *rapid.T) {
	s := m.some(t)
	renewed := s.Session
	id, err := m.mint.Rotate(s.ID)
	if err != nil {
		t.Fatal(err)
	}
	renewed.ID, renewed.Idle, renewed.Max = id, limit(t), limit(t)
	err = m.Store.Renew(m.ctx, s.ID, renewed)
	m.agree(t, "renew", err, m.alive(s))
	if err != nil {
		return
	}
	if _, err := m.Store.Session(m.ctx, s.ID); !errors.Is(err, tickets.ErrNotFound) {
		t.Fatalf("read by the old secret: %v", err)
	}
	s.Session, s.began, s.used = renewed, m.now, m.now
	// The list of a person's sessions is in the order of passwords typed.
	at := slices.Index(m.sessions, s)
	m.sessions = append(slices.Delete(m.sessions, at, at+1), s)
}

func (m *model) Grant(t *rapid.T) {
	s := m.some(t)
	kind := rapid.SampledFrom([]tickets.Kind{tickets.ServiceTicket, tickets.ProxyTicket, tickets.ProxyGrantingTicket}).Draw(t, "kind")
	id, err := m.mint.Ticket(kind, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	ticket := tickets.Ticket{
		ID: id, Kind: kind, Service: "https://a.example/" + string(kind), Lifetime: limit(t), Uses: rapid.IntRange(0, 3).Draw(t, "uses"),
	}
	got, err := m.Store.Grant(m.ctx, s.ID, ticket)
	m.agree(t, "grant", err, m.alive(s))
	if err != nil {
		return
	}
	if got.ID != s.ID {
		t.Fatalf("granted by another session")
	}
	s.used = m.now
	if kind != tickets.ProxyGrantingTicket {
		s.visits = append(s.visits, id)
	}
	left := 1
	if kind == tickets.ProxyTicket {
		left = max(1, ticket.Uses)
	}
	m.granted[id] = &modelTicket{Ticket: ticket, session: s, until: m.now + ticket.Lifetime, left: left}
	m.order = append(m.order, id)
}

func (m *model) Redeem(t *rapid.T) {
	if len(m.order) == 0 {
		t.Skip("no ticket")
	}
	ticket := m.granted[m.order[rapid.IntRange(0, len(m.order)-1).Draw(t, "ticket")]]
	want := ticket.left > 0 && ticket.Kind != tickets.ProxyGrantingTicket && m.now < ticket.until && m.alive(ticket.session)
	got, session, err := m.Store.Redeem(m.ctx, ticket.ID)
	m.agree(t, "redeem", err, want)
	ticket.left--
	if err == nil && (got.Service != ticket.Service || session.ID != ticket.session.ID) {
		t.Fatalf("redeemed another ticket")
	}
}

func (m *model) Discard(t *rapid.T) {
	if len(m.order) == 0 {
		t.Skip("no ticket")
	}
	ticket := m.granted[m.order[rapid.IntRange(0, len(m.order)-1).Draw(t, "ticket")]]
	if err := m.Store.Discard(m.ctx, ticket.ID); err != nil {
		t.Fatalf("discard: %v", err)
	}
	ticket.left = 0
}

func (m *model) Lookup(t *rapid.T) {
	if len(m.order) == 0 {
		t.Skip("no ticket")
	}
	ticket := m.granted[m.order[rapid.IntRange(0, len(m.order)-1).Draw(t, "ticket")]]
	want := ticket.Kind == tickets.ProxyGrantingTicket && m.now < ticket.until && m.alive(ticket.session)
	got, session, err := m.Store.Lookup(m.ctx, ticket.ID)
	m.agree(t, "look up", err, want)
	if err == nil && (got.ID != ticket.ID || session.ID != ticket.session.ID) {
		t.Fatalf("looked up another ticket")
	}
}

func (m *model) Close(t *rapid.T) {
	s := m.some(t)
	_, count, err := m.Store.Close(m.ctx, s.ID)
	m.agree(t, "close", err, m.alive(s))
	visits, fault := m.Store.Farewell(m.ctx, s.ID)
	if fault != nil {
		t.Fatalf("farewell: %v", fault)
	}
	if err == nil {
		m.inOrder(t, "farewell", visits, s.visits)
	}
	if len(visits) > count {
		t.Fatalf("%d visits announced, %d told", count, len(visits))
	}
	s.closed = true
}

func (m *model) Visits(t *rapid.T) {
	s := m.some(t)
	visits, err := m.Store.Visits(m.ctx, s.ID)
	m.agree(t, "visits", err, m.alive(s))
	if err == nil {
		m.inOrder(t, "visits", visits, s.visits)
	}
}

// inOrder compares visits with the tickets granted. The order between the two
// kinds is certain only where the store's clock went on.
func (m *model) inOrder(t *rapid.T, what string, got []tickets.Visit, want []tickets.TicketID) {
	t.Helper()
	if !slices.IsSortedFunc(got, func(a, b tickets.Visit) int { return a.At.Compare(b.At) }) {
		t.Fatalf("%s: not the oldest first: %v", what, got)
	}
	for _, kind := range []tickets.Kind{tickets.ServiceTicket, tickets.ProxyTicket} {
		other := func(id tickets.TicketID) bool { return id.Kind() != kind }
		got, want := slices.DeleteFunc(ticketsOf(got), other), slices.DeleteFunc(slices.Clone(want), other)
		if !slices.Equal(got, want) {
			t.Fatalf("%s: %s of visits %v, want %v", what, kind, got, want)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d visits, want %d", what, len(got), len(want))
	}
}

func (m *model) SessionsOf(t *rapid.T) {
	uid := m.person(t)
	got, err := m.Store.SessionsOf(m.ctx, uid)
	if err != nil {
		t.Fatalf("sessions of a person: %v", err)
	}
	var want []tickets.TGT
	for _, s := range m.sessions {
		if s.UID == uid && m.alive(s) {
			want = append(want, s.ID)
		}
	}
	if !slices.Equal(ids(got), want) {
		t.Fatalf("sessions %v, want %v", ids(got), want)
	}
}

func (m *model) Spend(t *rapid.T) {
	token := m.run + rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "token")
	ttl := limit(t)
	first, err := m.Store.Spend(m.ctx, token, ttl)
	if err != nil {
		t.Fatalf("spend: %v", err)
	}
	if want := m.now >= m.spent[token]; first != want {
		t.Fatalf("first to spend: %v, want %v", first, want)
	}
	if first {
		m.spent[token] = m.now + ttl
	}
}

func (m *model) Travel(t *rapid.T) {
	d := time.Duration(rapid.IntRange(1, 10).Draw(t, "minutes")) * time.Minute
	m.Harness.Travel(d)
	m.now += d
}

func (m *model) person(t *rapid.T) string {
	return m.run + rapid.SampledFrom([]string{"alice", "bob"}).Draw(t, "person")
}

func (m *model) some(t *rapid.T) *modelSession {
	if len(m.sessions) == 0 {
		t.Skip("no session")
	}
	return m.sessions[rapid.IntRange(0, len(m.sessions)-1).Draw(t, "session")]
}

func (m *model) agree(t *rapid.T, what string, err error, want bool) {
	t.Helper()
	if want && err != nil || !want && !errors.Is(err, tickets.ErrNotFound) {
		t.Fatalf("%s: %v, want success: %v", what, err, want)
	}
}

func limit(t *rapid.T) time.Duration {
	return time.Duration(rapid.IntRange(1, 20).Draw(t, "limit"))*time.Minute + 30*time.Second
}
