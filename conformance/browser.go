package conformance

import (
	"crypto/tls"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// browser is a person's browser: it keeps cookies, reads forms, and shows
// redirects instead of following them.
type browser struct {
	t    *T
	base string
	http *http.Client
}

// answer is a response, read.
type answer struct {
	status   int
	header   http.Header
	body     string
	location string
}

// browser opens a browser without cookies.
func (t *T) browser() *browser { return t.browserAt(t.URL) }

func (t *T) browserAt(base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := *t.http
	client.Jar = jar
	return &browser{t, base, &client}
}

// client trusts the server's certificate, and follows no redirect.
func (t *Target) client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: t.Roots, MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second,
	}
}

// request builds a request to an address below the server's.
func (b *browser) request(method, path, body string) *http.Request {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	a, err := b.try(r)
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

// try is do for requests that run beside others: those may not end a check.
func (b *browser) try(r *http.Request) (answer, error) {
	response, err := b.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(response.Body)
	if closing := response.Body.Close(); err == nil {
		err = closing
	}
	return answer{response.StatusCode, response.Header, string(body), response.Header.Get("Location")}, err
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	return b.do(b.request(http.MethodGet, path, ""))
}

func (b *browser) post(path string, form url.Values) answer {
	b.t.Helper()
	return b.do(b.request(http.MethodPost, path, form.Encode()))
}

// login asks for the form and sends it, with the boxes ticked.
func (b *browser) login(path string, who Account, boxes ...string) answer {
	b.t.Helper()
	page := b.get(path)
	b.t.wantForm(page)
	return b.submit(page, who, boxes...)
}

// submit fills in the form of a page and sends it.
func (b *browser) submit(page answer, who Account, boxes ...string) answer {
	b.t.Helper()
	form := page.form()
	form.Set("username", who.UID)
	form.Set("password", who.Password)
	for _, box := range boxes {
		form.Set(box, "true")
	}
	return b.post("/login", form)
}

// enter returns a ticket for a service, with a login where there was none.
func (b *browser) enter(service string) string {
	b.t.Helper()
	a := b.get(login(service))
	if a.status == http.StatusOK {
		a = b.submit(a, student)
	}
	if a.ticket() == "" {
		b.t.Fatalf("no ticket for %s: status %d, Location %q\n%.1000s", service, a.status, a.location, a.body)
	}
	return a.ticket()
}

// session is a browser that is logged in.
func (t *T) session() *browser {
	t.Helper()
	b := t.browser()
	b.enter(bare)
	return b
}

// ticket is one for a service, just after the password was given.
func (t *T) ticket(service string) string {
	t.Helper()
	return t.browser().enter(service)
}

// signOn is a ticket for app that took no password.
func (t *T) signOn() string {
	t.Helper()
	return t.session().enter(app)
}

func (b *browser) address() *url.URL {
	b.t.Helper()
	address, err := url.Parse(b.base + "/login")
	if err != nil {
		b.t.Fatal(err)
	}
	return address
}

// tgc is the ticket-granting cookie, its value "" for none.
func (b *browser) tgc() string { return b.cookie("TGC") }

func (b *browser) cookie(name string) string {
	b.t.Helper()
	for _, c := range b.http.Jar.Cookies(b.address()) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// with gives the browser a ticket-granting cookie.
func (b *browser) with(value string) *browser {
	b.t.Helper()
	address := b.address()
	b.http.Jar.SetCookies(address, []*http.Cookie{{Name: "TGC", Value: value, Path: strings.TrimSuffix(address.Path, "/login")}})
	return b
}

// login is the address of the login for a service.
func login(service string, parameters ...string) string {
	return query("/login", append([]string{"service=" + url.QueryEscape(service)}, parameters...)...)
}

// validation is the address by which a service asks whose a ticket is.
func validation(endpoint, service, ticket string, parameters ...string) string {
	asked := []string{"service=" + url.QueryEscape(service), "ticket=" + url.QueryEscape(ticket)}
	return query(endpoint, append(asked, parameters...)...)
}

func query(path string, parameters ...string) string {
	if len(parameters) == 0 {
		return path
	}
	return path + "?" + strings.Join(parameters, "&")
}

func pair(name, value string) string { return name + "=" + url.QueryEscape(value) }

var (
	hiddenField = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`)
	nameOf      = regexp.MustCompile(`name="([^"]*)"`)
	valueOf     = regexp.MustCompile(`value="([^"]*)"`)
)

// form reads the hidden fields of a page.
func (a answer) form() url.Values {
	fields := url.Values{}
	for _, input := range hiddenField.FindAllString(a.body, -1) {
		name, value := nameOf.FindStringSubmatch(input), valueOf.FindStringSubmatch(input)
		if name != nil && value != nil {
			fields.Add(html.UnescapeString(name[1]), html.UnescapeString(value[1]))
		}
	}
	return fields
}

// ticket is the last parameter of a redirect where that is a ticket.
func (a answer) ticket() string {
	service, _, _ := strings.Cut(a.location, "#")
	if at := max(strings.LastIndex(service, "?ticket="), strings.LastIndex(service, "&ticket=")); at >= 0 {
		return service[at+len("?ticket="):]
	}
	return ""
}
