package casclient_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parvis/casclient"
)

// success is an answer as the protocol's own examples write it.
func success(inner string) string {
	return "<cas:serviceResponse xmlns:cas='http://www.yale.edu/tp/cas'><cas:authenticationSuccess>" + inner + "</cas:authenticationSuccess></cas:serviceResponse>"
}

func failure(code, text string) string {
	return `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationFailure code="` + code + `">` + text + `</cas:authenticationFailure></cas:serviceResponse>`
}

// told is what a server's answer comes to: the page's status, and who is in.
type told struct {
	status int
	who    *casclient.Principal
	err    error
	log    string
}

// tell has a server answer a validation, and goes on to the page.
func tell(t testing.TB, status int, body string, change ...func(*casclient.Options)) told {
	t.Helper()
	n, k := newNetwork(), newClock()
	var result told
	var log bytes.Buffer
	o := casclient.Options{
		Service: app, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Errors: func(w http.ResponseWriter, r *http.Request, e *casclient.Error) {
			result.err = e
			casclient.WriteError(w, r, e)
		},
	}
	for _, f := range change {
		f(&o)
	}
	client := newClient(t, n, k, o)
	n.serve("app.univ.example", client.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		result.who = casclient.User(r.Context())
	})))
	n.serve("cas.univ.example", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	b := n.browser(t)
	p := b.step(app + "/page?ticket=ST-1-abc")
	result.status = p.Status
	if p.Status == http.StatusSeeOther {
		b.follow(p)
	}
	result.log = log.String()
	return result
}

// TestDialects: the answers of other servers, as their sources write them.
func TestDialects(t *testing.T) {
	date := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	all := &casclient.Principal{
		Name: "durand", AuthTime: date, FromNewLogin: true, RememberMe: true,
		Attributes: casclient.Attributes{"mail": {"d@univ.example"}, "memberOf": {"a", "b & c"}},
	}
	for _, test := range []struct {
		name, body string
		want       *casclient.Principal
	}{
		{"parvis, one line", success("<cas:user>durand</cas:user><cas:attributes><cas:authenticationDate>2026-11-22T08:00:00Z</cas:authenticationDate>"+
			"<cas:longTermAuthenticationRequestTokenUsed>true</cas:longTermAuthenticationRequestTokenUsed><cas:isFromNewLogin>true</cas:isFromNewLogin>"+
			"<cas:mail>d@univ.example</cas:mail><cas:memberOf>a</cas:memberOf><cas:memberOf>b &amp; c</cas:memberOf></cas:attributes>") + "\n", all},
		{"apereo, indented, attributes last, zone by name", `<cas:serviceResponse xmlns:cas='http://www.yale.edu/tp/cas'>
    <cas:authenticationSuccess>
        <cas:user>durand</cas:user>
        <cas:attributes>
            <cas:mail>d@univ.example</cas:mail>
            <cas:isFromNewLogin>true</cas:isFromNewLogin>
            <cas:memberOf>a</cas:memberOf>
            <cas:authenticationDate>2026-11-22T09:00:00.000000+01:00[Europe/Paris]</cas:authenticationDate>
            <cas:longTermAuthenticationRequestTokenUsed>true</cas:longTermAuthenticationRequestTokenUsed>
            <cas:memberOf>b &amp; c</cas:memberOf>
        </cas:attributes>
    </cas:authenticationSuccess>
</cas:serviceResponse>
`, all},
		{
			"keycloak, declaration, default namespace", `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><serviceResponse xmlns="http://www.yale.edu/tp/cas"><authenticationSuccess>` +
				`<user>durand</user><attributes><mail>d@univ.example</mail><memberOf>a</memberOf><memberOf>b &amp; c</memberOf></attributes></authenticationSuccess></serviceResponse>`,
			&casclient.Principal{Name: "durand", Attributes: all.Attributes},
		},
		{"django, attributes twice", `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">
  <cas:authenticationSuccess>
    <cas:user>durand</cas:user>
    <cas:attributes>
      <cas:authenticationDate>2026-11-22T08:00:00.000000+00:00</cas:authenticationDate>
      <cas:longTermAuthenticationRequestTokenUsed>True</cas:longTermAuthenticationRequestTokenUsed>
      <cas:isFromNewLogin>True</cas:isFromNewLogin>
      <cas:mail>d@univ.example</cas:mail><cas:memberOf>a</cas:memberOf><cas:memberOf>b &amp; c</cas:memberOf>
    </cas:attributes>
    <cas:attribute name="mail" value="d@univ.example"/>
    <cas:attribute name="memberOf" value="a"/>
  </cas:authenticationSuccess>
</cas:serviceResponse>`, all},
		{
			"attributes by name and value only", success(`<cas:user>durand</cas:user><cas:attribute name="mail" value="d@univ.example"/><cas:attribute name="memberOf" value="a"/><cas:attribute name="memberOf" value="b &amp; c"/>`),
			&casclient.Principal{Name: "durand", Attributes: all.Attributes},
		},
		{
			"attributes beside the user, before it", success(`<cas:mail>d@univ.example</cas:mail><cas:memberOf>a</cas:memberOf><cas:memberOf>b &amp; c</cas:memberOf><cas:user>durand</cas:user>`),
			&casclient.Principal{Name: "durand", Attributes: all.Attributes},
		},
		{"blanks and CDATA around the user", success("<cas:user>\n <![CDATA[durand]]>\n</cas:user><cas:attributes/>"), &casclient.Principal{Name: "durand"}},
		{"no seconds, as Java leaves them out", success("<cas:user>durand</cas:user><cas:attributes><cas:authenticationDate>2026-11-22T08:00Z[UTC]</cas:authenticationDate></cas:attributes>"), &casclient.Principal{Name: "durand", AuthTime: date}},
		{"no zone", success("<cas:user>durand</cas:user><cas:attributes><cas:authenticationDate>2026-11-22T08:00:00</cas:authenticationDate></cas:attributes>"), &casclient.Principal{Name: "durand", AuthTime: date}},
		{"no date at all", success("<cas:user>durand</cas:user><cas:attributes><cas:authenticationDate>yesterday</cas:authenticationDate></cas:attributes>"), &casclient.Principal{Name: "durand"}},
		{"a comment does not cut a name", success("<cas:user>durand<!-- -->.evil</cas:user>"), &casclient.Principal{Name: "durand.evil"}},
		{"CRLF, accents, another prefix", "<x:serviceResponse xmlns:x=\"http://www.yale.edu/tp/cas\">\r\n<x:authenticationSuccess>\r\n<x:user>hélène</x:user>\r\n</x:authenticationSuccess></x:serviceResponse>", &casclient.Principal{Name: "hélène"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := tell(t, http.StatusOK, test.body)
			if diff := cmp.Diff(test.want, got.who); diff != "" {
				t.Errorf("-want +got\n%s\n%v", diff, got.err)
			}
		})
	}
}

