package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parvis/internal/demo"
	"parvis/internal/testkit"
)

// site writes a whole site into a folder: configuration, people and services
// of the demonstration. change replaces words of the configuration, in pairs.
func site(t *testing.T, change ...string) string {
	t.Helper()
	folder := t.TempDir()
	writeFile(t, folder, "people.ldif", string(demo.People()))
	if err := os.CopyFS(filepath.Join(folder, "services"), demo.Services()); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`url: http://localhost:8080/cas
listen: localhost:0
operations: {listen: "127.0.0.1:0"}
university:
  name: Université d'Exemple
  help: {mail: assistance@univ.example}
secrets: {keys: [%q]}
directory: {ldif: people.ldif}
services: {folder: services, reload: 1s}
log: {level: info, audit: audit.log}
`, newKey(t))
	return writeFile(t, folder, "parvis.yaml", strings.NewReplacer(change...).Replace(text))
}

func TestCheck(t *testing.T) {
	closed := testkit.FreePort(t)
	ldap := fmt.Sprintf(`{ldap: {urls: ["ldap://127.0.0.1:%d"], base: "dc=univ,dc=example", bind_dn: cn=x, bind_password: y, timeout: 200ms}}`, closed)
	redis := fmt.Sprintf("tickets: {redis: {url: \"redis://127.0.0.1:%d/0\", timeout: 200ms}}\nservices:", closed)
	tests := []struct {
		name   string
		change []string
		file   string // written into the folder of services
		text   string
		code   int
		want   []string
	}{
		{"fine", nil, "", "", exitFine, []string{"✓ every value can be used", "people.ldif can be read", "✓ kept in memory", "✓ 5 services", "no fault, 1 warning."}},
		{
			"every fault at once",
			[]string{"{ldif: people.ldif}", ldap, "services:", redis, "level: info", "level: loud"},
			"", "", exitFault,
			[]string{"✗ log.level: write debug", "✗ ldap://127.0.0.1:", "✗ redis://127.0.0.1:", "✓ 5 services", "3 faults"},
		},
		{"S18: no key", []string{"secrets:", "secrets2:"}, "", "", exitFault, []string{`✗ secrets2: no such key here; did you mean "secrets"?`, "✗ secrets.keys: there is no key"}},
		{"directory that is no LDIF", []string{"people.ldif", "parvis.yaml"}, "", "", exitFault, []string{"Directory\n  ✗"}},
		{"S44: broken service, and the others looked at", nil, "x.yaml", "id: [", exitFault, []string{"✗ x.yaml", "✓ 5 services", "1 fault"}},
		{"S8: service that matches anything", nil, "x.yaml", "id: 1\nname: X\nmatch: {regex: \"^https?://.*\"}\n", exitFault, []string{"✗ x.yaml: danger"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := site(t, test.change...)
			if test.file != "" {
				writeFile(t, filepath.Dir(file), filepath.Join("services", test.file), test.text)
			}
			got, _, code := runOnce(t, "check", "-config", file)
			if code != test.code {
				t.Errorf("exit code = %d, want %d", code, test.code)
			}
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("got:\n%s\nwant in it: %s", got, want)
				}
			}
		})
	}
}

// TestCheckAsksForReal runs against a real directory and a real Redis.
func TestCheckAsksForReal(t *testing.T) {
	slapd, redis := testkit.Slapd(t), testkit.Redis(t)
	ldap := fmt.Sprintf("{ldap: {urls: [%q, %q], ca_file: %s, base: \"ou=people,%s\", bind_dn: %q, bind_password: %q, decoy_dn: %q}}",
		slapd.URL(), slapd.URLTLS(), slapd.CAFile(), slapd.BaseDN, slapd.BindDN, slapd.BindPassword, slapd.DecoyDN)
	right := []string{"{ldif: people.ldif}", ldap, "services:", fmt.Sprintf("tickets: {redis: {url: %q}}\nservices:", redis.URL())}
	got, _, code := runOnce(t, "check", "-config", site(t, right...))
	if code != exitFine || strings.Count(got, "answers, with the account of bind_dn") != 2 || !strings.Contains(got, "answers, and takes a session and a ticket") {
		t.Errorf("exit code %d:\n%s", code, got)
	}
	if strings.Contains(got, "decoy_dn") {
		t.Errorf("the decoy is there, and warned of:\n%s", got)
	}
	right[1] = strings.Replace(ldap, slapd.DecoyDN, "cn=nobody,"+slapd.BaseDN, 1)
	got, _, code = runOnce(t, "check", "-config", site(t, right...))
	if code != exitFine || strings.Count(got, ": decoy_dn: the account of bind_dn does not find this entry") != 2 {
		t.Errorf("S19: with a decoy that is not there: exit code %d:\n%s", code, got)
	}
	right[1] = strings.Replace(ldap, slapd.BindPassword, "wrong", 1)
	got, _, code = runOnce(t, "check", "-config", site(t, right...))
	if code != exitFault || strings.Count(got, "✗ ldap") != 2 {
		t.Errorf("with a wrong password: exit code %d:\n%s", code, got)
	}
	if strings.Contains(got, slapd.BindPassword) {
		t.Errorf("S18: the report shows a password:\n%s", got)
	}
}

