package services_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parvis/identity"
	"parvis/services"
)

// TestGolden reads the two example folders, and shows all that came of them:
// entries, faults, findings, and what two people get (S32).
func TestGolden(t *testing.T) {
	for _, name := range []string{"apereo", "own"} {
		t.Run(name, func(t *testing.T) {
			r, err := services.OpenFS(os.DirFS("testdata/"+name), discard(), services.Clock(func() time.Time { return noon }))
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, s := range r.Services() {
				fields, err := json.MarshalIndent(s, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&b, "== %s\n%s\nenabled %v, sso %v\n", s.File, fields, s.Enabled(noon), signsOn(s))
				for _, p := range []identity.Person{alice, zoe} {
					if err := s.Allow(p.UID, p.Attributes, noon); err != nil {
						fmt.Fprintf(&b, "%s: %v\n", p.UID, err)
						continue
					}
					released, _ := json.Marshal(s.Release(p.UID, p.Attributes))
					fmt.Fprintf(&b, "%s: is %s, released %s\n", p.UID, s.Username(p.UID, p.Attributes), released)
				}
				b.WriteString("\n")
			}
			b.WriteString("== faults\n")
			for _, fault := range r.Faults() {
				fmt.Fprintln(&b, fault)
			}
			b.WriteString("\n== findings\n")
			for _, finding := range r.Lint() {
				fmt.Fprintln(&b, finding)
			}
			golden(t, "testdata/"+name+".golden", b.String())
		})
	}
}

// TestFiles finds the examples by URL.
func TestFiles(t *testing.T) {
	r, err := services.OpenFS(os.DirFS("testdata/apereo"), discard(), services.Clock(func() time.Time { return noon }))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, service, want string
		err                 error
	}{
		{"full match", "https://moodle.univ.example/course", "Moodle", nil},
		{"case is not looked at", "https://MOODLE.univ.example/Course", "Moodle", nil},
		{"L6 literal, not a web URL", "imap://mail.univ.example", "IMAP", nil},
		{"partial", "https://partial.univ.example/x", "Partial", nil},
		{"starts with", "https://starts.univ.example/x", "Starts", nil},
		{"time-based, over", "https://season.univ.example/", "Season", services.ErrDisabled},
		{"expired", "https://expired.univ.example/", "Expired", services.ErrDisabled},
		{"disabled", "https://closed.univ.example/", "Closed", services.ErrDisabled},
		{"S44 script for access", "https://groovy.univ.example/", "Groovy access", services.ErrDisabled},
		{"S32 script for release", "https://groovy2.univ.example/", "Groovy release", services.ErrDisabled},
		{"S33 second factor", "https://marks.univ.example/", "Marks", services.ErrDisabled},
		{"S23 password", "https://clearpass.univ.example/", "ClearPass", services.ErrDisabled},
		{"look-ahead, what it meant to match", "https://a.look.example/", "Look-ahead", services.ErrDisabled},
		{"look-ahead, what it meant to leave out", "https://admin.look.example/", "Look-ahead", services.ErrDisabled},
		{"misspelt rule", "https://misspelt.univ.example/", "Misspelt", services.ErrDisabled},
		{"SAML entries match nothing", "https://sp.univ.example/shibboleth", "HTTPS and IMAPS", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := r.Find(tt.service)
			if !errors.Is(err, tt.err) || s == nil || s.Name != tt.want {
				t.Errorf("Find = %+v, %v", s, err)
			}
		})
	}
}

