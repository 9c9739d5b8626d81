package services_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parvis/identity"
	"parvis/services"
)

func TestOwnMatching(t *testing.T) {
	for _, tt := range []struct {
		name, match, service string
		want                 bool
	}{
		{"prefix", "{prefix: 'https://a.fr/x'}", "https://a.fr/xyz", true},
		{"prefix, another case", "{prefix: 'https://a.fr/x'}", "https://A.fr/xyz", false},
		{"prefix, case not looked at", "{prefix: 'https://a.fr/x', ignore_case: true}", "https://A.fr/Xyz", true},
		{"exact, case not looked at", "{exact: 'https://a.fr/x', ignore_case: true}", "https://A.fr/X", true},
		{"exact is whole", "{exact: 'https://a.fr/x', ignore_case: true}", "https://a.fr/xy", false},
		{"search", "{search: '//a\\.fr/'}", "https://a.fr/y", true},
		{"search, anchored", "{search: '^https://a\\.fr/x'}", "https://b.fr/?https://a.fr/x", false},
		{"several", "{search: 'zz', prefix: 'https://a.fr/', url: 'https://b.fr/'}", "https://b.fr/c", true},
		{"S8 unsafe all the same", "{search: 'a\\.fr'}", "https://a.fr@evil.example/", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := open(t, "a.yaml", "name: A\nmatch: "+tt.match+"\n").Find(tt.service)
			if (err == nil) != tt.want {
				t.Errorf("Find = %v", err)
			}
		})
	}
}

func TestOwnAccess(t *testing.T) {
	teacher := identity.Attributes{"role": {"Teacher"}, "unit": {"UFR1"}}
	for _, tt := range []struct {
		name, more string
		now        time.Time
		denied     string
	}{
		{"expression", "access: {require: {role: {regex: '[A-Z]\\w+'}}}", noon, ""},
		{"expression is whole", "access: {require: {role: {regex: 'Teach'}}}", noon, "none of"},
		{"expression, searched", "access: {require: {role: {search: 'each'}}}", noon, ""},
		{"value, case counts", "access: {require: {role: teacher}}", noon, "none of"},
		{"value, case not looked at", "access: {require: {role: {values: teach*, ignore_case: true}}}", noon, ""},
		{"one of several ways", "access: {require: {role: {values: x, search: y, regex: 'T.*'}}}", noon, ""},
		{"rejected by an expression", "access: {reject: {unit: {search: '1$'}}}", noon, "rejected"},
		{"all of", "access: {all_of: [{require: {role: Teacher}}, {require: {unit: UFR2}}]}", noon, "unit is none of"},
		{"any of", "access: {any_of: [{require: {unit: UFR2}}, {require: {role: Teacher}}]}", noon, ""},
		{"none of any", "access: {any_of: [{require: {unit: UFR2}}, {users: [x]}]}", noon, "unit is none of: UFR2; and the person"},
		{"a branch that is over", "access: {any_of: [{require: {unit: UFR2}}, {require: {role: Teacher}, valid: {until: 2026-11-01}}]}", noon, "expired"},
		{"a branch that is closed", "access: {any_of: [{enabled: false}]}", noon, "disabled"},
		{"a group in a branch", "access: {any_of: [{groups: 'cn=x'}]}", noon, "memberOf is missing"},
		{"first period", "valid: [{until: 2026-11-23}, {from: 2027-01-01}]", noon, ""},
		{"between periods", "valid: [{until: 2026-11-23}, {from: 2027-01-01}]", noon.AddDate(0, 0, 5), "opens on 2027"},
		{"second period", "valid: [{until: 2026-11-23}, {from: 2027-01-01, until: 2027-01-31}]", noon.AddDate(0, 2, 0), ""},
		{"after all", "valid: [{until: 2026-11-23}, {from: 2027-01-01, until: 2027-01-31}]", noon.AddDate(1, 0, 0), "expired on 2027"},
		{"hours of a zone", "valid: {from: '2026-11-22T08:00', until: '2026-11-22T13:00', zone: Europe/Paris}", noon, "expired on 2026-11-22T13:00:00+01:00"},
		{"hours of another zone", "valid: {from: '2026-11-22T08:00', until: '2026-11-22T13:30', zone: Europe/Paris}", noon, ""},
		{"a day of a zone", "valid: {until: 2026-11-22, zone: Pacific/Auckland}", noon, "expired"},
		{"refused by an import", "refused: asks for a script", noon, "asks for a script"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := services.OpenFS(folder("a.yaml", "name: A\nmatch: https://a/\n"+tt.more+"\n"), discard())
			if err != nil {
				t.Fatal(err)
			}
			err = r.Services()[0].Allow("u", teacher, tt.now)
			var denied *services.AccessError
			if errors.As(err, &denied) != (tt.denied != "") || err != nil && !strings.Contains(err.Error(), tt.denied) {
				t.Errorf("Allow = %v, want %q", err, tt.denied)
			}
		})
	}
}

