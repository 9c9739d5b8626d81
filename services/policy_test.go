package services_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parvis/identity"
	"parvis/services"
)

// own is the one service of a file of our own.
func own(t *testing.T, more string) *services.Service {
	t.Helper()
	return open(t, "a.yaml", "id: 1\nname: A\nmatch: https://a.univ.fr/\n"+more).Services()[0]
}

// theirs is the one service of a file of Apereo's.
func theirs(t *testing.T, more string) *services.Service {
	t.Helper()
	return open(t, "A-1.json", apereo(1, `^https://a\.univ\.fr/.*`, more)).Services()[0]
}

func TestAllow(t *testing.T) {
	strategy := func(more string) string {
		return `"accessStrategy": {"@class": "x.DefaultRegisteredServiceAccessStrategy", ` + more + `}`
	}
	for _, tt := range []struct {
		name    string
		service *services.Service
		attrs   identity.Attributes
		now     time.Time
		denied  string
	}{
		{name: "no rule", service: own(t, "")},
		{name: "group, spelt otherwise", service: own(t, "access: {groups: 'cn=x,ou=g'}\n"), attrs: identity.Attributes{"memberOf": {"CN=X, ou=g"}}},
		{name: "group, longer", service: own(t, "access: {groups: 'cn=x,ou=g'}\n"), attrs: identity.Attributes{"memberOf": {"cn=x,ou=g,dc=y"}}, denied: "memberOf is none of"},
		{name: "group, none", service: own(t, "access: {groups: 'cn=x,ou=g'}\n"), denied: "memberOf is missing"},
		{name: "group with a wildcard is a plain star", service: own(t, "access: {groups: 'cn=*,ou=g'}\n"), attrs: identity.Attributes{"memberOf": {"cn=x,ou=g"}}, denied: "none of"},
		{name: "value", service: own(t, "access: {require: {a: [x, y]}}\n"), attrs: identity.Attributes{"a": {"z", "y"}}},
		{name: "value is whole", service: own(t, "access: {require: {a: x}}\n"), attrs: identity.Attributes{"a": {"xx"}}, denied: "a is none of: x"},
		{name: "value with a star", service: own(t, "access: {require: {a: 'x*'}}\n"), attrs: identity.Attributes{"a": {"xyz"}}},
		{name: "value's dot is a dot", service: own(t, "access: {require: {a: 'x.z'}}\n"), attrs: identity.Attributes{"a": {"xyz"}}, denied: "none of"},
		{name: "all are required", service: own(t, "access: {require: {a: x, b: y}}\n"), attrs: identity.Attributes{"a": {"x"}}, denied: "b is missing"},
		{name: "one is enough", service: own(t, "access: {require_any: {a: x, b: y}}\n"), attrs: identity.Attributes{"b": {"y"}}},
		{name: "not even one", service: own(t, "access: {require_any: {a: x, b: y}}\n"), denied: "a is missing (needs x); and attribute b"},
		{name: "rejected", service: own(t, "access: {reject: {a: x}}\n"), attrs: identity.Attributes{"a": {"x"}}, denied: "rejected"},
		{name: "user", service: own(t, "access: {users: [u]}\n")},
		{name: "another user", service: own(t, "access: {users: [v]}\n"), denied: "not one of the users"},
		{name: "before its day", service: own(t, "valid: {from: 2026-12-01}\n"), denied: "opens on"},
		{name: "its last day", service: own(t, "valid: {until: 2026-11-22}\n")},
		{name: "after its last day", service: own(t, "valid: {until: 2026-11-22}\n"), now: noon.AddDate(0, 0, 2), denied: "expired on"},
		{name: "Apereo any of the values", service: theirs(t, strategy(`"requiredAttributes": {"a": ["x", "y"]}`)), attrs: identity.Attributes{"a": {"y"}}},
		{name: "Apereo expression", service: theirs(t, strategy(`"requiredAttributes": {"a": ["x|cn=.*"]}`)), attrs: identity.Attributes{"a": {"cn=z"}}},
		{name: "Apereo value is searched", service: theirs(t, strategy(`"requiredAttributes": {"memberOf": ["cn=cours-info-l2"]}`)), attrs: identity.Attributes{"memberOf": {"cn=cours-info-l2,ou=groups"}}},
		{name: "Apereo value is searched in each way", service: theirs(t, strategy(`"requireAllAttributes": false, "requiredAttributes": {"b": ["y"], "a": ["z", "x"]}`)), attrs: identity.Attributes{"a": {"xx"}}},
		{name: "Apereo value with anchors is whole", service: theirs(t, strategy(`"requiredAttributes": {"a": ["^x$"]}`)), attrs: identity.Attributes{"a": {"xx"}}, denied: "none of"},
		{name: "Apereo value that is empty is found in nothing", service: theirs(t, strategy(`"requiredAttributes": {"a": [" "]}`)), attrs: identity.Attributes{"a": {"x y"}}, denied: "refused"},
		{name: "Apereo case counts", service: theirs(t, strategy(`"requiredAttributes": {"a": ["x"]}`)), attrs: identity.Attributes{"a": {"X"}}, denied: "none of"},
		{name: "Apereo case told not to", service: theirs(t, strategy(`"caseInsensitive": true, "requiredAttributes": {"a": ["x"]}`)), attrs: identity.Attributes{"a": {"X"}}},
		{name: "Apereo all attributes", service: theirs(t, strategy(`"requiredAttributes": {"a": ["x"], "b": ["y"]}`)), attrs: identity.Attributes{"a": {"x"}}, denied: "b is missing"},
		{name: "Apereo any attribute", service: theirs(t, strategy(`"requireAllAttributes": false, "requiredAttributes": {"a": ["x"], "b": ["y"]}`)), attrs: identity.Attributes{"a": {"x"}}},
		{name: "Apereo one rejected is enough", service: theirs(t, strategy(`"rejectedAttributes": {"a": ["x"], "b": ["y"]}`)), attrs: identity.Attributes{"b": {"y"}}, denied: "rejected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := tt.now
			if now.IsZero() {
				now = noon
			}
			err := tt.service.Allow("u", tt.attrs, now)
			var denied *services.AccessError
			if errors.As(err, &denied) != (tt.denied != "") || err != nil && !strings.Contains(err.Error(), tt.denied) {
				t.Errorf("Allow = %v, want %q", err, tt.denied)
			}
		})
	}
}