// TestRefusals is S44 and S32: what cannot be done in matching, access, release
// or naming closes the entry; the rest is a warning.
func TestRefusals(t *testing.T) {
	strategy := func(more string) string {
		return `"accessStrategy": {"@class": "x.DefaultRegisteredServiceAccessStrategy"` + more + `}`
	}
	release := func(class, more string) string {
		return `"attributeReleasePolicy": {"@class": "x.` + class + `"` + more + `}`
	}
	mfa := func(more string) string {
		return `"multifactorPolicy": {"@class": "x.DefaultRegisteredServiceMultifactorPolicy"` + more + `}`
	}
	for _, tt := range []struct {
		name, more string
		refused    bool
		key        string
	}{
		{"nothing", "", false, ""},
		{"strategy unknown", `"accessStrategy": {"@class": "x.OpaRegisteredServiceAccessStrategy"}`, true, "accessStrategy.@class"},
		{"strategy not an object", `"accessStrategy": "closed"`, true, "accessStrategy"},
		{"strategy key unknown", strategy(`, "alsoRequire": 1`), true, "accessStrategy.alsoRequire"},
		{"enabled not a boolean", strategy(`, "enabled": "perhaps"`), true, "accessStrategy.enabled"},
		{"required value with look-ahead", strategy(`, "requiredAttributes": {"a": ["(?=x)"]}`), true, "accessStrategy.requiredAttributes.a"},
		{"required value with a script", strategy(`, "requiredAttributes": {"a": ["groovy { return 1 }"]}`), true, "accessStrategy.requiredAttributes.a"},
		{"required without values", strategy(`, "requiredAttributes": {"a": ["java.util.HashSet", []]}`), true, "accessStrategy.requiredAttributes.a"},
		{"required value that is empty", strategy(`, "requiredAttributes": {"a": ["x", ""]}`), true, "accessStrategy.requiredAttributes.a"},
		{"language without words", `"locale": "de"`, false, "locale"},
		{"language of a country", `"locale": "en_GB"`, false, ""},
		{"required values not texts", strategy(`, "requiredAttributes": {"a": {"b": 1}}`), true, "accessStrategy.requiredAttributes.a"},
		{"activation criteria", strategy(`, "activationCriteria": {"x": 1}`), true, "accessStrategy.activationCriteria"},
		{"delegated only", strategy(`, "delegatedAuthenticationPolicy": {"exclusive": true}`), true, "accessStrategy.delegatedAuthenticationPolicy.exclusive"},
		{"redirect that is none", strategy(`, "unauthorizedRedirectUrl": "javascript:x"`), false, "accessStrategy.unauthorizedRedirectUrl"},
		{"release unknown", release("GroovyScriptAttributeReleasePolicy", ""), true, "attributeReleasePolicy.@class"},
		{"release key unknown", release("DenyAllAttributeReleasePolicy", `, "x": 1`), true, "attributeReleasePolicy.x"},
		{"filter unknown", release("ReturnAllAttributeReleasePolicy", `, "attributeFilter": {"@class": "x.RegisteredServiceScriptedAttributeFilter"}`), true, "attributeReleasePolicy.attributeFilter.@class"},
		{"PGT as an attribute", release("DenyAllAttributeReleasePolicy", `, "authorizedToReleaseProxyGrantingTicket": true`), false, "attributeReleasePolicy.authorizedToReleaseProxyGrantingTicket"},
		{"name unknown", `"usernameAttributeProvider": {"@class": "x.GroovyRegisteredServiceUsernameProvider"}`, true, "usernameAttributeProvider.@class"},
		{"name is the password", `"usernameAttributeProvider": {"@class": "x.PrincipalAttributeRegisteredServiceUsernameProvider", "usernameAttribute": "userPassword"}`, true, "usernameAttributeProvider.usernameAttribute"},
		{"pseudonym without a salt", `"usernameAttributeProvider": {"@class": "x.AnonymousRegisteredServiceUsernameAttributeProvider"}`, true, "usernameAttributeProvider.persistentIdGenerator"},
		{"encrypted name", `"usernameAttributeProvider": {"@class": "x.DefaultRegisteredServiceUsernameProvider", "encryptUsername": true}`, true, "usernameAttributeProvider.encryptUsername"},
		{"date that is none", `"expirationPolicy": {"expirationDate": "one day"}`, true, "expirationPolicy.expirationDate"},
		{"S33 second factor", mfa(`, "multifactorAuthenticationProviders": ["mfa-duo"]`), true, "multifactorPolicy.multifactorAuthenticationProviders"},
		{"S33 second factor for some", mfa(`, "principalAttributeNameTrigger": "memberOf"`), true, "multifactorPolicy.principalAttributeNameTrigger"},
		{"S33 second factor by a script", `"multifactorPolicy": {"@class": "x.GroovyRegisteredServiceMultifactorPolicy"}`, true, "multifactorPolicy.@class"},
		{"S33 second factor always by-passed", mfa(`, "multifactorAuthenticationProviders": ["mfa-duo"], "bypassEnabled": true`), false, "multifactorPolicy.multifactorAuthenticationProviders"},
		{"S33 second factor by-passed for some", mfa(`, "multifactorAuthenticationProviders": ["mfa-duo"], "bypassEnabled": true, "bypassPrincipalAttributeName": "a"`), true, "multifactorPolicy.multifactorAuthenticationProviders"},
		{"S33 policy that asks for nothing", mfa(`, "multifactorAuthenticationProviders": ["java.util.LinkedHashSet", []]`), false, ""},
		{"certain handlers", `"authenticationPolicy": {"requiredAuthenticationHandlers": ["java.util.TreeSet", ["X509"]]}`, true, "authenticationPolicy.requiredAuthenticationHandlers"},
		{"certain environments", `"environments": ["java.util.HashSet", ["prod"]]`, true, "environments"},
		{"template", `"templateName": "closed"`, true, "templateName"},
		{"no protocol of ours", `"supportedProtocols": ["java.util.HashSet", ["OIDC10"]]`, true, "supportedProtocols"},
		{"redirect elsewhere", `"redirectUrl": "https://other.example/"`, true, "redirectUrl"},
		{"a policy nobody knows", `"accessPolicyy": {}`, true, "accessPolicyy"},
		{"a policy nobody knows, with nothing in it", `"accessPolicyy": null`, false, "accessPolicyy"},
		{"a key of a strategy nobody knows, with nothing in it", strategy(`, "startingDateTime": null`), false, "accessStrategy.startingDateTime"},
		{"chain of strategies", `"accessStrategy": {"@class": "x.ChainingRegisteredServiceAccessStrategy", "strategies": [{"@class": "x.DefaultRegisteredServiceAccessStrategy"}]}`, false, ""},
		{"chain of no strategies", `"accessStrategy": {"@class": "x.ChainingRegisteredServiceAccessStrategy"}`, true, "accessStrategy.strategies"},
		{"chain with an unknown strategy", `"accessStrategy": {"@class": "x.ChainingRegisteredServiceAccessStrategy", "operator": "OR", "strategies": [{"@class": "x.DefaultRegisteredServiceAccessStrategy"}, {"@class": "x.HttpRequestRegisteredServiceAccessStrategy"}]}`, true, "accessStrategy.strategies[1].@class"},
		{"chain with an unknown operator", `"accessStrategy": {"@class": "x.ChainingRegisteredServiceAccessStrategy", "operator": "XOR", "strategies": [{"@class": "x.DefaultRegisteredServiceAccessStrategy"}]}`, true, "accessStrategy.operator"},
		{"dates the wrong way round", `"accessStrategy": {"@class": "x.TimeBasedRegisteredServiceAccessStrategy", "startingDateTime": "2026-12-01", "endingDateTime": "2026-11-01"}`, true, "accessStrategy.endingDateTime"},
		{"filter of a chain unknown", release("ReturnAllAttributeReleasePolicy", `, "attributeFilter": {"@class": "x.RegisteredServiceChainingAttributeFilter", "filters": [{"@class": "x.RegisteredServiceScriptedAttributeFilter"}]}`), true, "attributeReleasePolicy.attributeFilter.filters[0].@class"},
		{"filter with a look-ahead", release("ReturnAllAttributeReleasePolicy", `, "attributeFilter": {"@class": "x.RegisteredServiceReverseMappedRegexAttributeFilter", "patterns": {"a": "(?=x)"}}`), true, "attributeReleasePolicy.attributeFilter.patterns.a"},
		{"script in a transform", release("PatternMatchingAttributeReleasePolicy", `, "allowedAttributes": {"a": {"pattern": "x", "transform": "groovy { 1 }"}}`), true, "attributeReleasePolicy.allowedAttributes.a.transform"},
		{"case of values", release("ReturnAllAttributeReleasePolicy", `, "canonicalizationMode": "LOWER"`), true, "attributeReleasePolicy.canonicalizationMode"},
		{"consent", release("ReturnAllAttributeReleasePolicy", `, "consentPolicy": {"@class": "x", "enabled": true}`), false, "attributeReleasePolicy.consentPolicy"},
		{"life by browser", `"ticketGrantingTicketExpirationPolicy": {"userAgents": {"Firefox": 5}}`, false, "ticketGrantingTicketExpirationPolicy.userAgents"},
		{"a key nobody knows", `"colour": "blue"`, false, "colour"},
		{"interrupts", `"webflowInterruptPolicy": {"enabled": true}`, false, "webflowInterruptPolicy"},
		{"proxy policy unknown", `"proxyPolicy": {"@class": "x.RestfulRegisteredServiceProxyPolicy"}`, false, "proxyPolicy.@class"},
		{"service ticket used twice", `"serviceTicketExpirationPolicy": {"numberOfUses": 2, "timeToLive": "10"}`, false, "serviceTicketExpirationPolicy.numberOfUses"},
		{"life without end", `"serviceTicketExpirationPolicy": {"timeToLive": "-1"}`, false, "serviceTicketExpirationPolicy.timeToLive"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := open(t, "A-1.json", apereo(1, `^https://a\.univ\.fr/.*`, tt.more))
			_, err := r.Find("https://a.univ.fr/")
			if errors.Is(err, services.ErrDisabled) != tt.refused {
				t.Errorf("Find: %v", err)
			}
			var keys []string
			for _, fault := range r.Faults() {
				keys = append(keys, fault.Key)
				if fault.File != "A-1.json" {
					t.Errorf("fault without its file: %v", fault)
				}
			}
			if !strings.Contains(strings.Join(keys, " "), tt.key) || tt.key == "" && len(keys) > 0 {
				t.Errorf("faults on %q, want %q", keys, tt.key)
			}
		})
	}
}

