package ui_test

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"testing"
	"time"

	"parvis/identity"
	"parvis/internal/httpx"
	"parvis/ui"
)

var noon = time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)

func sampleOptions() ui.Options {
	return ui.Options{
		University: ui.University{
			Name:      "Université de Valmont",
			ShortName: map[string]string{"fr": "Valmont", "en": "Valmont"},
			URL:       "/valmont",
			HelpPhone: "04 00 00 00 00", HelpMail: "assistance@univ.example",
			HelpHours: map[string]string{"fr": "du lundi au vendredi, de 8 h à 18 h", "en": "Monday to Friday, 8 am to 6 pm"},
		},
		Links: ui.Links{
			Forgot: "/compte/oubli", Activate: "/compte/activation", Home: "/ent",
			Accessibility: "/accessibilite", Legal: "/mentions", Privacy: "/donnees",
		},
		Accessibility: ui.PartlyConform,
		Now:           func() time.Time { return noon },
		Location:      time.UTC,
	}
}

func newRenderer(t testing.TB, options ui.Options) *ui.Renderer {
	t.Helper()
	pages, err := ui.New(options)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return pages
}

func sampleService() *ui.Service {
	return &ui.Service{
		Name: "Cours en ligne", Description: "Supports, devoirs et échanges avec vos enseignants.",
		InformationURL: "/cours/aide", PrivacyURL: "/cours/donnees",
		Address: "https://cours.univ.example/login?next=%2Fl2%2Finfo",
	}
}

// sample is one page as people meet it.
type sample struct {
	name   string
	status int
	view   ui.View
}

