package ui

import (
	"errors"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strings"
)

// look is how pages are drawn: the site's, or that of a service's theme.
type look struct {
	pages  map[string]map[string]*template.Template // by language, by page
	names  map[string]string                        // of each language, in itself
	assets *assets
	draws  bool // with templates of a theme, which may do with values what they like
}

// loadLook reads a theme; under are the site's files, nil for the site's own
// look.
func loadLook(theme *theme, options Options, under *assets) (*look, error) {
	l := &look{pages: map[string]map[string]*template.Template{}, names: map[string]string{}, draws: theme.draws()}
	var err error
	if l.assets, err = loadAssets(options.BasePath, theme, under); err != nil {
		return nil, err
	}
	catalogue, err := loadWords(theme, options)
	if err != nil {
		return nil, err
	}
	for _, lang := range spoken {
		words := catalogue[lang]
		if l.names[lang], err = words.say("language.name", nil); err != nil {
			return nil, err
		}
		if l.pages[lang], err = loadPages(theme, options, l.assets, words); err != nil {
			return nil, fmt.Errorf("load pages in %s: %w", lang, err)
		}
	}
	return l, nil
}

// loadServiceLooks reads the themes of services, and tells the faults of all.
func (p *Renderer) loadServiceLooks(theme *theme, site *look) error {
	themes, err := theme.ofServices()
	faults := []error{err}
	for _, theme := range themes {
		look, err := loadLook(theme, p.options, site.assets)
		if err == nil {
			p.looks[theme.name] = look
			err = p.try(theme.name)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("theme services/%s: %w", theme.name, err))
		}
	}
	return errors.Join(faults...)
}

// lookOf is the look that a page asks for, the site's where there is no such
// theme.
func (p *Renderer) lookOf(v View) *look {
	if look := p.looks[v.frame().Theme]; look != nil {
		return look
	}
	return p.looks[""]
}

// UnknownThemes are those of the names that are neither a theme of services nor
// known to the site's styles, sorted, each once. Pages that ask for one have the
// site's look. The empty name asks for none.
func (p *Renderer) UnknownThemes(names ...string) []string {
	var unknown []string
	for _, name := range names {
		if p.looks[name] == nil && !p.styled[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return slices.Compact(unknown)
}

var themeRule = regexp.MustCompile(`\[\s*data-theme\s*=\s*["']?([^"'\]\s]+)["']?\s*]`)

// themes are the names that style sheets know by data-theme.
func (a *assets) themes() map[string]bool {
	known := map[string]bool{}
	for name, file := range a.byName {
		if !strings.HasSuffix(name, ".css") {
			continue
		}
		for _, rule := range themeRule.FindAllSubmatch(file.plain, -1) {
			known[string(rule[1])] = true
		}
	}
	return known
}
