package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"parvis/internal/audit"
	"parvis/internal/config"
	"parvis/internal/slo"
	"parvis/services"
	"parvis/tickets"
)

// errInProcess refuses to look for sessions that another process keeps.
var errInProcess = errors.New("sessions are kept in the memory of the server, out of reach: tickets.redis keeps them where this command can look")

// listSessions shows where a person is logged in.
func listSessions(ctx context.Context, w surroundings, flags *flag.FlagSet, args []string) int {
	return withSessions(ctx, w, flags, args, func(d *desk, uid string, sessions []tickets.Session) error {
		table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "SESSION\tPASSWORD TYPED\tFROM\tSERVICES\tWITH")
		for _, session := range sessions {
			visits, err := d.store.Visits(ctx, session.ID)
			if err != nil && !errors.Is(err, tickets.ErrNotFound) {
				return err
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%q\n", session.ID.Hint(), session.AuthTime.Local().Format(time.DateTime),
				session.Address, d.visited(visits), session.UserAgent)
		}
		return table.Flush()
	})
}

// endSessions ends the sessions of a person, or one of them, and has their
// services told.
func endSessions(ctx context.Context, w surroundings, flags *flag.FlagSet, args []string) int {
	only := flags.String("session", "", "end this one only: a `name` as list shows it")
	return withSessions(ctx, w, flags, args, func(d *desk, uid string, sessions []tickets.Session) error {
		ended := 0
		for _, session := range sessions {
			if *only != "" && session.ID.Hint() != *only {
				continue
			}
			if _, err := d.ender.End(ctx, session.ID, slo.Why{Action: audit.SessionEnded, Reason: "operator"}); err != nil {
				return err
			}
			ended++
		}
		fmt.Fprintf(w.out, "%s ended; %s to send.\n", count(ended, "session"), count(d.told.notices, "logout request"))
		if d.registry.TellsBrowsers() {
			fmt.Fprintln(w.out, "Services of the front channel hear nothing: their logout goes through the person's browser.")
		}
		if *only != "" && ended == 0 {
			return fmt.Errorf("%s has no session %s", uid, *only)
		}
		return d.told.err
	})
}

// desk is what an operator's command needs of a server that runs elsewhere.
type desk struct {
	store    tickets.Store
	registry *services.Registry
	ender    *slo.Ender
	told     *queued
	close    []func() error
}

// withSessions opens the desk, finds the person and their sessions, and does
// something with them.
func withSessions(ctx context.Context, w surroundings, flags *flag.FlagSet, args []string, do func(d *desk, uid string, sessions []tickets.Session) error) int {
	file := flags.String("config", "", "the configuration `file`")
	rest, err := parse(w, flags, args, "login of the person")
	if err != nil {
		return exitOf(err)
	}
	c, _, code := loadConfig(w, flags, *file)
	if code != exitFine {
		return code
	}
	d, err := openDesk(ctx, w, c)
	if err == nil {
		var uid string
		var sessions []tickets.Session
		if uid, sessions, err = d.sessionsOf(ctx, c, rest[0]); err == nil {
			err = do(d, uid, sessions)
		}
		err = errors.Join(err, d.stop())
	}
	if err != nil {
		fmt.Fprintf(w.err, "%s: %v\n", flags.Name(), err)
		return exitFault
	}
	return exitFine
}

func openDesk(ctx context.Context, w surroundings, c config.Config) (*desk, error) {
	if c.Tickets.Redis == nil {
		return nil, errInProcess
	}
	keyring, err := newKeyring(c.Secrets.Keys.Bytes())
	if err != nil {
		return nil, err
	}
	registry, err := services.Open(string(c.Services.Folder), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	out, _, err := openAudit(w.out, string(c.Log.Audit))
	if err != nil {
		return nil, err
	}
	kept, err := openStore(context.WithoutCancel(ctx), c.Tickets, keyring)
	if err != nil {
		return nil, err
	}
	trail := audit.New(out, nil, auditLost(newLogger(w.err, c.Log.Level)))
	d := &desk{store: kept.store, registry: registry, told: &queued{queue: kept.logouts}, close: kept.close}
	d.ender = slo.NewEnder(slo.EnderOptions{
		Sessions: kept.store, Registry: registry, Teller: d.told, Auditor: trail, Newest: c.Logout.Tell == "newest",
	})
	return d, nil
}

func (d *desk) stop() error {
	var faults []error
	for _, release := range d.close {
		faults = append(faults, release())
	}
	return errors.Join(faults...)
}

// visited counts the services of visits.
func (d *desk) visited(visits []tickets.Visit) int {
	known := map[int64]bool{}
	for _, visit := range visits {
		if service, _ := d.registry.Find(visit.Service); service != nil {
			known[service.ID] = true
		}
	}
	return len(known)
}

// sessionsOf finds the uid that a login stands for, and its sessions. Who is not
// in the directory, or while it cannot be asked, may still have some under what
// was typed.
func (d *desk) sessionsOf(ctx context.Context, c config.Config, login string) (string, []tickets.Session, error) {
	uid := login
	person, unknown := find(ctx, c, login)
	if unknown == nil {
		uid = person.UID
	}
	sessions, err := d.store.SessionsOf(ctx, uid)
	if err == nil && len(sessions) == 0 && unknown != nil {
		return uid, nil, fmt.Errorf("there is no session of %q, and: %w", login, unknown)
	}
	return uid, sessions, err
}

// queued leaves logout requests to the servers that share the queue.
type queued struct {
	queue   slo.Queue
	notices int
	err     error
}

// Tell writes to the queue.
func (q *queued) Tell(ctx context.Context, t slo.Telling) {
	notices, err := t.Notices(ctx)
	if err == nil && len(notices) > 0 {
		err = q.queue.Add(ctx, notices)
	}
	if err != nil {
		q.err = errors.Join(q.err, fmt.Errorf("queue logout requests: %w", err))
		return
	}
	q.notices += len(notices)
}
