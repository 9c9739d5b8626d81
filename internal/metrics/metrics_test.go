package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parvis/identity"
	"parvis/internal/audit"
	"parvis/internal/httpx"
	"parvis/internal/metrics"
	"parvis/tickets"
)

var _ httpx.Recorder = (*metrics.Metrics)(nil)

// scrape returns the lines that Prometheus would read.
func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

func TestRequests(t *testing.T) {
	m := metrics.New(metrics.Build{Version: "v1.2.3", Go: "go1.26"})
	m.Request("login", 200, 3*time.Millisecond)
	m.Request("login", 302, time.Millisecond)
	m.Request("login", 423, time.Millisecond)
	m.Request("login", 999, time.Millisecond)
	wantLines(t, scrape(t, m),
		`parvis_http_request_duration_seconds_bucket{code="2xx",route="login",le="0.0025"} 0`,
		`parvis_http_request_duration_seconds_bucket{code="2xx",route="login",le="0.005"} 1`,
		`parvis_http_request_duration_seconds_count{code="3xx",route="login"} 1`,
		`parvis_http_request_duration_seconds_count{code="4xx",route="login"} 1`,
		`parvis_http_request_duration_seconds_count{code="other",route="login"} 1`,
		`parvis_build_info{go="go1.26",version="v1.2.3"} 1`)
	if text := scrape(t, m); !strings.Contains(text, "go_goroutines ") || !strings.Contains(text, "process_open_fds ") {
		t.Error("the runtime's metrics are missing")
	}
}

// S39: whatever is passed, the number of time series stays small.
func TestLabelsAreBounded(t *testing.T) {
	m := metrics.New(metrics.Build{})
	auditor := m.Auditor(audit.New(io.Discard, nil, nil))
	for i := range 500 {
		m.Request(fmt.Sprintf("https://app.example/?id=%d", i), 200, time.Millisecond)
		m.Directory(fmt.Sprintf("uid=user%d", i), time.Millisecond, fmt.Errorf("error %d", i))
		auditor.Record(t.Context(), audit.Event{Action: audit.TicketValidated, Ticket: fmt.Sprintf("X%d-abc", i), Outcome: fmt.Sprint(i)})
		auditor.Record(t.Context(), audit.Event{Action: fmt.Sprint(i)})
	}
	text := scrape(t, m)
	wantLines(t, text,
		`parvis_http_request_duration_seconds_count{code="2xx",route="other"} 500`,
		`parvis_directory_duration_seconds_count{operation="other",result="error"} 500`,
		`parvis_tickets_total{action="validated",kind="other",outcome="other"} 500`)
	if n := strings.Count(text, "\nparvis_"); n > 60 {
		t.Errorf("%d series", n)
	}
}

func TestAuditorCountsAndPassesOn(t *testing.T) {
	var trail bytes.Buffer
	m := metrics.New(metrics.Build{})
	auditor := m.Auditor(audit.New(&trail, nil, nil))
	for _, e := range []audit.Event{
		{Action: audit.Login, Outcome: audit.Success},
		{Action: audit.Login, Outcome: audit.Failure},
		{Action: audit.Login, Outcome: audit.Refused},
		{Action: audit.Throttled, Outcome: audit.Refused},
		{Action: audit.TicketGranted, Outcome: audit.Success, Ticket: "ST-abcde"},
		{Action: audit.TicketValidated, Outcome: audit.Refused, Ticket: "PT-abcde"},
		{Action: audit.Logout, Outcome: audit.Success},
		{Action: audit.SessionEnded, Outcome: audit.Success, Reason: "replaced"},
		{Action: audit.LogoutSent, Outcome: audit.Success},
		{Action: audit.LogoutSent, Outcome: audit.Failure},
		{Action: audit.ServiceRefused, Outcome: audit.Refused},
	} {
		auditor.Record(t.Context(), e)
	}
	if n := strings.Count(trail.String(), "\n"); n != 11 {
		t.Errorf("%d lines in the trail, want 11", n)
	}
	wantLines(t, scrape(t, m),
		`parvis_logins_total{outcome="success"} 1`, `parvis_logins_total{outcome="failure"} 1`,
		`parvis_logins_total{outcome="refused"} 1`, `parvis_logins_total{outcome="throttled"} 1`,
		`parvis_tickets_total{action="granted",kind="ST",outcome="success"} 1`,
		`parvis_tickets_total{action="validated",kind="PT",outcome="refused"} 1`,
		`parvis_sessions_ended_total{cause="logout"} 1`, `parvis_sessions_ended_total{cause="replaced"} 1`,
		`parvis_logout_requests_total{outcome="success"} 1`, `parvis_logout_requests_total{outcome="failure"} 1`,
		`parvis_services_refused_total 1`)
}

