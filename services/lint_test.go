package services_test

import (
	"slices"
	"strings"
	"testing"
)

const contact = `"contacts": [{"name": "x"}]`

// TestLint is S44's "dangerous patterns" and the advice around them.
func TestLint(t *testing.T) {
	own := func(match string) []string {
		return []string{"a.yaml", "name: A\ncontacts: [{name: x}]\n" + match}
	}
	theirs := func(pattern, more string) []string {
		if more != "" {
			more = ", " + more
		}
		return []string{"A-1.json", apereo(1, pattern, contact+more)}
	}
	partial := `"matchingStrategy": {"@class": "x.PartialRegexRegisteredServiceMatchingStrategy"}`
	required := func(values string) string {
		return `"accessStrategy": {"@class": "x.DefaultRegisteredServiceAccessStrategy", "requiredAttributes": {"a": ` + values + `}}`
	}
	starts := `"matchingStrategy": {"@class": "x.StartsWithRegisteredServiceMatchingStrategy"}`
	for _, tt := range []struct {
		name  string
		files []string
		want  string
	}{
		{"a clean expression", theirs(`^https://app\.univ\.fr/.*`, ""), ""},
		{"a clean group of hosts", theirs(`^https://([a-z0-9-]+\.)?univ\.fr(/.*)?$`, ""), ""},
		{"a clean choice of hosts", theirs(`^https://(app|www)\.univ\.fr/.*`, ""), ""},
		{"a clean url", own("match: https://app.univ.fr/\n"), ""},
		{"a clean wildcard host", own("match: https://*.univ.fr/\n"), ""},
		{"plain http at home", own("match: http://localhost:9081/\n"), ""},
		{"any http", theirs(`^https?://.*`, ""), "wildcard"},
		{"any https and imaps", theirs(`^(https|imaps)://.*`, ""), "wildcard"},
		{"anything", theirs(`.*`, ""), "wildcard"},
		{"any start", theirs(`https://`, starts), "wildcard"},
		{"host not ended", theirs(`^https://app\.univ\.fr.*`, ""), "open-host user-name"},
		{"host not ended, dots not escaped", theirs(`https://app.univ.fr.*`, ""), "open-host unescaped-dot user-name"},
		{"dots not escaped", theirs(`^https://app.univ.fr/.*`, ""), "unescaped-dot"},
		{"name not separated", theirs(`^https://.*univ\.fr/.*`, ""), "elsewhere open-prefix user-name"},
		{"host anywhere", theirs(`^https://.*\.univ\.fr/.*`, ""), "elsewhere user-name"},
		{"not anchored", theirs(`https://app\.univ\.fr/`, partial), "elsewhere not-anchored"},
		{"partial, not ended", theirs(`^https://app\.univ\.fr`, partial), "open-host user-name"},
		{"start without an end", theirs(`https://app.univ.fr`, starts), "open-host user-name"},
		{"plain http", theirs(`^https?://app\.univ\.fr/.*`, ""), "plain-http"},
		{"plain http in our format", own("match: http://app.univ.fr/\n"), "plain-http"},
		{"everything released", own("match: https://a.fr/\nrelease: {all: true}\n"), "releases-everything"},
		{"everything released in a chain", theirs(`^https://a\.fr/.*`, `"attributeReleasePolicy": {"@class": "x.ChainingAttributeReleasePolicy", "policies": [{"@class": "x.ReturnAllAttributeReleasePolicy"}]}`), "releases-everything"},
		{"everything released through a filter", own("match: https://a.fr/\nrelease: {all: true, filters: [{only: {'*': 'x*'}, drop_others: true}]}\n"), "releases-everything"},
		{"all that a filter names", own("match: https://a.fr/\nrelease: {all: true, filters: [{only: {mail: '*'}, drop_others: true}]}\n"), ""},
		{"nobody to call", []string{"a.yaml", "name: A\nmatch: https://a.fr/\n"}, "no-contact"},
		{"logout in clear", own("match: https://a.fr/\nlogout: {url: 'http://a.fr/out'}\n"), "plain-logout"},
		{"logout at home", own("match: https://a.fr/x\nlogout: {url: 'https://a.fr/out'}\n"), ""},
		{"logout below a wildcard host", own("match: https://*.univ.fr/\nlogout: {url: 'https://app.univ.fr/out'}\n"), ""},
		{"logout at a neighbour", own("match: https://a.univ.fr/\nlogout: {url: 'https://b.univ.fr/out'}\n"), "foreign-logout"},
		{"logout elsewhere, in clear", own("match: https://a.univ.fr/\nlogout: {url: 'http://evil.example/out'}\n"), "foreign-logout plain-logout"},
		{"choice not grouped", theirs(`^https://a\.univ\.fr/|https://b\.univ\.fr/`, ""), "alternation"},
		{"choice not grouped, searched", theirs(`^https://a\.univ\.fr/|https://b\.univ\.fr/`, partial), "alternation elsewhere"},
		{"choice not grouped, dots of the other side", theirs(`^https://a\.univ\.fr/.*|^https://b.univ.fr/.*`, ""), "unescaped-dot"},
		{"choice anchored on both sides, searched", theirs(`^https://a\.univ\.fr/|^https://b\.univ\.fr/`, partial), ""},
		{"flags before the anchor", theirs(`(?i)^https://a\.univ\.fr/`, partial), ""},
		{"every port", theirs(`^https://a\.univ\.fr(:[0-9]+)?/.*`, ""), "any-port"},
		{"its port", theirs(`^https://a\.univ\.fr(:8443)?/.*`, ""), ""},
		{"S31 proxy anywhere", own("match: https://a.fr/\nproxy: {regex: '^https?://.*'}\n"), "proxy-wildcard"},
		{"S31 proxy, host not ended", theirs(`^https://a\.univ\.fr/.*`, `"proxyPolicy": {"@class": "x.RegexMatchingRegisteredServiceProxyPolicy", "pattern": "^https://a\\.univ\\.fr"}`), "proxy-open-host proxy-user-name"},
		{"S31 proxy in clear", own("match: https://a.univ.fr/\nproxy: http://a.univ.fr/pgt\n"), "proxy-plain-http"},
		{"S31 proxy, clean", own("match: https://a.univ.fr/\nproxy: https://a.univ.fr/pgt\n"), ""},
		{"S31 the whole network", own("match: https://a.univ.fr/\nnetworks: 0.0.0.0/0\n"), "wide-networks"},
		{"S31 a large part of it", own("match: https://a.univ.fr/\nnetworks: 10.0.0.0/7\n"), "wide-networks"},
		{"S31 this machine", own("match: https://a.univ.fr/\nnetworks: 127.0.0.0/8\n"), "wide-networks"},
		{"S31 neighbours", own("match: https://a.univ.fr/\nnetworks: 'fe80::/10'\n"), "wide-networks"},
		{"S31 metadata", own("match: https://a.univ.fr/\nnetworks: [10.0.0.0/8, 169.254.169.254/32]\n"), "wide-networks"},
		{"the campus", own("match: https://a.univ.fr/\nnetworks: [10.0.0.0/8, 'fd00::/8']\n"), ""},
		{"required value found in others", theirs(`^https://a\.fr/.*`, required(`["staff"]`)), "loose-value"},
		{"required value found in longer ones", theirs(`^https://a\.fr/.*`, required(`["^UFR[0-9]"]`)), "loose-value"},
		{"one side of a required value", theirs(`^https://a\.fr/.*`, required(`["^staff$|teacher"]`)), "loose-value"},
		{"required value in a branch", own("match: https://a.fr/\naccess: {any_of: [{users: u}, {all_of: [{require_any: {a: {search: staff}}}]}]}\n"), "loose-value"},
		{"required values that are whole", theirs(`^https://a\.fr/.*`, required(`["^staff$", "^(teacher|researcher)$", ".*x.*", "^cn=a,", "^UFR[0-9]$"]`)), ""},
		{"required values in our format", own("match: https://a.fr/\naccess: {require: {a: [staff, 'cn=*'], b: {regex: teacher}}}\n"), ""},
		{"rejected value found in others", own("match: https://a.fr/\naccess: {reject: {a: {search: staff}}}\n"), ""},
		{"salt that repeats", own("id: 1\nmatch: https://a.fr/\nusername: {pairwise_salt: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n"), "weak-salt"},
		{"salt that is short", own("id: 1\nmatch: https://a.fr/\nusername: {pairwise_salt: 0123456789abcdef}\n"), "weak-salt"},
		{"salt", own("id: 1\nmatch: https://a.fr/\nusername: {pairwise_salt: x8Qq0JrKw2mZpT5vB1nL7cYdE4sHf6Ug}\n"), ""},
		{"ends soon", own("match: https://a.fr/\nvalid: {until: 2026-12-01, notice_days: 10}\n"), "expiry"},
		{"ends later", own("match: https://a.fr/\nvalid: {until: 2026-12-05, notice_days: 10}\n"), ""},
		{"never reached", append(own("match: https://*.univ.fr/\n"), "b.yaml", "name: B\norder: 1\ncontacts: [{name: x}]\nmatch: https://app.univ.fr/\n"), "shadowed"},
		{"reached first", append(own("match: https://*.univ.fr/\n"), "b.yaml", "name: B\norder: -1\ncontacts: [{name: x}]\nmatch: https://app.univ.fr/\n"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var rules []string
			for _, finding := range open(t, tt.files...).Lint() {
				rules = append(rules, finding.Rule)
				if finding.Why == "" || finding.Instead == "" || finding.File == "" {
					t.Errorf("says too little: %+v", finding)
				}
			}
			slices.Sort(rules)
			if got := strings.Join(slices.Compact(rules), " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	r := open(t,
		"ent.yaml", "id: 1\nname: ENT\norder: 1\nmatch: https://ent.univ.fr/app\n",
		"Old-2.json", apereo(2, `^https://old\.univ\.fr/.*`, `"evaluationOrder": 2`),
		"marks.yaml", "id: 3\nname: Résultats\norder: 3\nmatch: https://marks.univ.fr/\naccess: {require: {eduPersonAffiliation: teacher}}\nrelease: [mail, memberOf]\nusername: mail\n",
		"closed.yaml", "id: 4\nname: Closed\norder: 4\nenabled: false\nmatch: https://closed.univ.fr/\n",
		"mail.yaml", "id: 5\nname: Courrier\norder: 5\nmatch: {exact: 'imap://mail.univ.fr'}\n",
		"pay.yaml", "id: 7\nname: Paie\norder: 5\nmatch: https://paie.univ.fr/\nsso: {max_age: 15m, who: {users: [dupont-a]}}\n",
		"vault.yaml", "id: 8\nname: Coffre\norder: 5\nmatch: https://coffre.univ.fr/\nsso: false\n",
		"portal.yaml", `id: 9
name: Portail
match: https://portail.univ.fr/
order: 5
protocols: [CAS20, CAS30]
response: post
redirect_url: https://portail.univ.fr/entree
proxy: {url: https://portail.univ.fr/pgt, regex: 'https://p[0-9]\.univ\.fr/pgt'}
networks: [10.12.0.0/16, 10.13.0.1/32]
logout: {type: front, url: [https://portail.univ.fr/bye, https://b.univ.fr/]}
lifetimes: {service_ticket: 30s, proxy_ticket: 1m, proxy_ticket_uses: 3, proxy_granting_ticket: 4h, session: 90m}
sso: {max_age: 15m, cookie_on_renew: false}
`,
		"quiet.yaml", "id: 10\nname: Muet\norder: 5\nmatch: https://muet.univ.fr/\nlogout: none\nsso: {enabled: false, cookie_on_renew: false}\n",
		"told.yaml", "id: 11\nname: Dit\norder: 5\nmatch: https://dit.univ.fr/\nlogout: {url: 'https://dit.univ.fr/out'}\n",
		"all.yaml", "id: 6\nname: Tous\norder: 6\nmatch: https://*.univ.fr/\n")
	var b strings.Builder
	for _, service := range []string{
		"https://marks.univ.fr/s1;jsessionid=1F", "https://closed.univ.fr/", "imap://mail.univ.fr",
		"https://paie.univ.fr/", "https://coffre.univ.fr/",
		"https://ent.univ.fr/application", "https://nowhere.example/", "https://marks.univ.fr@evil.com/", "https://a.fr/\r\n",
	} {
		b.WriteString(r.Explain(service, &alice, noon).String() + "\n")
	}
	b.WriteString(r.Explain("https://marks.univ.fr/", &zoe, noon).String() + "\n")
	b.WriteString(r.Explain("https://marks.univ.fr/", nil, noon).String())
	for _, service := range []string{"https://portail.univ.fr/", "https://muet.univ.fr/", "https://dit.univ.fr/"} {
		text := r.Explain(service, nil, noon).String()
		b.WriteString("\n" + text[strings.Index(text, "MATCH"):])
	}
	golden(t, "testdata/explain.golden", b.String())
}
