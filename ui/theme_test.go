package ui_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parvis/ui"
)

// themed makes a theme of files, by path.
func themed(t *testing.T, files map[string]string) ui.Options {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatalf("make theme: %v", err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatalf("make theme: %v", err)
		}
	}
	options := sampleOptions()
	options.ThemeDir = dir
	return options
}

// TestTheme tries what docs/theming.md tells.
func TestTheme(t *testing.T) {
	pages := newRenderer(t, themed(t, map[string]string{
		"static/theme.css":                ":root { --accent: #7a1f3d; }",
		"static/logo.svg":                 `<svg xmlns="http://www.w3.org/2000/svg"/>`,
		"words/fr.yaml":                   `front.motto: "Bienvenue chez nous."`,
		"templates/fixed/ways-out.html":   `<p class="ours">{{.Links.Forgot}}</p>`,
		"templates/parts/of-ours.html":    `<b>{{.}}</b>`,
		"templates/parts/alert-icon.html": `<i class="ours"></i>`,
		"templates/logged-out.html":       `{{define "title"}}Fin{{end}}{{define "main"}}<h1>{{university}}</h1>{{template "parts/of-ours" "x"}}{{end}}`,
	}))
	for _, tt := range []struct {
		name string
		view ui.View
		want []string
	}{
		{"login", &ui.Login{Problem: ui.BadCredentials}, []string{
			"/cas/static/theme.", "/cas/static/logo.", "Bienvenue chez nous.", `<p class="ours">/compte/oubli</p>`, `<i class="ours">`, "/cas/static/parvis.",
		}},
		{"logged out", &ui.LoggedOut{}, []string{"<title>Fin –", "<h1>Université de Valmont</h1>", "<b>x</b>"}},
	} {
		body := render(t, pages, "fr", sample{tt.name, 200, tt.view}).Body.String()
		for _, want := range tt.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %q in\n%s", tt.name, want, body)
			}
		}
	}
	english := render(t, pages, "en", sample{"login", 200, &ui.Login{}}).Body.String()
	if !strings.Contains(english, "One login for all your services.") {
		t.Error("a word said in French only changed English")
	}
}

func TestThemeWithAFaultDoesNotStart(t *testing.T) {
	for _, tt := range []struct{ name, file, text, want string }{
		{"page without main", "templates/login.html", `{{define "title"}}x{{end}}`, `login: it does not define "main"`},
		{"page that does not parse", "templates/error.html", `{{define "title"}}x{{end}}{{define "main"}}{{if}}{{end}}`, "parse page error"},
		{"part that is not there", "templates/warn.html", `{{define "title"}}x{{end}}{{define "main"}}{{template "parts/none"}}{{end}}`, "parts/none"},
		{"word that is not there", "templates/parts/logo.html", `{{t "none.such"}}`, "none.such"},
		{"file that is not there", "templates/fixed/head.html", `{{asset "none.css"}}`, "static/none.css"},
		{"value that is not there", "templates/parts/service.html", `{{.Nme}}`, "Nme"},
		{"place where no value is safe", "templates/parts/logo.html", `<a href={{.}}`, "in attribute name"},
		{"word that no page says", "words/en.yaml", `login.tilte: "x"`, "login.tilte"},
		{"empty word", "words/fr.yaml", `login.title: ""`, "login.title is empty"},
		{"words that are not YAML", "words/fr.yaml", "a: [", "words/fr.yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ui.New(themed(t, map[string]string{tt.file: tt.text}))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New: %v, want an error with %q", err, tt.want)
			}
		})
	}
	options := sampleOptions()
	options.ThemeDir = filepath.Join(t.TempDir(), "none")
	if _, err := ui.New(options); err == nil {
		t.Error("a theme that is not there was taken")
	}
}

func TestOptionsThatAreWrong(t *testing.T) {
	_, err := ui.New(ui.Options{
		BasePath: "cas/", DefaultLanguage: "de", Accessibility: "perfect",
		Links: ui.Links{Forgot: "javascript:alert(1)", Home: "//elsewhere"},
	})
	if err == nil {
		t.Fatal("New took them")
	}
	for _, want := range []string{"base path", "default language", "accessibility state", "forgot link", "home link"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v says nothing of the %s", err, want)
		}
	}
}

func TestOptionsMayBeEmpty(t *testing.T) {
	pages := newRenderer(t, ui.Options{})
	body := render(t, pages, "fr", sample{"refused", 403, &ui.Refused{}}).Body.String()
	for _, empty := range []string{`href=""`, `class="help"`, "Mot de passe oublié"} {
		if strings.Contains(body, empty) {
			t.Errorf("page holds %q", empty)
		}
	}
	if !strings.Contains(body, "Accessibilité\u00a0: non conforme") {
		t.Error("page does not say that accessibility was not audited")
	}
}
