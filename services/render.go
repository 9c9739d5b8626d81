package services

import (
	"regexp"
	"strings"
	"time"
)

// render writes an entry that was read from Apereo's format in ours.
func render(s *Service, faults []Fault) []byte {
	var b strings.Builder
	comment(&b, "Imported from "+s.File+" of Apereo CAS.")
	for _, fault := range faults {
		comment(&b, strings.TrimSpace(fault.Level.String()+": "+fault.Key+": "+fault.Message))
	}
	for i := range s.matchers {
		if m := &s.matchers[i]; m.readable != "" {
			comment(&b, "It matched "+m.source)
		}
	}
	s.mapping().write(&b, "")
	return []byte(b.String())
}

func (s *Service) mapping() mapping {
	m := mapping{{"id", s.ID}, {"name", s.Name}}
	m.set("description", s.Description)
	m.set("refused", s.refused)
	m.set("match", matchMapping(s.matchers))
	m.set("order", s.Order)
	if !s.enabled {
		m.set("enabled", false)
	}
	if !s.access.isNever() {
		m.set("valid", periodMappings(s.access.periods))
	}
	who := s.access
	who.periods = nil
	m.set("access", who.mapping())
	switch sso := s.sso.mapping(); {
	case s.sso.never && len(sso) == 1:
		m.set("sso", false)
	default:
		m.set("sso", sso)
	}
	if s.release != nil {
		m = append(m, pair{"release", s.releaseValue()})
	}
	m.set("username", s.username.shown())
	m.set("proxy", matchMapping(s.proxy.matchers))
	m.set("logout", s.Logout.mapping())
	m.set("lifetimes", s.Lifetimes.mapping())
	m.set("protocols", s.Protocols)
	m.set("response", s.ResponseType)
	if s.Matches(s.RedirectURL) {
		m.set("redirect_url", s.RedirectURL)
	}
	var contacts []mapping
	for _, c := range s.Contacts {
		var contact mapping
		contact.set("name", c.Name)
		contact.set("email", c.Email)
		contact.set("phone", c.Phone)
		contact.set("department", c.Department)
		contact.set("type", c.Type)
		contacts = append(contacts, contact)
	}
	m.set("contacts", contacts)
	m.set("logo", s.Logo)
	m.set("theme", s.Theme)
	m.set("locale", s.Locale)
	m.set("information_url", s.InformationURL)
	m.set("privacy_url", s.PrivacyURL)
	return m
}

func matchMapping(matchers []matcher) mapping {
	texts := map[string][]string{}
	fold := false
	for i := range matchers {
		m := &matchers[i]
		kind, text := "regex", m.source
		switch {
		case m.kind == matchExact:
			kind, fold = "exact", fold || m.fold
		case m.kind == matchPrefix:
			kind, fold = "prefix", fold || m.fold
		case m.kind == matchURL:
			kind = "url"
		case m.anywhere:
			kind = "search"
		}
		if m.readable != "" {
			text = m.readable
		}
		texts[kind] = append(texts[kind], text)
	}
	var m mapping
	for _, kind := range []string{"url", "exact", "regex", "search", "prefix"} {
		m.set(kind, texts[kind])
	}
	if fold {
		m.set("ignore_case", true)
	}
	return m
}

func periodMappings(periods []period) any {
	var list []mapping
	for _, p := range periods {
		var m mapping
		m.set("from", instant(p.from))
		m.set("until", instant(p.until))
		m.set("notice_days", p.noticeDays)
		list = append(list, m)
	}
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

func (a *access) mapping() mapping {
	var m mapping
	if a.disabled {
		m.set("enabled", false)
	}
	if !a.isNever() {
		m.set("valid", periodMappings(a.periods))
	}
	var require []requirement
	for _, r := range a.require {
		if len(r.tests) > 0 && r.tests[0].kind == testGroup {
			m.set("groups", sources(r.tests))
		} else {
			require = append(require, r)
		}
	}
	m.set("require", requirementMapping(require))
	m.set("require_any", requirementMapping(a.requireOne))
	m.set("reject", requirementMapping(a.reject))
	m.set("users", a.users)
	m.set("all_of", accessMappings(a.allOf))
	m.set("any_of", accessMappings(a.anyOf))
	m.set("denied_url", a.redirect)
	return m
}

func accessMappings(list []access) []mapping {
	var mappings []mapping
	for i := range list {
		mappings = append(mappings, list[i].mapping())
	}
	return mappings
}

func requirementMapping(list []requirement) mapping {
	var m mapping
	for _, r := range list {
		m.set(r.attribute, testsValue(r.tests))
	}
	return m
}

// testsValue writes plain texts as values, and keeps expressions as they are.
func testsValue(tests []valueTest) any {
	texts := map[string][]string{}
	fold := false
	for _, t := range tests {
		kind := "values"
		plain := t.source != "" && regexp.QuoteMeta(t.source) == t.source
		switch {
		case t.kind == testSearch:
			kind = "search"
		case t.kind == testRegex && !plain:
			kind = "regex"
		}
		fold = fold || t.fold
		texts[kind] = append(texts[kind], t.source)
	}
	if len(texts) == 1 && texts["values"] != nil && !fold {
		return texts["values"]
	}
	var m mapping
	for _, kind := range []string{"values", "regex", "search"} {
		m.set(kind, texts[kind])
	}
	if fold {
		m.set("ignore_case", true)
	}
	return m
}

func (p *participation) mapping() mapping {
	var m mapping
	if p.never {
		m.set("enabled", false)
	}
	m.set("max_age", shortDuration(p.maxAge))
	m.set("who", p.who.mapping())
	if p.noCookieOnRenew {
		m.set("cookie_on_renew", false)
	}
	return m
}

// shortDuration is a duration as people write it, or "".
func shortDuration(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

func (l Logout) mapping() mapping {
	var m mapping
	if l.Type != LogoutBack {
		m.set("type", string(l.Type))
	}
	m.set("url", l.URLs)
	return m
}

func (l Lifetimes) mapping() mapping {
	var m mapping
	m.set("service_ticket", shortDuration(l.ServiceTicket))
	m.set("proxy_ticket", shortDuration(l.ProxyTicket))
	m.set("proxy_ticket_uses", l.ProxyTicketUses)
	m.set("proxy_granting_ticket", shortDuration(l.ProxyGrantingTicket))
	m.set("session", shortDuration(l.Session))
	return m
}
