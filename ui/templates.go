package ui

import (
	"errors"
	"fmt"
	"html"
	"html/template"
	"slices"
	"strings"
)

// loadPages parses the pages of one language. A page's set is the layout, the
// parts, and the page's own file, which defines "title" and "main".
func loadPages(theme *theme, options Options, assets *assets, words *words) (map[string]*template.Template, error) {
	funcs, folds, err := functions(theme, options, assets, words)
	if err != nil {
		return nil, err
	}
	files, err := theme.files("templates", ".html")
	if err != nil {
		return nil, err
	}
	parts, err := theme.files("templates/parts", ".html")
	if err != nil {
		return nil, err
	}
	base, err := template.New("layout").Funcs(funcs).Parse(string(files["layout.html"]))
	if err != nil {
		return nil, fmt.Errorf("parse layout: %w", err)
	}
	if err := addParts(base, "parts/", parts); err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, name := range pageNames() {
		source, found := files[name+".html"]
		if !found {
			return nil, fmt.Errorf("parse page %s: its template is missing", name)
		}
		set, err := template.Must(base.Clone()).Parse(string(source))
		if err != nil {
			return nil, fmt.Errorf("parse page %s: %w", name, err)
		}
		for _, required := range []string{"title", "main"} {
			if set.Lookup(required) == nil {
				return nil, fmt.Errorf("parse page %s: it does not define %q", name, required)
			}
		}
		if err := fold(set, folds); err != nil {
			return nil, fmt.Errorf("parse page %s: %w", name, err)
		}
		pages[name] = set
	}
	return pages, nil
}

func addParts(set *template.Template, prefix string, files map[string][]byte) error {
	for _, name := range sortedKeys(files) {
		if _, err := set.New(prefix + strings.TrimSuffix(name, ".html")).Parse(string(files[name])); err != nil {
			return fmt.Errorf("parse %s%s: %w", prefix, name, err)
		}
	}
	return nil
}

// functions are what templates may call. Those that fold are replaced by their
// result, as HTML, when a template is loaded: {{t "key"}}, {{asset "name"}},
// {{fixed "part"}}, {{lang}}, {{base}}, {{university}}.
func functions(theme *theme, options Options, assets *assets, words *words) (template.FuncMap, map[string]foldFunc, error) {
	local := func(given, fallback string) string {
		if isLocalPath(given) {
			return given
		}
		return options.BasePath + fallback
	}
	funcs := template.FuncMap{
		"t":          words.sayPairs,
		"say":        words.sayPairs,
		"count":      words.count,
		"asset":      assets.url,
		"lang":       func() string { return words.lang },
		"base":       func() string { return options.BasePath },
		"university": func() string { return options.University.Name },
		"local":      local,
		"action":     actionAttribute,
		"href":       href,
		"picture":    func(address string) template.HTMLAttr { return attribute("src", address) },
		"refresh":    refreshAttribute,
		"when":       (&clock{words, options.Now, options.Location}).when,
		"fixed":      func(string) (string, error) { return "", errors.New("fixed wants a constant name") },
	}
	text := func(s string, err error) (string, error) { return html.EscapeString(s), err }
	folds := map[string]foldFunc{
		"t":          func(args ...string) (string, error) { return text(words.say(args[0], nil)) },
		"asset":      func(args ...string) (string, error) { return text(assets.url(args[0])) },
		"lang":       func(...string) (string, error) { return words.lang, nil },
		"base":       func(...string) (string, error) { return text(options.BasePath, nil) },
		"university": func(...string) (string, error) { return text(options.University.Name, nil) },
	}
	fixed, err := renderFixed(theme, options, assets, words, funcs)
	if err != nil {
		return nil, nil, err
	}
	folds["fixed"] = func(args ...string) (string, error) {
		part, found := fixed[args[0]]
		if !found {
			return "", fmt.Errorf("no template fixed/%s.html", args[0])
		}
		return part, nil
	}
	return funcs, folds, nil
}

// actionAttribute writes a form's address byte for byte. It refuses whatever is
// not http or https: the browser would run it, or do nothing.
func actionAttribute(address string) (template.HTMLAttr, error) {
	if !isWeb(address) {
		return "", errors.New("form address is neither http nor https")
	}
	return attribute("action", address), nil
}

// refreshAttribute takes browsers without scripts on. They count the seconds
// from when every image has loaded or failed.
func refreshAttribute(address string) template.HTMLAttr {
	return attribute("content", "2; url="+address)
}

// site is what the fixed parts see: all that no request changes.
type site struct {
	Lang          string
	Base          string
	University    University
	ShortName     string
	HelpHours     string
	HelpTel       template.URL
	Links         Links
	Accessibility AccessibilityState
	Logo, Styles  string
	// ServiceStyles are those of the service's theme.
	ServiceStyles string
}

// renderFixed renders the parts that are the same for everybody.
func renderFixed(theme *theme, options Options, assets *assets, words *words, funcs template.FuncMap) (map[string]string, error) {
	files, err := theme.files("templates/fixed", ".html")
	if err != nil {
		return nil, err
	}
	data := site{
		Lang: words.lang, Base: options.BasePath,
		University: options.University, ShortName: shortName(options, words.lang),
		HelpHours: options.University.HelpHours[words.lang], HelpTel: telephone(options.University.HelpPhone),
		Links: options.Links, Accessibility: options.Accessibility,
		Logo: assets.logo(),
	}
	data.Styles, data.ServiceStyles = assets.styles()
	set := template.New("fixed").Funcs(funcs)
	if err := addParts(set, "", files); err != nil {
		return nil, err
	}
	rendered := map[string]string{}
	for _, name := range sortedKeys(files) {
		name = strings.TrimSuffix(name, ".html")
		var out strings.Builder
		if err := set.ExecuteTemplate(&out, name, data); err != nil {
			return nil, fmt.Errorf("render fixed/%s: %w", name, err)
		}
		rendered[name] = out.String()
	}
	return rendered, nil
}

// telephone is the address that dials a number.
func telephone(number string) template.URL {
	digits := strings.Map(func(r rune) rune {
		if r == '+' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, number)
	if digits == "" {
		return ""
	}
	return template.URL("tel:" + digits) //nolint:gosec // digits only
}

func sortedKeys(files map[string][]byte) []string {
	keys := make([]string, 0, len(files))
	for key := range files {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
