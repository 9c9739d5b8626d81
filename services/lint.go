package services

import (
	"fmt"
	"regexp"
	"strings"
)

// Severity says how much a finding matters.
type Severity string

// The severities.
const (
	// Danger lets somebody else get tickets or data.
	Danger Severity = "danger"
	// Advice is a weakness, or something that people will miss.
	Advice Severity = "advice"
)

// Finding is something in a valid entry that its owner should look at.
type Finding struct {
	File     string
	Service  string
	ID       int64
	Severity Severity
	// Rule is a short stable name, for scripts.
	Rule string
	// What is the part of the entry concerned.
	What string
	// Why tells what can happen, Instead what to write.
	Why     string
	Instead string
}

// String is one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s: %s: %s. %s", f.File, f.Severity, f.Rule, f.What, f.Why, f.Instead)
}

// Lint looks for what is dangerous or missing in the entries in use. It tries
// each pattern on what an attacker would try.
func (r *Registry) Lint() []Finding {
	current := r.current.Load()
	var all []Finding
	for _, s := range current.services {
		l := linter{service: s}
		for i := range s.matchers {
			l.pattern(&s.matchers[i])
		}
		l.shadow(current)
		l.rest()
		all = append(all, l.findings...)
	}
	return all
}

type linter struct {
	service  *Service
	findings []Finding
}

func (l *linter) add(severity Severity, rule, what, why, instead string) {
	l.findings = append(l.findings, Finding{
		File: l.service.File, Service: l.service.Name, ID: l.service.ID,
		Severity: severity, Rule: rule, What: what, Why: why, Instead: instead,
	})
}

// strangers are sites that no pattern but a wildcard matches.
var strangers = []string{
	"https://stranger.example/", "http://a.stranger.test:8080/x?y=z", "https://stranger.invalid", "imaps://stranger.example/",
}

// isWildcard tells whether the entry matches sites that nobody has heard of.
func (s *Service) isWildcard() bool {
	for i := range s.matchers {
		if isWildcard(&s.matchers[i]) {
			return true
		}
	}
	return false
}

func isWildcard(m *matcher) bool {
	for _, stranger := range strangers {
		if m.matchesRaw(stranger) {
			return true
		}
	}
	return false
}

// matchesRaw tries the pattern alone, without the refusals that come first.
func (m *matcher) matchesRaw(service string) bool {
	t := newTarget(service)
	return m.matches(&t)
}

func (l *linter) pattern(m *matcher) {
	if isWildcard(m) {
		l.add(Danger, "wildcard", m.source, "it matches every site, so any site gets tickets and the attributes of this entry",
			"Name the hosts: one url each.")
		return
	}
	p := probesOf(m.source)
	if p.host != "" {
		l.probe(m, p)
	}
	if m.kind == matchRegex && !strings.HasPrefix(m.re.String(), `(?i)\A`) && !strings.HasPrefix(m.source, "^") {
		l.add(Danger, "not-anchored", m.source, "it is searched anywhere in the URL, in its query too",
			"Start it with ^https:// or use the full strategy.")
	}
	if m.kind == matchPrefix && !strings.Contains(strings.TrimPrefix(m.source[min(len(m.source), strings.Index(m.source, "://")+3):], "/"), "/") {
		l.add(Danger, "open-host", m.source, "nothing ends the host, so a longer host name matches too",
			"End it with a '/' after the host.")
	}
	if p.host != "" && !isLocal(p.host) && p.matches(m, "http://"+p.host) {
		l.add(Advice, "plain-http", m.source, "it accepts http: tickets then travel in clear, and anybody on the way can use them",
			"Write https only.")
	}
}

