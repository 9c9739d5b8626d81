package safehttp

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// ErrForbidden tells that an address must not be called, now or later: it is
// malformed, its scheme is not allowed, it holds a name or password, or it
// leads where nothing opens the network.
var ErrForbidden = errors.New("address must not be called")

// Defaults of [Options].
const (
	DefaultTimeout   = 5 * time.Second
	DefaultMaxBody   = 64 << 10
	DefaultUserAgent = "Parvis"
)

// maxHead bounds the head of an answer, with those that announce it, in bytes.
const maxHead = 64 << 10

// Options bound what a [Client] does.
type Options struct {
	// Roots are the authorities that certificates must come from; nil is the
	// system's.
	Roots *x509.CertPool
	// Networks are the networks of private addresses that may be reached by
	// every request. IPv4 networks are written as such.
	Networks []netip.Prefix
	// Timeout bounds a whole exchange, from the look-up of the name to the end
	// of the answer; [DefaultTimeout] when 0.
	Timeout time.Duration
	// MaxBody is how much of an answer's body is read, in bytes;
	// [DefaultMaxBody] when 0.
	MaxBody int64
	// UserAgent names the client to servers; [DefaultUserAgent] when empty.
	UserAgent string
	// Resolver looks names up; nil is the system's.
	Resolver *net.Resolver
}

// Client makes requests that cannot be turned against the network it is in. It
// is safe for concurrent use and holds nothing open between requests.
type Client struct {
	options Options
	tls     *tls.Config
}

// New returns a client.
func New(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.UserAgent == "" {
		o.UserAgent = DefaultUserAgent
	}
	return &Client{options: o, tls: &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12}}
}

// Request is one request.
type Request struct {
	// Method is GET when empty.
	Method string
	// URL is an absolute https address, or http where AllowHTTP.
	URL string
	// ContentType is sent as it is, and not at all when empty.
	ContentType string
	Body        []byte
	// Networks are networks of private addresses that this request may reach
	// besides the client's.
	Networks []netip.Prefix
	// AllowHTTP lets the request go unprotected where URL says so.
	AllowHTTP bool
}

// Do makes a request and returns the status of the answer, whichever it is:
// that of a redirect where the server sends one. The status stands as soon as
// the head of the answer has come; of the body no more than the limits allow
// is waited for, and none of it is kept. The error is [ErrForbidden], that of
// the network or of the certificate, or ctx's.
func (c *Client) Do(ctx context.Context, r Request) (int, error) {
	address, err := parse(r)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	networks := slices.Concat(c.options.Networks, r.Networks)
	// An address without a name needs no socket to be refused.
	if literal, err := netip.ParseAddr(address.Hostname()); err == nil {
		if err := check(literal, networks); err != nil {
			return 0, fmt.Errorf("call %s: %w", address.Host, err)
		}
	}
	conn, err := c.dial(ctx, address, networks)
	if err != nil {
		return 0, fmt.Errorf("call %s: %w", address.Host, err)
	}
	defer func() { _ = conn.Close() }()
	// What waits for the connection stops waiting. It is not closed yet: a
	// server that is told so may answer at last, and be heard.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	status, err := c.exchange(ctx, conn, c.request(address, r))
	if err != nil {
		return 0, fmt.Errorf("call %s: %w", address.Host, cmp.Or(ctx.Err(), err))
	}
	return status, nil
}

// parse reads the address of a request. Its errors do not repeat it.
func parse(r Request) (*url.URL, error) {
	address, err := url.Parse(r.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the address: %w: malformed", ErrForbidden)
	case address.Scheme != "https" && (address.Scheme != "http" || !r.AllowHTTP):
		return nil, fmt.Errorf("read the address: %w: scheme %.10q", ErrForbidden, address.Scheme)
	case address.Hostname() == "":
		return nil, fmt.Errorf("read the address: %w: no host", ErrForbidden)
	case strings.ContainsFunc(address.Host, func(r rune) bool { return r > unicode.MaxASCII }):
		return nil, fmt.Errorf("read the address: %w: a host beyond ASCII must be in its xn-- form", ErrForbidden)
	case address.User != nil:
		return nil, fmt.Errorf("call %s: %w: it holds a name or password", address.Host, ErrForbidden)
	}
	return address, nil
}

// dial connects to the host of an address, and agrees on TLS where its scheme
// is https.
func (c *Client) dial(ctx context.Context, address *url.URL, networks []netip.Prefix) (net.Conn, error) {
	dialer := &net.Dialer{
		Resolver: c.options.Resolver,
		// Asked for each address that is dialled, when nothing was sent yet.
		Control: func(_, address string, _ syscall.RawConn) error {
			target, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%w: not an address of the Internet's protocols", ErrForbidden)
			}
			return check(target.Addr(), networks)
		},
	}
	port := map[string]string{"https": "443", "http": "80"}[address.Scheme]
	host := net.JoinHostPort(address.Hostname(), cmp.Or(address.Port(), port))
	conn, err := dialer.DialContext(ctx, "tcp", host)
	if err != nil || address.Scheme != "https" {
		return conn, err
	}
	config := c.tls.Clone()
	config.ServerName = address.Hostname()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("agree on TLS: %w", err)
	}
	return secure, nil
}

func (c *Client) request(address *url.URL, r Request) *http.Request {
	request := &http.Request{
		Method: r.Method,
		URL:    address,
		Header: http.Header{"User-Agent": {c.options.UserAgent}},
		Host:   address.Host,
		Close:  true,
	}
	if r.ContentType != "" {
		request.Header.Set("Content-Type", r.ContentType)
	}
	if len(r.Body) > 0 {
		request.Body = io.NopCloser(bytes.NewReader(r.Body))
		request.ContentLength = int64(len(r.Body))
	}
	return request
}

// exchange sends a request and reads the status of its answer, which must come
// while ctx lasts.
func (c *Client) exchange(ctx context.Context, conn net.Conn, request *http.Request) (int, error) {
	// Head and body leave in one write: some applications take a body for
	// whole only where it comes with its head.
	var whole bytes.Buffer
	if err := request.Write(&whole); err != nil {
		return 0, fmt.Errorf("write the request: %w", err)
	}
	if _, err := conn.Write(whole.Bytes()); err != nil {
		return 0, fmt.Errorf("send the request: %w", err)
	}
	limited := &io.LimitedReader{R: conn, N: maxHead}
	reader := bufio.NewReader(limited)
	for {
		response, err := http.ReadResponse(reader, request)
		if err != nil {
			return 0, fmt.Errorf("read the answer: %w", err)
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if response.StatusCode < http.StatusOK && response.StatusCode != http.StatusSwitchingProtocols {
			continue // An answer to come is announced.
		}
		// Some servers end a script whose answer nobody takes. What the body
		// says, and whether it ends, changes nothing.
		limited.N = c.options.MaxBody
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		return response.StatusCode, nil
	}
}
