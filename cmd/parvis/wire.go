package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"time"

	"parvis/cas"
	"parvis/identity"
	"parvis/internal/audit"
	"parvis/internal/config"
	"parvis/internal/httpx"
	"parvis/internal/metrics"
	"parvis/internal/ops"
	"parvis/internal/ratelimit"
	"parvis/internal/slo"
	"parvis/services"
	"parvis/tickets"
	"parvis/ui"
)

// node is one process, wired: what it answers with, and what runs behind.
type node struct {
	public     http.Handler
	operations *ops.Handler
	// background runs until its context ends.
	background []func(context.Context)
	// close lets go of what the node holds, the last opened first.
	close []func() error
}

// parts are what a node is made of and the demonstration has of its own.
type parts struct {
	directory directory
	registry  *services.Registry
	keys      [][]byte
	log       *slog.Logger
	audit     io.Writer
}

// build wires a node. Nothing it depends on needs to answer yet.
func build(ctx context.Context, c config.Config, p parts) (*node, error) {
	keyring, err := newKeyring(p.keys)
	if err != nil {
		return nil, err
	}
	kept, err := openStore(context.WithoutCancel(ctx), c.Tickets, keyring)
	if err != nil {
		return nil, err
	}
	limiter, err := ratelimit.New(kept.limits, limitsOf(c.Throttle), keyring.Pseudonym)
	if err != nil {
		return nil, fmt.Errorf("set limits of failed logins: %w", err)
	}
	public, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("read the public address: %w", err)
	}
	https := public.Scheme == "https"
	secure := c.Sessions.Cookie.Secure == "always" || c.Sessions.Cookie.Secure == "auto" && https
	pages, err := newPages(c, public.Path, secure)
	if err != nil {
		return nil, err
	}
	trail := audit.New(p.audit, nil, auditLost(p.log))
	trail.Hold(auditDelay)
	counts := metrics.New(metrics.Build{Version: version, Go: runtime.Version()})
	counts.Services(func() (int, int) { return len(p.registry.Services()), len(p.registry.Faulty()) })
	auditor, store := counts.Auditor(trail), counts.Store(kept.store, nil)
	outgoing, err := newOutgoing(c.Outgoing)
	if err != nil {
		return nil, err
	}
	logouts := newLogouts(c, p, kept.logouts, store, outgoing, auditor)
	operations := newOperations(p, kept, counts, auditor, c.Operations.Password.Reveal())
	server := cas.New(cas.Options{
		Base:             public.Path,
		MaintenanceRetry: maintenanceRetry,
		Directory:        measured{directory: p.directory, counts: counts},
		Registry:         p.registry,
		Store:            store,
		Throttle:         limiter,
		Gate:             ratelimit.NewGate(c.Login.Concurrent, waitersPerPlace*c.Login.Concurrent, c.Login.Wait.D()),
		Pages:            pages,
		Auditor:          auditor,
		Sealer:           keyring,
		Ender:            logouts.ender,
		Callbacks:        callbacks{outgoing},
		Cookies: cas.CookieOptions{
			Name:     c.Sessions.Cookie.Name,
			Path:     public.Path,
			Secure:   secure,
			SameSite: sameSite(c.Sessions.Cookie.SameSite),
		},
		Limits:    casLimits(c),
		Issuer:    public.Hostname(),
		REST:      restOptions(c, p.registry),
		Available: operations.Up,
	})
	return &node{
		public: httpx.Observe(
			httpx.Headers(routes(public.Path, server, pages, p.registry), httpx.HeaderOptions{HTTPS: https}),
			httpx.Options{Logger: p.log, Trusted: prefixes(c.TrustedProxies), Metrics: counts, Failure: server.Fail},
		),
		operations: operations,
		background: append(kept.background,
			func(ctx context.Context) { p.registry.Watch(ctx, c.Services.Reload.D()) },
			func(ctx context.Context) { operations.Run(ctx, healthPeriod) },
			logouts.notifier.Run, logouts.stopped.Run),
		close: append([]func() error{p.directory.Close, trail.Flush}, kept.close...),
	}, nil
}

// logouts end sessions, and tell the services.
type logouts struct {
	ender    *slo.Ender
	notifier *slo.Notifier
	stopped  *slo.Stopped
}

func newLogouts(c config.Config, p parts, queue slo.Queue, sessions slo.Sessions, client slo.Client, auditor slo.Auditor) logouts {
	notifier := slo.New(slo.Options{Queue: queue, Client: client, Auditor: auditor, Logger: p.log, Timeout: c.Outgoing.Timeout.D()})
	ender := slo.NewEnder(slo.EnderOptions{
		Sessions: sessions, Registry: p.registry, Teller: notifier, Auditor: auditor, Newest: c.Logout.Tell == "newest",
	})
	return logouts{ender: ender, notifier: notifier, stopped: slo.NewStopped(slo.StoppedOptions{
		Directory: p.directory, Ender: ender, Every: c.Logout.Suspended.D(), Logger: p.log,
	})}
}

// restOptions opens the addresses for programs where the configuration says so.
func restOptions(c config.Config, registry *services.Registry) *cas.RESTOptions {
	if !c.REST.Enabled {
		return nil
	}
	options := &cas.RESTOptions{URL: c.URL}
	if may := c.REST.Publish; may != nil {
		options.Publishing = &cas.RESTPublishing{Publisher: registry, Attribute: may.Attribute, Value: may.Value}
	}
	return options
}

