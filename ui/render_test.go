package ui_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"parvis/ui"
)

// element is a start tag of a page.
type element struct {
	name       string
	attributes map[string]string
	text       string // what stands directly after the tag
}

func (e element) is(name string) bool { return e.name == name }

// parse reads a page's elements. It is strict about what matters here: each
// attribute quoted, each element closed.
func parse(t testing.TB, page []byte) []element {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(page))
	decoder.Strict = false
	decoder.AutoClose = xml.HTMLAutoClose
	decoder.Entity = xml.HTMLEntity
	var found []element
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("parse page: %v\n%s", err, page)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attributes: map[string]string{}}
			for _, a := range token.Attr {
				e.attributes[a.Name.Local] = a.Value
			}
			found = append(found, e)
		case xml.CharData:
			if len(found) > 0 {
				found[len(found)-1].text += string(token)
			}
		}
	}
}

func find(elements []element, name, attribute, value string) *element {
	for i, e := range elements {
		if e.name == name && e.attributes[attribute] == value {
			return &elements[i]
		}
	}
	return nil
}

func TestEveryPageIsWhole(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	for _, s := range samples() {
		for _, lang := range []string{"fr", "en"} {
			t.Run(s.name+"/"+lang, func(t *testing.T) {
				answer := render(t, pages, lang, s)
				checkHeaders(t, answer, s.status, lang)
				checkPage(t, parse(t, answer.Body.Bytes()), lang)
				for _, leak := range []string{"ZgotmplZ", "<no value>", "%!", "onclick", "style=", "javascript:", "{{"} {
					if strings.Contains(answer.Body.String(), leak) {
						t.Errorf("page holds %q", leak)
					}
				}
			})
		}
	}
}

