package cas_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"parvis/internal/testkit"
	"parvis/tickets"
)

// discard is a ResponseWriter that costs next to nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkServiceValidate is one validation through the whole stack, without
// the network: what a page view of a service costs.
func BenchmarkServiceValidate(b *testing.B) {
	c := newCampus(b)
	mint := tickets.NewMinter(nil)
	person, err := demoDirectory(b).Authenticate(b.Context(), student, studentPassword)
	check(b, err)
	var id tickets.TGT
	requests := make([]*http.Request, b.N)
	for i := range requests {
		if i%tickets.MaxVisits == 0 { // a session remembers no more tickets than these
			id, err = mint.TGT()
			check(b, err)
			check(b, c.store.Open(b.Context(), tickets.Session{
				ID: id, UID: person.UID, Attributes: person.Attributes, AuthTime: c.clock.Now(), Idle: time.Hour, Max: time.Hour,
			}))
		}
		ticket, err := mint.Ticket(tickets.ServiceTicket, id)
		check(b, err)
		_, err = c.store.Grant(b.Context(), id, tickets.Ticket{ID: ticket, Kind: tickets.ServiceTicket, Service: app, Lifetime: time.Hour})
		check(b, err)
		requests[i], err = http.NewRequestWithContext(b.Context(), http.MethodGet, testkit.ValidatePath("/p3/serviceValidate", app, string(ticket)), nil)
		check(b, err)
		requests[i].RemoteAddr = "127.0.0.1:1234"
	}
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	b.ResetTimer()
	for _, r := range requests {
		clear(w.header)
		c.Config.Handler.ServeHTTP(w, r)
	}
}

// BenchmarkLoginPage is the form, drawn for a service.
func BenchmarkLoginPage(b *testing.B) {
	c := newCampus(b)
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "/cas/login?service="+url.QueryEscape(app), nil)
	check(b, err)
	r.RemoteAddr = "127.0.0.1:1234"
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		c.Config.Handler.ServeHTTP(w, r)
	}
}