func newOperations(p parts, kept kept, counts *metrics.Metrics, auditor ops.Auditor, password string) *ops.Handler {
	return ops.New(ops.Options{
		Checks:   []ops.Check{{Name: "directory", Probe: p.directory.Ping}, {Name: "tickets", Probe: kept.store.Ping}},
		Metrics:  counts.Handler(),
		Logger:   p.log,
		Logouts:  kept.logouts,
		Password: password,
		Auditor:  auditor,
	})
}

func auditLost(log *slog.Logger) func(context.Context, error) {
	return func(ctx context.Context, err error) { log.ErrorContext(ctx, "audit event lost", "error", err) }
}

// measured counts what the directory takes.
type measured struct {
	directory directory
	counts    *metrics.Metrics
}

// Authenticate asks the directory.
func (m measured) Authenticate(ctx context.Context, login, password string) (identity.Person, error) {
	start := time.Now()
	person, err := m.directory.Authenticate(ctx, login, password)
	m.counts.Directory("authenticate", time.Since(start), err)
	return person, err
}

// Find reads a person.
func (m measured) Find(ctx context.Context, login string) (identity.Person, error) {
	start := time.Now()
	person, err := m.directory.Find(ctx, login)
	m.counts.Directory("find", time.Since(start), err)
	return person, err
}

const (
	// healthPeriod is how soon a dependency that goes down or comes back is
	// noticed by pages that need it.
	healthPeriod = time.Second
	// maintenanceRetry is when people are told to come back while a
	// dependency is down: soon, since nodes recover by themselves.
	maintenanceRetry = 30 * time.Second
	// waitersPerPlace bounds the queue before the directory.
	waitersPerPlace = 16
	// auditDelay is how long the audit of a ticket may wait for others to be
	// written with.
	auditDelay = 5 * time.Millisecond
)

// newKeyring names each key by its own digest: every node gives it the same
// name, and nobody has to choose one.
func newKeyring(secrets [][]byte) (*tickets.Keyring, error) {
	keys := make([]tickets.Key, 0, len(secrets))
	for _, secret := range secrets {
		const enough = 4
		sum := sha256.Sum256(secret)
		keys = append(keys, tickets.Key{ID: hex.EncodeToString(sum[:enough]), Secret: secret})
	}
	keyring, err := tickets.NewKeyring(keys...)
	if err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	return keyring, nil
}

// randomKey is a key that is thrown away with the process.
func randomKey() []byte {
	key := make([]byte, config.KeySize)
	_, _ = rand.Read(key) // crypto/rand never fails: it ends the process
	return key
}

func newPages(c config.Config, base string, secure bool) (*ui.Renderer, error) {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("read the time zone: %w", err)
	}
	u, help, links := c.University, c.University.Help, c.University.Links
	pages, err := ui.New(ui.Options{
		BasePath: base,
		University: ui.University{
			Name: u.Name, ShortName: byLanguage(u.ShortName), URL: u.URL,
			HelpPhone: help.Phone, HelpMail: help.Mail, HelpHours: byLanguage(help.Hours), HelpURL: help.URL,
		},
		Links: ui.Links{
			Home: links.Home, Forgot: links.Forgot, Activate: links.Activate,
			Accessibility: links.Accessibility, Legal: links.Legal, Privacy: links.Privacy,
		},
		Accessibility:   ui.AccessibilityState(u.Accessibility),
		DefaultLanguage: c.Language,
		ThemeDir:        string(c.Theme),
		Secure:          secure,
		Location:        zone,
	})
	if err != nil {
		return nil, fmt.Errorf("prepare the pages: %w", err)
	}
	return pages, nil
}

func byLanguage(text config.Text) map[string]string {
	out := map[string]string{}
	for language, words := range map[string]string{"fr": text.FR, "en": text.EN} {
		if words != "" {
			out[language] = words
		}
	}
	return out
}

func casLimits(c config.Config) cas.Limits {
	return cas.Limits{
		Idle:              c.Sessions.Idle.D(),
		Max:               c.Sessions.Max.D(),
		RememberMe:        c.Sessions.RememberMe.Enabled,
		RememberIdle:      c.Sessions.RememberMe.Idle.D(),
		RememberMax:       c.Sessions.RememberMe.Max.D(),
		PublicWorkstation: c.Sessions.PublicWorkstation,
		ServiceTicket:     c.Tickets.ServiceTicket.D(),
		ProxyTicket:       c.Tickets.ProxyTicket.D(),
		Form:              c.Login.Form.D(),
		SessionsPerPerson: c.Sessions.PerPerson,
	}
}

func limitsOf(t config.Throttle) ratelimit.Limits {
	limit := func(l config.Limit) ratelimit.Limit { return ratelimit.Limit{Burst: l.Burst, Every: l.Every.D()} }
	return ratelimit.Limits{AccountAddress: limit(t.AccountAndAddress), Address: limit(t.Address), Account: limit(t.Account)}
}

func sameSite(name string) http.SameSite {
	switch name {
	case "strict":
		return http.SameSiteStrictMode
	case "none":
		return http.SameSiteNoneMode
	}
	return http.SameSiteLaxMode
}

func prefixes(trusted []config.Prefix) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(trusted))
	for _, prefix := range trusted {
		out = append(out, prefix.Prefix)
	}
	return out
}
