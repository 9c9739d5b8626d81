package conformance

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Specification, sections 2.5.1 and 2.5.2: the same answers in JSON.

func validationJSON() []Statement {
	return []Statement{
		{ID: "V23", Holds: "an unknown format: INVALID_REQUEST in XML, and the ticket is spent", Run: func(t *T) {
			for _, format := range []string{"FOO", "jsonp", "<b>", "XML,JSON"} {
				ticket := t.ticket(app)
				t.wantCode(t.validate(app, ticket, pair("format", format)), "INVALID_REQUEST")
				t.wantCode(t.validate(app, ticket), "INVALID_TICKET")
			}
			t.wantSuccess(t.validate(app, t.ticket(app), "format=XML"))
			t.wantSuccess(t.validate(app, t.ticket(app), "format=xml"))
		}},
		{ID: "V24", Holds: "JSON: user, and every attribute a list", Run: successJSON},
		{ID: "V24", Holds: "JSON: proxyGrantingTicket and proxies", Needs: []Feature{Proxies}, Run: func(t *T) {
			front, back := t.play("/portal/"), t.play("/middle/")
			pt := t.proxyTicket(front.grantingTicket(t.browser()), back.service)
			s := t.readJSON(t.ask("/p3/proxyValidate", back.service, pt, "format=JSON", pair("pgtUrl", back.service))).Success
			if s == nil || !strings.HasPrefix(s.IOU, "PGTIOU-") || !slices.Equal(s.Proxies, []string{front.service}) {
				t.Errorf("got %+v", s)
			}
		}},
		{ID: "V24", Holds: "Accept alone does not ask for JSON", Run: func(t *T) {
			for _, accept := range []string{"application/json", "application/json, text/plain, */*"} {
				b := t.browser()
				r := b.request(http.MethodGet, validation("/p3/serviceValidate", app, t.ticket(app)), "")
				r.Header.Set("Accept", accept)
				t.wantSuccess(b.do(r))
			}
		}},
		{ID: "V25", Holds: "JSON: a failure has its code and a description", Run: func(t *T) {
			for path, code := range map[string]string{
				validation("/p3/serviceValidate", app, "ST-<b>", "format=JSON"):           "INVALID_TICKET",
				validation("/serviceValidate", other, t.ticket(app), "format=json"):       "INVALID_SERVICE",
				"/serviceValidate?format=JSON":                                            "INVALID_REQUEST",
				validation("/serviceValidate", app, t.signOn(), "format=JSON", "renew=1"): "INVALID_TICKET",
			} {
				r := t.readJSON(t.browser().get(path))
				if r.Failure == nil || r.Success != nil || r.Failure.Code != code || r.Failure.Description == "" {
					t.Errorf("%s: got %+v, want %s", path, r.Failure, code)
				}
			}
		}},
	}
}

type responseJSON struct {
	Success *struct {
		User       string              `json:"user"`
		IOU        string              `json:"proxyGrantingTicket"`
		Proxies    []string            `json:"proxies"`
		Attributes map[string][]string `json:"attributes"`
	} `json:"authenticationSuccess"`
	Failure *struct {
		Code        string `json:"code"`
		Description string `json:"description"`
	} `json:"authenticationFailure"`
}

func (t *T) readJSON(a answer) responseJSON {
	t.Helper()
	t.wantStatus(a, http.StatusOK)
	var r struct {
		Response responseJSON `json:"serviceResponse"`
	}
	if err := json.Unmarshal([]byte(a.body), &r); err != nil {
		t.Fatalf("no JSON of this shape: %v\n%.1000s", err, a.body)
	}
	return r.Response
}

func successJSON(t *T) {
	for _, format := range []string{"JSON", "json", "Json"} {
		s := t.readJSON(t.ask("/p3/serviceValidate", app, t.ticket(app), "format="+format)).Success
		if s == nil || s.User != student.UID || s.Proxies != nil || s.IOU != "" {
			t.Fatalf("got %+v", s)
		}
		if !slices.Equal(s.Attributes["eduPersonAffiliation"], []string{"student", "member"}) || !slices.Equal(s.Attributes["sn"], []string{"Martin"}) {
			t.Errorf("attributes %v", s.Attributes)
		}
	}
	if a := t.ask("/p3/serviceValidate", silent, t.ticket(silent), "format=JSON"); strings.Contains(a.body, "null") || strings.Contains(a.body, "attributes") {
		t.Errorf("nothing is released: %s", a.body)
	}
}