// TestBadAnswers: nobody gets in by what is no clear success.
func TestBadAnswers(t *testing.T) {
	ok := success("<cas:user>durand</cas:user>")
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   int
	}{
		{"refused", 200, failure("INVALID_TICKET", "Ticket <b>ST-1</b>"), 403},
		{"refused with 400, as Keycloak does", 400, failure("INVALID_TICKET", "no"), 403},
		{"refused with no code", 200, strings.Replace(failure("", ""), ` code=""`, "", 1), 403},
		{"internal error", 200, failure("INTERNAL_ERROR", "try again"), 503},
		{"success with status 500", 500, ok, 503},
		{"success with status 302", 302, ok, 503},
		{"empty", 200, "", 503},
		{"html", 200, "<!doctype html><html><body>login</body></html>", 503},
		{"CAS 1", 200, "yes\ndurand\n", 503},
		{"JSON", 200, `{"serviceResponse":{"authenticationSuccess":{"user":"durand"}}}`, 503},
		{"wrong namespace", 200, strings.ReplaceAll(ok, "yale", "evil"), 503},
		{"no namespace", 200, strings.ReplaceAll(ok, " xmlns:cas='http://www.yale.edu/tp/cas'", ""), 503},
		{"user of another namespace", 200, success("<x:user xmlns:x='urn:x'>durand</x:user>"), 503},
		{"success inside a failure", 200, strings.Replace(failure("X", "INNER"), "INNER", "<cas:authenticationSuccess><cas:user>durand</cas:user></cas:authenticationSuccess>", 1), 403},
		{"failure and success", 200, strings.Replace(ok, "<cas:authenticationSuccess>", "<cas:authenticationFailure code='X'/><cas:authenticationSuccess>", 1), 503},
		{"two users", 200, success("<cas:user>durand</cas:user><cas:user>admin</cas:user>"), 503},
		{"elements in the user", 200, success("<cas:user>durand<b>x</b></cas:user>"), 503},
		{"no user", 200, success("<cas:attributes><cas:user>durand</cas:user></cas:attributes>"), 503},
		{"empty user", 200, success("<cas:user> </cas:user>"), 503},
		{"control character in the user", 200, success("<cas:user>a&#10;b</cas:user>"), 503},
		{"endless user", 200, success("<cas:user>" + strings.Repeat("a", 2000) + "</cas:user>"), 503},
		{"DTD", 200, "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" + success("<cas:user>&x;</cas:user>"), 503},
		{"billion laughs", 200, `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>` + success("<cas:user>&b;</cas:user>"), 503},
		{"unknown entity", 200, success("<cas:user>&nbsp;x</cas:user>"), 503},
		{"cut short", 200, ok[:len(ok)-3], 503},
		{"two roots", 200, ok + ok, 503},
		{"text behind", 200, ok + "x", 503},
		{"bad UTF-8", 200, success("<cas:user>\xff</cas:user>"), 503},
		{"another encoding", 200, "<?xml version='1.0' encoding='UTF-7'?>" + ok, 503},
		{"too deep", 200, success("<cas:user>x</cas:user>" + strings.Repeat("<a>", 50) + strings.Repeat("</a>", 50)), 503},
		{"too many elements", 200, success("<cas:user>x</cas:user>" + strings.Repeat("<a/>", 30_000)), 503},
		{"too long", 200, success("<cas:user>x</cas:user>") + strings.Repeat(" ", 2<<20), 503},
		{"by proxies nobody allowed", 200, success("<cas:user>x</cas:user><cas:proxies><cas:proxy>https://evil.example/</cas:proxy></cas:proxies>"), 403},
		{"proxies of another kind", 200, success("<cas:user>x</cas:user><cas:proxies><cas:p>https://evil.example/</cas:p></cas:proxies>"), 503},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := tell(t, test.status, test.body)
			if got.status != test.want || got.who != nil {
				t.Errorf("got status %d and %v, want %d", got.status, got.who, test.want)
			}
			kind := map[int]error{403: casclient.ErrTicket, 503: casclient.ErrUnavailable}[test.want]
			if !errors.Is(got.err, kind) || got.log == "" {
				t.Errorf("got error %v, want %v; log %q", got.err, kind, got.log)
			}
			if strings.Contains(got.log, "ST-1-abc") || strings.Contains(got.log, "durand") {
				t.Errorf("the log holds a ticket or a name: %s", got.log)
			}
		})
	}
}

