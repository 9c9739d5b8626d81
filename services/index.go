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
	// free are the entries that are not bound to whole hosts.
	free []freeEntry
}

// freeEntry is an entry that can only match authorities that start with a
// prefix, which may be empty.
type freeEntry struct {
	position int
	prefix   string
}

func newIndex(sorted []*Service) index {
	x := index{all: sorted, byHost: map[string][]int{}}
	for i, s := range sorted {
		hosts, prefix := hostsOf(s.matchers)
		if hosts == nil {
			x.free = append(x.free, freeEntry{i, prefix})
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
	bound, free := x.byHost[t.authority], x.free
	for {
		for len(free) > 0 && !strings.HasPrefix(t.authority, free[0].prefix) {
			free = free[1:]
		}
		var next int
		switch {
		case len(bound) > 0 && (len(free) == 0 || bound[0] < free[0].position):
			next, bound = bound[0], bound[1:]
		case len(free) > 0:
			next, free = free[0].position, free[1:]
		default:
			return nil
		}
		if s := x.all[next]; s.matches(t) {
			return s
		}
	}
}

// hostsOf returns the only authorities that the matchers may match. When they
// are not bound to any, that is nil, and the text starts every authority they
// may match.
func hostsOf(matchers []matcher) ([]string, string) {
	var hosts []string
	for i := range matchers {
		switch m := &matchers[i]; {
		case m.kind == matchURL && !m.url.wildcard:
			hosts = append(hosts, m.url.host)
			if port, ok := map[string]string{"http": ":80", "https": ":443"}[m.url.scheme]; ok {
				hosts = append(hosts, m.url.host+port)
			}
		case m.kind == matchRegex:
			host, whole := regexHost(m.re.String())
			if !whole {
				if len(matchers) > 1 {
					host = ""
				}
				return nil, host
			}
			hosts = append(hosts, host)
		default:
			return nil, ""
		}
	}
	return hosts, ""
}

// regexHost returns the authority that an expression starts with, after letters
// and "://", and whether a '/' ends it there. The expression can match no other
// authority or, when nothing ends it, none that does not start so.
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
			if strings.ContainsAny(literal.String(), ":/?#") {
				return "", false
			}
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
	if !ok || strings.ContainsAny(scheme, "/?#:") {
		return "", false
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		return rest, false
	}
	return rest[:end], true
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
