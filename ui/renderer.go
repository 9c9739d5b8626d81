package ui

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/language"

	"parvis/internal/httpx"
)

// Renderer writes pages. It is safe for concurrent use.
type Renderer struct {
	options   Options
	languages []string // the default first
	matcher   language.Matcher
	looks     map[string]*look // the site's is ""
	styled    map[string]bool  // themes that the site's styles know by data-theme
	buffers   sync.Pool
	moulds    *moulds
}

// New reads the templates, the words, the styles and the scripts, and those of
// the theme, and tries every page in every language and every look: a theme with
// a fault does not start.
func New(options Options) (*Renderer, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("read page options: %w", err)
	}
	theme, err := openTheme(options.ThemeDir)
	if err != nil {
		return nil, err
	}
	p := &Renderer{
		options:   options,
		languages: []string{options.DefaultLanguage},
		looks:     map[string]*look{},
		moulds:    &moulds{cast: map[loginShape]*mould{}},
	}
	for _, lang := range spoken {
		if lang != options.DefaultLanguage {
			p.languages = append(p.languages, lang)
		}
	}
	p.matcher = matcherOf(p.languages)
	site, err := loadLook(theme, options, nil)
	if err != nil {
		return nil, err
	}
	p.looks[""], p.styled = site, site.assets.themes()
	if err := p.try(""); err != nil {
		return nil, err
	}
	return p, p.loadServiceLooks(theme, site)
}

func matcherOf(languages []string) language.Matcher {
	tags := make([]language.Tag, len(languages))
	for i, lang := range languages {
		tags[i] = language.Make(lang)
	}
	return language.NewMatcher(tags)
}

// page is what templates see.
type page struct {
	View     View
	Frame    *Frame
	Switches []languageLink
	self     string
}

// Self is the page's own address.
func (p *page) Self() string { return p.self }

// Again is the page's own address, as the href of a link.
func (p *page) Again() template.HTMLAttr { return href(p.self) }

// href is an address as the attribute of a link.
func href(address string) template.HTMLAttr { return attribute("href", address) }

// attribute writes an address byte for byte, as a whole attribute: within one,
// the template engine would write its bytes in another form. NUL cannot be
// written in HTML.
func attribute(name, address string) template.HTMLAttr {
	address = strings.ReplaceAll(address, "\x00", "\uFFFD")
	return template.HTMLAttr(name + `="` + html.EscapeString(address) + `"`) //nolint:gosec // escaped and quoted here
}

// languageLink leads to the same page in another language.
type languageLink struct {
	Lang, Name string
	Href       template.HTMLAttr
}

// Write answers with a page: the status as given, in the language of the
// request, never to be stored. An error means that nothing was written.
func (p *Renderer) Write(w http.ResponseWriter, r *http.Request, status int, v View) error {
	if v == nil {
		return errors.New("render page: no view")
	}
	lang := p.LanguageFor(r, v.frame().Locale)
	buffer, ok := p.buffers.Get().(*bytes.Buffer)
	if !ok {
		buffer = bytes.NewBuffer(make([]byte, 0, 16<<10))
	}
	defer p.buffers.Put(buffer)
	buffer.Reset()
	if err := p.render(buffer, lang, v); err != nil {
		return err
	}
	p.remember(w, r)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Set("Content-Length", strconv.Itoa(buffer.Len()))
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "Thu, 01 Jan 1970 00:00:00 GMT")
	if calls, ok := v.(interface{ Pictures() []string }); ok {
		httpx.AllowImagesFrom(h, calls.Pictures()...)
	}
	if waits, ok := v.(interface{ Seconds() int }); ok {
		h.Set("Retry-After", strconv.Itoa(waits.Seconds()))
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	if _, err := w.Write(buffer.Bytes()); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

func (p *Renderer) render(buffer *bytes.Buffer, lang string, v View) error {
	if login, ok := v.(*Login); ok && !p.lookOf(v).draws {
		return p.renderLogin(buffer, lang, login)
	}
	return p.execute(buffer, lang, v)
}

// execute runs a page's template.
func (p *Renderer) execute(buffer *bytes.Buffer, lang string, v View) error {
	look := p.lookOf(v)
	tmpl := look.pages[lang][v.Page()]
	if tmpl == nil {
		return fmt.Errorf("render page %s: no such template", v.Page())
	}
	frame := v.frame()
	self := p.self(frame)
	data := &page{View: v, Frame: frame, Switches: p.switches(look, lang, self), self: self}
	if err := tmpl.Execute(buffer, data); err != nil {
		return fmt.Errorf("render page %s: %w", v.Page(), err)
	}
	return nil
}

// self is the page's own address, on this server for sure.
func (p *Renderer) self(frame *Frame) string {
	if !isLocalPath(frame.Self) {
		return p.options.BasePath + "/login"
	}
	path, query, _ := strings.Cut(frame.Self, "?")
	return withoutLocale(path, query)
}

// switches are links to the same page in the other languages.
func (p *Renderer) switches(look *look, lang, self string) []languageLink {
	separator := "?"
	if strings.Contains(self, "?") {
		separator = "&"
	}
	links := make([]languageLink, 0, len(p.languages)-1)
	for _, other := range p.languages {
		if other != lang {
			links = append(links, languageLink{Lang: other, Name: look.names[other], Href: href(self + separator + "locale=" + other)})
		}
	}
	return links
}