// checkHeaders: a page is never kept (S26).
func checkHeaders(t *testing.T, answer *httptest.ResponseRecorder, status int, lang string) {
	t.Helper()
	if answer.Code != status {
		t.Errorf("status = %d, want %d", answer.Code, status)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Content-Language": lang, "Cache-Control": "no-store",
		"Pragma": "no-cache", "Expires": "Thu, 01 Jan 1970 00:00:00 GMT", "Content-Length": strconv.Itoa(answer.Body.Len()),
	} {
		if got := answer.Header().Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func checkPage(t *testing.T, elements []element, lang string) {
	t.Helper()
	count := map[string]int{}
	ids := map[string]bool{}
	for _, e := range elements {
		count[e.name]++
		if id := e.attributes["id"]; id != "" {
			if ids[id] {
				t.Errorf("id %q twice", id)
			}
			ids[id] = true
		}
		for _, name := range []string{"src", "href"} {
			// Single logout calls services as images; see TestLoggedOutTells.
			if address := e.attributes[name]; e.name != "a" && e.attributes["class"] != "told" && isElsewhere(address) {
				t.Errorf("%s fetches %s from elsewhere", e.name, address)
			}
		}
		if e.is("style") || e.is("script") && e.attributes["src"] == "" {
			t.Errorf("%s within the page", e.name)
		}
	}
	for _, name := range []string{"h1", "main", "header", "footer", "title"} {
		if count[name] != 1 {
			t.Errorf("%d %s, want 1", count[name], name)
		}
	}
	if html := find(elements, "html", "lang", lang); html == nil {
		t.Errorf("html is not in %s", lang)
	}
	for _, e := range elements {
		if label := e.attributes["for"]; label != "" && !ids[label] {
			t.Errorf("label for %q, which is not there", label)
		}
		for ref := range strings.FieldsSeq(e.attributes["aria-describedby"]) {
			if !ids[ref] {
				t.Errorf("described by %q, which is not there", ref)
			}
		}
	}
}

func isElsewhere(address string) bool {
	return strings.HasPrefix(address, "//") || strings.Contains(address, "://")
}

// TestLoginForm holds what people's scripts and password managers know (L3).
func TestLoginForm(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	const service = "https://app.example/a?x=%20é&y='\"<z>"
	elements := parse(t, render(t, pages, "fr", sample{"login", 200, &ui.Login{
		Execution: "token-1", Username: "jpm\"artin", Offer: ui.Choices{RememberMe: true, Warn: true},
		Hidden: []ui.Field{{Name: "method", Value: "HEADER"}, {Name: "service", Value: service}},
	}}).Body.Bytes())

	form := find(elements, "form", "id", "fm1")
	if form == nil || form.attributes["method"] != "post" || form.attributes["action"] != "/cas/login" {
		t.Fatalf("form = %v", form)
	}
	for name, want := range map[string]map[string]string{
		"execution":  {"type": "hidden", "value": "token-1"},
		"_eventId":   {"type": "hidden", "value": "submit"},
		"service":    {"type": "hidden", "value": service},
		"method":     {"type": "hidden", "value": "HEADER"},
		"username":   {"id": "username", "value": "jpm\"artin", "autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
		"password":   {"id": "password", "type": "password", "autocomplete": "current-password"},
		"rememberMe": {"type": "checkbox", "value": "true"},
		"warn":       {"type": "checkbox", "value": "true"},
	} {
		input := find(elements, "input", "name", name)
		if input == nil {
			t.Errorf("no field %s", name)
			continue
		}
		for attribute, value := range want {
			if got := input.attributes[attribute]; got != value {
				t.Errorf("%s: %s = %q, want %q", name, attribute, got, value)
			}
		}
		if _, ticked := input.attributes["checked"]; ticked {
			t.Errorf("%s is ticked (L36: never by default)", name)
		}
	}
	if find(elements, "input", "name", "publicWorkstation") != nil {
		t.Error("a box that was not offered is there (L42)")
	}
	if password := find(elements, "input", "name", "password"); password.attributes["value"] != "" {
		t.Error("the password came back")
	}
}

func TestErrorsSaySoInTheTitle(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	for _, s := range samples() {
		elements := parse(t, render(t, pages, "fr", s).Body.Bytes())
		title := find(elements, "title", "", "").text
		wrong := s.status >= 400
		switch v := s.view.(type) {
		case *ui.Login:
			wrong = wrong || v.Problem != ui.NoProblem
		case *ui.Interruption:
			wrong = v.Problem != ""
		}
		if got := strings.HasPrefix(title, "Erreur – "); got != wrong {
			t.Errorf("%s: title %q", s.name, title)
		}
	}
}

// TestNothingTypedBecomesMarkup puts an attack into every string of every page
// (S25).
func TestNothingTypedBecomesMarkup(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	for _, attack := range []string{
		`"><script src="//evil.example/x.js"></script>`, `' autofocus onfocus='alert(1)`, `javascript:alert(1)`,
		`</title><img src=x onerror=alert(1)>`, `{{.View}}`, "\x00<svg onload=alert(1)>", `//evil.example/`, `/\evil.example/`,
	} {
		for _, s := range samples() {
			poison(reflect.ValueOf(s.view).Elem(), attack)
			if handoff, ok := s.view.(*ui.Handoff); ok {
				handoff.Action = "https://service.example/?" + attack
			}
			answer := render(t, pages, "en", s)
			for _, e := range parse(t, answer.Body.Bytes()) {
				checkElement(t, s.name+" "+attack, e)
			}
		}
	}
}

// poison sets every string within a view, but for those that name a kind.
func poison(v reflect.Value, attack string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(attack)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				poison(v.Field(i), attack)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), attack)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem(), attack)
		}
	}
}

