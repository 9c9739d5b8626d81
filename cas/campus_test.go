package cas_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gorilla/mux"

	"parvis/cas"
	"parvis/internal/audit"
	"parvis/internal/demo"
	"parvis/internal/httpx"
	"parvis/internal/ratelimit"
	"parvis/internal/slo"
	"parvis/internal/testkit"
	"parvis/ldapstore/ldif"
	"parvis/services"
	"parvis/tickets"
	"parvis/tickets/memory"
	"parvis/ui"
)

// The people and services of the tests. People are the demonstration's.
const (
	student         = "o22502142"
	studentPassword = "LesPigeons9BoiventDuThe"
	teacher         = "dupont-a"
	teacherPassword = "UnArchet4PourDeuxVoix"
	staff           = "moreau-s"
	staffPassword   = "LaGrenouille7LitLeJournal"

	app      = "https://app.univ.example/"
	other    = "https://other.univ.example/"
	bare     = "https://bare.univ.example/"
	admin    = "https://admin.univ.example/"
	closed   = "https://closed.univ.example/"
	strict   = "https://strict.univ.example/"
	oldApp   = "https://old.univ.example/"
	slowApp  = "https://slow.univ.example/"
	postApp  = "https://post.univ.example/"
	stranger = "https://app.univ.example.evil.example/"
)

const release = "release: [uid, mail, displayName, givenName, sn, eduPersonAffiliation, memberOf]\n"

// registered is the registry of the tests, one file a service.
var registered = map[string]string{
	"app.yaml":    "id: 1\nname: Application\nmatch: " + app + "\n" + release,
	"other.yaml":  "id: 2\nname: Other\nmatch: " + other + "\n" + release,
	"bare.yaml":   "id: 3\nname: Bare\nmatch: " + bare + "\n",
	"admin.yaml":  "id: 4\nname: Admin\nmatch: " + admin + "\naccess:\n  groups: cn=ent-admins,ou=groups,dc=univ,dc=example\n" + release,
	"closed.yaml": "id: 5\nname: Closed\nmatch: " + closed + "\nenabled: false\ncontacts:\n  - name: Scolarité\n    email: scolarite@univ.example\n",
	"strict.yaml": "id: 6\nname: Strict\nmatch: " + strict + "\nsso: false\n" + release,
	"old.yaml":    "id: 7\nname: Old\nmatch: " + oldApp + "\nprotocols: [CAS10]\n" + release,
	"slow.yaml":   "id: 8\nname: Slow\nmatch: " + slowApp + "\nlifetimes:\n  service_ticket: 30s\n",
	"post.yaml":   "id: 9\nname: Post\nmatch: " + postApp + "\nresponse: post\n" + release,
	"imap.yaml":   "id: 10\nname: Mail\nmatch:\n  regex: ^imap://mail\\.univ\\.example$\n",
}