// What cannot be read is not judged: the fault that is told is the one to mend.
func TestCheckJudgesNoMoreThanItReads(t *testing.T) {
	secret := fmt.Sprintf("tickets: {redis: {url: \"redis://127.0.0.1:%d/0\", username: parvis, password_file: none}}\nservices:", testkit.FreePort(t))
	for _, test := range []struct {
		name   string
		change []string
		want   string
		never  []string
	}{
		{"not YAML", []string{"url: http", "url: [http"}, "✗ this is not YAML", []string{"without Redis", "url: give", "Services", "✓"}},
		{"several documents", []string{"university:", "---\nuniversity:"}, "✗ the file holds 2 documents", []string{"without Redis", "url: give", "Services", "✓"}},
		{"password of Redis that cannot be read", []string{"services:", secret}, "✗ tickets.redis.password_file: the file cannot be read", []string{"asks for no password", "username needs"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, _, code := runOnce(t, "check", "-config", site(t, test.change...))
			if code != exitFault || !strings.Contains(got, test.want) || !strings.Contains(got, "\n1 fault") {
				t.Errorf("exit code %d:\n%s\nwant in it: %s", code, got, test.want)
			}
			for _, never := range test.never {
				if strings.Contains(got, never) {
					t.Errorf("%q in:\n%s", never, got)
				}
			}
		})
	}
}

func TestExplain(t *testing.T) {
	file := site(t)
	tests := []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"entry and why", []string{"http://localhost:9081/x"}, exitFine, []string{"MATCH", "Bureau virtuel", "bureau-virtuel.yaml", ": below http://localhost:9081/\n"}},
		{"what a person gives", []string{"http://localhost:9081/x", "-person", "jpmartin"}, exitFine, []string{"allowed   o22502142", "released  mail = jean-pierre.martin@etu.univ.example"}},
		{"a person who may not", []string{"-person", "JPMartin", "http://localhost:9084/"}, exitFault, []string{"DENIED    o22502142"}},
		{"a person who cannot log in", []string{"http://localhost:9081/", "-person", "roux-p"}, exitFault, []string{"ACCOUNT   suspended: cannot log in", "allowed   roux-p"}},
		{"a closed entry", []string{"http://localhost:9085/"}, exitFault, []string{"CLOSED"}},
		{"S7: nobody's service", []string{"https://evil.example/"}, exitFault, []string{"REFUSED   no entry matches"}},
		{"S8: a service that browsers read otherwise", []string{`http://localhost:9081\@evil.example/`}, exitFault, []string{"REFUSED   whatever the entries say"}},
		{"nobody", []string{"http://localhost:9081/", "-person", "nobody"}, exitFault, []string{`look "nobody" up: `}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, said, code := runOnce(t, append([]string{"services", "explain", "-config", file}, test.args...)...)
			if code != test.code {
				t.Errorf("exit code = %d, want %d", code, test.code)
			}
			for _, want := range test.want {
				if !strings.Contains(out+said, want) {
					t.Errorf("got:\n%s%s\nwant in it: %s", out, said, want)
				}
			}
		})
	}
}

func TestLint(t *testing.T) {
	file := site(t)
	if out, said, code := runOnce(t, "services", "lint", "-config", file); code != exitFine || !strings.Contains(out, "✓ 5 services") {
		t.Errorf("exit code %d:\n%s%s", code, out, said)
	}
	writeFile(t, filepath.Dir(file), "services/wide.yaml", "id: 1\nname: Wide\nmatch: {regex: \"^https?://.*\"}\n")
	if out, said, code := runOnce(t, "services", "lint", "-config", file); code != exitFault || !strings.Contains(out, "wide.yaml: danger") {
		t.Errorf("exit code %d:\n%s%s", code, out, said)
	}
	writeFile(t, filepath.Dir(file), "services/broken.yaml", "id: [")
	if out, said, code := runOnce(t, "services", "lint", "-config", file); code != exitFault || !strings.Contains(out, "wide.yaml: danger") || !strings.Contains(out, "✗ broken.yaml") {
		t.Errorf("exit code %d:\n%s%s", code, out, said)
	}
}

// TestDemoDataIsThere keeps the tests above from passing on nothing.
func TestDemoDataIsThere(t *testing.T) {
	files, err := fs.Glob(demo.Services(), "*.yaml")
	if err != nil || len(files) != serviceCount {
		t.Errorf("services of the demonstration = %v (%v), want %d", files, err, serviceCount)
	}
}
