package services

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// parseOwn reads our own YAML. Anything wrong in it breaks the file: its owner
// is there to mend it, and nothing of it is guessed.
func parseOwn(f file) (*Service, []Fault) {
	var own ownFile
	if err := decodeOwn(f.data, &own); err != nil {
		return nil, []Fault{yamlFault(f.path, err)}
	}
	b := &ownBuilder{file: f, own: &own}
	s := b.service()
	if len(b.faults) > 0 {
		return nil, b.faults
	}
	return s, nil
}

// ownBuilder turns a decoded file into a service, collecting every fault.
type ownBuilder struct {
	file   file
	own    *ownFile
	faults []Fault
}

// fault reports a key, with its line where the file has it.
func (b *ownBuilder) fault(key, format string, args ...any) {
	fault := Fault{File: b.file.path, Key: key, Level: Broken, Message: fmt.Sprintf(format, args...)}
	if at, err := yaml.PathString("$." + key); err == nil {
		if node, err := at.ReadNode(bytes.NewReader(b.file.data)); err == nil && node.GetToken() != nil {
			fault.Line = node.GetToken().Position.Line
		}
		if excerpt, err := at.AnnotateSource(b.file.data, false); err == nil {
			fault.Excerpt = string(excerpt)
		}
	}
	b.faults = append(b.faults, fault)
}

func (b *ownBuilder) service() *Service {
	own := b.own
	s := &Service{
		ID: own.ID, Name: strings.TrimSpace(own.Name), File: b.file.path, Order: own.Order,
		Description: own.Description.any(), descriptions: own.Description,
		InformationURL: b.page("information_url", own.InformationURL),
		PrivacyURL:     b.page("privacy_url", own.PrivacyURL),
		Theme:          own.Theme, Locale: own.Locale, Contacts: own.Contacts,
		Logo: own.Logo, AuthenticationAttributes: orTrue(own.Release.Authentication),
		enabled: orTrue(own.Enabled), sso: orTrue(own.SSO),
	}
	if s.Name == "" {
		b.fault("name", "every service needs a name: people see it when they log in")
	}
	switch {
	case own.ID < 0:
		b.fault("id", "must be positive")
	case own.ID == 0:
		s.ID = fileID(b.file.path)
	}
	if s.Logo != "" && (path.Base(s.Logo) != s.Logo || logoType(s.Logo) == "") {
		b.fault("logo", "write the name of an svg, png, jpeg or webp file of %s/, without a folder", logoFolder)
	}
	b.match(s)
	b.access(s)
	b.release(s)
	b.username(s)
	b.delivery(s)
	return s
}

func (b *ownBuilder) match(s *Service) {
	m := b.own.Match
	s.Patterns = slices.Concat(m.URL, m.Exact, m.Regex)
	if len(s.Patterns) == 0 {
		b.fault("match", "needs a url, an exact or a regex")
	}
	s.matchers = b.matchers("match", m)
}

func (b *ownBuilder) matchers(key string, m ownMatch) []matcher {
	var list []matcher
	for i, text := range m.URL {
		p, err := parseURLPattern(text)
		if err != nil {
			b.fault(at(key+".url", m.URL, i), "%s: %v", text, err)
		}
		list = append(list, matcher{kind: matchURL, source: text, url: p})
	}
	for i, text := range m.Exact {
		if fault := safety(text); fault != "" {
			b.fault(at(key+".exact", m.Exact, i), "%s: refused whatever the entry says (%s)", text, fault)
		}
		list = append(list, matcher{kind: matchExact, source: text, text: text})
	}
	for i, text := range m.Regex {
		compiled, problem, _ := regexMatcher(text, true)
		if problem != "" {
			b.fault(at(key+".regex", m.Regex, i), "%s", problem)
			continue
		}
		list = append(list, compiled)
	}
	return list
}

// at names the i-th element of a list, or the key of a lone value.
func at(key string, list []string, i int) string {
	if len(list) == 1 {
		return key
	}
	return fmt.Sprintf("%s[%d]", key, i)
}

