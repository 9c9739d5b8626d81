package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"parvis/internal/audit"
	"parvis/internal/config"
	"parvis/internal/httpx"
	"parvis/internal/sdnotify"
	"parvis/services"
)

// serve runs the server of a configuration until it is told to stop.
func serve(ctx context.Context, w surroundings, flags *flag.FlagSet, args []string) int {
	file := flags.String("config", "", "the configuration `file`")
	if _, err := parse(w, flags, args); err != nil {
		return exitOf(err)
	}
	c, warnings, code := loadConfig(w, flags, *file)
	if code != exitFine {
		return code
	}
	held := &heldBack{out: w.err}
	writing, written := context.WithCancel(context.WithoutCancel(ctx))
	var writer sync.WaitGroup
	writer.Go(func() { held.run(writing) })
	defer writer.Wait()
	defer written()
	log := newLogger(held, c.Log.Level)
	for _, warning := range warnings {
		log.WarnContext(ctx, "configuration", "key", warning.Where, "line", warning.Line, "warning", warning.Message)
	}
	if err := serveConfig(ctx, w, c, log); err != nil {
		log.ErrorContext(ctx, "parvis stops", "error", err)
		return exitFault
	}
	return exitFine
}

// loadConfig reads a configuration, or tells all that is wrong with it.
func loadConfig(w surroundings, flags *flag.FlagSet, file string) (config.Config, []config.Fault, int) {
	if file == "" {
		fmt.Fprintf(w.err, "%s: give the configuration with -config FILE\n", flags.Name())
		return config.Config{}, nil, exitUsage
	}
	c, warnings, err := config.Load(file, w.env)
	if err != nil {
		fmt.Fprintf(w.err, "%s cannot be used:\n\n%v\n", file, err)
		return config.Config{}, nil, exitFault
	}
	return c, warnings, exitFine
}

func serveConfig(ctx context.Context, w surroundings, c config.Config, log *slog.Logger) error {
	registry, err := services.Open(string(c.Services.Folder), log)
	if err != nil {
		return err
	}
	people, err := openDirectory(c.Directory, log)
	if err != nil {
		return err
	}
	trail, reopen, err := openAudit(w.out, string(c.Log.Audit))
	if err != nil {
		return err
	}
	n, err := build(ctx, c, parts{directory: people, registry: registry, keys: c.Secrets.Keys.Bytes(), log: log, audit: trail})
	if err != nil {
		return err
	}
	hangup := []reopener{{"audit file", reopen}, {"services", registry.Reload}}
	endpoints, certificate, err := openEndpoints(ctx, c, n, log)
	if err != nil {
		return errors.Join(err, n.stop())
	}
	if certificate != nil {
		hangup = append(hangup, reopener{"certificate", certificate.Reload})
	}
	return n.run(ctx, w, log, c, hangup, endpoints)
}

// openEndpoints listens on the public address, and on that of operations.
func openEndpoints(ctx context.Context, c config.Config, n *node, log *slog.Logger) ([]endpoint, *keyPair, error) {
	listener, err := listen(ctx, c.Listen)
	if err != nil {
		return nil, nil, err
	}
	var certificate *keyPair
	if c.TLS.Enabled() {
		certificate = &keyPair{certificate: string(c.TLS.Certificate), key: string(c.TLS.Key)}
		if err := certificate.Reload(); err != nil {
			return nil, nil, errors.Join(err, listener.Close())
		}
		listener = certificate.Listen(listener)
	}
	endpoints := []endpoint{{name: "public", server: httpx.NewServer(n.public, log), listener: listener}}
	if c.Operations.Listen == "" {
		return endpoints, certificate, nil
	}
	operations, err := listen(ctx, c.Operations.Listen)
	if err != nil {
		return nil, nil, errors.Join(err, listener.Close())
	}
	return append(endpoints, endpoint{name: "operations", server: httpx.NewServer(n.operations, log), listener: operations}), certificate, nil
}

// reopener is what a hangup reads again.
type reopener struct {
	name string
	do   func() error
}

// run answers until ctx ends. On the way out the node first says that it is
// not ready, then finishes what is under way, then lets go of what it holds.
func (n *node) run(ctx context.Context, w surroundings, log *slog.Logger, c config.Config, hangup []reopener, endpoints []endpoint) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	for _, task := range n.background {
		running.Go(func() { task(background) })
	}
	running.Go(func() { rereadOn(background, w, log, hangup) })
	running.Go(func() { tuneMemory(background, w.env) })
	systemd := sdnotify.New(w.env, os.Getpid())
	untold := func(err error) { log.WarnContext(background, "systemd not told", "error", err) }
	running.Go(func() { systemd.Watch(background, func(context.Context) bool { return true }, untold) })
	tell := func(state string) {
		if err := systemd.Notify(background, state); err != nil {
			untold(err)
		}
	}
	log.InfoContext(ctx, "parvis answers", "version", version, "url", c.URL, "listen", addresses(endpoints))
	tell(sdnotify.Ready)
	err := answer(ctx, log, c.Drain.D(), func() {
		log.InfoContext(background, "parvis stops: finishing requests under way")
		n.operations.Stop()
		tell(sdnotify.Stopping)
		time.Sleep(c.Notice.D())
	}, endpoints...)
	stop()
	running.Wait()
	return errors.Join(err, n.stop())
}

// addresses tells where each endpoint listens.
func addresses(endpoints []endpoint) map[string]string {
	out := map[string]string{}
	for _, e := range endpoints {
		out[e.name] = e.listener.Addr().String()
	}
	return out
}

// stop lets go of what the node holds.
func (n *node) stop() error {
	var faults []error
	for _, release := range slices.Backward(n.close) {
		faults = append(faults, release())
	}
	return errors.Join(faults...)
}

// rereadOn reads again what can be, each time the process is asked to.
func rereadOn(ctx context.Context, w surroundings, log *slog.Logger, hangup []reopener) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.hangup:
		}
		for _, r := range hangup {
			if err := r.do(); err != nil {
				log.ErrorContext(ctx, "not all read again", "what", r.name, "error", err)
				continue
			}
			log.InfoContext(ctx, "read again", "what", r.name)
		}
	}
}

// openAudit opens where audit events go, and says how to open it again.
func openAudit(standard io.Writer, path string) (io.Writer, func() error, error) {
	if path == "" {
		return standard, func() error { return nil }, nil
	}
	file, err := audit.OpenFile(path)
	if err != nil {
		return nil, nil, err
	}
	return file, file.Reopen, nil
}