func TestDeniedURL(t *testing.T) {
	err := own(t, "enabled: false\naccess: {denied_url: 'https://www.univ.fr/no'}\n").Allow("u", nil, noon)
	var denied *services.AccessError
	if !errors.As(err, &denied) || denied.RedirectURL != "https://www.univ.fr/no" {
		t.Errorf("Allow = %+v", err)
	}
}

// TestRelease is S32: nothing but what the policy names.
func TestRelease(t *testing.T) {
	person := identity.Attributes{"uid": {"u"}, "mail": {"m@x", "n@y"}, "sn": {"S"}, "cn": {"S"}, "userPassword": {"p"}, "empty": {}}
	policy := func(class, more string) string {
		return `"attributeReleasePolicy": {"@class": "x.` + class + `"` + more + `}`
	}
	filter := func(more string) string {
		return policy("ReturnAllAttributeReleasePolicy", `, "excludedAttributes": ["uid"], "attributeFilter": {"@class": "x.RegisteredServiceMappedRegexAttributeFilter", "patterns": {"mail": "@x$"}`+more+`}`)
	}
	for _, tt := range []struct {
		name    string
		service *services.Service
		want    identity.Attributes
	}{
		{"no policy", own(t, ""), identity.Attributes{}},
		{"no policy, Apereo", theirs(t, ""), identity.Attributes{}},
		{"named, one is missing", own(t, "release: [mail, title, empty]\n"), identity.Attributes{"mail": {"m@x", "n@y"}}},
		{"named in another case", own(t, "release: [MAIL]\n"), identity.Attributes{"MAIL": {"m@x", "n@y"}}},
		{"all but the password", own(t, "release: {all: true, except: [mail, cn]}\n"), identity.Attributes{"uid": {"u"}, "sn": {"S"}}},
		{"renamed, two to one", own(t, "release: {rename: {sn: name, cn: name}}\n"), identity.Attributes{"name": {"S"}}},
		{"only some values", own(t, "release: {attributes: [mail], only: {mail: '*@y'}}\n"), identity.Attributes{"mail": {"n@y"}}},
		{"Apereo password by name", theirs(t, policy("ReturnAllowedAttributeReleasePolicy", `, "allowedAttributes": ["userPassword", "sn"]`)), identity.Attributes{"sn": {"S"}}},
		{"Apereo password by another name", theirs(t, policy("ReturnMappedAttributeReleasePolicy", `, "allowedAttributes": {"userPassword": "pw"}`)), identity.Attributes{}},
		{"Apereo mapped filter", theirs(t, filter("")), identity.Attributes{"mail": {"m@x"}, "sn": {"S"}, "cn": {"S"}}},
		{"Apereo mapped filter, others dropped", theirs(t, filter(`, "excludeUnmappedAttributes": true`)), identity.Attributes{"mail": {"m@x"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.service.Release("u", person)); diff != "" {
				t.Error(diff)
			}
			if got := tt.service.Release("u", nil); len(got) != 0 {
				t.Errorf("of nobody: %v", got)
			}
		})
	}
	if len(person["mail"]) != 2 || len(person) != 6 {
		t.Error("the person was changed")
	}
}

