package tickets_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parvis/identity"
	"parvis/tickets"
)

func typical() tickets.Session {
	return tickets.Session{
		ID:  "TGT-Zk0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX12",
		UID: "o22502142",
		Attributes: identity.Attributes{
			"uid":                  {"o22502142"},
			"mail":                 {"jean-pierre.martin@etu.univ.example"},
			"displayName":          {"Jean-Pierre Martin"},
			"givenName":            {"Jean-Pierre"},
			"sn":                   {"Martin"},
			"eduPersonAffiliation": {"student", "member"},
			"memberOf":             {"cn=cours-info-l2,ou=groups,dc=univ,dc=example"},
		},
		AuthTime:  time.Date(2026, 11, 22, 16, 40, 0, 123456789, time.UTC),
		Idle:      2 * time.Hour,
		Max:       8 * time.Hour,
		Address:   "192.0.2.117",
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
	}
}

func TestTypicalSessionIsCompact(t *testing.T) {
	if got := len(tickets.AppendSession(nil, typical())); got > 350 {
		t.Errorf("record of %d bytes, want at most 350", got)
	}
}

func TestDecodingAllocatesLittle(t *testing.T) {
	record := string(tickets.AppendSession(nil, typical()))
	got := testing.AllocsPerRun(200, func() {
		if _, err := tickets.DecodeSession(record); err != nil {
			t.Fatal(err)
		}
	})
	if got > 4 {
		t.Errorf("%v allocations, want at most 4", got)
	}
}

func TestSessionComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawSession(t)
		record := tickets.AppendSession([]byte("before"), want)
		got, err := tickets.DecodeSession(strings.TrimPrefix(string(record), "before"))
		if err != nil {
			t.Fatalf("decode: %v", err)
		}
		for name, values := range want.Attributes {
			if len(values) == 0 {
				delete(want.Attributes, name)
			}
		}
		if id := tickets.SessionID(string(tickets.AppendSession(nil, want))); id != want.ID {
			t.Fatalf("identifier %q, want %q", id, want.ID)
		}
		if len(want.Attributes) == 0 {
			want.Attributes = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestTicketComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := tickets.Ticket{
			ID:           tickets.TicketID(rapid.String().Draw(t, "id")),
			Kind:         tickets.Kind(rapid.String().Draw(t, "kind")),
			Service:      rapid.String().Draw(t, "service"),
			Lifetime:     time.Duration(rapid.Int64().Draw(t, "lifetime")),
			FromNewLogin: rapid.Bool().Draw(t, "new"),
			Uses:         rapid.IntRange(0, math.MaxInt).Draw(t, "uses"),
		}
		if proxies := rapid.SliceOf(rapid.String()).Draw(t, "proxies"); len(proxies) > 0 {
			want.Proxies = proxies
		}
		got, err := tickets.DecodeTicket(string(tickets.AppendTicket(nil, want)))
		if err != nil {
			t.Fatalf("decode: %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestVisitsFollowOneAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(drawVisit), 1, 5).Draw(t, "visits")
		var records []byte
		for _, visit := range want {
			records = tickets.AppendVisit(records, visit)
		}
		var got []tickets.Visit
		for rest := string(records); rest != ""; {
			visit, after, err := tickets.DecodeVisit(rest)
			if err != nil {
				t.Fatalf("decode: %v", err)
			}
			got, rest = append(got, visit), after
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Records that were made before tickets had uses are still read.
func TestTicketWithoutUsesIsRead(t *testing.T) {
	record := "\x21\x04ST-x\x02ST\x12https://a.example/\x80\xa8\xd6\xb9\x07\x01\x01\x01p"
	want := tickets.Ticket{
		ID: "ST-x", Kind: tickets.ServiceTicket, Service: "https://a.example/", Lifetime: time.Second, FromNewLogin: true, Proxies: []string{"p"},
	}
	if made := string(tickets.AppendTicket(nil, want)); made != record {
		t.Errorf("record %q, want %q", made, record)
	}
	got, err := tickets.DecodeTicket(record)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	for name, refused := range map[string]string{
		"a version to come": "\x23" + record[1:], "no uses": "\x22\x00" + record[1:], "uses beyond a number": "\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + record[1:],
	} {
		if _, err := tickets.DecodeTicket(refused); !errors.Is(err, tickets.ErrRecord) {
			t.Errorf("%s: %v, want ErrRecord", name, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	session := string(tickets.AppendSession(nil, typical()))
	ticket := string(tickets.AppendTicket(nil, tickets.Ticket{Service: "https://a.example/", Proxies: []string{"https://b.example/"}}))
	tests := []struct{ name, record string }{
		{"nothing", ""},
		{"a version to come", "\x12" + session[1:]},
		{"a ticket for a session", ticket},
		{"bytes that follow", session + "x"},
		{"a length beyond the end", "\x11\xff\xff\xff\xff\xff\xff\xff\xff\x7f"},
		{"a number beyond 64 bits", "\x11" + strings.Repeat("\xff", 12)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := tickets.DecodeSession(test.record); !errors.Is(err, tickets.ErrRecord) {
				t.Errorf("DecodeSession: %v, want ErrRecord", err)
			}
		})
	}
	for n := range session {
		if _, err := tickets.DecodeSession(session[:n]); !errors.Is(err, tickets.ErrRecord) {
			t.Errorf("session cut at %d: %v, want ErrRecord", n, err)
		}
	}
	for n := range ticket {
		if _, err := tickets.DecodeTicket(ticket[:n]); !errors.Is(err, tickets.ErrRecord) {
			t.Errorf("ticket cut at %d: %v, want ErrRecord", n, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(string(tickets.AppendSession(nil, typical())))
	f.Add(string(tickets.AppendTicket(nil, tickets.Ticket{ID: "ST-x", Proxies: []string{"a", "b"}})))
	f.Add(string(tickets.AppendTicket(nil, tickets.Ticket{ID: "PT-x", Kind: tickets.ProxyTicket, Uses: 3})))
	f.Add("\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Add(string(tickets.AppendVisit(nil, tickets.Visit{Service: "https://a.example/"})))
	f.Fuzz(func(t *testing.T, record string) {
		if session, err := tickets.DecodeSession(record); err == nil {
			again, err := tickets.DecodeSession(string(tickets.AppendSession(nil, session)))
			if diff := cmp.Diff(session, again); err != nil || diff != "" {
				t.Errorf("session changed (%v): %s", err, diff)
			}
		}
		if ticket, err := tickets.DecodeTicket(record); err == nil {
			again, err := tickets.DecodeTicket(string(tickets.AppendTicket(nil, ticket)))
			if diff := cmp.Diff(ticket, again); err != nil || diff != "" {
				t.Errorf("ticket changed (%v): %s", err, diff)
			}
		}
		if visit, rest, err := tickets.DecodeVisit(record); err == nil {
			again, _, err := tickets.DecodeVisit(string(tickets.AppendVisit(nil, visit)) + rest)
			if diff := cmp.Diff(visit, again); err != nil || diff != "" {
				t.Errorf("visit changed (%v): %s", err, diff)
			}
		}
	})
}

func BenchmarkDecodeSession(b *testing.B) {
	record := string(tickets.AppendSession(nil, typical()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tickets.DecodeSession(record); err != nil {
			b.Fatal(err)
		}
	}
}

func drawSession(t *rapid.T) tickets.Session {
	names := rapid.OneOf(rapid.SampledFrom([]string{"uid", "mail", "memberOf", "eduPersonEntitlement"}), rapid.String())
	return tickets.Session{
		ID:         tickets.TGT(rapid.String().Draw(t, "id")),
		UID:        rapid.String().Draw(t, "uid"),
		Attributes: rapid.MapOf(names, rapid.SliceOf(rapid.String())).Draw(t, "attributes"),
		AuthTime:   drawTime(t),
		RememberMe: rapid.Bool().Draw(t, "remember"),
		Idle:       time.Duration(rapid.Int64().Draw(t, "idle")),
		Max:        time.Duration(rapid.Int64().Draw(t, "max")),
		Address:    rapid.String().Draw(t, "address"),
		UserAgent:  rapid.String().Draw(t, "agent"),
	}
}

func drawVisit(t *rapid.T) tickets.Visit {
	return tickets.Visit{
		Ticket:  tickets.TicketID(rapid.String().Draw(t, "ticket")),
		Service: rapid.String().Draw(t, "service"),
		At:      drawTime(t),
	}
}

func drawTime(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "zero time") {
		return time.Time{}
	}
	return time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")).UTC()
}
