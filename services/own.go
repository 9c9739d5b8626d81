package services

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// parseOwn reads our own YAML. Anything wrong in it breaks the file: its owner
// is there to mend it, and nothing of it is guessed.
func parseOwn(f file) (*Service, []Fault) {
	var own ownFile
	if faults := decodeOwn(f, &own); len(faults) > 0 {
		return nil, faults
	}
	b := &ownBuilder{file: f, own: &own}
	s := b.service()
	if len(b.faults) > 0 {
		return nil, b.faults
	}
	if s.refused != "" {
		return s, []Fault{{File: f.path, Key: "refused", Level: Refused, Message: s.refused}}
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
			fault.Excerpt = withoutSalt(string(excerpt))
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
		enabled: orTrue(own.Enabled), refused: strings.TrimSpace(own.Refused),
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
	if s.Locale != "" && !isSpoken(s.Locale) {
		b.fault("locale", "is fr or en: pages are in no other language")
	}
	b.match(s)
	s.access = b.access("access", own.Access)
	b.periods(&s.access, "valid", own.Valid)
	b.participation(s)
	b.release(s)
	b.username(s)
	b.delivery(s)
	return s
}

func (b *ownBuilder) match(s *Service) {
	m := b.own.Match
	s.Patterns = slices.Concat(m.URL, m.Exact, m.Regex, m.Search, m.Prefix)
	if len(s.Patterns) == 0 {
		b.fault("match", "needs a url, an exact, a regex, a search or a prefix")
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
		list = append(list, matcher{kind: matchExact, source: text, text: text, fold: m.IgnoreCase})
	}
	for i, text := range m.Prefix {
		if fault := safety(text); fault != "" && fault != "empty host or label" {
			b.fault(at(key+".prefix", m.Prefix, i), "%s: refused whatever the entry says (%s)", text, fault)
		}
		list = append(list, matcher{kind: matchPrefix, source: text, text: text, fold: m.IgnoreCase})
	}
	if m.IgnoreCase && len(m.Exact)+len(m.Prefix) == 0 {
		b.fault(key+".ignore_case", "goes with exact and prefix: expressions never look at case")
	}
	list = append(list, b.expressions(key+".regex", m.Regex, true)...)
	return append(list, b.expressions(key+".search", m.Search, false)...)
}

func (b *ownBuilder) expressions(key string, texts ownList, whole bool) []matcher {
	var list []matcher
	for i, text := range texts {
		compiled, problem, _ := regexMatcher(text, whole)
		if problem != "" {
			b.fault(at(key, texts, i), "%s", problem)
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
		u.kind, u.salt, u.attribute = usernamePairwise, own.PairwiseSalt, own.PairwiseOf
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
	if own.PairwiseOf != "" && (own.PairwiseSalt == "" || isSecret(own.PairwiseOf)) {
		b.fault("username.pairwise_of", "goes with pairwise_salt, and names an attribute that is no password")
	}
	if own.Remove != "" {
		pattern, err := valuePattern(own.Remove, false, false)
		if err != nil {
			b.fault("username.remove", "%v", err)
		}
		u.remove, u.removeSource = pattern, own.Remove
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

func orTrue(b *bool) bool { return b == nil || *b }
