package cas

import (
	"net/http"
	"net/url"
	"strings"

	"parvis/services"
	"parvis/ui"
)

// frame is what every page says around its own matter: where the person is,
// and where they were going. A form that was posted is shown again at the
// address it would have as a link; q is nil where there is no login to repeat.
func (s *Server) frame(r *http.Request, q *loginRequest) ui.Frame {
	frame := ui.Frame{Self: ui.SelfOf(r)}
	if q == nil {
		return frame
	}
	if r.Method == http.MethodPost {
		frame.Self = s.loginURL(*q)
	}
	switch {
	case q.service != nil:
		shown := s.shown(q.service, q.target, s.pages.LanguageFor(r, q.service.Locale))
		frame.Service, frame.Theme, frame.Locale = &shown, q.service.Theme, q.service.Locale
	case q.target != "":
		frame.Service = &ui.Service{Address: strings.ToValidUTF8(q.target, "\uFFFD")}
	}
	return frame
}

// shown is what a page tells of a service.
func (s *Server) shown(service *services.Service, address, language string) ui.Service {
	view := ui.Service{
		Name: service.Name, Description: service.DescriptionIn(language), Address: strings.ToValidUTF8(address, "\uFFFD"),
		InformationURL: service.InformationURL, PrivacyURL: service.PrivacyURL,
	}
	if service.Logo != "" {
		view.LogoURL = s.base + "/logo/" + url.PathEscape(service.Logo)
	}
	return view
}
