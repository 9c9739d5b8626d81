package testkit

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Visitor is a person's browser without the pictures: it keeps cookies, reads
// forms, and shows redirects instead of following them.
type Visitor struct {
	// From is the address that a trusted proxy would report, "" for none.
	From string

	t    testing.TB
	base string
	http *http.Client
}

// Answer is a response, read.
type Answer struct {
	Status   int
	Header   http.Header
	Body     string
	Location string
}

// NewVisitor returns a browser without cookies for the server at base
// ("http://127.0.0.1:1234").
func NewVisitor(t testing.TB, base string) *Visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	// A server that stops waits seconds for connections that carried nothing yet,
	// as parallel requests leave some.
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return &Visitor{t: t, base: base, http: &http.Client{
		Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// At is the same browser, cookies and all, for another node of the same server.
func (v *Visitor) At(base string) *Visitor {
	v.t.Helper()
	moved := NewVisitor(v.t, base)
	from, to := v.address("/cas/login"), moved.address("/cas/login")
	moved.http.Jar.SetCookies(to, v.http.Jar.Cookies(from))
	return moved
}

// Do sends a request.
func (v *Visitor) Do(r *http.Request) Answer {
	v.t.Helper()
	if v.From != "" {
		r.Header.Set("X-Forwarded-For", v.From)
	}
	response, err := v.http.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return Answer{response.StatusCode, response.Header, string(body), response.Header.Get("Location")}
}

// Request builds a request to the server.
func (v *Visitor) Request(method, path, body string) *http.Request {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// Get asks for a page.
func (v *Visitor) Get(path string) Answer {
	v.t.Helper()
	return v.Do(v.Request(http.MethodGet, path, ""))
}

// Post sends a form.
func (v *Visitor) Post(path string, form url.Values) Answer {
	v.t.Helper()
	return v.Do(v.Request(http.MethodPost, path, form.Encode()))
}

// Login fills in the form at path and sends it, with the boxes ticked.
func (v *Visitor) Login(path, user, password string, boxes ...string) Answer {
	v.t.Helper()
	page := v.Get(path)
	if page.Status != http.StatusOK {
		v.t.Fatalf("GET %s: got status %d, want the form", path, page.Status)
	}
	return v.Submit(page, user, password, boxes...)
}

// Submit fills in the form of a page and sends it.
func (v *Visitor) Submit(page Answer, user, password string, boxes ...string) Answer {
	v.t.Helper()
	form := page.Form()
	form.Set("username", user)
	form.Set("password", password)
	for _, name := range boxes {
		form.Set(name, "true")
	}
	return v.Post("/cas/login", form)
}

// Cookie is the value of a cookie that the login page would get, "" for none.
func (v *Visitor) Cookie(name string) string {
	v.t.Helper()
	for _, c := range v.http.Jar.Cookies(v.address("/cas/login")) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// SetCookie gives the browser a cookie, as another application might.
func (v *Visitor) SetCookie(name, value string) {
	v.t.Helper()
	v.http.Jar.SetCookies(v.address("/cas/login"), []*http.Cookie{{Name: name, Value: value, Path: "/cas"}})
}

func (v *Visitor) address(path string) *url.URL {
	v.t.Helper()
	address, err := url.Parse(v.base + path)
	if err != nil {
		v.t.Fatal(err)
	}
	return address
}

var (
	hiddenField = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`)
	nameOf      = regexp.MustCompile(`name="([^"]*)"`)
	valueOf     = regexp.MustCompile(`value="([^"]*)"`)
)

// Form reads the hidden fields of a page.
func (a Answer) Form() url.Values {
	fields := url.Values{}
	for _, input := range hiddenField.FindAllString(a.Body, -1) {
		name, value := nameOf.FindStringSubmatch(input), valueOf.FindStringSubmatch(input)
		if name != nil && value != nil {
			fields.Add(html.UnescapeString(name[1]), html.UnescapeString(value[1]))
		}
	}
	return fields
}

// Ticket is the ticket in a redirect, "" for none.
func (a Answer) Ticket() string {
	_, ticket, _ := strings.Cut(a.Location, "ticket=")
	ticket, _, _ = strings.Cut(ticket, "#")
	return ticket
}

// Valid tells whether the answer is a successful validation.
func (a Answer) Valid() bool { return strings.Contains(a.Body, "<cas:authenticationSuccess>") }

// Code is the code of a failed validation, "" for none.
func (a Answer) Code() string {
	_, rest, _ := strings.Cut(a.Body, `code="`)
	code, _, _ := strings.Cut(rest, `"`)
	return code
}

// LoginPath is the address of the login for a service, with more parameters.
func LoginPath(service string, parameters ...string) string {
	if service != "" {
		parameters = append([]string{"service=" + url.QueryEscape(service)}, parameters...)
	}
	if len(parameters) == 0 {
		return "/cas/login"
	}
	return "/cas/login?" + strings.Join(parameters, "&")
}

// ValidatePath is the address by which a service validates a ticket.
func ValidatePath(endpoint, service, ticket string, parameters ...string) string {
	parameters = append([]string{"service=" + url.QueryEscape(service), "ticket=" + url.QueryEscape(ticket)}, parameters...)
	return "/cas" + endpoint + "?" + strings.Join(parameters, "&")
}