// TestParticipates is when an open session is enough, at noon.
func TestParticipates(t *testing.T) {
	policy := func(class, more string) string {
		return `"singleSignOnParticipationPolicy": {"@class": "x.` + class + `RegisteredServiceSingleSignOnParticipationPolicy"` + more + `}`
	}
	teacher := identity.Attributes{"role": {"teacher"}}
	for _, tt := range []struct {
		name    string
		service *services.Service
		attrs   identity.Attributes
		age     time.Duration
		want    bool
	}{
		{"nothing said", own(t, ""), nil, 100 * time.Hour, true},
		{"never", own(t, "sso: false\n"), nil, 0, false},
		{"never, in full", own(t, "sso: {enabled: false}\n"), nil, 0, false},
		{"young enough", own(t, "sso: {max_age: 15m}\n"), nil, 14 * time.Minute, true},
		{"too old", own(t, "sso: {max_age: 15m}\n"), nil, 15 * time.Minute, false},
		{"the right person", own(t, "sso: {who: {require: {role: teacher}}}\n"), teacher, time.Hour, true},
		{"another person", own(t, "sso: {who: {require: {role: teacher}}}\n"), nil, 0, false},
		{"Apereo never", theirs(t, `"accessStrategy": {"@class": "x.DefaultRegisteredServiceAccessStrategy", "ssoEnabled": false}`), nil, 0, false},
		{"Apereo young enough", theirs(t, policy("AuthenticationDate", `, "timeUnit": "MINUTES", "timeValue": 2`)), nil, time.Minute, true},
		{"Apereo too old", theirs(t, policy("AuthenticationDate", `, "timeUnit": "MINUTES", "timeValue": 2`)), nil, 2 * time.Minute, false},
		{"Apereo no age", theirs(t, policy("AuthenticationDate", `, "timeValue": 0`)), nil, 100 * time.Hour, true},
		{"Apereo age beyond counting", theirs(t, policy("AuthenticationDate", `, "timeUnit": "DAYS", "timeValue": 9223372036854775807`)), nil, 100 * time.Hour, true},
		{"Apereo unit unknown", theirs(t, policy("AuthenticationDate", `, "timeUnit": "MOONS", "timeValue": 2`)), nil, 0, false},
		{"Apereo last use, from the login", theirs(t, policy("LastUsedTime", `, "timeValue": 100`)), nil, 99 * time.Second, true},
		{"Apereo last use, too long ago", theirs(t, policy("LastUsedTime", `, "timeValue": 100`)), nil, 100 * time.Second, false},
		{"Apereo attribute", theirs(t, policy("AttributeBased", `, "attributes": {"role": ["java.util.ArrayList", ["teacher"]], "x": ["y"]}`)), teacher, time.Hour, true},
		{"Apereo attribute, searched in any case", theirs(t, policy("AttributeBased", `, "attributes": {"role": ["EACH"]}`)), teacher, time.Hour, true},
		{"Apereo all attributes", theirs(t, policy("AttributeBased", `, "requireAllAttributes": true, "attributes": {"role": ["teacher"], "x": ["y"]}`)), teacher, time.Hour, false},
		{"Apereo no attribute is true of nobody", theirs(t, policy("AttributeBased", "")), teacher, 0, false},
		{"Apereo attribute that cannot be judged", theirs(t, policy("AttributeBased", `, "attributes": {"role": ["(?=t).*"], "x": ["y"]}`)), teacher, 0, false},
		{"Apereo chain", theirs(t, policy("Chaining", `, "policies": [`+strings.TrimPrefix(policy("AuthenticationDate", `, "timeValue": 60`), `"singleSignOnParticipationPolicy": `)+`]`)), nil, time.Minute, false},
		{"Apereo chain, the longest last", theirs(t, policy("Chaining", `, "policies": [{"@class": "x.AuthenticationDateRegisteredServiceSingleSignOnParticipationPolicy", "timeValue": 60}, {"@class": "x.AuthenticationDateRegisteredServiceSingleSignOnParticipationPolicy", "timeValue": 600}]`)), nil, time.Minute, false},
		{"Apereo unknown", theirs(t, policy("Groovy", "")), nil, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.service.Participates("u", tt.attrs, noon.Add(-tt.age), noon); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
	renewed := theirs(t, policy("Default", `, "createCookieOnRenewedAuthentication": "FALSE"`))
	if renewed.CookieOnRenew() || !signsOn(renewed) || !theirs(t, policy("Default", `, "createCookieOnRenewedAuthentication": "TRUE"`)).CookieOnRenew() || own(t, "sso: {cookie_on_renew: false}\n").CookieOnRenew() {
		t.Error("cookie on a renewed login")
	}
}

// TestOwnRelease is S32 for policies of several parts.
func TestOwnRelease(t *testing.T) {
	person := identity.Attributes{"mail": {"A@x.fr", "b@y.fr"}, "memberOf": {"cn=cours-l2,ou=g", "cn=secret-x,ou=g", "CN=scol,ou=g"}, "sn": {"D"}, "userPassword": {"p"}}
	for _, tt := range []struct {
		name, release string
		want          identity.Attributes
	}{
		{"matching", "{matching: {memberOf: '^cn=cours'}}", identity.Attributes{"memberOf": {"cn=cours-l2,ou=g"}}},
		{"matching, rewritten", "{matching: {memberOf: {search: '^cn=([^,]+),', to: 'g:$1', ignore_case: true}}}", identity.Attributes{"memberOf": {"g:cours-l2", "g:secret-x", "g:scol"}}},
		{"rewritten with a digit behind a group", "{matching: {sn: {regex: '(.)', to: '${1}0$10$9$'}}}", identity.Attributes{"sn": {"D0D0$9$"}}},
		{"matching a whole value", "{matching: {memberOf: {regex: 'cn=cours'}}}", identity.Attributes{}},
		{"the password matches nothing", "{matching: {userPassword: '.*'}}", identity.Attributes{}},
		{"only, by an expression", "{all: true, only: {mail: {search: '@x'}, '*': {search: '^cn='}}}", identity.Attributes{"mail": {"A@x.fr"}, "memberOf": {"cn=cours-l2,ou=g", "cn=secret-x,ou=g"}}},
		{"never", "{attributes: memberOf, filters: [{never: {memberOf: 'cn=secret-*'}}]}", identity.Attributes{"memberOf": {"cn=cours-l2,ou=g", "CN=scol,ou=g"}}},
		{"only, others dropped", "{all: true, filters: [{only: {sn: D}, drop_others: true}]}", identity.Attributes{"sn": {"D"}}},
		{"filters in turn", "{attributes: memberOf, filters: [{rewrite: {memberOf: {search: '^cn=([^,]+)', to: '$1'}}}, {never: {memberOf: secret-x}}]}", identity.Attributes{"memberOf": {"cours-l2"}}},
		{"several rewrites", "{attributes: memberOf, filters: [{rewrite: {memberOf: [{search: '^cn=cours-(.*),', to: '$1'}, '^CN=']}}]}", identity.Attributes{"memberOf": {"l2", "CN=scol,ou=g"}}},
		{"chain, the last wins", "{chain: [{attributes: sn}, {constant: {sn: Z}}]}", identity.Attributes{"sn": {"Z"}}},
		{"chain, the first stays", "{chain: [{attributes: sn}, {constant: {sn: Z}}], merge: keep}", identity.Attributes{"sn": {"D"}}},
		{"chain, both", "{chain: [{attributes: sn}, {constant: {sn: Z}}], merge: union}", identity.Attributes{"sn": {"D", "Z"}}},
		{"chain with filters of their own", "{chain: [{attributes: mail, only: {mail: '*@x.fr'}}, {rename: {mail: all}}]}", identity.Attributes{"mail": {"A@x.fr"}, "all": {"A@x.fr", "b@y.fr"}}},
		{"filters name attributes in any case", "{attributes: mail, only: {MAIL: '*@x.fr'}}", identity.Attributes{"mail": {"A@x.fr"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, own(t, "release: "+tt.release+"\n").Release("u", person)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOwnUsername(t *testing.T) {
	person := identity.Attributes{"mail": {"U@X.fr"}}
	if got := own(t, "username: {attribute: mail, remove: '@.*', case: lower, scope: y}\n").Username("u", person); got != "u@y" {
		t.Errorf("got %q", got)
	}
	const salt = "pairwise_salt: 0123456789abcdef"
	byUID, byMail := own(t, "username: {"+salt+"}\n"), own(t, "username: {"+salt+", pairwise_of: mail}\n")
	if byUID.Username("u", person) == byMail.Username("u", person) || byMail.Username("u", person) != byMail.Username("v", person) {
		t.Error("pairwise_of")
	}
	if got := own(t, "username: {"+salt+", remove: '.*'}\n").Username("u", person); got != byUID.Username("u", person) {
		t.Errorf("a pseudonym with nothing left becomes %q", got)
	}
}

// TestOwnFaults: what is wrong is told, with its line.
func TestOwnFaults(t *testing.T) {
	for _, tt := range []struct{ name, more, want string }{
		{"regex", "access:\n  require:\n    a: {regex: '('}", "bad.yaml:5"},
		{"rule without a value", "access: {require: {a: {ignore_case: true}}}", "at least one value"},
		{"unknown key of a rule", "access: {require: {a: {value: x}}}", `access.require.a.value: no such key here; did you mean "values"?`},
		{"unknown key of a branch", "access: {any_of: [{requires: {a: x}}]}", `access.any_of[0].requires: no such key here; did you mean "require"?`},
		{"empty branches", "access: {any_of: []}", "is empty"},
		{"denied_url of a branch", "access: {any_of: [{denied_url: 'https://a/'}]}", "whole entry"},
		{"enabled at the wrong place", "access: {enabled: false}", "beside access"},
		{"period without dates", "valid: {zone: Europe/Paris}", "needs a from"},
		{"no periods", "valid: []", "is empty"},
		{"zone that is none", "valid: {from: 2026-01-01, zone: Paris}", "time zone"},
		{"notice without an end", "valid: {from: 2026-01-01, notice_days: 3}", "days before until"},
		{"ignore_case on expressions", "proxy: {regex: x, ignore_case: true}", "goes with exact and prefix"},
		{"chain of nothing", "release: {chain: []}", "goes with a chain"},
		{"merge alone", "release: {attributes: a, merge: keep}", "goes with a chain"},
		{"merge unknown", "release: {chain: [{attributes: a}], merge: mix}", "replace, keep or union"},
		{"authentication in a chain", "release: {chain: [{attributes: a, authentication: false}]}", "whole entry"},
		{"password in a chain", "release: {chain: [{attributes: userPassword}]}", "never released"},
		{"two kinds in a filter", "release: {all: true, filters: [{only: {a: x}, never: {a: y}}]}", "takes one of"},
		{"no kind in a filter", "release: {all: true, filters: [{drop_others: true}]}", "takes one of"},
		{"rewrite without an expression", "release: {matching: {a: {to: x}}}", "needs a search or a regex"},
		{"rewrite with two", "release: {matching: {a: {search: x, regex: y}}}", "needs a search or a regex"},
		{"look-ahead in a filter", "release: {all: true, only: {a: {regex: '(?=x)'}}}", "look-ahead"},
		{"pairwise_of alone", "username: {pairwise_of: mail}", "goes with pairwise_salt"},
		{"remove that is none", "username: {remove: '('}", "compile"},
		{"age that is none", "sso: {max_age: 5}", "write a duration"},
		{"denied_url of sso", "sso: {who: {denied_url: 'https://a/'}}", "refuses nobody"},
		{"unknown key of sso", "sso: {maxage: 5m}", `did you mean "max_age"?`},
		{"unknown key near none", "colour: blue", "no such key here; there are: id, name,"},
		{"a key one level too high", "users: [u]", `users: no such key here; it goes below "access"`},
		{"a language that is not spoken", "description: {de: x}", "description.de: no such key here; there are: fr, en"},
		{"section for a text", "proxy: {url: {a: b}}", "proxy.url: is a section: write one text, or a list of texts"},
		{"list for a section", "lifetimes: [a]", "lifetimes: is a list: write a section with some of service_ticket"},
		{"list in a list", "release: [[a]]", "release[0]: is a list: write one text"},
		{"section for a list", "contacts: {name: x}", `contacts: is a section: write a list of sections, each behind a "-"`},
		{"text for a number", "order: last", "order: is a text: write a whole number"},
		{"number that is not whole", "order: 1.5", "order: is a number: write a whole number"},
		{"number for yes or no", "enabled: 1", "enabled: is a number: write true or false"},
		{"text for yes or no", "sso: no", "sso: is a text: write true or false, or a section with some of enabled"},
		{"yes or no for a number", "id: true", "id: is true or false: write a whole number"},
		{"text for names and values", "access: {require: teacher}", "access.require: is a text: write a section, as"},
		{"S3 a port in a list between braces", "proxy: {url: [https://localhost:24502/]}", "proxy.url[0]: between braces and brackets, what stands after a ':' is read apart: write it between quotes, as 'https://localhost:24502/'"},
		{"a name in a list between braces", "access: {require: {e: [urn:mace:x:y]}}", "as 'urn:mace:x:y'"},
		{"an alias of another shape", "logout: &a {type: back}\nproxy: {url: *a}", "an alias"},
		{"an alias with other keys", "logout: &a {type: back}\naccess: {<<: *a}", "an alias brings a key"},
		{"several at once", "order: x\ntheme: [a]", "theme: is a list: write one text"},
		{"locale without words", "locale: de", "locale: is fr or en"},
		{"unsafe prefix", "proxy: {prefix: 'https://a@b'}", "refused whatever"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := services.OpenFS(folder("bad.yaml", "name: X\nmatch: https://a/\n"+tt.more+"\n"), discard())
			if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(tt.want)) {
				t.Errorf("%q is not in: %v", tt.want, err)
			}
			if err != nil && regexp.MustCompile(`Go |unmarshal|struct|interface|own[A-Z]`).MatchString(err.Error()) {
				t.Errorf("speaks of the program: %v", err)
			}
		})
	}
}

// A text stays as it was written, whatever YAML makes of numbers.
func TestOwnTextsAsWritten(t *testing.T) {
	s := own(t, "access: {users: [0123, 22_1, 1.50, true]}\nrelease: {constant: {a: [007, 1e3], b: 0x1F}}\n")
	for _, login := range []string{"0123", "22_1", "1.50", "true"} {
		if err := s.Allow(login, nil, noon); err != nil {
			t.Errorf("%s: %v", login, err)
		}
	}
	if s.Allow("83", nil, noon) == nil {
		t.Error("0123 is read as an octal number")
	}
	if diff := cmp.Diff(identity.Attributes{"a": {"007", "1e3"}, "b": {"0x1F"}}, s.Release("u", nil)); diff != "" {
		t.Error(diff)
	}
}

// What the excerpts show goes to reports and logs.
func TestFaultsHideTheSalt(t *testing.T) {
	for _, more := range []string{"order: x", "response: fast", "colour: blue"} {
		_, err := services.OpenFS(folder("bad.yaml", "id: 1\nname: X\nmatch: https://a/\nusername:\n  pairwise_salt: 3Vq0JrKw2mZpT5vB\n"+more+"\n"), discard())
		if err == nil || !strings.Contains(err.Error(), "pairwise_salt: …") || strings.Contains(err.Error(), "3Vq0") {
			t.Errorf("%v", err)
		}
	}
}

// TestReleaseGolden is S32: a file for each service tells what it learns of two
// people, whatever the others learn.
func TestReleaseGolden(t *testing.T) {
	if *update {
		if err := os.RemoveAll("testdata/release"); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll("testdata/release", 0o750); err != nil {
			t.Fatal(err)
		}
	}
	known := map[string]bool{}
	for _, dir := range []string{"apereo", "campus", "own"} {
		r, err := services.Inspect("testdata/"+dir, services.Clock(func() time.Time { return noon }))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Services() {
			name := fmt.Sprintf("%s-%d.golden", dir, s.ID)
			known[name] = true
			t.Run(name, func(t *testing.T) {
				var b strings.Builder
				fmt.Fprintf(&b, "%s: %s\n", s.File, s.Name)
				for _, p := range []identity.Person{alice, zoe} {
					fmt.Fprintf(&b, "\n%s is %s\n", p.UID, s.Username(p.UID, p.Attributes))
					for _, line := range released(s.Release(p.UID, p.Attributes)) {
						b.WriteString(line + "\n")
					}
				}
				golden(t, "testdata/release/"+name, b.String())
			})
		}
	}
	files, err := filepath.Glob("testdata/release/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !known[filepath.Base(file)] {
			t.Errorf("%s is of no service", file)
		}
	}
}