// TestManySmallPieces: an answer within the limits costs its length, however it
// is cut up.
func TestManySmallPieces(t *testing.T) {
	got := tell(t, 200, success("<cas:user>"+strings.Repeat("a", 1000)+"</cas:user><cas:attributes><cas:x>"+strings.Repeat("a<!---->", 120_000)+"</cas:x></cas:attributes>"))
	if got.who == nil || len(got.who.Attributes.Get("x")) != 120_000 {
		t.Errorf("got %v, %v", got.status, got.err)
	}
}

func TestRefusalIsTold(t *testing.T) {
	got := tell(t, 200, failure("INVALID_SERVICE", "not for you"))
	var refusal *casclient.Refusal
	if !errors.As(got.err, &refusal) || refusal.Code != "INVALID_SERVICE" || refusal.Text != "not for you" {
		t.Errorf("got %v", got.err)
	}
}

// TestJunkTickets: what cannot be a ticket never reaches the server, and what
// is not meant as one is the service's.
func TestJunkTickets(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	for _, test := range []struct {
		name, value string
		status      int
	}{
		{"too long", "ST-" + strings.Repeat("a", 600), 403},
		{"escape", "ST-1%26service=x", 403},
		{"markup", "ST-<script>", 403},
		{"raw bytes", "ST-é", 403},
		{"prefix alone", "ST-", 403},
		{"empty", "", 200},
		{"another's", "1234", 200},
		{"TGT", "TGT-1-abc", 200},
	} {
		p := c.browser(t).step(app + "/open?ticket=" + test.value)
		calls := len(c.calls("alidate"))
		if p.Status != test.status || calls != 0 {
			t.Errorf("%s: got status %d, want %d; asked the server %d times", test.name, p.Status, test.status, calls)
		}
		if strings.Contains(p.Body, "<script") {
			t.Errorf("%s: said back: %s", test.name, p.Body)
		}
	}
}

