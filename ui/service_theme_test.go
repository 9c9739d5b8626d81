package ui_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"parvis/ui"
)

func themeOfServices() map[string]string {
	return map[string]string{
		"static/theme.css":                           `:root { --accent: #111111; } [data-theme="styled"] { --accent: #222222; } [data-theme=bare]{}`,
		"static/logo.svg":                            `<svg xmlns="http://www.w3.org/2000/svg"/>`,
		"words/fr.yaml":                              `front.motto: "Chez nous."`,
		"services/library/static/theme.css":          ":root { --accent: #333333; }",
		"services/library/static/logo.png":           "a picture",
		"services/library/words/fr.yaml":             `login.heading: "À la bibliothèque"`,
		"services/sports/static/hall.webp":           "a picture",
		"services/sports/templates/parts/logo.html":  `<img class="hall" src="{{asset "hall.webp"}}" alt="{{t "sports.hall"}}">`,
		"services/sports/templates/fixed/motto.html": `<p>{{.University.Name}}, {{t "sports.hall"}}</p>`,
		"services/sports/words/fr.yaml":              `sports.hall: "Le gymnase"`,
		"services/sports/words/en.yaml":              `sports.hall: "The sports hall"`,
		"services/.hidden/static/theme.css":          "",
	}
}

// TestServiceThemes tries what docs/theming.md tells of them.
func TestServiceThemes(t *testing.T) {
	pages := newRenderer(t, themed(t, themeOfServices()))
	const (
		siteStyles, siteLogo = "/cas/static/theme.", "/cas/static/logo."
		ourStyles, ourLogo   = "/cas/static/library/theme.", "/cas/static/library/logo."
	)
	for _, tt := range []struct {
		name, theme, lang string
		want, not         []string
	}{
		{"site", "", "fr", []string{siteStyles, siteLogo, "Chez nous.", "Connectez-vous"}, []string{ourStyles, "bibliothèque", "hall"}},
		{"library", "library", "fr", []string{siteStyles, ourStyles, ourLogo, "Chez nous.", "À la bibliothèque", `data-theme="library"`, "/cas/static/parvis."}, []string{siteLogo}},
		{"library in English", "library", "en", []string{ourStyles, "Log in"}, []string{"bibliothèque"}},
		{"sports", "sports", "fr", []string{siteStyles, siteLogo, "Université de Valmont, Le gymnase", "Connectez-vous"}, []string{ourStyles}},
		{"sports in English", "sports", "en", []string{"The sports hall"}, nil},
		{"known to the styles", "styled", "fr", []string{siteStyles, `data-theme="styled"`, "Connectez-vous"}, []string{ourStyles}},
		{"unknown", "none", "fr", []string{siteStyles, siteLogo, "Chez nous."}, []string{ourStyles}},
		{"outside", "../library", "fr", []string{siteLogo, "Chez nous."}, []string{ourStyles}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// Twice: a login page is kept to be filled in.
			for range 2 {
				view := &ui.Login{Frame: ui.Frame{Theme: tt.theme}}
				body := render(t, pages, tt.lang, sample{tt.name, 200, view}).Body.String()
				for _, want := range tt.want {
					if !strings.Contains(body, want) {
						t.Errorf("no %q in\n%s", want, body)
					}
				}
				for _, not := range tt.not {
					if strings.Contains(body, not) {
						t.Errorf("page holds %q", not)
					}
				}
			}
		})
	}
	body := render(t, pages, "fr", sample{"visits", 200, &ui.Welcome{Frame: ui.Frame{Theme: "sports"}, Visits: []ui.Visit{{At: noon}}}}).Body.String()
	if !regexp.MustCompile(`<img class="hall" src="/cas/static/sports/hall\.[0-9a-f]{12}\.webp" alt="Le gymnase">`).MatchString(body) {
		t.Errorf("the theme's part is not drawn:\n%s", body)
	}
}

// TestServiceThemeMayAskForValues: a login page drawn by a theme's templates is
// not filled in, for they may do with values what they like.
func TestServiceThemeMayAskForValues(t *testing.T) {
	files := themeOfServices()
	files["services/sports/templates/parts/service.html"] = `{{if eq .Address "https://hall.example/"}}<p>At home</p>{{end}}`
	view := &ui.Login{Frame: ui.Frame{Theme: "sports", Service: &ui.Service{Address: "https://hall.example/"}}}
	if body := render(t, newRenderer(t, themed(t, files)), "fr", sample{"login", 200, view}).Body.String(); !strings.Contains(body, "<p>At home</p>") {
		t.Errorf("the theme did not see the address:\n%s", body)
	}
}