// TestJavaExpressions: an expression means what it means in Java, or the entry
// is refused over at least what it means there.
func TestJavaExpressions(t *testing.T) {
	for _, tt := range []struct {
		name, expr, service string
		err                 error
	}{
		{"quoted", `\Qhttps://a.fr/\E.*`, "https://a.fr/x", nil},
		{"quoted dot", `\Qhttps://a.fr/\E.*`, "https://axfr/x", services.ErrUnknown},
		{"POSIX class", `https://\p{Alpha}+\.fr/`, "https://abc.fr/", nil},
		{"POSIX class, other", `https://\p{Alpha}+\.fr/`, "https://a1c.fr/", services.ErrUnknown},
		{"POSIX class in a class", `https://[\p{Lower}\p{Digit}]+\.fr/`, "https://a1.fr/", nil},
		{"POSIX class negated", `https://\P{Digit}+\.fr/`, "https://a1.fr/", services.ErrUnknown},
		{"Unicode escape", `https://\u0061\.fr/`, "https://a.fr/", nil},
		{"flags in the middle", `https://(?:a)(?i)B\.fr/`, "https://ab.fr/", nil},
		{"case counts where told", `https://a\.fr/(?-i)X`, "https://a.fr/x", services.ErrUnknown},
		{"Unicode case flag", `(?iu)https://a\.fr/`, "https://a.fr/", nil},
		{"named group", `https://(?<app>a|b)\.fr/`, "https://b.fr/", nil},
		{"end of input", `https://a\.fr/\Z`, "https://a.fr/", nil},
		{"hyphen in a class", `https://[\w-.]+/`, "https://a-b.fr/", nil},
		{"bracket first in a class", `https://a\.fr/[]x]`, "https://a.fr/]", nil},
		{"alternation is whole", `https://a\.fr/|https://b\.fr/`, "https://b.fr/x", services.ErrUnknown},
		{"look-ahead", `https://(?!b)[a-z]\.fr/`, "https://a.fr/", services.ErrDisabled},
		{"look-behind with a class", `https://a\.fr/.*(?<![)(])`, "https://a.fr/x", services.ErrDisabled},
		{"possessive", `https://[^/]*+/`, "https://a.fr/", services.ErrDisabled},
		{"possessive count", `https://\w{1,2}+\.fr/`, "https://a.fr/", services.ErrDisabled},
		{"atomic", `https://(?>a|b)\.fr/`, "https://b.fr/", services.ErrDisabled},
		{"back-reference", `https://(a)\1\.fr/`, "https://aa.fr/", services.ErrDisabled},
		{"named back-reference", `https://(?<x>a)\k<x>\.fr/`, "https://aa.fr/", services.ErrDisabled},
		{"intersection of classes", `https://[a-z&&[^b]]\.fr/`, "https://a.fr/", services.ErrDisabled},
		{"class in a class", `https://[a[bc]]\.fr/`, "https://c.fr/", services.ErrDisabled},
		{"Java's own classes", `https://\p{javaLowerCase}\.fr/`, "https://a.fr/", services.ErrDisabled},
		{"horizontal blank", `https://a\.fr/\h`, "https://a.fr/\u00a0", services.ErrDisabled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := open(t, "A-1.json", apereo(1, tt.expr, "")).Find(tt.service)
			if !errors.Is(err, tt.err) {
				t.Errorf("Find = %v, want %v", err, tt.err)
			}
		})
	}
	for _, expr := range []string{`(?x) a b`, `(?U)\w`, `[\Qa]\E]`, `\cA`} {
		if _, err := services.OpenFS(folder("A-1.json", apereo(1, expr, "")), discard()); err == nil {
			t.Errorf("%s: what it matches is not known, and it was taken", expr)
		}
	}
}

