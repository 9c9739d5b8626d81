package services

import (
	"maps"
	"slices"
	"strings"
)

// ownFile is our own format, as it is written.
type ownFile struct {
	ID             int64        `yaml:"id"`
	Name           string       `yaml:"name"`
	Description    ownText      `yaml:"description"`
	Match          ownMatch     `yaml:"match"`
	Order          int          `yaml:"order"`
	Enabled        *bool        `yaml:"enabled"`
	Valid          ownValid     `yaml:"valid"`
	Access         ownAccess    `yaml:"access"`
	SSO            *bool        `yaml:"sso"`
	Release        ownRelease   `yaml:"release"`
	Username       ownUsername  `yaml:"username"`
	Proxy          ownMatch     `yaml:"proxy"`
	Logout         ownLogout    `yaml:"logout"`
	Lifetimes      ownLifetimes `yaml:"lifetimes"`
	Protocols      ownList      `yaml:"protocols"`
	Response       string       `yaml:"response"`
	RedirectURL    string       `yaml:"redirect_url"`
	Contacts       []Contact    `yaml:"contacts"`
	Networks       ownList      `yaml:"networks"`
	Logo           string       `yaml:"logo"`
	Theme          string       `yaml:"theme"`
	Locale         string       `yaml:"locale"`
	InformationURL string       `yaml:"information_url"`
	PrivacyURL     string       `yaml:"privacy_url"`
}

// ownMatch says which URLs: below one (url), one only (exact), or by an
// expression over the whole text (regex). A bare text or list means url.
type ownMatch struct {
	URL   ownList `yaml:"url"`
	Exact ownList `yaml:"exact"`
	Regex ownList `yaml:"regex"`
}

// ownAccess says who. All the keys given must be satisfied.
type ownAccess struct {
	// Require: each attribute has one of its values.
	Require map[string]ownList `yaml:"require"`
	// RequireAny: one of the attributes has one of its values.
	RequireAny map[string]ownList `yaml:"require_any"`
	// Reject: no attribute has any of its values.
	Reject map[string]ownList `yaml:"reject"`
	// Groups: memberOf has one of these names.
	Groups ownList `yaml:"groups"`
	// Users: the person is one of these uids.
	Users     ownList `yaml:"users"`
	DeniedURL string  `yaml:"denied_url"`
}

type ownValid struct {
	From  string `yaml:"from"`
	Until string `yaml:"until"`
}

// ownRelease says what is told. A bare text or list means attributes.
type ownRelease struct {
	Attributes ownList `yaml:"attributes"`
	All        bool    `yaml:"all"`
	Except     ownList `yaml:"except"`
	// Rename: directory's name to the application's name or names.
	Rename map[string]ownList `yaml:"rename"`
	// Constant: the same for everybody.
	Constant map[string]ownList `yaml:"constant"`
	// Only: of these attributes, by their released name, only these values.
	Only map[string]ownList `yaml:"only"`
	// UIDAs releases the login name as an attribute of this name.
	UIDAs string `yaml:"uid_as"`
	// Authentication: the three attributes about the login itself.
	Authentication *bool `yaml:"authentication"`

	given bool
}

// ownUsername says what the application calls people. A bare text means
// attribute.
type ownUsername struct {
	Attribute    string `yaml:"attribute"`
	Static       string `yaml:"static"`
	PairwiseSalt string `yaml:"pairwise_salt"`
	Case         string `yaml:"case"`
	Scope        string `yaml:"scope"`
}

// ownLogout says how the application hears of a logout. A bare text means type.
type ownLogout struct {
	Type string  `yaml:"type"`
	URL  ownList `yaml:"url"`
}

type ownLifetimes struct {
	ServiceTicket       string `yaml:"service_ticket"`
	ProxyTicket         string `yaml:"proxy_ticket"`
	ProxyTicketUses     int    `yaml:"proxy_ticket_uses"`
	ProxyGrantingTicket string `yaml:"proxy_granting_ticket"`
	Session             string `yaml:"session"`
}

// ownList is a list of texts, or one text.
type ownList []string

// UnmarshalYAML takes either form.
func (l *ownList) UnmarshalYAML(decode func(any) error) error {
	var one string
	if decode(&one) == nil {
		*l = ownList{one}
		return nil
	}
	list := []string{}
	if err := decode(&list); err != nil {
		return err
	}
	*l = list
	return nil
}

// ownText is one text, or a text a language.
type ownText map[string]string

// UnmarshalYAML takes either form.
func (t *ownText) UnmarshalYAML(decode func(any) error) error {
	var one string
	if decode(&one) == nil {
		*t = ownText{"": one}
		return nil
	}
	byLanguage := struct {
		FR string `yaml:"fr"`
		EN string `yaml:"en"`
	}{}
	if err := decode(&byLanguage); err != nil {
		return err
	}
	*t = ownText{}
	for language, text := range map[string]string{"fr": byLanguage.FR, "en": byLanguage.EN} {
		if text != "" {
			(*t)[language] = strings.TrimSpace(text)
		}
	}
	return nil
}

// any returns the text without a language, else the French one, else any.
func (t ownText) any() string {
	for _, language := range []string{"", "fr", "en"} {
		if text, ok := t[language]; ok {
			return strings.TrimSpace(text)
		}
	}
	return ""
}

// UnmarshalYAML takes a list of URLs or the whole form.
func (m *ownMatch) UnmarshalYAML(decode func(any) error) error {
	var list ownList
	if decode(&list) == nil {
		m.URL = list
		return nil
	}
	type whole ownMatch
	return decode((*whole)(m))
}

// UnmarshalYAML takes a list of names or the whole form.
func (r *ownRelease) UnmarshalYAML(decode func(any) error) error {
	r.given = true
	var list ownList
	if decode(&list) == nil {
		r.Attributes = list
		return nil
	}
	type whole ownRelease
	return decode((*whole)(r))
}

// UnmarshalYAML takes an attribute's name or the whole form.
func (u *ownUsername) UnmarshalYAML(decode func(any) error) error {
	var name string
	if decode(&name) == nil {
		u.Attribute = name
		return nil
	}
	type whole ownUsername
	return decode((*whole)(u))
}

// UnmarshalYAML takes a type or the whole form.
func (l *ownLogout) UnmarshalYAML(decode func(any) error) error {
	var name string
	if decode(&name) == nil {
		l.Type = name
		return nil
	}
	type whole ownLogout
	return decode((*whole)(l))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
