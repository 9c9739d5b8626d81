package services

import (
	"regexp"
	"slices"
	"strings"
)

func (l *linter) pattern(m *matcher) {
	if isWildcard(m) {
		l.addPattern(Danger, "wildcard", m, "it matches every site, so any site gets tickets and the attributes of this entry",
			"Name the hosts: one url each.")
		return
	}
	choices := []string{m.source}
	if m.kind == matchRegex {
		choices = choicesOf(m.source)
		l.anchors(m, choices)
	}
	var hosts []string
	for _, choice := range choices {
		// What two choices have in common is told one time.
		if p := probesOf(choice); p.host != "" && !slices.Contains(hosts, p.host) {
			hosts = append(hosts, p.host)
			l.probe(m, p)
		}
	}
	if m.kind == matchPrefix && !strings.Contains(strings.TrimPrefix(m.source[min(len(m.source), strings.Index(m.source, "://")+3):], "/"), "/") {
		l.addPattern(Danger, "open-host", m, "nothing ends the host, so a longer host name matches too",
			"End it with a '/' after the host.")
	}
}

// anchors looks at where an expression begins.
func (l *linter) anchors(m *matcher, choices []string) {
	isAnchored := func(choice string) bool { return anchored.MatchString(choice) }
	switch {
	case m.anywhere && !slices.ContainsFunc(choices, func(choice string) bool { return !isAnchored(choice) }):
	case m.anywhere && slices.ContainsFunc(choices, isAnchored):
		l.addPattern(Danger, "alternation", m, "the ^ belongs to one side of the | only: the other is searched anywhere in the URL",
			"Put the choice in a group: ^https://(a|b)/.*")
	case m.anywhere:
		l.addPattern(Danger, "not-anchored", m, "it is searched anywhere in the URL, in its query too",
			"Start it with ^https:// or use the full strategy.")
	case slices.ContainsFunc(choices, isAnchored) && !allOf(choices, isAnchored):
		l.addPattern(Advice, "alternation", m, "the ^ and the path belong to one side of the | only, which readers take for the whole",
			"Put the choice in a group: ^https://(a|b)/.*")
	}
}

var anchored = regexp.MustCompile(`^(\(\?[a-z]+\))*(\^|\\A)`)

func allOf(texts []string, holds func(string) bool) bool {
	return !slices.ContainsFunc(texts, func(text string) bool { return !holds(text) })
}

// choicesOf splits an expression at the '|' that are in no group.
func choicesOf(source string) []string {
	var choices []string
	depth, class, start := 0, false, 0
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			choices = append(choices, source[start:i])
			start = i + 1
		}
	}
	return append(choices, source[start:])
}

// probe tries what an attacker who owns evil.example, or a look-alike name,
// would send.
func (l *linter) probe(m *matcher, p probes) {
	host := p.host
	quoted := regexp.QuoteMeta(host)
	open := p.matches(m, "https://"+host+".evil.example", "http://"+host+".evil.example")
	if open {
		l.addPattern(Danger, "open-host", m, "it matches https://"+host+".evil.example/: nothing ends the host",
			`Write a '/' right after the host: ^https://`+quoted+`/.*`)
	}
	if p.matches(m, "https://evil"+host, "http://evil"+host) {
		l.addPattern(Danger, "open-prefix", m, "it matches https://evil"+host+"/: nothing stands between the wildcard and the name",
			`Put the dot in front of the name: ^https://([a-z0-9-]+\.)?`+quoted+`/.*`)
	}
	if p.matches(m, "https://evil.example/#https://"+host, "https://evil.example/?u=https://"+host, "https://evil.example/"+host,
		"https://evil.example/#https://www."+host, "https://evil.example/www."+host) {
		l.addPattern(Danger, "elsewhere", m, "it matches the name anywhere: https://evil.example/#https://"+host+"/",
			`Start it with ^https://`+quoted+`/`)
	}
	for i := range host {
		if host[i] == '.' && p.matches(m, "https://"+host[:i]+"x"+host[i+1:], "http://"+host[:i]+"x"+host[i+1:]) {
			l.addPattern(Danger, "unescaped-dot", m, "a dot that is not escaped is any character: it matches https://"+host[:i]+"x"+host[i+1:]+"/",
				`Write \. for a dot: ^https://`+quoted+`/.*`)
			break
		}
	}
	if p.matches(m, "https://"+host+"@evil.example", "https://"+host+":x@evil.example", "https://user@"+host, "https://www."+host+"@evil.example", "https://user@www."+host) {
		l.addPattern(Advice, "user-name", m, "it accepts a user name before the host (https://"+host+"@evil.example/); such services are refused anyway",
			`Use [^/@]* rather than .* before the first '/'.`)
	}
	if !open && p.matches(m, "https://"+host+":1", "http://"+host+":1") && p.matches(m, "https://"+host+":65535", "http://"+host+":65535") {
		l.addPattern(Advice, "any-port", m, "it accepts every port: whoever may run a program on "+host+" gets tickets",
			"Name the port: (:443)?")
	}
	if !isLocal(host) && p.matches(m, "http://"+host) {
		l.addPattern(Advice, "plain-http", m, "it accepts http: tickets then travel in clear, and anybody on the way can use them",
			"Write https only.")
	}
}

// probes are made from the host that a pattern speaks of.
type probes struct {
	host  string
	tails []string
}

var hostRun = regexp.MustCompile(`[a-z0-9][a-z0-9.-]*[a-z0-9]`)

// probesOf reads the host and the path that a pattern means, roughly.
func probesOf(source string) probes {
	text := strings.ToLower(source)
	if _, after, ok := strings.Cut(text, "://"); ok {
		text = after
	}
	text = strings.NewReplacer(`\.`, ".", `\-`, "-", `\/`, "/").Replace(text)
	hostPart, pathPart, _ := strings.Cut(text, "/")
	p := probes{tails: []string{"/", "", "/x"}}
	for _, run := range hostRun.FindAllString(hostPart, -1) {
		if strings.Contains(run, ".") && len(run) > len(p.host) || run == "localhost" {
			p.host = run
		}
	}
	if end := strings.IndexAny(pathPart, `.*+?()[]{}|^$\`); end >= 0 {
		pathPart = pathPart[:end]
	}
	if pathPart != "" {
		p.tails = append(p.tails, "/"+pathPart, "/"+strings.TrimSuffix(pathPart, "/")+"/x")
	}
	return p
}

// matches tries the beginnings with each tail.
func (p probes) matches(m *matcher, starts ...string) bool {
	for _, start := range starts {
		for _, tail := range p.tails {
			if m.matchesRaw(start + tail) {
				return true
			}
		}
	}
	return false
}
