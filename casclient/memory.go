package casclient

import (
	"container/list"
	"context"
	"sync"
	"time"
)

const (
	grantLife = time.Minute
	maxGrants = 10_000
)

// Memory keeps sessions and proxy-granting tickets in this process: they are
// lost when it ends, and other processes do not see them. When it is full, the
// session unused for longest goes.
type Memory struct {
	now  func() time.Time
	most int

	mu       sync.Mutex
	sessions map[string]*list.Element // of kept, by key
	tickets  map[string]string        // keys, by ticket
	recent   *list.List               // of kept, the last used in front
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

// NewMemory returns a store for so many sessions at most, read by this clock.
func NewMemory(now func() time.Time, most int) *Memory {
	return &Memory{
		now: now, most: max(most, 1),
		sessions: map[string]*list.Element{}, tickets: map[string]string{}, recent: list.New(),
		grants: map[string]*list.Element{}, arrived: list.New(),
	}
}

// Save implements [Sessions].
func (m *Memory) Save(_ context.Context, key string, s Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	m.drop(key)
	m.sessions[key] = m.recent.PushFront(&kept{key, s, now})
	m.tickets[s.Ticket] = key
	for oldest := keptIn(m.recent.Back()); oldest.over(now) || m.recent.Len() > m.most; oldest = keptIn(m.recent.Back()) {
		m.drop(oldest.key)
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
	m.recent.MoveToFront(element)
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
	for oldest := grantIn(m.arrived.Back()); oldest.over(now) || m.arrived.Len() > maxGrants; oldest = grantIn(m.arrived.Back()) {
		m.dropGrant(oldest.iou)
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

func (m *Memory) drop(key string) {
	element, ok := m.sessions[key]
	if !ok {
		return
	}
	delete(m.sessions, key)
	if ticket := keptIn(element).session.Ticket; m.tickets[ticket] == key {
		delete(m.tickets, ticket)
	}
	m.recent.Remove(element)
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
