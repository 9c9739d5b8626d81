package casclient_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"parvis/casclient"
)

// FuzzAnswer: whatever a server says, nobody gets in without a name, and the
// page is a redirect to the service, an error of ours, or the service itself for
// a proxied call.
func FuzzAnswer(f *testing.F) {
	f.Add(success("<cas:user>x</cas:user><cas:attributes><cas:mail>a</cas:mail></cas:attributes>"))
	f.Add(success("<cas:user>x</cas:user><cas:proxies><cas:proxy>https://p.example/</cas:proxy></cas:proxies>"))
	f.Add(failure("INVALID_TICKET", "no"))
	f.Add("<?xml version='1.0'?><!DOCTYPE a>" + success("<cas:user><![CDATA[x]]></cas:user>"))
	f.Fuzz(func(t *testing.T, body string) {
		got := tell(t, 200, body)
		switch {
		case got.who != nil && (got.who.Name == "" || strings.TrimSpace(got.who.Name) != got.who.Name || len(got.who.Proxies) > 0):
			t.Errorf("got in as %+v", got.who)
		case got.who != nil && !strings.Contains(body, "http://www.yale.edu/tp/cas"):
			t.Errorf("got in by another namespace as %+v", got.who)
		case got.who != nil != (got.status == http.StatusSeeOther):
			t.Errorf("status %d for %+v", got.status, got.who)
		}
	})
}

// FuzzLogoutRequest: whatever is posted, the answer is 200 or 400, and never
// reaches the service.
func FuzzLogoutRequest(f *testing.F) {
	f.Add(logoutText("x", "ST-1"))
	f.Add("<!DOCTYPE a>" + logoutText("x", "ST-1"))
	f.Add("%3Ca&logoutRequest=x")
	n := newNetwork()
	client := newClient(f, n, newClock(), casclient.Options{Service: app})
	h := client.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	f.Fuzz(func(t *testing.T, text string) {
		for _, body := range []string{"logoutRequest=" + text, "logoutRequest=" + url.QueryEscape(text)} {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
				t.Errorf("got status %d", w.Code)
			}
			if w.Code == http.StatusOK && !strings.Contains(text, "SessionIndex") && !strings.Contains(text, "%") && !strings.Contains(text, "+") {
				t.Error("took a request without an index")
			}
		}
	})
}

// FuzzAddress: wherever a browser asks, it is sent to the server, and from there
// back to this service only.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"/page?x=1", "//evil.example", "/\\evil.example", "/a%2fb?ticket=1&&", "/?casclient=gateway", "/%", "/;x?y#z", "/é?é", "*", "http://evil.example/"} {
		f.Add(seed)
	}
	n := newNetwork()
	n.serve("cas.univ.example", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(success("<cas:user>x</cas:user>")))
	}))
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || strings.ContainsAny(target, " \r\n") {
			return // no request says it
		}
		client := newClient(t, n, newClock(), casclient.Options{Service: app})
		h := client.Require(http.HandlerFunc(hello))
		ask := func(query string) string {
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			changed := *u
			changed.RawQuery = query
			r.URL, r.RequestURI = &changed, changed.RequestURI()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Header().Get("Location")
		}
		location, err := url.Parse(ask(u.RawQuery))
		if err != nil || location.Host != "cas.univ.example" && location.Host != "app.univ.example" && location.Host != "" {
			t.Fatalf("%q: sent to %v, %v", target, location, err)
		}
		service := location.Query().Get("service")
		if service == "" {
			return // it brought a ticket, or junk for one
		}
		back, err := url.Parse(service)
		if err != nil || back.Scheme != "https" || back.Host != "app.univ.example" || !strings.HasPrefix(service, app+"/") {
			t.Fatalf("%q: comes back to %q, %v", target, service, err)
		}
		query := back.RawQuery + "&ticket=ST-1-abc"
		asked := len(n.calls("/p3/serviceValidate"))
		if clean := ask(query); clean != service {
			t.Fatalf("%q: logged in for %q, then sent to %q", target, service, clean)
		}
		if calls := n.calls("/p3/serviceValidate"); len(calls) != asked+1 || !strings.Contains(calls[asked], "service="+url.QueryEscape(service)+"&ticket=ST-1-abc") {
			t.Fatalf("%q: logged in for %q, validated with %q", target, service, calls[asked:])
		}
	})
}
