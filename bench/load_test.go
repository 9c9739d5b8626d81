package bench_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// connections is how many keep-alive connections a load has.
const connections = 64

// load is requests to send, as fast as they are answered, each connection
// waiting for its answer. It runs in one thread over epoll, so that the client
// takes as little as it can of the two cores that it shares with the server.
type load struct {
	address string
	// next returns the next request of a connection, nil when there is none.
	next func(connection int) []byte
	// answered takes an answer, which is only good until it returns.
	answered func(connection int, answer []byte) error
	// limit ends the load, 0 for when there are no more requests.
	limit time.Duration
}

// result is how a load went.
type result struct {
	count     int
	took      time.Duration
	latencies []time.Duration
}

func (r result) perSecond() float64 { return float64(r.count) / r.took.Seconds() }

func (r result) percentile(p float64) time.Duration {
	sorted := slices.Sorted(slices.Values(r.latencies))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

// client is one connection.
type client struct {
	fd   int
	sent time.Time
	buf  []byte
	n    int
}

func (l load) run() (result, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return result{}, fmt.Errorf("open epoll: %w", err)
	}
	defer func() { _ = unix.Close(epoll) }()
	clients := make([]*client, connections)
	for i := range clients {
		fd, err := dial(l.address)
		if err != nil {
			return result{}, err
		}
		defer func() { _ = unix.Close(fd) }()
		clients[i] = &client{fd: fd, buf: make([]byte, 64<<10)}
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
			return result{}, fmt.Errorf("watch a connection: %w", err)
		}
	}
	start := time.Now()
	r := result{latencies: make([]time.Duration, 0, 1<<18)}
	busy := 0
	for i, c := range clients {
		sent, err := l.send(i, c)
		if err != nil {
			return r, err
		}
		busy += sent
	}
	events := make([]unix.EpollEvent, connections)
	for busy > 0 {
		n, err := unix.EpollWait(epoll, events, 5000)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return r, fmt.Errorf("no answer in 5 s: %w", err)
		}
		now := time.Now()
		for _, event := range events[:n] {
			i := int(event.Fd)
			c := clients[i]
			whole, err := c.read()
			if err != nil {
				return r, err
			}
			if whole == 0 {
				continue
			}
			r.count++
			r.latencies = append(r.latencies, now.Sub(c.sent))
			if err := l.answered(i, c.buf[:whole]); err != nil {
				return r, err
			}
			c.n = 0
			busy--
			if l.limit > 0 && now.Sub(start) > l.limit {
				continue
			}
			sent, err := l.send(i, c)
			if err != nil {
				return r, err
			}
			busy += sent
		}
	}
	r.took = time.Since(start)
	return r, nil
}

// send writes a connection's next request, and returns 1 if there was one.
func (l load) send(i int, c *client) (int, error) {
	request := l.next(i)
	if request == nil {
		return 0, nil
	}
	c.sent = time.Now()
	if n, err := unix.Write(c.fd, request); err != nil || n != len(request) {
		return 0, fmt.Errorf("write a request: %d of %d bytes: %w", n, len(request), err)
	}
	return 1, nil
}

// read takes what has come, and returns the length of the answer when it is
// whole.
func (c *client) read() (int, error) {
	n, err := unix.Read(c.fd, c.buf[c.n:])
	if errors.Is(err, unix.EAGAIN) {
		return 0, nil
	}
	if err != nil || n == 0 {
		return 0, fmt.Errorf("read an answer: %d bytes: %w", n, err)
	}
	c.n += n
	head := bytes.Index(c.buf[:c.n], []byte("\r\n\r\n"))
	if head < 0 {
		return 0, nil
	}
	length, err := contentLength(c.buf[:head+2])
	if err != nil {
		return 0, err
	}
	if whole := head + len("\r\n\r\n") + length; c.n >= whole {
		return whole, nil
	}
	return 0, nil
}

func contentLength(head []byte) (int, error) {
	value := header(head, "Content-Length")
	length, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("an answer without length:\n%s", head)
	}
	return length, nil
}

// header is the value of a header of an answer, "" for none.
func header(answer []byte, name string) string {
	_, rest, found := bytes.Cut(answer, []byte("\r\n"+name+": "))
	if !found {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(value)
}

// dial connects, and returns the bare descriptor.
func dial(address string) (int, error) {
	to, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return 0, fmt.Errorf("resolve %s: %w", address, err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open a socket: %w", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}); err != nil {
		return 0, fmt.Errorf("connect to %s: %w", address, err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return 0, fmt.Errorf("set up a socket: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return 0, fmt.Errorf("set up a socket: %w", err)
	}
	return fd, nil
}
