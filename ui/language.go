package ui

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// languageCookie remembers the language that somebody chose.
const languageCookie = "locale"

// spoken are the languages of the catalogues.
var spoken = []string{"fr", "en"}

func isSpoken(lang string) bool { return slices.Contains(spoken, lang) }

// Language is the language to answer a request in where no service asks for
// one.
func (p *Renderer) Language(r *http.Request) string { return p.LanguageFor(r, "") }

// LanguageFor is the language to answer a request in: what its locale parameter
// asks for, else what its cookie remembers, else the locale of the service, else
// what the browser prefers, else the default. Every browser prefers something,
// mostly what it was installed with: a service that asks for a language would
// never be heard below that, and the switch is one click away.
func (p *Renderer) LanguageFor(r *http.Request, locale string) string {
	if lang := p.asked(r); lang != "" {
		return lang
	}
	if lang := remembered(r); lang != "" {
		return lang
	}
	if lang := baseOf(locale); isSpoken(lang) {
		return lang
	}
	accept := r.Header.Get("Accept-Language")
	if accept == "" {
		return p.languages[0]
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return p.languages[0]
	}
	_, i, _ := p.matcher.Match(tags...)
	return p.languages[i]
}

// SelfOf is a request's address for [Frame.Self]: path and raw query byte for
// byte, but for the locale parameter.
func SelfOf(r *http.Request) string {
	return withoutLocale(r.URL.EscapedPath(), r.URL.RawQuery)
}

func withoutLocale(path, query string) string {
	if query == "" {
		return path
	}
	if !strings.Contains(query, "locale=") {
		return path + "?" + query
	}
	kept := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
		return strings.HasPrefix(pair, "locale=")
	})
	if len(kept) == 0 {
		return path
	}
	return path + "?" + strings.Join(kept, "&")
}

// asked is the language of the locale parameter, "" when there is none that we
// speak. "fr-FR" and "fr_FR" ask for French.
func (p *Renderer) asked(r *http.Request) string {
	if !strings.Contains(r.URL.RawQuery, "locale=") {
		return ""
	}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		value, found := strings.CutPrefix(pair, "locale=")
		if !found {
			continue
		}
		if base := baseOf(value); isSpoken(base) {
			return base
		}
	}
	return ""
}

// baseOf is the language of a locale: "fr" of "fr-FR" and of "FR_fr".
func baseOf(locale string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	return strings.ToLower(base)
}

func remembered(r *http.Request) string {
	cookie, err := r.Cookie(languageCookie)
	if err != nil || !isSpoken(cookie.Value) {
		return ""
	}
	return cookie.Value
}

// remember keeps a language that was asked for, on this host and these pages
// only.
func (p *Renderer) remember(w http.ResponseWriter, r *http.Request) {
	lang := p.asked(r)
	if lang == "" || lang == remembered(r) {
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: languageCookie, Value: lang, Path: p.options.BasePath, MaxAge: 365 * 24 * 3600,
		HttpOnly: true, Secure: p.options.Secure, SameSite: http.SameSiteLaxMode,
	})
}
