package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"time"

	"parvis/identity"
	"parvis/internal/config"
	"parvis/services"
)

// explain tells which entry an address matches, why, and what a person's visit
// would give to the service.
func explain(ctx context.Context, w surroundings, flags *flag.FlagSet, args []string) int {
	file := flags.String("config", "", "the configuration `file`")
	login := flags.String("person", "", "a `login`: tell whether this person gets in, and what the service is told")
	rest, err := parse(w, flags, args, "address of the service")
	if err != nil {
		return exitOf(err)
	}
	c, _, code := loadConfig(w, flags, *file)
	if code != exitFine {
		return code
	}
	registry, err := services.Open(string(c.Services.Folder), slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Fprintf(w.err, "%s: %v\n", flags.Name(), err)
		return exitFault
	}
	var person *identity.Person
	if *login != "" {
		if person, err = find(ctx, c, *login); err != nil {
			fmt.Fprintf(w.err, "%s: %v\n", flags.Name(), err)
			return exitFault
		}
	}
	explanation := registry.Explain(rest[0], person, time.Now())
	fmt.Fprint(w.out, explanation)
	if !explanation.Admits() {
		return exitFault
	}
	return exitFine
}

// find looks a person up.
func find(ctx context.Context, c config.Config, login string) (*identity.Person, error) {
	people, err := openDirectory(c.Directory, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	person, err := people.Find(ctx, login)
	if err = errors.Join(err, people.Close()); err != nil {
		return nil, fmt.Errorf("look %q up: %w", login, err)
	}
	return &person, nil
}

// lint tells which entries are broken or dangerous.
func lint(_ context.Context, w surroundings, flags *flag.FlagSet, args []string) int {
	file := flags.String("config", "", "the configuration `file`")
	if _, err := parse(w, flags, args); err != nil {
		return exitOf(err)
	}
	c, _, code := loadConfig(w, flags, *file)
	if code != exitFine {
		return code
	}
	r := &report{out: w.out}
	r.services(c)
	return r.end()
}