// TestIndexMissesNothing: the entry found by the index is the one found by
// trying them all.
func TestIndexMissesNothing(t *testing.T) {
	hosts := []string{"a.fr", "b.fr", "a.fr:8443", "x.a.fr", "a.fr.evil.com"}
	shapes := []string{
		`^https?://%s/.*`, `https://%s(:443)?(/.*)?$`, `^(https|imaps)://%s.*`, `(?i)^HTTPS://%s/app`, `.*://%s/.*`, `^[a-z]+://%s/.*`,
		`^https://(www\.)?%s/.*`, `^https://%s`, `^x:/[a-z]?://%s/`, `^https://%s|^http://%s/x`, `^http[s]?://%s\?.*`, `https*://%s#.*`,
	}
	rapid.Check(t, func(t *rapid.T) {
		var pairs []string
		n := rapid.IntRange(1, 8).Draw(t, "n")
		for i := range n {
			host := strings.ReplaceAll(rapid.SampledFrom(hosts).Draw(t, "host"), ".", `\.`)
			shape := strings.ReplaceAll(rapid.SampledFrom(shapes).Draw(t, "shape"), "%s", host)
			more := ""
			if rapid.Bool().Draw(t, "partial") {
				more = `"matchingStrategy": {"@class": "x.PartialRegexRegisteredServiceMatchingStrategy"}`
			}
			pairs = append(pairs, fmt.Sprintf("S-%d.json", i+1), apereo(i+1, shape, more))
		}
		r, err := services.OpenFS(folder(pairs...), discard())
		if err != nil {
			t.Fatal(err)
		}
		for _, scheme := range []string{"https://", "http://", "imaps://", "x:/://", "HTTPS://"} {
			for _, host := range hosts {
				for _, tail := range []string{"", "/", "/app", "?q", "#f", "/?u=https://b.fr/x"} {
					service := scheme + host + tail
					found, _ := r.Find(service)
					if all := r.Explain(service, nil, noon).Match; found != all {
						t.Fatalf("%s: found %+v, want %+v", service, found, all)
					}
				}
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, dir := range []string{"testdata/apereo", "testdata/own"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			f.Fatal(err)
		}
		for _, entry := range entries {
			if !entry.IsDir() {
				data, err := os.ReadFile(dir + "/" + entry.Name())
				if err != nil {
					f.Fatal(err)
				}
				f.Add(data, strings.HasSuffix(entry.Name(), ".json"))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, isJSON bool) {
		name := "f.yaml"
		if isJSON {
			name = "F-1.json"
		}
		r, err := services.OpenFS(folder(name, string(data)), discard())
		if err != nil {
			return
		}
		for _, service := range []string{"https://a.univ.fr/x?y", "imap://b", "c"} {
			if s, err := r.Find(service); err == nil {
				_ = s.Allow(alice.UID, alice.Attributes, noon)
				if released := s.Release(alice.UID, alice.Attributes); len(released["userPassword"]) > 0 {
					t.Fatal("the password is released")
				}
				s.Username(alice.UID, alice.Attributes)
			}
			_ = r.Explain(service, &alice, noon).String()
		}
		r.Lint()
	})
}

// TestMalformedTag: the YAML parser panics on this.
func TestMalformedTag(t *testing.T) {
	_, err := services.OpenFS(folder("a.yaml", "name: A\nmatch: !https://a/]\n"), discard())
	var broken *services.LoadError
	if !errors.As(err, &broken) {
		t.Errorf("S44: err = %v", err)
	}
}

// A file of another encoding is read, and what it loses is told.
func TestNotUTF8(t *testing.T) {
	r := open(t, "A-1.json", apereo(1, "https://a/", "\"description\": \"\xe9t\xe9\""))
	if faults := r.Faults(); len(faults) != 1 || !strings.Contains(faults[0].Message, "UTF-8") {
		t.Errorf("faults %v", faults)
	}
}
