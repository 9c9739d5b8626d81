package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Bounds of what a log may hold back.
const (
	logBuffer = 32 << 10
	logDelay  = 100 * time.Millisecond
)

// newLogger writes JSON to out.
func newLogger(out io.Writer, level string) *slog.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: levels[level]}))
}

// heldBack gathers lines of a log, and writes them many at a time: a line a
// request is a system call a request. Nothing waits longer than logDelay. The
// audit trail does not pass here: it knows which of its lines may wait.
type heldBack struct {
	mu   sync.Mutex
	out  io.Writer
	held []byte
}

// Write takes whole lines.
func (h *heldBack) Write(line []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = append(h.held, line...)
	if len(h.held) >= logBuffer {
		return len(line), h.flush()
	}
	return len(line), nil
}

// Flush writes what is held.
func (h *heldBack) Flush() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.flush()
}

func (h *heldBack) flush() error {
	if len(h.held) == 0 {
		return nil
	}
	_, err := h.out.Write(h.held)
	h.held = h.held[:0]
	return err
}

// run writes what is held, every so often, until ctx ends.
func (h *heldBack) run(ctx context.Context) {
	tick := time.NewTicker(logDelay)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = h.Flush()
			return
		case <-tick.C:
			_ = h.Flush() // nowhere is left to tell that the log cannot be written
		}
	}
}
