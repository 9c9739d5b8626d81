package main

import (
	"context"
	"errors"

	"parvis/internal/config"
	"parvis/internal/ratelimit"
	"parvis/internal/slo"
	slomemory "parvis/internal/slo/memory"
	sloredis "parvis/internal/slo/redis"
	"parvis/tickets"
	"parvis/tickets/memory"
	"parvis/tickets/redis"
)

// kept is where sessions, counts of failed logins and logout requests are.
type kept struct {
	store      tickets.Store
	limits     ratelimit.Source
	logouts    slo.Queue
	background []func(context.Context)
	close      []func() error
}

// openStore returns the store that a configuration asks for: Redis, or this
// process.
func openStore(ctx context.Context, c config.Tickets, keyring *tickets.Keyring) (kept, error) {
	if c.Redis != nil {
		return openRedis(ctx, *c.Redis, keyring)
	}
	store := memory.New(nil)
	return kept{
		store: store, limits: ratelimit.NewMemory(nil), logouts: slomemory.New(slomemory.Options{}),
		background: []func(context.Context){store.Run},
	}, nil
}

func openRedis(ctx context.Context, c config.Redis, keyring *tickets.Keyring) (kept, error) {
	trusted, err := trust(string(c.CAFile))
	if err != nil {
		return kept{}, err
	}
	store, err := redis.Open(ctx, redis.Options{
		URL:      c.URL,
		Username: c.Username,
		Password: c.Password.Reveal(),
		TLS:      trusted,
		Keys:     keyring,
		Prefix:   c.Prefix,
		Timeout:  c.Timeout.D(),
		PoolSize: c.Connections,
	})
	if err != nil {
		return kept{}, err
	}
	logouts, err := sloredis.New(sloredis.Options{Client: store.Client(), Sealer: keyring, Prefix: c.Prefix, Timeout: c.Timeout.D()})
	if err != nil {
		return kept{}, errors.Join(err, store.Stop())
	}
	return kept{
		store: store, limits: ratelimit.NewRedis(store.Client(), c.Prefix), logouts: logouts,
		close: []func() error{store.Stop},
	}, nil
}
