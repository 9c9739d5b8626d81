package showticket

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/text/language"
)

//go:embed page.html style.css
var files embed.FS

// Options say where a service and its login are.
type Options struct {
	// Base is the service's own address, as "http://localhost:9081". It is
	// never read from a request: a Host header is anybody's to choose.
	Base string
	// CAS is the address of the login server, as "http://localhost:8080/cas".
	CAS string
	// Others are the addresses of services to try next.
	Others []string
	// Client calls the login server; it must have a timeout.
	Client *http.Client
}

// Service answers on every path. Two of them show an option of the protocol:
// /renew asks for the password each time, /gateway never asks for it.
type Service struct {
	options Options
	page    *template.Template
	style   []byte
	matcher language.Matcher
}

// New returns a service.
func New(o Options) (*Service, error) {
	page, err := template.ParseFS(files, "page.html")
	if err != nil {
		return nil, fmt.Errorf("parse the page: %w", err)
	}
	style, err := files.ReadFile("style.css")
	if err != nil {
		return nil, fmt.Errorf("read the style: %w", err)
	}
	return &Service{
		options: o,
		page:    page,
		style:   style,
		matcher: language.NewMatcher([]language.Tag{language.French, language.English}),
	}, nil
}

// view is what the page shows.
type view struct {
	French  bool
	Base    string
	CAS     string
	Service string
	Ticket  string
	Others  []string
	Answer  answer
	// Problem tells why there is no answer.
	Problem string
}

// ServeHTTP shows the answer for the ticket of the request, or sends the
// person to log in.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	switch r.URL.Path {
	case "/style.css":
		header.Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(s.style)
		return
	case "/favicon.ico":
		http.NotFound(w, r)
		return
	}
	service, ticket := cut(s.options.Base + r.URL.RequestURI())
	if r.Method == http.MethodPost {
		ticket = r.PostFormValue("ticket")
	}
	v := view{Base: s.options.Base, CAS: s.options.CAS, Service: service, Ticket: ticket, Others: s.options.Others}
	if ticket == "" && r.URL.Path != "/gateway" {
		http.Redirect(w, r, s.login(service, r.URL.Path), http.StatusFound)
		return
	}
	status := http.StatusOK
	if ticket != "" {
		var err error
		if v.Answer, err = s.validate(r.Context(), service, ticket, r.URL.Path == "/renew"); err != nil {
			v.Problem, status = err.Error(), http.StatusBadGateway
		}
	}
	s.write(w, r, status, v)
}

// cut splits an address into service and ticket. The ticket is at the end,
// where the login server put it; the rest stays as it is, since the ticket was
// granted for those very bytes.
func cut(address string) (string, string) {
	at := max(strings.LastIndex(address, "?ticket="), strings.LastIndex(address, "&ticket="))
	if at < 0 {
		return address, ""
	}
	return address[:at], address[at+len("?ticket="):]
}

func (s *Service) login(service, path string) string {
	query := url.Values{"service": {service}}
	switch path {
	case "/renew":
		query.Set("renew", "true")
	case "/gateway":
		query.Set("gateway", "true")
	}
	return s.options.CAS + "/login?" + query.Encode()
}

// validate asks the login server whose ticket this is.
func (s *Service) validate(ctx context.Context, service, ticket string, renew bool) (answer, error) {
	const most = 1 << 20
	query := url.Values{"service": {service}, "ticket": {ticket}}
	if renew {
		query.Set("renew", "true")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.options.CAS+"/p3/serviceValidate?"+query.Encode(), nil)
	if err != nil {
		return answer{}, fmt.Errorf("write the validation request: %w", err)
	}
	response, err := s.options.Client.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("call the login server: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return answer{}, fmt.Errorf("read the login server's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return answer{}, fmt.Errorf("the login server answered %s", response.Status)
	}
	return read(body)
}

func (s *Service) write(w http.ResponseWriter, r *http.Request, status int, v view) {
	tags, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language")) // a header that makes no sense asks for nothing
	_, index, _ := s.matcher.Match(tags...)
	v.French = index == 0
	var page bytes.Buffer
	if err := s.page.Execute(&page, v); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
}

// Login is the address that asks for the password again.
func (v view) Login() string { return v.CAS + "/login?service=" + url.QueryEscape(v.Service) }

// LogoutHere ends the session and comes back to the service.
func (v view) LogoutHere() string { return v.CAS + "/logout?service=" + url.QueryEscape(v.Base+"/") }

// GatewayHere asks whether there is a session, without asking for a password.
func (v view) GatewayHere() string {
	return v.CAS + "/login?gateway=true&service=" + url.QueryEscape(v.Base+"/gateway")
}
