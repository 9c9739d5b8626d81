package services

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// told looks at what the service is told of people.
func (l *linter) told() {
	s := l.service
	if s.release != nil && s.release.everything() {
		l.add(Danger, "releases-everything", "release", "every attribute of the directory goes to the service, those added later too",
			"List the attributes that the service needs.")
	}
	if s.username.kind == usernamePairwise {
		l.salt(s.username.salt)
	}
	if len(s.Contacts) == 0 {
		l.add(Advice, "no-contact", "contacts", "nobody is named to call when the service fails or is refused",
			"Add a contact with an e-mail address.")
	}
}

// loose looks for required values that are searched, and so let in the people of
// longer ones. It tries such values.
func (l *linter) loose(a *access) {
	for _, r := range slices.Concat(a.require, a.requireOne) {
		var sources, others []string
		for _, test := range r.tests {
			if found := looser(test); len(found) > 0 {
				sources, others = append(sources, test.source), append(others, found...)
			}
		}
		if len(sources) > 0 {
			l.add(Advice, "loose-value", r.attribute+": "+strings.Join(sources, ", "),
				fmt.Sprintf("it is found in longer values too, such as %s: whoever has one gets in", strings.Join(others[:min(2, len(others))], " and ")),
				"Anchor what must be the whole value, as ^staff$; in our own format, write it as a plain value.")
		}
	}
	for i := range a.allOf {
		l.loose(&a.allOf[i])
	}
	for i := range a.anyOf {
		l.loose(&a.anyOf[i])
	}
}

// goodSalt is how many characters a salt of random text should have.
const goodSalt = 32

// salt looks at the key of pseudonyms. It is never shown.
func (l *linter) salt(salt string) {
	different := map[rune]bool{}
	for _, r := range salt {
		different[r] = true
	}
	switch {
	case len(salt) < minSalt || len(different) < 6:
		l.add(Danger, "weak-salt", "username", "the salt can be guessed: whoever does finds the person behind every pseudonym",
			"Make one with openssl rand -base64 32; the pseudonyms change with it.")
	case len(salt) < goodSalt:
		l.add(Advice, "weak-salt", "username", fmt.Sprintf("the salt is shorter than %d characters", goodSalt),
			"Make one with openssl rand -base64 32; the pseudonyms change with it.")
	}
}

// logout looks at where the end of a session is told.
func (l *linter) logout() {
	for _, u := range l.service.Logout.URLs {
		t := newTarget(u)
		if t.scheme == "http" && !isLocal(t.authority) {
			l.add(Advice, "plain-logout", u, "the logout request names a person and their ticket, and travels in clear",
				"Write https.")
		}
		if l.service.Matches(u) {
			continue
		}
		host, _, _ := strings.Cut(t.authority, ":")
		switch hosts := l.service.hosts(); {
		case len(hosts) == 0 || slices.Contains(hosts, host):
		case slices.ContainsFunc(hosts, func(own string) bool { return site(own) == site(host) }):
			l.add(Advice, "foreign-logout", u, "the logout request, which names a person and their ticket, goes to another host than the service's",
				"Write an address of the service.")
		default:
			l.add(Danger, "foreign-logout", u, "the logout request, which names a person and their ticket, goes to another site",
				"Write an address of the service.")
		}
	}
}

// hosts are those that the patterns speak of, without ports.
func (s *Service) hosts() []string {
	var list []string
	for i := range s.matchers {
		m := &s.matchers[i]
		choices := []string{m.source}
		if m.kind == matchRegex {
			choices = choicesOf(m.source)
		}
		for _, choice := range choices {
			if host := probesOf(choice).host; host != "" {
				list = append(list, host)
			}
		}
	}
	return list
}

// site is the end of a name that one organisation owns, most of the time.
func site(host string) string {
	labels := strings.Split(host, ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
}

// inner are addresses that no application is behind, but the machine itself and
// its neighbours.
var inner = []netip.Addr{
	netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.AddrFrom4([4]byte{169, 254, 169, 254}), netip.IPv6Loopback(), netip.MustParseAddr("fe80::1"),
}

// networks looks at where call-backs and logout requests may go.
func (l *linter) networks() {
	for _, network := range l.service.Networks {
		fewest := 8
		if network.Addr().Is6() {
			fewest = 7
		}
		if network.Bits() < fewest || slices.ContainsFunc(inner, network.Contains) {
			l.add(Danger, "wide-networks", network.String(), "it opens this machine, its neighbours or the whole network to requests that a service's address chooses",
				"Name the network of the application: 10.12.0.0/16, or one address with /32.")
		}
	}
}

// dates tells of an end that somebody wanted to be told of.
func (l *linter) dates() {
	for _, p := range l.service.access.periods {
		if p.noticeDays > 0 && !l.now.Before(p.until.AddDate(0, 0, -p.noticeDays)) {
			verb := "closes"
			if !l.now.Before(p.until) {
				verb = "was closed"
			}
			l.add(Advice, "expiry", "valid", "the service "+verb+" on "+p.until.Format("2006-01-02 15:04"),
				"Give it a new date, or take the file away.")
		}
	}
}

// isLocal tells hosts that never leave the machine.
func isLocal(host string) bool {
	host, _, _ = strings.Cut(host, ":")
	return host == "localhost" || host == "127.0.0.1" || strings.HasSuffix(host, ".localhost")
}
