package conformance

import (
	"encoding/xml"
	"net/http"
	"strings"
)

// response is what a CAS 2.0 or 3.0 endpoint answers (specification, appendix
// A).
type response struct {
	XMLName xml.Name `xml:"http://www.yale.edu/tp/cas serviceResponse"`
	Success *struct {
		Users      []string    `xml:"http://www.yale.edu/tp/cas user"`
		Attributes *[]released `xml:"http://www.yale.edu/tp/cas attributes"`
		IOU        string      `xml:"http://www.yale.edu/tp/cas proxyGrantingTicket"`
		Proxies    *struct {
			List []string `xml:"http://www.yale.edu/tp/cas proxy"`
		} `xml:"http://www.yale.edu/tp/cas proxies"`
	} `xml:"http://www.yale.edu/tp/cas authenticationSuccess"`
	Failure      *failure `xml:"http://www.yale.edu/tp/cas authenticationFailure"`
	ProxySuccess *struct {
		Ticket string `xml:"http://www.yale.edu/tp/cas proxyTicket"`
	} `xml:"http://www.yale.edu/tp/cas proxySuccess"`
	ProxyFailure *failure `xml:"http://www.yale.edu/tp/cas proxyFailure"`
}

type failure struct {
	Code string `xml:"code,attr"`
	Text string `xml:",chardata"`
}

// released holds the elements below cas:attributes, in their order.
type released struct {
	List []struct {
		XMLName xml.Name
		Value   string `xml:",chardata"`
	} `xml:",any"`
}

// read parses an answer, which must be one whatever it says.
func (t *T) read(a answer) response {
	t.Helper()
	if a.status != http.StatusOK {
		t.Fatalf("status %d instead of 200:\n%.1000s", a.status, a.body)
	}
	var r response
	if err := xml.Unmarshal([]byte(a.body), &r); err != nil {
		t.Fatalf("the answer is no CAS response: %v\n%.1000s", err, a.body)
	}
	return r
}

// said is a validation that succeeded.
type said struct {
	user, iou  string
	attributes map[string][]string
	names      []string // of the attributes, in their order
	proxies    []string
	text       string
}

// wantSuccess reads a validation that must have succeeded.
func (t *T) wantSuccess(a answer) said {
	t.Helper()
	r := t.read(a)
	if r.Success == nil || r.Failure != nil || len(r.Success.Users) != 1 {
		t.Fatalf("no success with one user:\n%.1500s", a.body)
	}
	s := said{user: r.Success.Users[0], iou: r.Success.IOU, attributes: map[string][]string{}, text: a.body}
	if r.Success.Attributes != nil {
		for _, list := range *r.Success.Attributes {
			for _, e := range list.List {
				name := e.XMLName.Local
				if _, known := s.attributes[name]; !known {
					s.names = append(s.names, name)
				}
				s.attributes[name] = append(s.attributes[name], e.Value)
			}
		}
	}
	if r.Success.Proxies != nil {
		s.proxies = r.Success.Proxies.List
	}
	return s
}

// wantCode reads a validation that must have failed with one of the codes, and
// returns what it says.
func (t *T) wantCode(a answer, codes ...string) string {
	t.Helper()
	r := t.read(a)
	return t.oneOf(r.Failure, r.Success != nil, a, codes)
}

// wantProxyCode is the same for /proxy.
func (t *T) wantProxyCode(a answer, codes ...string) {
	t.Helper()
	r := t.read(a)
	t.oneOf(r.ProxyFailure, r.ProxySuccess != nil, a, codes)
}

func (t *T) oneOf(f *failure, success bool, a answer, codes []string) string {
	t.Helper()
	if f == nil || success {
		t.Fatalf("no failure, want %v:\n%.1500s", codes, a.body)
	}
	for _, code := range codes {
		if f.Code == code {
			return strings.TrimSpace(f.Text)
		}
	}
	t.Fatalf("code %s, want %v:\n%.1500s", f.Code, codes, a.body)
	return ""
}

// validate asks as a service does: without cookies.
func (t *T) validate(service, ticket string, parameters ...string) answer {
	t.Helper()
	return t.ask("/serviceValidate", service, ticket, parameters...)
}

func (t *T) ask(endpoint, service, ticket string, parameters ...string) answer {
	t.Helper()
	return t.browser().get(validation(endpoint, service, ticket, parameters...))
}

func (t *T) wantStatus(a answer, status int) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d; Location %q\n%.1500s", a.status, status, a.location, a.body)
	}
}

// wantForm reads a page that must ask for a password.
func (t *T) wantForm(a answer) {
	t.Helper()
	if !strings.Contains(a.body, `name="password"`) || a.location != "" || a.form().Get("execution") == "" {
		t.Fatalf("status %d and no login form; Location %q\n%.1500s", a.status, a.location, a.body)
	}
}

// wantPage reads a page that must not ask for a password, nor lead anywhere.
func (t *T) wantPage(a answer, status int) {
	t.Helper()
	t.wantStatus(a, status)
	if strings.Contains(a.body, `name="password"`) || a.location != "" || !strings.Contains(a.body, "<html") {
		t.Fatalf("no page without a form; Location %q\n%.1500s", a.location, a.body)
	}
}

// wantTicket reads a redirect that must bring a ticket to a service.
func (t *T) wantTicket(a answer, service string) string {
	t.Helper()
	if (a.status != http.StatusFound && a.status != http.StatusSeeOther) || !strings.HasPrefix(a.location, service) || a.ticket() == "" {
		t.Fatalf("status %d, Location %q: want a redirect to %s with a ticket\n%.1500s", a.status, a.location, service, a.body)
	}
	return a.ticket()
}
