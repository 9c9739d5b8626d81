package httpx

import (
	"log/slog"
	"net/http"
	"time"
)

// Limits of a connection. A login waits for the directory at most, so writing
// an answer leaves room for a slow one and no more.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 90 * time.Second
	// maxHeaderBytes leaves room for long service addresses.
	maxHeaderBytes = 16 << 10
)

// NewServer returns a server for h whose connections can neither be held open
// by a slow client nor fill the memory. What the server itself complains of,
// such as broken TLS handshakes, goes to log.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:                      h,
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            readHeaderTimeout,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               maxHeaderBytes,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
