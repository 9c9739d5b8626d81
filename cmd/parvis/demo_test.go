package main

import (
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"parvis/internal/testkit"
)

// TestDemo does what a newcomer does: a login at one service, a second service
// without a password, a logout.
func TestDemo(t *testing.T) {
	p, cas, first := startDemo(t)
	browser := newBrowser(t)
	if got := browser.get(origin(first) + "/x?y=é"); got.url != cas+"/login?service="+url.QueryEscape(origin(first)+"/x?y=é") {
		t.Errorf("sent to %s, want the login", got.url)
	}
	page := browser.get(cas + "/login?service=" + url.QueryEscape(origin(first)+"/x?y=%C3%A9"))
	fields := url.Values{"username": {"jpmartin"}, "password": {"LesPigeons9BoiventDuThe"}}
	for _, input := range regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`).FindAllString(page.body, -1) {
		fields.Set(attribute(input, "name"), attribute(input, "value"))
	}
	page = browser.post(cas+"/login", fields)
	if !strings.Contains(page.body, `id="user">o22502142<`) || !strings.Contains(page.body, "jean-pierre.martin@etu.univ.example") {
		t.Fatalf("the first service does not know who came:\n%s", page.body)
	}
	tests := []struct {
		name    string
		service int
		want    string
		status  int
	}{
		{"the second asks for no password", 1, "jean-pierre.martin@etu.univ.example", http.StatusOK},
		{"the third is told the login only", 2, `id="user">o22502142<`, http.StatusOK},
		{"the fourth is for others", 3, "Administration de l&#39;ENT", http.StatusForbidden},
		{"the fifth is closed", 4, "Ce service est fermé pour le moment", http.StatusForbidden},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := browser.get(origin(first+test.service) + "/")
			if got.status != test.status || !strings.Contains(got.body, test.want) {
				t.Errorf("status %d, want %d and %q in:\n%s", got.status, test.status, test.want, got.body)
			}
		})
	}
	browser.get(cas + "/logout")
	if got := browser.get(origin(first+1) + "/"); !strings.HasPrefix(got.url, cas+"/login") {
		t.Errorf("after the logout the second service still lets in: %s", got.url)
	}
	if code := p.end(t); code != exitFine || !strings.Contains(p.out.String(), "Nothing was kept") {
		t.Errorf("exit code %d, output:\n%s\n%s", code, p.out.String(), p.err.String())
	}
}

// startDemo runs the demonstration on ports that are free, and says where.
func startDemo(t *testing.T) (*process, string, int) {
	t.Helper()
	for range 10 {
		login, first := strconv.Itoa(testkit.FreePort(t)), freePorts(t)
		start := time.Now()
		p := startCommand(t, "demo", "-listen", "localhost:"+login, "-services", strconv.Itoa(first))
		testkit.Eventually(t, "the demonstration says how it goes", soon, func() bool { return p.out.String()+p.err.String() != "" })
		if strings.Contains(p.err.String(), "another program has this port") {
			continue // it was free a moment ago
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("ready after %v, want a second at most", took)
		}
		return p, "http://localhost:" + login + "/cas", first
	}
	t.Fatal("no ports stay free")
	return nil, "", 0
}

func TestDemoTellsWhichPortIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, args := range [][]string{{"-listen", "localhost:" + port, "-services", strconv.Itoa(freePorts(t))}, {"-listen", "localhost:0", "-services", port}} {
		_, said, code := runOnce(t, append([]string{"demo"}, args...)...)
		if want := "listen on localhost:" + port + ": another program has this port"; code != exitFault || !strings.Contains(said, want) {
			t.Errorf("%v: exit code %d, said %q, want %q", args, code, said, want)
		}
	}
}

// freePorts finds as many free ports in a row as there are services.
func freePorts(t *testing.T) int {
	t.Helper()
	for range 50 {
		first, free := testkit.FreePort(t), true
		for i := range serviceCount {
			listener, err := net.Listen("tcp", "localhost:"+strconv.Itoa(first+i))
			if err != nil {
				free = false
				break
			}
			_ = listener.Close()
		}
		if free {
			return first
		}
	}
	t.Fatal("there are no five free ports in a row")
	return 0
}

// browser follows redirects and keeps cookies.
type browser struct {
	t      *testing.T
	client *http.Client
}

type answered struct {
	status    int
	url, body string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	return &browser{t: t, client: client}
}

func (b *browser) get(address string) answered {
	b.t.Helper()
	return b.read(b.client.Get(address))
}

func (b *browser) post(address string, form url.Values) answered {
	b.t.Helper()
	return b.read(b.client.PostForm(address, form))
}

func (b *browser) read(response *http.Response, err error) answered {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	var body strings.Builder
	if err := response.Write(&body); err != nil {
		b.t.Fatal(err)
	}
	return answered{response.StatusCode, response.Request.URL.String(), body.String()}
}

func attribute(tag, name string) string {
	_, rest, _ := strings.Cut(tag, name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}
