package e2e_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/casclient"
	"parvis/internal/testkit"
)

// traveller is a browser that goes where it is sent, over several servers.
type traveller struct {
	t    *testing.T
	http *http.Client
}

// newTraveller trusts an authority.
func newTraveller(t *testing.T, authority *testkit.Authority) *traveller {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool(), MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &traveller{t: t, http: &http.Client{Jar: jar, Transport: transport, Timeout: 30 * time.Second}}
}

// get opens a page and returns where that ends, and what is there.
func (b *traveller) get(address string) (string, testkit.Answer) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.open(r)
}

// login fills in the form of a page, sends it, and follows.
func (b *traveller) login(address string, page testkit.Answer) (string, testkit.Answer) {
	b.t.Helper()
	form := page.Form()
	form.Set("username", student)
	form.Set("password", studentPassword)
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.open(r)
}

func (b *traveller) open(r *http.Request) (string, testkit.Answer) {
	b.t.Helper()
	r.Header.Set("Accept", "text/html")
	response, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response.Request.URL.String(), testkit.Answer{Status: response.StatusCode, Header: response.Header, Body: string(body)}
}

// greet tells who is there, and by whom they come.
func greet(w http.ResponseWriter, r *http.Request) {
	person := casclient.User(r.Context())
	if person == nil {
		fmt.Fprint(w, "Bonjour à tous")
		return
	}
	fmt.Fprintf(w, "Bonjour %s, %s, par %v", person.Name, person.Attributes.Get("displayName"), person.Proxies)
}

// clientServices are a portal that calls a library in the name of who is there,
// both made with casclient.
type clientServices struct{ portal, library string }

func newClientServices(t *testing.T, cas string, authority *testkit.Authority, portal, library *httptest.Server) clientServices {
	t.Helper()
	portalURL, libraryURL := "https://"+portal.Listener.Addr().String(), "http://"+library.Listener.Addr().String()
	client, err := casclient.New(casclient.Options{Server: cas, Service: portalURL, ProxyCallback: "/cas/proxy"})
	if err != nil {
		t.Fatal(err)
	}
	pages := http.NewServeMux()
	pages.Handle("/", client.Require(http.HandlerFunc(greet)))
	pages.Handle("/news", client.Gateway(http.HandlerFunc(greet)))
	pages.Handle("/loans", client.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ticket, err := client.ProxyTicket(r.Context(), libraryURL+"/loans")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		response, err := http.Get(libraryURL + "/loans?ticket=" + url.QueryEscape(ticket))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		_, _ = io.Copy(w, response.Body) // the test misses what is not there
	})))
	portal.Config.Handler = client.Wrap(pages)
	portal.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Certificate(t)}, MinVersion: tls.VersionTLS12}
	portal.StartTLS()

	second, err := casclient.New(casclient.Options{Server: cas, Service: libraryURL, ProxyChains: [][]string{{portalURL + "/cas/proxy"}}})
	if err != nil {
		t.Fatal(err)
	}
	library.Config.Handler = second.Require(http.HandlerFunc(greet))
	library.Start()
	return clientServices{portalURL, libraryURL}
}

// TestClient: services made with casclient, as its page shows it, at a server
// with its real queue: login, gateway, proxy tickets, and the end of it all by a
// logout at the server.
func TestClient(t *testing.T) {
	s := newSite(t)
	authority := testkit.NewAuthority(t)
	authority.Write(t, s.dir)
	// Their addresses are registered before the server starts, which they know.
	portal, library := httptest.NewUnstartedServer(nil), httptest.NewUnstartedServer(nil)
	t.Cleanup(portal.Close)
	t.Cleanup(library.Close)
	s.write("services/portal.yaml", fmt.Sprintf("id: 900\nname: Portal\nmatch: https://%[1]s/\nproxy: https://%[1]s/cas/proxy\n"+
		"networks: [127.0.0.0/8]\nrelease: [displayName]\n", portal.Listener.Addr()))
	s.write("services/library.yaml", fmt.Sprintf("id: 901\nname: Library\nmatch: http://%s/\nnetworks: [127.0.0.0/8]\nrelease: [displayName]\n", library.Listener.Addr()))
	n := s.node(fmt.Sprintf("outgoing: {ca_file: %q}", filepath.Join(s.dir, "ca.pem")))
	cas := strings.Replace(n.public, "127.0.0.1", "localhost", 1) + "/cas"
	at := newClientServices(t, cas, authority, portal, library)

	const name, nobody = "Bonjour " + student + ", Jean-Pierre Martin, par []", "Bonjour à tous"
	b := newTraveller(t, authority)
	shows := func(address, want string) {
		t.Helper()
		if where, page := b.get(address); where != address || page.Body != want {
			t.Errorf("%s ended at %s:\n%s\nwant %s", address, where, page.Body, want)
		}
	}
	shows(at.portal+"/news", nobody)
	where, form := b.get(at.portal + "/courses?year=2026")
	if !strings.HasPrefix(where, cas+"/login?") {
		t.Fatalf("somebody unknown is at %s", where)
	}
	if where, page := b.login(where, form); where != at.portal+"/courses?year=2026" || page.Body != name {
		t.Fatalf("the login ended at %s:\n%s", where, page.Body)
	}
	shows(at.portal+"/news", name)
	byPortal := strings.Replace(name, "[]", "["+at.portal+"/cas/proxy]", 1)
	shows(at.portal+"/loans", byPortal)
	shows(at.library+"/", name)

	// The browser has nothing to say to the services: the server tells them.
	if _, page := b.get(cas + "/logout"); page.Status != http.StatusOK {
		t.Fatalf("logout: got %d", page.Status)
	}
	for _, address := range []string{at.portal + "/", at.library + "/"} {
		testkit.Eventually(t, address+" forgets who was there", 10*time.Second, func() bool {
			where, _ := b.get(address)
			return strings.HasPrefix(where, cas+"/login?")
		})
	}
	shows(at.portal+"/news", nobody)

	b = newTraveller(t, authority)
	where, form = b.get(cas + "/login")
	b.login(where, form)
	shows(at.portal+"/news", name) // without a page of the server's
}