func (b *ownBuilder) access(s *Service) {
	own := b.own.Access
	a := &s.access
	a.require = b.requirements("access.require", own.Require)
	a.requireOne = b.requirements("access.require_any", own.RequireAny)
	a.reject = b.requirements("access.reject", own.Reject)
	if own.Groups != nil {
		group := requirement{attribute: "memberOf", shown: own.Groups}
		for _, dn := range own.Groups {
			group.patterns = append(group.patterns, groupPattern(dn))
		}
		if len(own.Groups) == 0 {
			b.fault("access.groups", "an empty list lets nobody in: name groups or take the key away")
		}
		a.require = append(a.require, group)
	}
	if own.Users != nil && len(own.Users) == 0 {
		b.fault("access.users", "an empty list lets nobody in: name users or take the key away")
	}
	a.users = own.Users
	a.redirect = b.page("access.denied_url", own.DeniedURL)
	from, until := b.date("valid.from", b.own.Valid.From, false), b.date("valid.until", b.own.Valid.Until, true)
	if !from.IsZero() && !until.IsZero() && !from.Before(until) {
		b.fault("valid", "ends before it starts")
	}
	if !from.IsZero() || !until.IsZero() {
		a.periods = []period{{from, until}}
	}
}

func (b *ownBuilder) requirements(key string, rules map[string]ownList) []requirement {
	if rules != nil && len(rules) == 0 {
		b.fault(key, "is empty: name attributes or take the key away")
	}
	var list []requirement
	for _, name := range sortedKeys(rules) {
		values := rules[name]
		if len(values) == 0 {
			b.fault(key+"."+name, "needs at least one value (\"*\" for any)")
		}
		r := requirement{attribute: name, shown: values}
		for _, value := range values {
			r.patterns = append(r.patterns, globPattern(value))
		}
		list = append(list, r)
	}
	return list
}

func (b *ownBuilder) release(s *Service) {
	own := b.own.Release
	var chain releaseChain
	for _, name := range slices.Concat(own.Attributes, own.Except) {
		if isSecret(name) {
			b.fault("release", "%s is never released", name)
		}
	}
	if own.All {
		chain.policies = append(chain.policies, releaseAll(own.Except))
	} else if len(own.Except) > 0 {
		b.fault("release.except", "only goes with all: true")
	}
	if len(own.Attributes) > 0 {
		chain.policies = append(chain.policies, releaseNamed(own.Attributes))
	}
	if len(own.Rename) > 0 {
		mapped := releaseMapped{}
		for name, as := range own.Rename {
			mapped[name] = as
		}
		chain.policies = append(chain.policies, mapped)
	}
	if len(own.Constant) > 0 {
		static := releaseStatic{}
		for name, values := range own.Constant {
			static[name] = values
		}
		chain.policies = append(chain.policies, static)
	}
	if own.UIDAs != "" {
		chain.policies = append(chain.policies, releasePrincipal(own.UIDAs))
	}
	if own.given {
		s.release = chain.shortest()
	}
	if len(own.Only) == 0 {
		return
	}
	patterns := map[string][]*regexp.Regexp{}
	for name, values := range own.Only {
		for _, value := range values {
			patterns[name] = append(patterns[name], globPattern(value))
		}
	}
	s.release = releaseFiltered{policy: chain.shortest(), patterns: patterns}
}

