package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"parvis/internal/config"
	"parvis/ldapstore"
	"parvis/services"
	"parvis/tickets"
)

// patience is how long check waits for a directory or a Redis.
const patience = 3 * time.Second

// check tells all that is wrong with a configuration: what it says, what it
// points to, and the services.
func check(ctx context.Context, w surroundings, flags *flag.FlagSet, args []string) int {
	file := flags.String("config", "", "the configuration `file`")
	if _, err := parse(w, flags, args); err != nil {
		return exitOf(err)
	}
	if *file == "" {
		fmt.Fprintf(w.err, "%s: give the configuration with -config FILE\n", flags.Name())
		return exitUsage
	}
	r := &report{out: w.out}
	c, warnings, err := config.Load(*file, w.env)
	faults, read := errors.AsType[config.Faults](err)
	r.begin("Configuration " + *file)
	switch {
	case read:
		for _, fault := range faults {
			r.bad("%s", fault)
		}
	case err != nil:
		r.bad("%v", err)
		return r.end()
	default:
		r.good("every value can be used")
	}
	for _, warning := range warnings {
		r.warn("%s", warning)
	}
	sections := []struct {
		key string
		try func()
	}{
		{"directory", func() { r.directory(ctx, c.Directory) }},
		{"tickets", func() { r.tickets(ctx, c.Tickets) }},
		{"services", func() { r.services(c) }},
	}
	for _, section := range sections {
		if !faults.Concern(section.key) {
			section.try()
		}
	}
	return r.end()
}

// report is what check prints: sections of findings, each good, bad or to be
// thought about.
type report struct {
	out             io.Writer
	faults, warned  int
	separateSection bool
}

func (r *report) begin(title string) {
	if r.separateSection {
		fmt.Fprintln(r.out)
	}
	r.separateSection = true
	fmt.Fprintln(r.out, title)
}

func (r *report) good(format string, args ...any) { r.say("✓", format, args...) }

func (r *report) warn(format string, args ...any) {
	r.warned++
	r.say("!", format, args...)
}

func (r *report) bad(format string, args ...any) {
	r.faults++
	r.say("✗", format, args...)
}

func (r *report) say(mark, format string, args ...any) {
	text := strings.ReplaceAll(strings.TrimRight(fmt.Sprintf(format, args...), "\n"), "\n", "\n    ")
	fmt.Fprintf(r.out, "  %s %s\n", mark, text)
}

// end sums up and returns the exit code. Warnings stop nothing.
func (r *report) end() int {
	fmt.Fprintf(r.out, "\n%s, %s.\n", count(r.faults, "fault"), count(r.warned, "warning"))
	if r.faults > 0 {
		return exitFault
	}
	return exitFine
}

