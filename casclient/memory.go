package casclient

import (
	"container/list"
	"context"
	"sync"
	"time"
)

const (
	// grantLife is how long a proxy-granting ticket waits for its owner's name.
	grantLife = time.Minute
	// maxGrants bounds those that wait; the oldest go.
	maxGrants = 10_000
)

// Memory keeps sessions and proxy-granting tickets in this process: they are
// lost when it ends, and other processes do not see them. When it is full, the
// session unused for longest goes. Sessions that programs opened by proxy tickets
// are counted apart, so that a portal that asks all day pushes nobody's browser
// out.
type Memory struct {
	now  func() time.Time
	most int

	mu       sync.Mutex
	sessions map[string]*list.Element // of kept, by key
	tickets  map[string]string        // keys, by ticket
	own      *list.List               // of kept, the last used in front
	proxied  *list.List               // the same, of sessions opened by proxy tickets
	grants   map[string]*list.Element // of grant, by IOU
	arrived  *list.List               // of grant, the newest in front
}

type kept struct {
	key     string
	session Session
	used    time.Time
}

type grant struct {
	iou, pgt string
	at       time.Time
}

// NewMemory returns a store for so many sessions of each kind at most, read by
// this clock.
func NewMemory(now func() time.Time, most int) *Memory {
	return &Memory{
		now: now, most: max(most, 1),
		sessions: map[string]*list.Element{}, tickets: map[string]string{}, own: list.New(), proxied: list.New(),
		grants: map[string]*list.Element{}, arrived: list.New(),
	}
}

// Save implements [Sessions].
func (m *Memory) Save(_ context.Context, key string, s Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	m.drop(key)
	recent := m.listOf(s)
	m.sessions[key] = recent.PushFront(&kept{key, s, now})
	m.tickets[s.Ticket] = key
	for e := recent.Back(); e != nil && (keptIn(e).over(now) || recent.Len() > m.most); e = recent.Back() {
		m.drop(keptIn(e).key)
	}
	return nil
}

// Load implements [Sessions].
func (m *Memory) Load(_ context.Context, key string) (Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	element, ok := m.sessions[key]
	if !ok {
		return Session{}, ErrNoSession
	}
	now, k := m.now(), keptIn(element)
	if k.over(now) {
		m.drop(key)
		return Session{}, ErrNoSession
	}
	k.used = now
	m.listOf(k.session).MoveToFront(element)
	return k.session, nil
}

// Delete implements [Sessions].
func (m *Memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(key)
	return nil
}

// DeleteTicket implements [Sessions].
func (m *Memory) DeleteTicket(_ context.Context, ticket string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if key, ok := m.tickets[ticket]; ok {
		m.drop(key)
	}
	return nil
}

// Put implements [Grants].
func (m *Memory) Put(_ context.Context, iou, pgt string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	m.dropGrant(iou)
	m.grants[iou] = m.arrived.PushFront(grant{iou, pgt, now})
	for e := m.arrived.Back(); e != nil && (grantIn(e).over(now) || m.arrived.Len() > maxGrants); e = m.arrived.Back() {
		m.dropGrant(grantIn(e).iou)
	}
	return nil
}

// Take implements [Grants].
func (m *Memory) Take(_ context.Context, iou string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	element, ok := m.grants[iou]
	if !ok {
		return "", nil
	}
	g := grantIn(element)
	m.dropGrant(iou)
	if g.over(m.now()) {
		return "", nil
	}
	return g.pgt, nil
}

func (m *Memory) listOf(s Session) *list.List {
	if len(s.Principal.Proxies) > 0 {
		return m.proxied
	}
	return m.own
}

func (m *Memory) drop(key string) {
	element, ok := m.sessions[key]
	if !ok {
		return
	}
	delete(m.sessions, key)
	s := keptIn(element).session
	if m.tickets[s.Ticket] == key {
		delete(m.tickets, s.Ticket)
	}
	m.listOf(s).Remove(element)
}

func (m *Memory) dropGrant(iou string) {
	if element, ok := m.grants[iou]; ok {
		delete(m.grants, iou)
		m.arrived.Remove(element)
	}
}

func (k *kept) over(now time.Time) bool {
	return now.Sub(k.used) >= k.session.Idle || !now.Before(k.session.End)
}

func (g grant) over(now time.Time) bool { return now.Sub(g.at) >= grantLife }

func keptIn(e *list.Element) *kept { return e.Value.(*kept) } //nolint:errcheck // the list holds nothing else

func grantIn(e *list.Element) grant { return e.Value.(grant) } //nolint:errcheck // the list holds nothing else