func TestErrorPage(t *testing.T) {
	c := newCampus(t)
	c.service(app)
	b := c.browser(t)
	p := b.step(app+`/page?x="><script>alert(1)</script>&ticket=ST-1`, "Accept-Language", "fr-FR,fr;q=0.9,en;q=0.5")
	wantStatus(t, p, http.StatusForbidden)
	if strings.Contains(p.Body, "<script") || !strings.Contains(p.Body, `lang="fr"`) || !strings.Contains(p.Body, "vérifiée") ||
		!strings.Contains(p.Header.Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(p.Body, "ST-1") {
		t.Errorf("got %v\n%s", p.Header, p.Body)
	}
	p = b.step(app+"/page?x=1&ticket=ST-1", "Accept-Language", "de, en;q=0.5")
	if !strings.Contains(p.Body, "could not be verified") || !strings.Contains(p.Body, `href="`+app+`/page?x=1"`) {
		t.Errorf("got\n%s", p.Body)
	}
	if p = b.step(app+"/page?ticket=ST-1", "Accept", "application/json"); p.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("a program got %v", p.Header)
	}
}

// TestServerDown: a server that is away, slow, or answers without end. The same
// ticket works once it is back.
func TestServerDown(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
	}{
		{"slow", func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}},
		{"endless", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<16)); err != nil {
					return
				}
			}
		}},
		{"redirects", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}},
		{"breaks off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			var up, elsewhere atomic.Bool
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/elsewhere":
					elsewhere.Store(true)
				case !up.Load():
					test.answer(w, r)
				default:
					fmt.Fprint(w, success("<cas:user>x</cas:user>"))
				}
			}))
			t.Cleanup(server.Close)
			caller := server.Client()
			caller.Timeout = 200 * time.Millisecond
			n := newNetwork()
			client := newClient(t, n, newClock(), casclient.Options{Server: server.URL, Service: app, HTTP: caller})
			n.serve("app.univ.example", client.Require(http.HandlerFunc(hello)))
			b := n.browser(t)
			p := b.step(app + "/?ticket=ST-1-abc")
			wantStatus(t, p, http.StatusServiceUnavailable)
			if p.Header.Get("Retry-After") == "" || elsewhere.Load() {
				t.Errorf("got header %v; followed: %t", p.Header, elsewhere.Load())
			}
			up.Store(true)
			if p = b.step(app + "/?ticket=ST-1-abc"); !strings.Contains(p.Header.Get("Set-Cookie"), "__Host-cas=") {
				t.Errorf("the ticket is not tried again: status %d", p.Status)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	good := casclient.Options{Server: casServer, Service: app}
	for _, test := range []struct {
		name   string
		change func(*casclient.Options)
		want   string
	}{
		{"good", func(*casclient.Options) {}, ""},
		{"http on this machine", func(o *casclient.Options) { o.Server, o.Service = "http://localhost:8080/cas", "http://127.0.0.1:9081" }, ""},
		{"no server", func(o *casclient.Options) { o.Server = "" }, "option Server"},
		{"server over http", func(o *casclient.Options) { o.Server = "http://cas.univ.example/cas" }, "option Server"},
		{"no scheme", func(o *casclient.Options) { o.Service = "app.univ.example" }, "option Service"},
		{"script", func(o *casclient.Options) { o.Service = "javascript:alert(1)" }, "option Service"},
		{"query", func(o *casclient.Options) { o.Service = app + "/?x" }, "option Service"},
		{"user", func(o *casclient.Options) { o.Service = "https://a:b@app.univ.example" }, "option Service"},
		{"callback of no path", func(o *casclient.Options) { o.ProxyCallback = "proxy" }, "option ProxyCallback"},
		{"callback over http", func(o *casclient.Options) { o.Service, o.ProxyCallback = "http://app.univ.example", "/p" }, "option ProxyCallback"},
		{"logout path", func(o *casclient.Options) { o.LogoutRequests = "x" }, "option LogoutRequests"},
		{"empty chain", func(o *casclient.Options) { o.ProxyChains = [][]string{{}} }, "option ProxyChains"},
		{"bad pattern", func(o *casclient.Options) { o.ProxyChains = [][]string{{"^("}} }, "option ProxyChains"},
		{"proxy of no address", func(o *casclient.Options) { o.ProxyChains = [][]string{{"portal"}} }, "option ProxyChains"},
	} {
		o := good
		test.change(&o)
		_, err := casclient.New(o)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
		if !reflect.DeepEqual(o.HTTP, good.HTTP) {
			t.Errorf("%s: the options given were changed", test.name)
		}
	}
}
