package ui

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Options say whose pages these are. The zero value of every field is usable.
type Options struct {
	// BasePath is the path that the server lives under, "/cas" when empty.
	// It starts with a slash and does not end with one.
	BasePath string
	// University is named on every page.
	University University
	// Links lead out of the pages. An empty one is not shown.
	Links Links
	// DefaultLanguage answers browsers that ask for a language we do not speak:
	// "fr" (when empty) or "en".
	DefaultLanguage string
	// ThemeDir is a folder whose files replace or complete the built-in ones;
	// see docs/theming.md. Empty means the built-in look.
	ThemeDir string
	// Accessibility is what the accessibility statement declares.
	Accessibility AccessibilityState
	// Secure marks the language cookie Secure: set it when people come by https.
	Secure bool
	// Now tells the time; time.Now when nil.
	Now func() time.Time
	// Location is the time zone that times are shown in; time.Local when nil.
	Location *time.Location
}

// University is who commissioned the pages, and how to reach its help desk.
type University struct {
	// Name is the full name.
	Name string
	// ShortName is the name people use, by language ("fr", "en"). A language
	// that is not there uses Name.
	ShortName map[string]string
	// URL is the university's own site.
	URL string
	// HelpPhone, HelpMail, HelpHours (by language) and HelpURL describe the help
	// desk; empty ones are not shown.
	HelpPhone, HelpMail string
	HelpHours           map[string]string
	HelpURL             string
}

// Links are the ways out of the pages: absolute paths, or http(s) addresses.
type Links struct {
	// Forgot helps with a forgotten password, Activate opens a new account.
	Forgot, Activate string
	// Home is where somebody goes next, such as the university's portal.
	Home string
	// Accessibility, Legal and Privacy are the statements the law asks for.
	Accessibility, Legal, Privacy string
}

// AccessibilityState is the level of conformity that the accessibility
// statement declares (French law 2005-102, article 47).
type AccessibilityState string

// The three levels. An empty state is shown as NotConform, as the law has it
// for a site that was not audited.
const (
	NotConform      AccessibilityState = "none"
	PartlyConform   AccessibilityState = "partial"
	EntirelyConform AccessibilityState = "full"
)

// withDefaults fills what was left empty and says all that is wrong.
func (o Options) withDefaults() (Options, error) {
	var faults []error
	if o.BasePath == "" {
		o.BasePath = "/cas"
	}
	if !isLocalPath(o.BasePath) || strings.HasSuffix(o.BasePath, "/") {
		faults = append(faults, fmt.Errorf("base path %q: want a path such as /cas", o.BasePath))
	}
	if o.University.Name == "" {
		o.University.Name = "Université"
	}
	if o.DefaultLanguage == "" {
		o.DefaultLanguage = "fr"
	}
	if !isSpoken(o.DefaultLanguage) {
		faults = append(faults, fmt.Errorf("default language %q: want one of %s", o.DefaultLanguage, strings.Join(spoken, ", ")))
	}
	if o.Accessibility == "" {
		o.Accessibility = NotConform
	}
	switch o.Accessibility {
	case NotConform, PartlyConform, EntirelyConform:
	default:
		faults = append(faults, fmt.Errorf("accessibility state %q: want none, partial or full", o.Accessibility))
	}
	for _, link := range []struct{ name, address string }{
		{"university", o.University.URL},
		{"help", o.University.HelpURL},
		{"forgot", o.Links.Forgot},
		{"activate", o.Links.Activate},
		{"home", o.Links.Home},
		{"accessibility", o.Links.Accessibility},
		{"legal", o.Links.Legal},
		{"privacy", o.Links.Privacy},
	} {
		if link.address != linkable(link.address) {
			faults = append(faults, fmt.Errorf("%s link %q: want a path or an http(s) address", link.name, link.address))
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Location == nil {
		o.Location = time.Local
	}
	return o, errors.Join(faults...)
}

// isLocalPath tells a path on this server from an address that would leave it
// ("//host", "/\host").
func isLocalPath(s string) bool {
	return strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && !strings.HasPrefix(s, `/\`)
}

// linkable is an address that may be a link, a path or http(s), else "".
func linkable(address string) string {
	if isLocalPath(address) || isWeb(address) {
		return address
	}
	return ""
}

// isWeb tells an http(s) address by its scheme alone.
func isWeb(s string) bool {
	scheme, _, found := strings.Cut(s, "://")
	return found && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}
