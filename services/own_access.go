package services

import (
	"fmt"
	"time"
)

// access reads who may enter.
func (b *ownBuilder) access(key string, own ownAccess) access {
	a := access{
		require:    b.requirements(key+".require", own.Require),
		requireOne: b.requirements(key+".require_any", own.RequireAny),
		reject:     b.requirements(key+".reject", own.Reject),
		users:      own.Users,
		redirect:   b.page(key+".denied_url", own.DeniedURL),
	}
	if own.Groups != nil {
		group := requirement{attribute: "memberOf"}
		for _, dn := range own.Groups {
			test, _ := newTest(testGroup, dn, false) // any text is a name
			group.tests = append(group.tests, test)
		}
		if len(own.Groups) == 0 {
			b.fault(key+".groups", "an empty list lets nobody in: name groups or take the key away")
		}
		a.require = append(a.require, group)
	}
	if own.Users != nil && len(own.Users) == 0 {
		b.fault(key+".users", "an empty list lets nobody in: name users or take the key away")
	}
	if key == "access" && (own.Enabled != nil || own.Valid != nil) {
		b.fault(key, "enabled and valid of the whole entry are written beside access, not in it")
	}
	a.allOf = b.branches(key+".all_of", own.AllOf)
	a.anyOf = b.branches(key+".any_of", own.AnyOf)
	return a
}

func (b *ownBuilder) branches(key string, rules []ownAccess) []access {
	if rules != nil && len(rules) == 0 {
		b.fault(key, "is empty: write rules or take the key away")
	}
	var list []access
	for i, own := range rules {
		inside := fmt.Sprintf("%s[%d]", key, i)
		if own.DeniedURL != "" {
			b.fault(inside+".denied_url", "is for the whole entry: write it in access itself")
		}
		a := b.access(inside, own)
		a.disabled = !orTrue(own.Enabled)
		b.periods(&a, inside+".valid", own.Valid)
		list = append(list, a)
	}
	return list
}

func (b *ownBuilder) requirements(key string, rules map[string]ownRule) []requirement {
	if rules != nil && len(rules) == 0 {
		b.fault(key, "is empty: name attributes or take the key away")
	}
	var list []requirement
	for _, name := range sortedKeys(rules) {
		list = append(list, requirement{attribute: name, tests: b.tests(key+"."+name, rules[name])})
	}
	return list
}

// tests reads the values of one attribute.
func (b *ownBuilder) tests(key string, own ownRule) []valueTest {
	var list []valueTest
	for _, group := range []struct {
		kind  testKind
		texts ownList
		key   string
	}{{testGlob, own.Values, ".values"}, {testRegex, own.Regex, ".regex"}, {testSearch, own.Search, ".search"}} {
		for i, text := range group.texts {
			test, err := newTest(group.kind, text, own.IgnoreCase)
			if err != nil {
				b.fault(at(key+group.key, group.texts, i), "%v", err)
			}
			list = append(list, test)
		}
	}
	if len(list) == 0 {
		b.fault(key, "needs at least one value (\"*\" for any)")
	}
	return list
}

// periods reads when it is open.
func (b *ownBuilder) periods(a *access, key string, own ownPeriods) {
	if own != nil && len(own) == 0 {
		b.fault(key, "is empty: write periods or take the key away")
	}
	for i, p := range own {
		inside := key
		if len(own) > 1 {
			inside = fmt.Sprintf("%s[%d]", key, i)
		}
		zone := time.Local
		if p.Zone != "" {
			loaded, err := time.LoadLocation(p.Zone)
			if err != nil {
				b.fault(inside+".zone", "is not a time zone: write one as Europe/Paris")
				continue
			}
			zone = loaded
		}
		read := period{
			from: b.date(inside+".from", p.From, zone, false), until: b.date(inside+".until", p.Until, zone, true), noticeDays: p.NoticeDays,
		}
		switch {
		case p.From == "" && p.Until == "":
			b.fault(inside, "needs a from, an until or both")
		case !read.from.IsZero() && !read.until.IsZero() && !read.from.Before(read.until):
			b.fault(inside, "ends before it starts")
		case p.NoticeDays < 0 || p.NoticeDays > 0 && p.Until == "":
			b.fault(inside+".notice_days", "is a number of days before until")
		}
		a.periods = append(a.periods, read)
	}
}

// date reads a day or an instant. A last day is open until it ends.
func (b *ownBuilder) date(key, text string, zone *time.Location, last bool) time.Time {
	if text == "" {
		return time.Time{}
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		if last {
			day = day.AddDate(0, 0, 1)
		}
		return day
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if instant, err := time.ParseInLocation(layout, text, zone); err == nil {
			return instant
		}
	}
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		b.fault(key, "write a day (2026-09-01) or an instant (2026-09-01T08:00:00+02:00)")
	}
	return instant
}

// participation reads when an open session is enough.
func (b *ownBuilder) participation(s *Service) {
	own := b.own.SSO
	if own.Who.DeniedURL != "" {
		b.fault("sso.who.denied_url", "refuses nobody here: the password is asked for")
	}
	s.sso = participation{
		never: !orTrue(own.Enabled), maxAge: b.duration("sso.max_age", own.MaxAge),
		who: b.access("sso.who", own.Who), noCookieOnRenew: !orTrue(own.CookieOnRenew),
	}
	s.sso.who.disabled = !orTrue(own.Who.Enabled)
	b.periods(&s.sso.who, "sso.who.valid", own.Who.Valid)
}