// probe tries what an attacker who owns evil.example, or a look-alike name,
// would send.
func (l *linter) probe(m *matcher, p probes) {
	host := p.host
	if p.matches(m, "https://"+host+".evil.example", "http://"+host+".evil.example") {
		l.add(Danger, "open-host", m.source, "it matches https://"+host+".evil.example/: nothing ends the host",
			`Write a '/' right after the host: ^https://`+regexp.QuoteMeta(host)+`/.*`)
	}
	if p.matches(m, "https://evil"+host, "http://evil"+host) {
		l.add(Danger, "open-prefix", m.source, "it matches https://evil"+host+"/: nothing stands between the wildcard and the name",
			`Put the dot in front of the name: ^https://([a-z0-9-]+\.)?`+regexp.QuoteMeta(host)+`/.*`)
	}
	if p.matches(m, "https://evil.example/#https://"+host, "https://evil.example/?u=https://"+host, "https://evil.example/"+host,
		"https://evil.example/#https://www."+host, "https://evil.example/www."+host) {
		l.add(Danger, "elsewhere", m.source, "it matches the name anywhere: https://evil.example/#https://"+host+"/",
			`Start it with ^https://`+regexp.QuoteMeta(host)+`/`)
	}
	for i := range host {
		if host[i] == '.' && p.matches(m, "https://"+host[:i]+"x"+host[i+1:], "http://"+host[:i]+"x"+host[i+1:]) {
			l.add(Danger, "unescaped-dot", m.source, "a dot that is not escaped is any character: it matches https://"+host[:i]+"x"+host[i+1:]+"/",
				`Write \. for a dot: ^https://`+regexp.QuoteMeta(host)+`/.*`)
			break
		}
	}
	if p.matches(m, "https://"+host+"@evil.example", "https://"+host+":x@evil.example", "https://user@"+host, "https://www."+host+"@evil.example", "https://user@www."+host) {
		l.add(Advice, "user-name", m.source, "it accepts a user name before the host (https://"+host+"@evil.example/); such services are refused anyway",
			`Use [^/@]* rather than .* before the first '/'.`)
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

// isLocal tells hosts that never leave the machine.
func isLocal(host string) bool {
	host, _, _ = strings.Cut(host, ":")
	return host == "localhost" || host == "127.0.0.1" || strings.HasSuffix(host, ".localhost")
}

// shadow looks for an earlier entry that answers for this one.
func (l *linter) shadow(v *snapshot) {
	var by *Service
	for _, sample := range l.service.samples() {
		t := newTarget(sample)
		if t.fault != "" || !l.service.matches(&t) {
			continue
		}
		first := v.index.find(&t)
		if first == nil || first == l.service {
			return
		}
		by = first
	}
	if by != nil {
		l.add(Advice, "shadowed", strings.Join(l.service.Patterns, " "),
			fmt.Sprintf("%s (%s, order %d) comes first and matches the same URLs, so this entry is never used", by.Name, by.File, by.Order),
			"Give this entry a smaller order, or narrow the other.")
	}
}

// samples are services that the entry should match.
func (s *Service) samples() []string {
	var list []string
	for i := range s.matchers {
		m := &s.matchers[i]
		switch m.kind {
		case matchURL:
			host := m.url.host
			if m.url.wildcard {
				host = "www." + host
			}
			list = append(list, m.url.scheme+"://"+host+m.url.path+"/")
		case matchExact, matchPrefix:
			list = append(list, m.text)
		default:
			p := probesOf(m.source)
			for _, tail := range p.tails {
				list = append(list, "https://"+p.host+tail, "http://"+p.host+tail)
			}
		}
	}
	return list
}

// rest looks at everything but the patterns.
func (l *linter) rest() {
	s := l.service
	if s.release != nil && s.release.everything() {
		l.add(Danger, "releases-everything", "release", "every attribute of the directory goes to the service, those added later too",
			"List the attributes that the service needs.")
	}
	if len(s.Contacts) == 0 {
		l.add(Advice, "no-contact", "contacts", "nobody is named to call when the service fails or is refused",
			"Add a contact with an e-mail address.")
	}
	for _, u := range s.Logout.URLs {
		t := newTarget(u)
		if t.scheme == "http" && !isLocal(t.authority) {
			l.add(Advice, "plain-logout", u, "the logout request names a person's ticket and travels in clear",
				"Write https.")
		}
	}
}