// campus is a whole server over the embedded directory and the memory store,
// with a clock that the test moves.
type campus struct {
	*httptest.Server
	t      testing.TB
	clock  *clock
	audit  *bytes.Buffer
	log    *bytes.Buffer
	store  *memory.Store
	limits cas.Limits
	told   *told
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Travel(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// told is what single logout was asked to send.
type told struct {
	mu      sync.Mutex
	notices []slo.Notice
}

func (t *told) Tell(ctx context.Context, whom slo.Telling) {
	notices, err := whom.Notices(ctx)
	if err != nil {
		panic(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notices = append(t.notices, notices...)
}

// all are the notices so far, and forgets them.
func (t *told) all() []slo.Notice {
	t.mu.Lock()
	defer t.mu.Unlock()
	notices := t.notices
	t.notices = nil
	return notices
}

// syncWriter lets a test read what a server still writes.
type syncWriter struct {
	mu sync.Mutex
	b  *bytes.Buffer
}

func (w *syncWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

// option changes what a campus is made of.
type option func(*cas.Options, map[string]string)

func withService(name, text string) option {
	return func(_ *cas.Options, files map[string]string) { files[name] = text }
}

func withLimits(change func(*cas.Limits)) option {
	return func(o *cas.Options, _ map[string]string) { change(&o.Limits) }
}

func newCampus(t testing.TB, options ...option) *campus {
	t.Helper()
	c := &campus{t: t, clock: &clock{now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}, audit: &bytes.Buffer{}, log: &bytes.Buffer{}}
	secret := make([]byte, tickets.KeySize)
	_, _ = rand.Read(secret)
	keys, err := tickets.NewKeyring(tickets.Key{ID: "test", Secret: secret})
	check(t, err)
	throttle, err := ratelimit.New(ratelimit.NewMemory(c.clock.Now), ratelimit.DefaultLimits(), keys.Pseudonym)
	check(t, err)
	pages, err := ui.New(ui.Options{BasePath: "/cas", Now: c.clock.Now})
	check(t, err)
	c.store = memory.New(c.clock.Now)
	trail := audit.New(&syncWriter{b: c.audit}, c.clock.Now, nil)
	o := cas.Options{
		Base: "/cas", MaintenanceRetry: 30 * time.Second,
		Directory: demoDirectory(t), Store: c.store, Throttle: throttle,
		Gate: ratelimit.NewGate(16, 64, time.Second), Pages: pages,
		Auditor: trail, Sealer: keys,
		Cookies: cas.CookieOptions{Name: "TGC", Path: "/cas", SameSite: http.SameSiteLaxMode},
		Limits: cas.Limits{
			Idle: 2 * time.Hour, Max: 8 * time.Hour, RememberIdle: 7 * 24 * time.Hour, RememberMax: 30 * 24 * time.Hour,
			PublicWorkstation: true, ServiceTicket: 10 * time.Second, ProxyTicket: 10 * time.Second, Form: time.Hour, SessionsPerPerson: 50,
		},
		Now: c.clock.Now,
	}
	files := maps.Clone(registered)
	for _, change := range options {
		change(&o, files)
	}
	if o.Registry == nil {
		fsys := fstest.MapFS{}
		for name, text := range files {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
		registry, err := services.OpenFS(fsys, slog.New(slog.DiscardHandler), services.Clock(c.clock.Now))
		check(t, err)
		o.Registry = registry
	}
	if o.Ender == nil {
		known, ok := o.Registry.(slo.Registry)
		if !ok {
			t.Fatal("the registry does not say who hears of a logout")
		}
		c.told = &told{}
		o.Ender = slo.NewEnder(slo.EnderOptions{
			Sessions: o.Store, Registry: known, Teller: c.told, Auditor: trail, Now: c.clock.Now,
		})
	}
	c.limits = o.Limits
	router := mux.NewRouter().SkipClean(true).UseEncodedPath()
	cas.New(o).Mount(router)
	logger := slog.New(slog.NewJSONHandler(&syncWriter{b: c.log}, nil))
	c.Server = httptest.NewServer(httpx.Observe(httpx.Headers(router, httpx.HeaderOptions{}), httpx.Options{
		Logger: logger, Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}))
	t.Cleanup(c.Close)
	return c
}

func demoDirectory(t testing.TB) cas.Directory {
	t.Helper()
	directory, err := ldif.New(demo.People(), ldif.Options{})
	check(t, err)
	return directory
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// browser is a person's browser.
type browser struct {
	*testkit.Visitor
	c *campus
}

func (c *campus) browser() *browser {
	c.t.Helper()
	return &browser{testkit.NewVisitor(c.t, c.URL), c}
}

// withCookie is a browser that holds one cookie.
func (c *campus) withCookie(name, value string) *browser {
	b := c.browser()
	b.SetCookie(name, value)
	return b
}

// tgc is the ticket-granting cookie that the browser holds, "" for none.
func (b *browser) tgc() string { return b.Cookie("TGC") }

// enter logs the student in to a service and returns the ticket.
func (b *browser) enter(service string) string {
	b.c.t.Helper()
	a := b.Login(testkit.LoginPath(service), student, studentPassword)
	if a.Ticket() == "" {
		b.c.t.Fatalf("login for %s: got status %d and no ticket", service, a.Status)
	}
	return a.Ticket()
}

// validate asks as a service does: no cookies.
func (c *campus) validate(endpoint, service, ticket string, more ...string) testkit.Answer {
	c.t.Helper()
	return c.browser().Get(testkit.ValidatePath(endpoint, service, ticket, more...))
}

func wantStatus(t *testing.T, a testkit.Answer, status int) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("got status %d, want %d\n%.2000s", a.Status, status, a.Body)
	}
}

func wantForm(t *testing.T, a testkit.Answer) {
	t.Helper()
	if a.Form().Get("execution") == "" || !strings.Contains(a.Body, `id="fm1"`) || a.Location != "" {
		t.Fatalf("got status %d and no login form\n%.2000s", a.Status, a.Body)
	}
}

func wantCode(t *testing.T, a testkit.Answer, code cas.Code) {
	t.Helper()
	if a.Status != http.StatusOK || a.Code() != string(code) {
		t.Fatalf("got status %d, code %q, want 200 and %q\n%s", a.Status, a.Code(), code, a.Body)
	}
}
