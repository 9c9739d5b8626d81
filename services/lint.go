package services

import (
	"fmt"
	"strings"
	"time"
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
		l := linter{service: s, now: r.now()}
		l.entry()
		l.shadow(current)
		all = append(all, l.findings...)
	}
	return all
}

type linter struct {
	service  *Service
	now      time.Time
	findings []Finding
	// proxy tells that the patterns are those of proxy callbacks.
	proxy bool
}

// entry looks at one entry, whatever the others are.
func (l *linter) entry() {
	for i := range l.service.matchers {
		l.pattern(&l.service.matchers[i])
	}
	l.proxy = true
	for i := range l.service.proxy.matchers {
		l.pattern(&l.service.proxy.matchers[i])
	}
	l.proxy = false
	l.loose(&l.service.access)
	l.told()
	l.logout()
	l.networks()
	l.dates()
}

// addPattern adds a finding about a pattern.
func (l *linter) addPattern(severity Severity, rule string, m *matcher, why, instead string) {
	if l.proxy {
		rule = "proxy-" + rule
		why += "; here for the callbacks of proxies, which get tickets to act as the person elsewhere"
	}
	l.add(severity, rule, m.source, why, instead)
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