func checkElement(t *testing.T, name string, e element) {
	t.Helper()
	if e.is("script") && !strings.HasPrefix(e.attributes["src"], "/cas/static/") {
		t.Errorf("%s: a script of its own", name)
	}
	for attribute, value := range e.attributes {
		if strings.HasPrefix(attribute, "on") || attribute == "style" {
			t.Errorf("%s: attribute %s", name, attribute)
		}
		switch attribute {
		case "href", "src", "action":
			leaves := strings.HasPrefix(value, "//") || strings.HasPrefix(value, `/\`)
			if leaves && e.name != "a" || strings.HasPrefix(value, "javascript:") {
				t.Errorf("%s: %s %s=%q", name, e.name, attribute, value)
			}
		}
	}
}

func TestHandoffKeepsTheAddress(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	const address = "https://app.example/é?a=%20&b='\"|#x" // L13: every byte
	elements := parse(t, render(t, pages, "fr", sample{"handoff", 200, &ui.Handoff{
		Action: address, Fields: []ui.Field{{Name: "ticket", Value: "ST-\"1"}},
	}}).Body.Bytes())
	if form := find(elements, "form", "id", "handoff"); form == nil || form.attributes["action"] != address {
		t.Errorf("form = %v, want its action %s", form, address)
	}
	if ticket := find(elements, "input", "name", "ticket"); ticket == nil || ticket.attributes["value"] != "ST-\"1" {
		t.Errorf("ticket = %v", ticket)
	}
	for _, refused := range []string{"javascript:alert(1)", "data:text/html,x", "//host/", "imap://host/", ""} {
		answer := httptest.NewRecorder()
		if err := pages.Write(answer, httptest.NewRequest(http.MethodGet, "/", nil), 200, &ui.Handoff{Action: refused}); err == nil {
			t.Errorf("a form to %q was written", refused)
		}
		if answer.Body.Len() > 0 || len(answer.Header()) > 0 {
			t.Errorf("an error wrote something: %q", answer.Body)
		}
	}
}

func TestWaitsAreHeaders(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	for _, tt := range []struct {
		name string
		view ui.View
		want string
	}{
		{"throttled rounds up (L37)", &ui.Throttled{Retry: 90*time.Second + 1}, "91"},
		{"maintenance", &ui.Maintenance{Retry: 20 * time.Second}, "20"},
		{"maintenance by default", &ui.Maintenance{}, "30"},
		{"login", &ui.Login{}, ""},
	} {
		answer := render(t, pages, "fr", sample{tt.name, 200, tt.view})
		if got := answer.Header().Get("Retry-After"); got != tt.want {
			t.Errorf("%s: Retry-After = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestHeadHasNoBody(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	answer := httptest.NewRecorder()
	if err := pages.Write(answer, httptest.NewRequest(http.MethodHead, "/cas/login", nil), 200, &ui.Login{}); err != nil {
		t.Fatalf("Write: %v", err)
	}
	if answer.Body.Len() != 0 || answer.Header().Get("Content-Length") == "0" {
		t.Errorf("body of %d bytes, Content-Length %s", answer.Body.Len(), answer.Header().Get("Content-Length"))
	}
}

// BenchmarkLogin is the page that everybody sees.
func BenchmarkLogin(b *testing.B) {
	pages := newRenderer(b, sampleOptions())
	view := samples()[0].view
	request := httptest.NewRequest(http.MethodGet, "/cas/login?service=https%3A%2F%2Fcours.univ.example%2F", nil)
	b.ReportAllocs()
	for b.Loop() {
		answer := &discard{header: http.Header{}}
		if err := pages.Write(answer, request, http.StatusOK, view); err != nil {
			b.Fatal(err)
		}
	}
}

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkNew is a part of the server's start.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := ui.New(sampleOptions()); err != nil {
			b.Fatal(err)
		}
	}
}

// TestThereIsAlwaysANextStep: without a page to choose a password on, the help
// desk is named.
func TestThereIsAlwaysANextStep(t *testing.T) {
	options := sampleOptions()
	options.Links = ui.Links{}
	pages := newRenderer(t, options)
	for _, state := range accountStates {
		body := render(t, pages, "fr", sample{"state", 403, &ui.AccountState{State: state}}).Body.String()
		if !strings.Contains(body, `<ul class="contacts">`) {
			t.Errorf("%s: nobody to ask", state)
		}
	}
}
