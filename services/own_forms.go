package services

import (
	"maps"
	"slices"
	"strings"
)

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

// ownTexts is a text a language.
type ownTexts struct {
	FR string `yaml:"fr"`
	EN string `yaml:"en"`
}

// UnmarshalYAML takes either form.
func (t *ownText) UnmarshalYAML(decode func(any) error) error {
	var one string
	if decode(&one) == nil {
		*t = ownText{"": one}
		return nil
	}
	var byLanguage ownTexts
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

// UnmarshalYAML takes a list of values or the whole form.
func (r *ownRule) UnmarshalYAML(decode func(any) error) error {
	var list ownList
	if decode(&list) == nil {
		r.Values = list
		return nil
	}
	type whole ownRule
	return decode((*whole)(r))
}

// UnmarshalYAML takes one period or a list.
func (p *ownPeriods) UnmarshalYAML(decode func(any) error) error {
	var one ownPeriod
	err := decode(&one)
	if err == nil {
		*p = ownPeriods{one}
		return nil
	}
	list := []ownPeriod{}
	if decode(&list) != nil {
		return err
	}
	*p = list
	return nil
}

// UnmarshalYAML takes yes or no, or the whole form.
func (s *ownSSO) UnmarshalYAML(decode func(any) error) error {
	var enabled bool
	if decode(&enabled) == nil {
		s.Enabled = &enabled
		return nil
	}
	type whole ownSSO
	return decode((*whole)(s))
}

// UnmarshalYAML takes an expression to search or the whole form.
func (r *ownRewrite) UnmarshalYAML(decode func(any) error) error {
	var search string
	if decode(&search) == nil {
		r.Search = search
		return nil
	}
	type whole ownRewrite
	return decode((*whole)(r))
}

// UnmarshalYAML takes one rewrite or a list.
func (r *ownRewrites) UnmarshalYAML(decode func(any) error) error {
	var one ownRewrite
	err := decode(&one)
	if err == nil {
		*r = ownRewrites{one}
		return nil
	}
	list := []ownRewrite{}
	if decode(&list) != nil {
		return err
	}
	*r = list
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