// TestServiceThemeStylesComeLast: what is laid over is loaded after.
func TestServiceThemeStylesComeLast(t *testing.T) {
	pages := newRenderer(t, themed(t, themeOfServices()))
	var sheets []string
	for _, e := range parse(t, render(t, pages, "fr", sample{"login", 200, &ui.Login{Frame: ui.Frame{Theme: "library"}}}).Body.Bytes()) {
		if e.is("link") && e.attributes["rel"] == "stylesheet" {
			sheets = append(sheets, e.attributes["href"])
		}
	}
	if len(sheets) != 3 || !strings.Contains(sheets[0], "/parvis.") || !strings.Contains(sheets[2], "/library/theme.") {
		t.Errorf("style sheets %v", sheets)
	}
	for _, tt := range []struct {
		name, path string
		status     int
		kept       string
	}{
		{"hashed", sheets[2], 200, "public, max-age=31536000, immutable"},
		{"the site's", sheets[1], 200, "public, max-age=31536000, immutable"},
		{"plain, as a style names it", "/cas/static/library/logo.png", 200, "no-cache"},
		{"of another version", "/cas/static/library/theme.0123456789ab.css", 200, "no-cache"},
		{"of another theme", "/cas/static/sports/theme.css", 404, ""},
		{"ours below a theme", "/cas/static/library/parvis.css", 404, ""},
		{"of no theme", "/cas/static/none/theme.css", 404, ""},
		{"folder", "/cas/static/library/", 404, ""},
		{"without a name", "/cas/static//parvis.css", 404, ""},
		{"outside", "/cas/static/library/../theme.css", 404, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := get(pages, "GET", tt.path, "")
			if answer.Code != tt.status || tt.kept != "" && answer.Header().Get("Cache-Control") != tt.kept {
				t.Errorf("GET %s: %d, %q", tt.path, answer.Code, answer.Header().Get("Cache-Control"))
			}
		})
	}
}

func TestUnknownThemes(t *testing.T) {
	pages := newRenderer(t, themed(t, themeOfServices()))
	got := pages.UnknownThemes("library", "none", "", "styled", "bare", "sports", "Library", "none", ".hidden")
	if want := []string{".hidden", "Library", "none"}; !slices.Equal(got, want) {
		t.Errorf("UnknownThemes = %q, want %q", got, want)
	}
	if got := newRenderer(t, sampleOptions()).UnknownThemes("library", ""); !slices.Equal(got, []string{"library"}) {
		t.Errorf("without a theme folder: %q", got)
	}
}

// TestServiceThemesTellAllFaults: each theme's own, at once.
func TestServiceThemesTellAllFaults(t *testing.T) {
	_, err := ui.New(themed(t, map[string]string{
		"services/words/words/fr.yaml":             `login.tilte: "x"`,
		"services/page/templates/login.html":       `{{define "title"}}x{{end}}`,
		"services/value/templates/parts/logo.html": `{{.Nme}}`,
		"services/file/templates/fixed/head.html":  `{{asset "none.css"}}`,
		"services/empty/styles/theme.css":          "",
		"services/two words/static/theme.css":      "",
		"services/one/words/fr.yaml":               `one.only: "x"`,
		"services/one/templates/fixed/motto.html":  `{{t "one.only"}}`,
		"services/fine/static/theme.css":           "",
	}))
	if err == nil {
		t.Fatal("New took them")
	}
	for _, want := range []string{
		`services/words: read theme: words/fr.yaml: no page says "login.tilte"`,
		`services/page: load pages in fr: parse page login: it does not define "main"`,
		"services/value: try in fr", "Nme", "services/file: load pages in fr", "static/none.css",
		"services/empty: it has no folder", "services/two words: a theme is named with",
		`services/one: read theme: words/en.yaml: "one.only" is said in another language only`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing of %q in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "services/fine") {
		t.Errorf("a theme without fault is told: %v", err)
	}
}

// TestThemeBringsWords: those that its templates say, in both languages.
func TestThemeBringsWords(t *testing.T) {
	files := map[string]string{
		"words/fr.yaml":              `our.charter: "Charte"`,
		"words/en.yaml":              `our.charter: "Charter"`,
		"templates/fixed/motto.html": `<p>{{t "our.charter"}}</p>`,
	}
	if body := render(t, newRenderer(t, themed(t, files)), "en", sample{"login", 200, &ui.Login{}}).Body.String(); !strings.Contains(body, "<p>Charter</p>") {
		t.Errorf("no word of the theme in\n%s", body)
	}
	delete(files, "words/en.yaml")
	if _, err := ui.New(themed(t, files)); err == nil || !strings.Contains(err.Error(), "words/en.yaml") {
		t.Errorf("a word in one language was taken: %v", err)
	}
}
