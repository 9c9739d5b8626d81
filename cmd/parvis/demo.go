package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing/fstest"
	"time"

	"parvis/internal/config"
	"parvis/internal/demo"
	"parvis/internal/httpx"
	"parvis/internal/showticket"
	"parvis/ldapstore/ldif"
	"parvis/services"
)

// The demonstration's services are written for these ports of localhost.
const (
	firstServicePort = 9081
	serviceCount     = 5
)

// runDemo runs a server with everything built in: people, services, and keys
// that are thrown away with the process.
func runDemo(ctx context.Context, w surroundings, flags *flag.FlagSet, args []string) int {
	address := flags.String("listen", "localhost:8080", "`host:port` of the login")
	first := flags.Int("services", firstServicePort, "first `port` of the five demonstration services")
	verbose := flags.Bool("v", false, "show each request and each audit event")
	if _, err := parse(w, flags, args); err != nil {
		return exitOf(err)
	}
	d := demonstration{listen: *address, firstPort: *first, log: newLogger(w.err, "warn"), audit: io.Discard}
	if *verbose {
		d.log, d.audit = newLogger(w.err, "info"), w.out
	}
	if err := d.run(ctx, w); err != nil {
		fmt.Fprintf(w.err, "parvis demo: %v\n", err)
		return exitFault
	}
	return exitFine
}

type demonstration struct {
	listen    string
	firstPort int
	log       *slog.Logger
	audit     io.Writer
}

func (d demonstration) run(ctx context.Context, w surroundings) error {
	c, err := d.config()
	if err != nil {
		return err
	}
	endpoints, err := d.openServices(ctx, c.URL)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, d.listen)
	if err != nil {
		return errors.Join(err, closeAll(endpoints))
	}
	n, err := d.build(ctx, c)
	if err != nil {
		return errors.Join(err, listener.Close(), closeAll(endpoints))
	}
	public := endpoint{name: "login", server: httpx.NewServer(n.public, d.log), listener: listener}
	d.welcome(w.out, c.URL)
	err = n.run(ctx, w, d.log, c, nil, append([]endpoint{public}, endpoints...))
	fmt.Fprintln(w.out, "\nStopped. Nothing was kept.")
	return err
}

// config is what a site would have written for the demonstration.
func (d demonstration) config() (config.Config, error) {
	_, port, err := net.SplitHostPort(d.listen)
	if err != nil {
		return config.Config{}, fmt.Errorf("read -listen: write host:port, as localhost:8080: %w", err)
	}
	c := config.Default()
	c.URL = "http://" + net.JoinHostPort("localhost", port) + "/cas"
	c.Listen = d.listen
	c.Drain = config.Duration(2 * time.Second)
	c.University = config.University{
		Name: "Université d'Exemple",
		Help: config.Help{
			Phone: "04 99 00 00 00", Mail: "assistance@univ.example",
			Hours: config.Text{FR: "du lundi au vendredi, de 8 h à 18 h", EN: "Monday to Friday, 8 am to 6 pm"},
		},
	}
	c.Sessions.RememberMe.Enabled = true
	// The services are on this machine.
	c.Outgoing.Networks = []config.Prefix{
		{Prefix: netip.MustParsePrefix("127.0.0.0/8")}, {Prefix: netip.MustParsePrefix("::1/128")},
	}
	return c, nil
}

func (d demonstration) build(ctx context.Context, c config.Config) (*node, error) {
	folder, err := d.services()
	if err != nil {
		return nil, err
	}
	registry, err := services.OpenFS(folder, d.log)
	if err != nil {
		return nil, err
	}
	people, err := ldif.New(demo.People(), ldif.Options{Log: d.log})
	if err != nil {
		return nil, err
	}
	return build(ctx, c, parts{directory: people, registry: registry, keys: [][]byte{randomKey()}, log: d.log, audit: d.audit})
}

// services is the folder of the demonstration's services, moved to the ports
// asked for.
func (d demonstration) services() (fs.FS, error) {
	if d.firstPort == firstServicePort {
		return demo.Services(), nil
	}
	moved := fstest.MapFS{}
	err := fs.WalkDir(demo.Services(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(demo.Services(), name)
		if err != nil {
			return err
		}
		var pairs []string
		for i := range serviceCount {
			pairs = append(pairs, origin(firstServicePort+i), origin(d.firstPort+i))
		}
		moved[name] = &fstest.MapFile{Data: []byte(strings.NewReplacer(pairs...).Replace(string(text)))}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("move the services: %w", err)
	}
	return moved, nil
}

// openServices starts the page that shows a ticket on each service's port.
func (d demonstration) openServices(ctx context.Context, login string) ([]endpoint, error) {
	client := &http.Client{Timeout: 5 * time.Second}
	var endpoints []endpoint
	for i := range serviceCount {
		var others []string
		for j := range serviceCount {
			if j != i {
				others = append(others, origin(d.firstPort+j)+"/")
			}
		}
		page, err := showticket.New(showticket.Options{Base: origin(d.firstPort + i), CAS: login, Others: others, Client: client})
		if err != nil {
			return nil, errors.Join(err, closeAll(endpoints))
		}
		listener, err := listen(ctx, net.JoinHostPort("localhost", strconv.Itoa(d.firstPort+i)))
		if err != nil {
			return nil, errors.Join(err, closeAll(endpoints))
		}
		endpoints = append(endpoints, endpoint{name: origin(d.firstPort + i), server: httpx.NewServer(page, d.log), listener: listener})
	}
	return endpoints, nil
}

func origin(port int) string { return "http://localhost:" + strconv.Itoa(port) }

func closeAll(endpoints []endpoint) error {
	var faults []error
	for _, e := range endpoints {
		faults = append(faults, e.listener.Close())
	}
	return errors.Join(faults...)
}

// welcome tells a newcomer what to do first.
func (d demonstration) welcome(out io.Writer, login string) {
	fmt.Fprintf(out, `
Parvis is running, with an invented university. Try a service:

    %s/

It sends you to the login, %s/login. Accounts:

    login        password                    who
    o22502142    LesPigeons9BoiventDuThe     Jean-Pierre Martin, student (also jpmartin, or his mail address)
    s21004567    TroisChats5DansLeTramway    Eva Smith, student
    dupont-a     UnArchet4PourDeuxVoix       Alice Dupont, teacher
    moreau-s     LaGrenouille7LitLeJournal   Sophie Moreau, administers the ENT
    roux-p       MilleVents2SurLaColline     Paul Roux, suspended: his right password opens nothing

Other services, for which no password is asked again:

    %s/    the same rights as the first
    %s/    is told nothing but the login
    %s/    for Sophie Moreau only
    %s/    closed

Log out: %s/logout
Stop:    Ctrl-C. Nothing is kept.

`, origin(d.firstPort), login, origin(d.firstPort+1), origin(d.firstPort+2), origin(d.firstPort+3), origin(d.firstPort+4), login)
}
