package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parvis/internal/audit"
)

func at() time.Time {
	return time.Date(2026, 9, 1, 10, 0, 0, 123456789, time.FixedZone("CEST", 2*60*60))
}

func TestRecord(t *testing.T) {
	var out bytes.Buffer
	audit.New(&out, at, nil).Record(t.Context(), audit.Event{
		Action: audit.TicketGranted, Outcome: audit.Success, User: "o22502142",
		Service: "https://app.univ.example/path?token=hidden#hidden", Ticket: "ST-abcde", Session: "TGT-abcd",
		Address: "192.0.2.1", Request: "0123456789abcdefghij", Reason: "why", Count: 2,
	})
	want := `{"time":"2026-09-01T08:00:00.123Z","action":"ticket_granted","outcome":"success","user":"o22502142",` +
		`"service":"https://app.univ.example/path","ticket":"ST-abcde","session":"TGT-abcd","client":"192.0.2.1",` +
		`"request":"0123456789abcdefghij","reason":"why","count":2}` + "\n"
	if got := out.String(); got != want {
		t.Errorf("line\n%s want\n%s", got, want)
	}
	out.Reset()
	audit.New(&out, at, nil).Record(t.Context(), audit.Event{Action: audit.Login})
	if got, want := out.String(), `{"time":"2026-09-01T08:00:00.123Z","action":"login"}`+"\n"; got != want {
		t.Errorf("line %s want %s", got, want)
	}
}

// S38: whatever a client sends, an event is one line that says what we said.
func TestRecordIsInjectionSafe(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"CR LF", "a\r\n{\"action\":\"login\"}", "a\uFFFD\uFFFD{\"action\":\"login\"}"},
		{"quote", `a","outcome":"success`, `a","outcome":"success`},
		{"ANSI escape", "a\x1b[2Jb", "a\uFFFD[2Jb"},
		{"C1 control", "a\u009b2Jb", "a\uFFFD2Jb"},
		{"NUL", "a\x00b", "a\uFFFDb"},
		{"invalid UTF-8", "a\xff\xfeb", "a\uFFFD\uFFFDb"},
		{"right to left", "a\u202eb", "a\uFFFDb"},
		{"line separator", "a\u2028b", "a\uFFFDb"},
		{"accents stay", "Léa", "Léa"},
		{"markup stays data", "<script>", "<script>"},
	}
	for _, test := range tests {
		t.Run("S38 "+test.name, func(t *testing.T) {
			var out bytes.Buffer
			audit.New(&out, at, nil).Record(t.Context(), audit.Event{
				Action: audit.Login, Outcome: audit.Failure, User: test.value, LoginHash: test.value,
				Service: test.value, Reason: test.value, Address: test.value, Request: test.value,
			})
			if n := strings.Count(out.String(), "\n"); n != 1 || !strings.HasSuffix(out.String(), "\n") {
				t.Fatalf("%d lines: %q", n, out.String())
			}
			var got map[string]any
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if got["outcome"] != "failure" {
				t.Errorf("outcome %v", got["outcome"])
			}
			for _, field := range []string{"user", "login_hash", "service", "reason", "client", "request"} {
				if got[field] != test.want {
					t.Errorf("%s = %q, want %q", field, got[field], test.want)
				}
			}
		})
	}
}

// S38: sizes are bounded, and a whole ticket is never written, even if given.
func TestRecordIsBounded(t *testing.T) {
	for name, unit := range map[string]string{"letters": "é", "broken bytes": "\xff", "quotes": "\"", "markup": "<"} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			long := strings.Repeat(unit, 100_000)
			audit.New(&out, at, nil).Record(t.Context(), audit.Event{
				Action: long, Outcome: long, User: long, LoginHash: long, Service: long, Ticket: "ST-ab" + strings.Repeat("S", 27),
				Session: "TGT-" + strings.Repeat("S", 60), Address: long, Request: long, Reason: long,
			})
			if out.Len() > maxLine {
				t.Errorf("a line of %d bytes, want %d at most", out.Len(), maxLine)
			}
			if strings.Contains(out.String(), "SSSSS") || !json.Valid(out.Bytes()) {
				t.Errorf("line %s", out.String())
			}
		})
	}
}

const maxLine = 4096

func FuzzRecord(f *testing.F) {
	f.Add("o22502142", "https://a.example/?x", "ST-abcdefgh")
	f.Add("\r\n", "\x1b", "\xff")
	f.Fuzz(func(t *testing.T, user, service, ticket string) {
		var out bytes.Buffer
		audit.New(&out, at, nil).Record(t.Context(), audit.Event{Action: audit.Login, User: user, Service: service, Ticket: ticket})
		line, ok := bytes.CutSuffix(out.Bytes(), []byte("\n"))
		if !ok || bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) || !json.Valid(line) || len(line) > maxLine {
			t.Fatalf("line %q", out.Bytes())
		}
	})
}

