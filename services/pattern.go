package services

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// matcher is one way an entry matches services.
type matcher struct {
	kind matcherKind
	// source is what the owner wrote.
	source string
	re     *regexp.Regexp
	// anywhere tells that the expression need not match the whole.
	anywhere bool
	// readable is source without what cannot be done, or "" when it all can.
	readable string
	// text is what matchExact and matchPrefix compare.
	text string
	fold bool
	url  urlPattern
}

type matcherKind int

const (
	matchRegex matcherKind = iota
	matchURL
	matchExact
	matchPrefix
)

func (m *matcher) matches(t *target) bool {
	switch m.kind {
	case matchURL:
		return m.url.mismatch(t) == ""
	case matchExact:
		return t.cleaned == m.text || m.fold && strings.EqualFold(t.cleaned, m.text)
	case matchPrefix:
		if m.fold {
			return len(t.cleaned) >= len(m.text) && strings.EqualFold(t.cleaned[:len(m.text)], m.text)
		}
		return strings.HasPrefix(t.cleaned, m.text)
	}
	return m.re.MatchString(t.cleaned)
}

// String says in words what matches.
func (m *matcher) String() string {
	switch m.kind {
	case matchURL:
		return "below " + m.source
	case matchExact:
		return "exactly " + m.source
	case matchPrefix:
		return "starts with " + m.source
	}
	return "regex " + m.source
}

// mismatch says in words why a service does not match, or "".
func (m *matcher) mismatch(t *target) string {
	if m.matches(t) {
		return ""
	}
	switch m.kind {
	case matchURL:
		return m.url.mismatch(t)
	case matchExact:
		return "is not exactly this text"
	case matchPrefix:
		return "does not start with this text"
	}
	return "does not match this pattern"
}

// urlPattern matches every URL below one: same scheme, host and port, and the
// path itself or anything under it. The path's case counts.
type urlPattern struct {
	scheme string
	// host is in lower case, with its port when it is not the scheme's own.
	host string
	// wildcard accepts one more label in front of host.
	wildcard bool
	// path has no slash at its end.
	path string
}

// parseURLPattern reads "https://app.univ.example/path/". The first label of
// the host may be "*".
func parseURLPattern(text string) (urlPattern, error) {
	var p urlPattern
	plain := text
	if scheme, rest, ok := strings.Cut(text, "://*."); ok {
		p.wildcard = true
		plain = scheme + "://" + rest
	}
	t := newTarget(plain)
	switch {
	case t.fault != "":
		return p, fmt.Errorf("not a safe URL (%s)", t.fault)
	case t.scheme == "" || t.authority == "":
		return p, errors.New("not a URL: write it in full, as https://app.univ.example/")
	case strings.ContainsAny(t.path, "?#*"):
		return p, errors.New("a url takes no '?', '#' or '*' after the host: anything below the path matches already")
	case strings.Contains(t.authority, "*"):
		return p, errors.New("only the first label of the host may be '*', as in https://*.univ.example/")
	case p.wildcard && strings.Count(t.authority, ".") < 1:
		return p, errors.New("'*' in front of a whole top-level domain")
	}
	p.scheme = t.scheme
	p.host = withoutDefaultPort(t.scheme, t.authority)
	p.path = strings.TrimSuffix(t.path, "/")
	return p, nil
}

func (p *urlPattern) mismatch(t *target) string {
	if t.scheme != p.scheme {
		return "has another scheme"
	}
	host := withoutDefaultPort(t.scheme, t.authority)
	if p.wildcard {
		label, rest, _ := strings.Cut(host, ".")
		if label == "" || rest != p.host {
			return "has another host"
		}
	} else if host != p.host {
		return "has another host"
	}
	rest, below := strings.CutPrefix(t.path, p.path)
	if !below || rest != "" && !strings.ContainsRune("/?#", rune(rest[0])) {
		return "is not below this path"
	}
	return ""
}

func withoutDefaultPort(scheme, authority string) string {
	switch scheme {
	case "https":
		return strings.TrimSuffix(authority, ":443")
	case "http":
		return strings.TrimSuffix(authority, ":80")
	}
	return authority
}

// regexMatcher compiles a Java expression, whole or searched for, without
// regard to case, as Apereo CAS does. The second result says what cannot be
// done; the matcher then takes more than the expression would, so that a
// refused entry still covers what was meant for it. An error means that not
// even that is possible.
func regexMatcher(expr string, whole bool) (matcher, string, error) {
	m := matcher{kind: matchRegex, source: expr, anywhere: !whole}
	translated := translate(expr)
	problem := translated.problem
	re, err := compile(translated.exact, whole, true)
	if problem == "" && err == nil {
		m.re = re
		return m, "", nil
	}
	if problem == "" {
		problem = err.Error()
	}
	if translated.unsure {
		return m, problem, fmt.Errorf("%s", problem)
	}
	m.readable = translated.readable
	if m.re, err = compile(translated.relaxed, whole, true); err != nil {
		return m, problem, fmt.Errorf("%s", problem)
	}
	return m, problem, nil
}

// valuePattern compiles a Java expression for attribute values.
func valuePattern(expr string, whole, fold bool) (*regexp.Regexp, error) {
	translated := translate(expr)
	if translated.problem != "" {
		return nil, fmt.Errorf("%s", translated.problem)
	}
	return compile(translated.exact, whole, fold)
}

func compile(expr string, whole, fold bool) (*regexp.Regexp, error) {
	flags := ""
	if fold {
		flags = "(?i)"
	}
	// Compiled alone first: "a)(b" must not become right by being wrapped.
	if _, err := regexp.Compile(expr); err != nil {
		return nil, fmt.Errorf("compile pattern: %w", err)
	}
	if whole {
		expr = `\A(?:` + expr + `)\z`
	}
	re, err := regexp.Compile(flags + expr)
	if err != nil {
		return nil, fmt.Errorf("compile pattern: %w", err)
	}
	return re, nil
}