func samples() []sample {
	frame := ui.Frame{Self: "/cas/login?service=https%3A%2F%2Fcours.univ.example%2F", Service: sampleService()}
	bare := ui.Frame{Self: "/cas/login"}
	all := ui.Choices{RememberMe: true, PublicWorkstation: true, Warn: true}
	visits := []ui.Visit{
		{Service: *sampleService(), At: noon.Add(-10 * time.Minute)},
		{Service: ui.Service{Name: "Bureau virtuel"}, At: noon.Add(-50 * time.Minute)},
		{Service: ui.Service{Address: "https://archives.univ.example/rechercher"}, At: noon.Add(-30 * time.Hour)},
	}
	login := func(problem ui.Problem) *ui.Login {
		return &ui.Login{
			Frame: frame, Execution: "e1", Problem: problem, Offer: all,
			Username: map[bool]string{true: "jpmartin"}[problem == ui.BadCredentials], Lifetime: 30 * time.Minute,
			Hidden: []ui.Field{{Name: "method", Value: "POST"}, {Name: "service", Value: "https://cours.univ.example/"}},
		}
	}
	list := []sample{
		{"login", 200, login(ui.NoProblem)},
		{"login-bare", 200, &ui.Login{Frame: bare, Execution: "e1", Offer: ui.Choices{PublicWorkstation: true}}},
		{"login-renew", 200, &ui.Login{Frame: frame, Execution: "e1", Renew: "o22502142", Username: "o22502142"}},
		{"login-credentials", 401, login(ui.BadCredentials)},
		{"login-username", 200, login(ui.MissingUsername)},
		{"login-password", 200, login(ui.MissingPassword)},
		{"login-both", 200, login(ui.MissingBoth)},
		{"login-expired", 200, login(ui.Expired)},
		{"login-cookies", 200, login(ui.NoCookies)},
		{"welcome", 200, &ui.Welcome{Frame: bare, User: "o22502142", Name: "Jean-Pierre", Visits: visits}},
		{"welcome-just", 200, &ui.Welcome{Frame: bare, User: "o22502142", JustLoggedIn: true}},
		{"warn", 200, &ui.Warn{Frame: frame, User: "o22502142", Hidden: []ui.Field{{Name: "service", Value: "https://cours.univ.example/"}}}},
		{"handoff", 200, &ui.Handoff{Frame: frame, Action: "https://cours.univ.example/login?a=1&b=2", Fields: []ui.Field{{Name: "ticket", Value: "ST-1"}}}},
		{"logged-out", 200, &ui.LoggedOut{Frame: frame, ReturnURL: "https://cours.univ.example/"}},
		{"logged-out-bare", 200, &ui.LoggedOut{Frame: bare}},
		{"logged-out-told", 200, &ui.LoggedOut{Frame: bare, Tell: []string{"http://127.0.0.1:1/a?x=1", "http://127.0.0.1:1/a?x=2", "http://127.0.0.1:1/b"}}},
		{"throttled", 423, &ui.Throttled{Frame: frame, Retry: 100 * time.Second}},
		{"maintenance", 503, &ui.Maintenance{Frame: frame, Retry: 20 * time.Second, Reference: "7f3a-91c2"}},
	}
	for _, problem := range []string{"", "Cochez la case pour accepter la charte."} {
		name := map[bool]string{true: "interruption", false: "interruption-problem"}[problem == ""]
		list = append(list, sample{name, 200, &ui.Interruption{
			Frame: frame, Title: "La charte informatique a changé",
			Paragraphs: []string{
				"Elle dit ce que l’université vous permet avec son réseau et ses services, et ce qu’elle fait de vos données.",
				"Prenez deux minutes pour la lire. Nous vous la demandons une fois par an.",
			},
			Links: []ui.Link{{Label: "Lire la charte", Address: "/charte"}},
			Steps: []string{"mot de passe", "charte", "numéro de téléphone"}, Step: 2,
			Hidden:  []ui.Field{{Name: "execution", Value: "e1"}},
			Choices: []ui.Choice{{Name: "accept", Label: "J’ai lu la charte et je m’engage à la respecter."}, {Name: "news", Label: "Me prévenir quand elle change", Optional: true}},
			Submit:  "Accepter et continuer", Later: "Plus tard", Problem: problem,
		}})
	}
	list = append(list, sample{"interruption-notice", 200, &ui.Interruption{
		Frame: bare, Title: "Coupure samedi matin", Submit: "J’ai compris",
		Paragraphs: []string{"Les cours en ligne et la messagerie seront arrêtés samedi de 6 h à 9 h."},
	}})
	for _, reason := range []ui.Refusal{ui.UnknownService, ui.DisabledService, ui.ExpiredService, ui.NoRight, ui.NoService} {
		v := &ui.Refused{Frame: frame, Reason: reason}
		switch reason {
		case ui.UnknownService:
			v.Service = &ui.Service{Address: "https://inconnu.example/chemin?a=1&b=<x>"}
		case ui.NoRight:
			v.User = "o22502142"
			v.Contacts = []ui.Contact{{Name: "Service des études", Mail: "etudes@univ.example", Phone: "04 00 00 00 01"}}
		}
		list = append(list, sample{"refused-" + string(reason), 403, v})
	}
	for _, state := range accountStates {
		list = append(list, sample{"state-" + string(state), 403, &ui.AccountState{Frame: frame, State: state, User: "roux-p"}})
	}
	for _, status := range []int{400, 404, 500} {
		list = append(list, sample{"error-" + strconv.Itoa(status), status, &ui.Error{Frame: bare, Status: status, Reference: "7f3a-91c2"}})
	}
	return list
}

var accountStates = []identity.State{
	identity.PreCreated, identity.Suspended, identity.Closed, identity.Locked, identity.PasswordExpired,
	identity.MustChange, identity.OutOfHours, identity.OtherWorkstation,
}

// render is the answer to a request for a page in a language.
func render(t testing.TB, pages *ui.Renderer, lang string, s sample) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, "/cas/login", nil)
	request.Header.Set("Accept-Language", lang)
	answer := httptest.NewRecorder()
	if err := pages.Write(answer, request, s.status, s.view); err != nil {
		t.Fatalf("write %s: %v", s.name, err)
	}
	return answer
}

// serveSamples serves every sample at /cas/page/NAME as the server would, with
// the headers that it sends.
func serveSamples(t testing.TB, pages *ui.Renderer) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/cas/static/", pages.Static())
	for _, s := range samples() {
		path := "/cas/page/" + s.name
		reflect.ValueOf(s.view).Elem().FieldByName("Theme").SetString(*galleryService)
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if handoff, ok := s.view.(*ui.Handoff); ok {
				httpx.AllowFormTo(w.Header(), handoff.Action)
			}
			if err := pages.Write(w, r, s.status, s.view); err != nil {
				t.Errorf("write %s: %v", s.name, err)
			}
		})
	}
	server := httptest.NewServer(httpx.Headers(mux, httpx.HeaderOptions{}))
	t.Cleanup(server.Close)
	return server.URL + "/cas/page/"
}