// S38: what tells of a password, a session or a refusal is written before
// anybody is answered, with all that was waiting; the lines of tickets follow.
func TestHold(t *testing.T) {
	tests := []struct {
		name  string
		event audit.Event
		waits bool
	}{
		{"granted", audit.Event{Action: audit.TicketGranted, Outcome: audit.Success}, true},
		{"validated", audit.Event{Action: audit.TicketValidated, Outcome: audit.Success}, true},
		{"gateway", audit.Event{Action: audit.Gateway, Outcome: audit.Success}, true},
		{"not validated", audit.Event{Action: audit.TicketValidated, Outcome: audit.Refused}, false},
		{"login", audit.Event{Action: audit.Login, Outcome: audit.Success}, false},
		{"wrong password", audit.Event{Action: audit.Login, Outcome: audit.Failure}, false},
		{"throttled", audit.Event{Action: audit.Throttled, Outcome: audit.Refused}, false},
		{"logout", audit.Event{Action: audit.Logout, Outcome: audit.Success}, false},
		{"session ended", audit.Event{Action: audit.SessionEnded, Outcome: audit.Success}, false},
		{"logout sent", audit.Event{Action: audit.LogoutSent, Outcome: audit.Success}, true},
		{"logout not sent", audit.Event{Action: audit.LogoutSent, Outcome: audit.Failure}, false},
		{"service refused", audit.Event{Action: audit.ServiceRefused, Outcome: audit.Refused}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out lockedBuffer
				log := audit.New(&out, at, func(_ context.Context, err error) { t.Error(err) })
				log.Hold(time.Second)
				log.Record(t.Context(), audit.Event{Action: audit.TicketGranted, Outcome: audit.Success})
				log.Record(t.Context(), test.event)
				want := 2
				if test.waits {
					want = 0
				}
				if got := out.lines(); got != want {
					t.Errorf("%d lines at once, want %d", got, want)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if got := out.lines(); got != 2 {
					t.Errorf("%d lines after the delay, want 2", got)
				}
			})
		})
	}
}

func TestFlush(t *testing.T) {
	var out bytes.Buffer
	log := audit.New(&out, at, nil)
	log.Hold(time.Hour)
	log.Record(t.Context(), audit.Event{Action: audit.TicketGranted, Outcome: audit.Success})
	if err := log.Flush(); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("flushed %q, %v", out.String(), err)
	}
	for range 1000 {
		log.Record(t.Context(), audit.Event{Action: audit.TicketGranted, Outcome: audit.Success, User: "o22502142"})
	}
	if waiting := 1001 - strings.Count(out.String(), "\n"); waiting > 200 {
		t.Errorf("%d lines wait", waiting)
	}
}

// Those who wait for nothing are told of, too.
func TestHoldTellsOfFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told error
		log := audit.New(brokenWriter{}, at, func(_ context.Context, err error) { told = err })
		log.Hold(time.Second)
		log.Record(t.Context(), audit.Event{Action: audit.TicketGranted, Outcome: audit.Success})
		time.Sleep(time.Second)
		synctest.Wait()
		if told == nil || told.Error() != "write audit events: disk full" {
			t.Errorf("told of %v", told)
		}
	})
}

// lockedBuffer may be read while a timer writes to it.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

func (b *lockedBuffer) lines() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Count(b.text.Bytes(), []byte("\n"))
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestRecordTellsOfFaults(t *testing.T) {
	var told error
	log := audit.New(brokenWriter{}, at, func(_ context.Context, err error) { told = err })
	log.Record(t.Context(), audit.Event{Action: audit.Login})
	if told == nil || told.Error() != "write audit event login: disk full" {
		t.Errorf("told of %v", told)
	}
	audit.New(brokenWriter{}, nil, nil).Record(t.Context(), audit.Event{Action: audit.Login})
}

// S38: logrotate moves the file away while events are written; none is lost.
func TestFileReopens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.json")
	if err := os.WriteFile(path, []byte("before\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	file, err := audit.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log := audit.New(file, at, func(_ context.Context, err error) { t.Error(err) })
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 100 {
				log.Record(t.Context(), audit.Event{Action: audit.Login, User: fmt.Sprintf("%d-%d", i, j)})
			}
		})
	}
	for i := range 5 {
		if err := os.Rename(path, fmt.Sprintf("%s.%d", path, i)); err != nil {
			t.Error(err)
		}
		if err := file.Reopen(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if err := file.Close(); err != nil {
		t.Error(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines += bytes.Count(content, []byte("\n"))
	}
	if len(files) != 6 || lines != 401 {
		t.Errorf("%d lines in %d files, want 401 in 6", lines, len(files))
	}
}

func TestFileFaults(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if _, err := audit.OpenFile(filepath.Join(dir, "audit.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	file, err := audit.OpenFile(filepath.Join(dir, "audit.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := file.Reopen(); err == nil {
		t.Error("Reopen finds a folder that is gone")
	}
	if _, err := file.Write([]byte("still\n")); err != nil {
		t.Errorf("after a Reopen that failed: %v", err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
	if _, err := file.Write([]byte("late\n")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
