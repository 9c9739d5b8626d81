package safehttp_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parvis/internal/safehttp"
)

// answer reads what comes first, shows it to look, and writes text.
func answer(text string, look func(string)) func(net.Conn) {
	return func(conn net.Conn) {
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		buffer := make([]byte, 1<<20)
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		if look != nil {
			look(string(buffer[:n]))
		}
		_, _ = io.WriteString(conn, text)
	}
}

func TestSlowServers(t *testing.T) { // S28
	const limit = 300 * time.Millisecond
	hold := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	drip := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			_, _ = io.WriteString(conn, text)
			for {
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
	}
	tests := []struct {
		name, scheme string
		handle       func(net.Conn)
		status       int // 0 is a failure
	}{
		{"no TLS comes", "https", hold, 0},
		{"no head comes", "http", hold, 0},
		{"the head drips", "http", drip("HTTP/1.1 200 OK\r\nX-Drip: "), 0},
		{"the body drips", "http", drip("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"), http.StatusOK},
		{"first answers without end", "http", func(conn net.Conn) {
			for {
				if _, err := io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n\r\n"); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			address := test.scheme + "://" + listen(t, test.handle) + "/"
			client := safehttp.New(safehttp.Options{Networks: loopback, Timeout: limit})
			start := time.Now()
			status, err := client.Do(t.Context(), safehttp.Request{URL: address, AllowHTTP: true})
			if took := time.Since(start); took > limit+2*time.Second {
				t.Errorf("took %v, want %v at most", took, limit)
			}
			if status != test.status || (err == nil) != (test.status != 0) {
				t.Errorf("status %d, %v, want %d", status, err, test.status)
			}
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, want context.DeadlineExceeded", err)
			}
		})
	}
}

// A body of 1 GB costs what the limit says, and what was on its way.
func TestHugeBody(t *testing.T) { // S28, S39
	const whole, onItsWay = 1 << 30, 16 << 20
	var written atomic.Int64
	done := make(chan struct{})
	server, client := trusted(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(done)
		chunk := make([]byte, 64<<10)
		for written.Load() < whole {
			n, err := w.Write(chunk)
			written.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	status, err := client.Do(t.Context(), safehttp.Request{URL: server.URL})
	if status != http.StatusOK || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
	<-done
	if got := written.Load(); got > onItsWay {
		t.Errorf("%d bytes were taken, want at most %d", got, onItsWay)
	}
}

func TestStrangeAnswers(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":         "",
		"no HTTP":         "220 mail.univ.example ESMTP\r\n",
		"an endless head": "HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"many heads":      "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Many: x\r\n", 1<<16) + "\r\n",
		"a cut head":      "HTTP/1.1 200 OK\r\nX-Cut: ",
	} {
		t.Run(name, func(t *testing.T) {
			client := safehttp.New(safehttp.Options{Networks: loopback, Timeout: time.Second})
			status, err := client.Do(t.Context(), safehttp.Request{URL: "http://" + listen(t, answer(text, nil)) + "/", AllowHTTP: true})
			if status != 0 || err == nil {
				t.Errorf("status %d, %v, want an error", status, err)
			}
		})
	}
}

// Some applications read a body only where it comes with its head, and look
// at the type without its parameters.
func TestRequestOnTheWire(t *testing.T) {
	body := "logoutRequest=" + strings.Repeat("%3C", 4000)
	var got string
	address := listen(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", func(read string) { got = read }))
	client := safehttp.New(safehttp.Options{Networks: loopback, Timeout: time.Second, UserAgent: "Parvis/test"})
	status, err := client.Do(t.Context(), safehttp.Request{
		Method: http.MethodPost, URL: "http://" + address + "/cas?client=a%2Fb#part", ContentType: "application/x-www-form-urlencoded",
		Body: []byte(body), AllowHTTP: true,
	})
	if status != http.StatusOK || err != nil {
		t.Fatalf("status %d, %v", status, err)
	}
	request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(got)))
	if err != nil {
		t.Fatalf("read the request: %v", err)
	}
	came, err := io.ReadAll(request.Body)
	if err != nil || string(came) != body {
		t.Errorf("%d bytes of body came in the first read, want all %d: %v", len(came), len(body), err)
	}
	if line, _, _ := strings.Cut(got, "\r\n"); line != "POST /cas?client=a%2Fb HTTP/1.1" {
		t.Errorf("request line %q", line)
	}
	if request.ContentLength != int64(len(body)) || len(request.TransferEncoding) > 0 || request.Host != address || !request.Close {
		t.Errorf("length %d, encoding %v, host %s, last of its connection %v", request.ContentLength, request.TransferEncoding, request.Host, request.Close)
	}
	want := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Parvis/test", "Accept-Encoding": "", "Cookie": ""}
	for name, value := range want {
		if request.Header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, request.Header.Get(name), value)
		}
	}
}

func TestPlainGet(t *testing.T) { // P2
	var got string
	address := listen(t, answer("HTTP/1.0 200 OK\r\n\r\nyes", func(read string) { got = read }))
	client := safehttp.New(safehttp.Options{Networks: loopback, Timeout: time.Second})
	status, err := client.Do(t.Context(), safehttp.Request{URL: "http://" + address, AllowHTTP: true})
	if want := "GET / HTTP/1.1\r\nHost: " + address + "\r\nUser-Agent: Parvis\r\nConnection: close\r\n\r\n"; status != http.StatusOK || err != nil || got != want {
		t.Errorf("status %d, %v, sent %q, want %q", status, err, got, want)
	}
	if _, err := client.Do(t.Context(), safehttp.Request{URL: "http://" + address, ContentType: "a\r\nX-Other: b", AllowHTTP: true}); err == nil && strings.Contains(got, "\nX-Other") {
		t.Errorf("a header was smuggled into the type: %q", got)
	}
}
