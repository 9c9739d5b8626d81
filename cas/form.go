package cas

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"parvis/internal/httpx"
	"parvis/ui"
)

// showForm draws the login form with a fresh token. The caller fills in what
// went wrong, if anything did.
func (s *Server) showForm(w http.ResponseWriter, r *http.Request, q loginRequest, status int, view ui.Login) error {
	if r.Method == http.MethodGet && !s.available() {
		return errDown
	}
	token, err := s.formToken(w, r, loginForm, nil)
	if err != nil {
		return err
	}
	view.Frame = s.frame(r, &q)
	view.Execution = token
	view.Username = strings.ToValidUTF8(view.Username, "")
	view.Hidden, view.Action = s.carried(q)
	view.Offer = ui.Choices{RememberMe: s.limits.RememberMe, PublicWorkstation: s.limits.PublicWorkstation, Warn: true}
	view.Lifetime = s.limits.Form
	if q.target != "" {
		httpx.AllowFormTo(w.Header(), q.target)
	}
	return s.pages.Write(w, r, status, &view)
}

// carried is what a form must bring back of a login: its hidden fields, and
// its address where the fields cannot hold everything. A page is UTF-8, and its
// fields with it: a service in other bytes survives in the address alone.
func (s *Server) carried(q loginRequest) ([]ui.Field, string) {
	switch {
	case q.target == "":
		return q.hidden(), ""
	case !utf8.ValidString(q.target):
		return q.hidden(), s.loginURL(q)
	}
	return append(q.hidden(), ui.Field{Name: q.parameter(), Value: q.target}), ""
}

// hidden lists what the form must bring back besides the service.
func (q loginRequest) hidden() []ui.Field {
	var fields []ui.Field
	if q.renew {
		fields = append(fields, ui.Field{Name: "renew", Value: "true"})
	}
	if q.method != "" {
		fields = append(fields, ui.Field{Name: "method", Value: q.method})
	}
	return fields
}

// loginURL is the address that asks for the same login again.
func (s *Server) loginURL(q loginRequest) string {
	address := s.base + "/login"
	separator := "?"
	add := func(name, value string) {
		address += separator + name + "=" + url.QueryEscape(value)
		separator = "&"
	}
	if q.target != "" {
		add(q.parameter(), q.target)
	}
	for _, field := range q.hidden() {
		add(field.Name, field.Value)
	}
	return address
}
