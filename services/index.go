package services

import (
	"regexp/syntax"
	"strings"
	"unicode"
)

// index finds the entries that may match a service by its host, so that a
// thousand entries cost as much as a few. It only leaves out entries that
// cannot match.
type index struct {
	all []*Service
	// byHost holds positions in all, by the authority in lower case.
	byHost map[string][]int
	// anyHost holds the positions of entries that are not bound to hosts.
	anyHost []int
}

func newIndex(sorted []*Service) index {
	x := index{all: sorted, byHost: map[string][]int{}}
	for i, s := range sorted {
		hosts, bound := hostsOf(s.matchers)
		if !bound {
			x.anyHost = append(x.anyHost, i)
			continue
		}
		for _, host := range hosts {
			if list := x.byHost[host]; len(list) == 0 || list[len(list)-1] != i {
				x.byHost[host] = append(list, i)
			}
		}
	}
	return x
}

// find returns the first entry that matches, or nil.
func (x *index) find(t *target) *Service {
	bound, free := x.byHost[t.authority], x.anyHost
	for len(bound) > 0 || len(free) > 0 {
		var next int
		if len(free) == 0 || len(bound) > 0 && bound[0] < free[0] {
			next, bound = bound[0], bound[1:]
		} else {
			next, free = free[0], free[1:]
		}
		if s := x.all[next]; s.matches(t) {
			return s
		}
	}
	return nil
}

// hostsOf returns the only authorities that the matchers may match, or false.
func hostsOf(matchers []matcher) ([]string, bool) {
	var hosts []string
	for i := range matchers {
		switch m := &matchers[i]; m.kind {
		case matchURL:
			if m.url.wildcard {
				return nil, false
			}
			hosts = append(hosts, m.url.host)
			if port, ok := map[string]string{"http": ":80", "https": ":443"}[m.url.scheme]; ok {
				hosts = append(hosts, m.url.host+port)
			}
		case matchRegex:
			host, ok := regexHost(m.re.String())
			if !ok {
				return nil, false
			}
			hosts = append(hosts, host)
		default:
			return nil, false
		}
	}
	return hosts, len(hosts) > 0
}

// regexHost returns the one authority that an expression can match: it starts
// with letters only, then "://", then a literal host that a '/' ends.
func regexHost(expr string) (string, bool) {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return "", false
	}
	parts := flatten(tree.Simplify(), nil)
	if len(parts) == 0 || parts[0].Op != syntax.OpBeginText {
		return "", false
	}
	var literal strings.Builder
	seen := false
	for _, part := range parts[1:] {
		switch {
		case part.Op == syntax.OpBeginText || part.Op == syntax.OpEmptyMatch || part.Op == syntax.OpBeginLine:
			continue
		case part.Op == syntax.OpLiteral:
			literal.WriteString(strings.ToLower(string(part.Rune)))
		case !seen && lettersOnly(part):
			// The optional s of https: it cannot hold the "://".
			literal.Reset()
		default:
			return cutHost(literal.String())
		}
		seen = strings.Contains(literal.String(), "://")
	}
	return cutHost(literal.String())
}

func cutHost(literal string) (string, bool) {
	scheme, rest, ok := strings.Cut(literal, "://")
	host, _, ended := strings.Cut(rest, "/")
	if !ok || !ended || strings.ContainsAny(scheme, "/?#:") || strings.ContainsAny(host, "?#") {
		return "", false
	}
	return host, true
}

// flatten lists the parts of nested concatenations and groups in order.
func flatten(re *syntax.Regexp, into []*syntax.Regexp) []*syntax.Regexp {
	switch re.Op {
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			into = flatten(sub, into)
		}
		return into
	}
	return append(into, re)
}

// lettersOnly tells whether an expression matches nothing but ASCII letters
// (with their Unicode folds).
func lettersOnly(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral, syntax.OpCharClass:
		for _, r := range re.Rune {
			if !unicode.IsLetter(r) {
				return false
			}
		}
		return re.Op == syntax.OpLiteral || len(re.Rune) <= 8
	case syntax.OpEmptyMatch:
		return true
	case syntax.OpQuest, syntax.OpConcat, syntax.OpAlternate, syntax.OpCapture:
		for _, sub := range re.Sub {
			if !lettersOnly(sub) {
				return false
			}
		}
		return true
	}
	return false
}