func (b *ownBuilder) username(s *Service) {
	own := b.own.Username
	u := &s.username
	kinds := 0
	if own.Attribute != "" {
		kinds++
		u.kind, u.attribute = usernameAttribute, own.Attribute
		if isSecret(own.Attribute) {
			b.fault("username", "%s is never released", own.Attribute)
		}
	}
	if own.Static != "" {
		kinds++
		u.kind, u.value = usernameStatic, own.Static
	}
	if own.PairwiseSalt != "" {
		kinds++
		u.kind, u.salt = usernamePairwise, own.PairwiseSalt
		if len(own.PairwiseSalt) < minSalt {
			b.fault("username.pairwise_salt", "needs at least %d characters", minSalt)
		}
		if b.own.ID == 0 {
			b.fault("username.pairwise_salt", "needs the entry to have an id, or its users would change names with the file")
		}
	}
	if kinds > 1 {
		b.fault("username", "takes one of attribute, static and pairwise_salt")
	}
	switch own.Case {
	case "", "keep":
	case "lower":
		u.casing = casingLower
	case "upper":
		u.casing = casingUpper
	default:
		b.fault("username.case", "is lower, upper or keep")
	}
	u.scope = own.Scope
}

func (b *ownBuilder) delivery(s *Service) {
	own := b.own
	s.proxy.matchers = b.matchers("proxy", own.Proxy)
	for i := range own.Protocols {
		if !slices.Contains([]string{CAS10, CAS20, CAS30, SAML1}, own.Protocols[i]) {
			b.fault(at("protocols", own.Protocols, i), "protocols are CAS10, CAS20, CAS30 and SAML1")
		}
	}
	s.Protocols = own.Protocols
	s.Networks = b.networks()
	switch own.Response {
	case "", ResponseRedirect, ResponsePost, ResponseHeader:
		s.ResponseType = own.Response
	default:
		b.fault("response", "is redirect, post or header")
	}
	s.Logout.Type = LogoutBack
	switch t := LogoutType(own.Logout.Type); t {
	case "":
	case LogoutBack, LogoutFront, LogoutNone:
		s.Logout.Type = t
	default:
		b.fault("logout.type", "is back, front or none")
	}
	for _, u := range own.Logout.URL {
		s.Logout.URLs = append(s.Logout.URLs, b.page("logout.url", u))
	}
	if own.RedirectURL != "" {
		s.RedirectURL = b.page("redirect_url", own.RedirectURL)
		if !s.Matches(own.RedirectURL) {
			b.fault("redirect_url", "must match the entry itself")
		}
	}
	l := own.Lifetimes
	s.Lifetimes = Lifetimes{
		ServiceTicket: b.duration("lifetimes.service_ticket", l.ServiceTicket), ProxyTicket: b.duration("lifetimes.proxy_ticket", l.ProxyTicket),
		ProxyGrantingTicket: b.duration("lifetimes.proxy_granting_ticket", l.ProxyGrantingTicket), Session: b.duration("lifetimes.session", l.Session),
		ProxyTicketUses: l.ProxyTicketUses,
	}
	if l.ProxyTicketUses < 0 {
		b.fault("lifetimes.proxy_ticket_uses", "must be positive")
	}
}

func (b *ownBuilder) networks() []netip.Prefix {
	var list []netip.Prefix
	for i, text := range b.own.Networks {
		prefix, err := netip.ParsePrefix(text)
		if err != nil || prefix != prefix.Masked() {
			b.fault(at("networks", b.own.Networks, i), "write networks as 10.12.0.0/16, with zeros after the prefix")
			continue
		}
		list = append(list, prefix)
	}
	return list
}

// page checks a URL that people or this server may be sent to.
func (b *ownBuilder) page(key, text string) string {
	if text != "" {
		if _, err := url.Parse(text); err != nil || !Redirectable(text) {
			b.fault(key, "write a full http or https URL")
		}
	}
	return text
}

func (b *ownBuilder) duration(key, text string) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > math.MaxInt32*time.Second {
		b.fault(key, "write a duration, as 30s or 5m")
	}
	return d
}

// date reads a day or an instant. A last day is open until it ends.
func (b *ownBuilder) date(key, text string, last bool) time.Time {
	if text == "" {
		return time.Time{}
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		if last {
			day = day.AddDate(0, 0, 1)
		}
		return day
	}
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		b.fault(key, "write a day (2026-09-01) or an instant (2026-09-01T08:00:00+02:00)")
	}
	return instant
}

func orTrue(b *bool) bool { return b == nil || *b }