func count(n int, word string) string {
	switch n {
	case 0:
		return "no " + word
	case 1:
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// directory asks each server by itself: one that takes over only when another
// is down must not be found broken on that day.
func (r *report) directory(ctx context.Context, c config.Directory) {
	r.begin("Directory")
	if c.LDAP == nil {
		people, err := openDirectory(c, slog.New(slog.DiscardHandler))
		if err != nil {
			r.bad("%v", err)
			return
		}
		r.good("%s can be read", c.LDIF)
		_ = people.Close()
		return
	}
	for _, address := range c.LDAP.URLs {
		alone := *c.LDAP
		alone.URLs = []string{address}
		took, err := pingDirectory(ctx, alone)
		if err != nil {
			r.bad("%s: %v", address, err)
			continue
		}
		r.good("%s answers, with the account of bind_dn, in %v", address, took)
		if err := findDecoy(ctx, alone); err != nil {
			r.warn("%s: decoy_dn: the account of bind_dn does not find this entry, so unknown logins may be refused faster than wrong passwords: %v", address, err)
		}
	}
}

func pingDirectory(ctx context.Context, c config.LDAP) (time.Duration, error) {
	people, err := openPatiently(c)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	err = people.Ping(ctx)
	return time.Since(start).Round(time.Millisecond), errors.Join(err, people.Close())
}

// findDecoy looks the decoy up, when there is one.
func findDecoy(ctx context.Context, c config.LDAP) error {
	if c.DecoyDN == "" {
		return nil
	}
	people, err := openPatiently(c)
	if err != nil {
		return err
	}
	return errors.Join(people.FindDecoy(ctx), people.Close())
}

// openPatiently opens a directory that is waited for no longer than check may.
func openPatiently(c config.LDAP) (*ldapstore.Store, error) {
	options, err := ldapOptions(c)
	if err != nil {
		return nil, err
	}
	options.Timeout = min(options.Timeout, patience)
	return ldapstore.New(options)
}

func (r *report) tickets(ctx context.Context, c config.Tickets) {
	r.begin("Tickets")
	if c.Redis == nil {
		r.good("kept in memory")
		return
	}
	where := "redis"
	if u, err := url.Parse(c.Redis.URL); err == nil {
		where = u.Scheme + "://" + u.Host + u.Path // a query may hold a password
	}
	took, err := pingRedis(ctx, c)
	if err != nil {
		r.bad("%s: %v", where, err)
		return
	}
	r.good("%s answers, and takes a session and a ticket, in %v", where, took)
}

// pingRedis opens and closes a session: a Redis may answer, and refuse the
// commands that tickets need. The keys are thrown away.
func pingRedis(ctx context.Context, c config.Tickets) (time.Duration, error) {
	keyring, err := newKeyring([][]byte{randomKey()})
	if err != nil {
		return 0, err
	}
	limited := *c.Redis
	limited.Timeout = min(limited.Timeout, config.Duration(patience))
	kept, err := openRedis(ctx, limited, keyring)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	err = tryStore(ctx, kept.store)
	took := time.Since(start).Round(time.Millisecond)
	for _, release := range kept.close {
		err = errors.Join(err, release())
	}
	return took, err
}

func tryStore(ctx context.Context, store tickets.Store) error {
	if err := store.Ping(ctx); err != nil {
		return err
	}
	const short = 10 * time.Second
	mint := tickets.NewMinter(nil)
	tgt, err := mint.TGT()
	if err != nil {
		return err
	}
	st, err := mint.Ticket(tickets.ServiceTicket, tgt)
	if err != nil {
		return err
	}
	session := tickets.Session{ID: tgt, UID: "parvis check", AuthTime: time.Now(), Idle: short, Max: short}
	if err := store.Open(ctx, session); err != nil {
		return err
	}
	ticket := tickets.Ticket{ID: st, Kind: tickets.ServiceTicket, Service: "https://check.invalid/", Lifetime: short}
	if _, err := store.Grant(ctx, tgt, ticket); err != nil {
		return err
	}
	if _, _, err := store.Redeem(ctx, st); err != nil {
		return err
	}
	_, _, err = store.Close(ctx, tgt)
	return err
}

func (r *report) services(c config.Config) {
	r.begin("Services " + string(c.Services.Folder))
	registry, err := services.Inspect(string(c.Services.Folder))
	if err != nil {
		r.bad("%v", err)
		return
	}
	r.good("%s", count(len(registry.Services()), "service"))
	for _, fault := range registry.Faults() {
		if fault.Level == services.Warning {
			r.warn("%s", fault)
		} else {
			r.bad("%s", strings.TrimSpace(fault.String()+"\n"+fault.Excerpt))
		}
	}
	for _, finding := range registry.Lint() {
		if finding.Severity == services.Danger {
			r.bad("%s", finding)
		} else {
			r.warn("%s", finding)
		}
	}
	r.themes(c, registry.Services())
}

// themes tries the site's look and those that services have of their own.
func (r *report) themes(c config.Config, registered []*services.Service) {
	pages, err := newPages(c, "/cas", true)
	if err != nil {
		r.bad("%v", err)
		return
	}
	names := make([]string, 0, len(registered))
	for _, service := range registered {
		names = append(names, service.Theme)
	}
	for _, name := range pages.UnknownThemes(names...) {
		r.warn("theme %s: asked for by a service, and not in the theme folder: it has the site's look", name)
	}
}