// S44: a service file that cannot be taken raises an alarm.
func TestServices(t *testing.T) {
	m := metrics.New(metrics.Build{})
	inUse, faulty := 5, 0
	m.Services(func() (int, int) { return inUse, faulty })
	wantLines(t, scrape(t, m), "parvis_services 5", "parvis_services_faults 0")
	inUse, faulty = 4, 2
	wantLines(t, scrape(t, m), "parvis_services 4", "parvis_services_faults 2")
}

func TestDirectoryResults(t *testing.T) {
	tests := []struct {
		name, want string
		err        error
	}{
		{"done", "ok", nil},
		{"wrong password", "refused", identity.ErrBadCredentials},
		{"account that may not be used", "refused", &identity.StateError{UID: "roux-p", State: identity.Suspended}},
		{"nobody", "not_found", identity.ErrNotFound},
		{"down", "unavailable", fmt.Errorf("dial: %w", identity.ErrUnavailable)},
		{"slow", "timeout", fmt.Errorf("%w: %w", identity.ErrUnavailable, context.DeadlineExceeded)},
		{"client gone", "canceled", context.Canceled},
		{"anything else", "error", errors.New("x")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := metrics.New(metrics.Build{})
			m.Directory("authenticate", time.Millisecond, test.err)
			wantLines(t, scrape(t, m), `parvis_directory_duration_seconds_count{operation="authenticate",result="`+test.want+`"} 1`)
		})
	}
}

// fakeStore answers each call with err.
type fakeStore struct {
	tickets.Store
	err error
}

func (f fakeStore) Open(context.Context, tickets.Session) error { return f.err }
func (f fakeStore) Session(context.Context, tickets.TGT) (tickets.Session, error) {
	return tickets.Session{UID: "u"}, f.err
}

func (f fakeStore) Grant(context.Context, tickets.TGT, tickets.Ticket) (tickets.Session, error) {
	return tickets.Session{UID: "u"}, f.err
}

func (f fakeStore) Redeem(context.Context, tickets.TicketID) (tickets.Ticket, tickets.Session, error) {
	return tickets.Ticket{}, tickets.Session{UID: "u"}, f.err
}

func (f fakeStore) Discard(context.Context, tickets.TicketID) error { return f.err }

func (f fakeStore) Close(context.Context, tickets.TGT) (tickets.Session, int, error) {
	return tickets.Session{UID: "u"}, 3, f.err
}

func (f fakeStore) Spend(context.Context, string, time.Duration) (bool, error) { return true, f.err }

func TestStore(t *testing.T) {
	for err, want := range map[error]string{
		nil:                    "ok",
		tickets.ErrNotFound:    "not_found",
		tickets.ErrUnavailable: "unavailable",
	} {
		t.Run(want, func(t *testing.T) {
			m := metrics.New(metrics.Build{})
			s := m.Store(fakeStore{err: err}, nil)
			ctx := t.Context()
			opened := s.Open(ctx, tickets.Session{})
			session, readErr := s.Session(ctx, "")
			granted, grantErr := s.Grant(ctx, "", tickets.Ticket{})
			_, redeemed, redeemErr := s.Redeem(ctx, "")
			closed, visits, closeErr := s.Close(ctx, "")
			first, spendErr := s.Spend(ctx, "", 0)
			for _, got := range []error{opened, readErr, grantErr, redeemErr, closeErr, spendErr, s.Discard(ctx, "")} {
				if !errors.Is(got, err) {
					t.Errorf("error %v, want %v", got, err)
				}
			}
			if session.UID+granted.UID+redeemed.UID+closed.UID != "uuuu" || visits != 3 || !first {
				t.Error("an answer is not passed on")
			}
			for _, operation := range []string{"open", "session", "grant", "redeem", "close", "spend", "discard"} {
				wantLines(t, scrape(t, m), fmt.Sprintf(`parvis_store_duration_seconds_count{operation="%s",result="%s"} 1`, operation, want))
			}
		})
	}
}

func BenchmarkRequest(b *testing.B) {
	m := metrics.New(metrics.Build{})
	b.ReportAllocs()
	for b.Loop() {
		m.Request("serviceValidate", 200, time.Millisecond)
	}
}