func TestUsername(t *testing.T) {
	person := identity.Attributes{"mail": {"U@X.fr"}, "blank": {" "}}
	provider := func(class, more string) string {
		return `"usernameAttributeProvider": {"@class": "x.` + class + `"` + more + `}`
	}
	for _, tt := range []struct {
		name    string
		service *services.Service
		want    string
	}{
		{"uid", own(t, ""), "Uid1"},
		{"attribute", own(t, "username: mail\n"), "U@X.fr"},
		{"attribute in lower case", own(t, "username: {attribute: mail, case: lower}\n"), "u@x.fr"},
		{"attribute is missing", own(t, "username: none\n"), "Uid1"},
		{"attribute is blank", own(t, "username: blank\n"), "Uid1"},
		{"static", own(t, "username: {static: guest}\n"), "guest"},
		{"scope", own(t, "username: {scope: univ.fr}\n"), "Uid1@univ.fr"},
		{"Apereo upper", theirs(t, provider("DefaultRegisteredServiceUsernameProvider", `, "canonicalizationMode": "UPPER"`)), "UID1"},
		{"Apereo part removed", theirs(t, provider("PrincipalAttributeRegisteredServiceUsernameProvider", `, "usernameAttribute": "mail", "removePattern": "@.*"`)), "U"},
		{"Apereo all removed", theirs(t, provider("DefaultRegisteredServiceUsernameProvider", `, "removePattern": ".*"`)), "Uid1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.service.Username("Uid1", person); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPseudonyms(t *testing.T) {
	const salted = "username: {pairwise_salt: 0123456789abcdef}\n"
	a := own(t, salted)
	b := open(t, "b.yaml", "id: 2\nname: B\nmatch: https://b.univ.fr/\n"+salted).Services()[0]
	one := a.Username("u1", nil)
	if one != a.Username("u1", nil) || one == a.Username("u2", nil) || one == b.Username("u1", nil) || strings.Contains(one, "u1") {
		t.Error("a pseudonym is one for a person and a service")
	}
}

func TestSpeaksAndProxies(t *testing.T) {
	s := own(t, "protocols: [CAS20]\nproxy: https://a.univ.fr/pgt\nsso: false\ndescription: {fr: un, en: one}\n")
	if s.Speaks(services.CAS10) || !s.Speaks(services.CAS20) || signsOn(s) {
		t.Error("V29: protocols or single sign-on")
	}
	if !own(t, "").Speaks(services.SAML1) || !signsOn(own(t, "")) {
		t.Error("nothing said means everything")
	}
	if !s.MayProxy("https://a.univ.fr/pgt?x=1") || s.MayProxy("https://a.univ.fr/pgtx") || s.MayProxy("https://u@a.univ.fr/pgt") {
		t.Error("V21: callback")
	}
	if own(t, "").MayProxy("https://a.univ.fr/") {
		t.Error("S31: proxying is off by default")
	}
	exact := theirs(t, `"proxyPolicy": {"@class": "x.RegexMatchingRegisteredServiceProxyPolicy", "pattern": "https://p/", "exactMatch": true}`)
	useID := theirs(t, `"proxyPolicy": {"@class": "x.RegexMatchingRegisteredServiceProxyPolicy", "useServiceId": true}`)
	if !exact.MayProxy("https://p/") || exact.MayProxy("https://p/x") || !useID.MayProxy("https://a.univ.fr/x") || useID.MayProxy("https://p/") {
		t.Error("V21: Apereo's callbacks")
	}
	if s.DescriptionIn("en-GB") != "one" || s.DescriptionIn("de") != "un" || s.Description != "un" {
		t.Error("descriptions")
	}
	if !s.Matches("https://a.univ.fr/x") || s.Matches("https://a.univ.fr@b/") {
		t.Error("Matches")
	}
}

func TestLogoutAddresses(t *testing.T) {
	for _, tt := range []struct {
		name, more, visited string
		want                []string
	}{
		{"O1 the service itself", "", "https://a.univ.fr/x?y", []string{"https://a.univ.fr/x?y"}},
		{"the entry's addresses", "logout: {url: [https://a.univ.fr/1, https://a.univ.fr/2]}\n", "https://a.univ.fr/x", []string{"https://a.univ.fr/1", "https://a.univ.fr/2"}},
		{"nothing is told", "logout: none\n", "https://a.univ.fr/x", nil},
		{"L6 no http address", "", "imap://a.univ.fr", nil},
		{"S8 user name", "", "https://a@b.univ.fr/", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, own(t, tt.more).LogoutAddresses(tt.visited)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHasRelease(t *testing.T) {
	for _, tt := range []struct {
		name    string
		service *services.Service
		want    bool
	}{
		{"none", own(t, ""), false},
		{"none, Apereo", theirs(t, ""), false},
		{"one that releases nothing", own(t, "release: []\n"), true},
		{"one that releases nothing, Apereo", theirs(t, `"attributeReleasePolicy": {"@class": "x.DenyAllAttributeReleasePolicy"}`), true},
		{"one", own(t, "release: [mail]\n"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.service.HasRelease() != tt.want {
				t.Errorf("HasRelease is not %v", tt.want)
			}
		})
	}
}
