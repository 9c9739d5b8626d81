package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// endpoint is one address that the process answers on.
type endpoint struct {
	name     string
	server   *http.Server
	listener net.Listener
}

// listen opens an address. What is wrong is said for whoever typed it.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %s: another program has this port; stop it, or give another one", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listen on %s: the system does not allow it; ports below 1024 need CAP_NET_BIND_SERVICE", address)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return listener, nil
}

// answer serves every endpoint until ctx ends, then stops them in the order
// given, each with the requests under way, within drain for all.
func answer(ctx context.Context, log *slog.Logger, drain time.Duration, beforeStop func(), endpoints ...endpoint) error {
	broken := make(chan error, len(endpoints))
	for _, e := range endpoints {
		go func() {
			err := e.server.Serve(e.listener)
			if !errors.Is(err, http.ErrServerClosed) {
				broken <- fmt.Errorf("serve %s: %w", e.name, err)
			}
		}()
	}
	var fault error
	select {
	case <-ctx.Done():
	case fault = <-broken:
	}
	beforeStop()
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	for _, e := range endpoints {
		if err := e.server.Shutdown(deadline); err != nil {
			log.WarnContext(deadline, "requests cut at stop", "endpoint", e.name, "error", err)
			_ = e.server.Close()
		}
	}
	return fault
}
