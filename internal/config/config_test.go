package config_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parvis/internal/config"
)

// minimalFile is what a site must write, and no more.
const minimalFile = `url: https://cas.univ.example/cas
university:
  name: Université d'Exemple
  help: {mail: assistance@univ.example}
secrets: {keys: [KEY]}
directory:
  ldap:
    urls: [ldaps://ldap.univ.example]
    base: ou=people,dc=univ,dc=example
    bind_dn: cn=parvis,dc=univ,dc=example
    bind_password: secret
tickets:
  redis: {url: "redis://localhost:6379/0"}
services: {folder: services}
`

func TestMinimalFile(t *testing.T) {
	c, _, err := load(t, minimalFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Sessions.Idle.D(); got != 2*time.Hour {
		t.Errorf("idle = %v, want the default of two hours", got)
	}
	if got := c.Tickets.Redis.Timeout.D(); got != time.Second {
		t.Errorf("redis timeout = %v, want the default of one second", got)
	}
	if !filepath.IsAbs(string(c.Services.Folder)) {
		t.Errorf("services folder = %q, want it resolved against the file's folder", c.Services.Folder)
	}
	if lines := strings.Count(minimalFile, "\n"); lines > 14 {
		t.Errorf("the minimal file has %d lines; a newcomer should not need so many", lines)
	}
}

// TestFaults breaks the minimal file in one place each.
func TestFaults(t *testing.T) {
	tests := []struct {
		name     string
		old, new string
		want     []string
	}{
		{"unknown key shows its line and a caret", "services:", "sevices:", []string{
			`sevices: no such key here; did you mean "services"?`, "14 | sevices: {folder: services}", "     | ^",
		}},
		{"unknown key far from any lists the keys", "  help:", "  telephone:", []string{"there are: name, short_name"}},
		{"unknown nested key", "{mail: a", "{mial: a", []string{`university.help.mial: no such key here; did you mean "mail"?`}},
		{"not YAML", "secrets: {", "secrets: }{", []string{"this is not YAML"}},
		{"a key twice", "services: {", "url: https://x.example\nservices: {", []string{"this is not YAML", `"url" already defined`}},
		{"two documents", "services: {", "---\nservices: {", []string{"2 documents"}},
		{"a list instead of a section", "{mail: assistance@univ.example}", "[a]", []string{"university.help: put the keys of this section below it", "phone, mail"}},
		{"a value instead of a list", "[ldaps://ldap.univ.example]", "ldaps://ldap.univ.example", []string{"directory.ldap.urls: write a list"}},
		{"a list instead of a value", "https://cas.univ.example/cas", "[https://cas.univ.example/cas]", []string{"url: write one value here"}},
		{"variable that is not set", "assistance@univ.example", "\"${HELP_MAIL}\"", []string{"university.help.mail: the variable HELP_MAIL is not set"}},
		{"variable without end", "assistance@univ.example", "\"${HELP_MAIL\"", []string{`university.help.mail: "${" has no "}"`}},
		{"duration without unit", "services: {", "sessions: {idle: 7200}\nservices: {", []string{"sessions.idle: write a duration with its unit"}},
		{"negative duration", "services: {", "sessions: {idle: -2h}\nservices: {", []string{"sessions.idle: write a duration with its unit"}},
		{"yes is not true", "services: {", "sessions: {remember_me: {enabled: yes}}\nservices: {", []string{"sessions.remember_me.enabled: write true or false"}},
		{"word instead of a number", "services: {", "login: {concurrent: many}\nservices: {", []string{"login.concurrent: write a whole number"}},
		{"no public address", "url: https://cas.univ.example/cas\n", "", []string{"url: give the address that browsers know this server by"}},
		{"plain http", "https://cas.univ", "http://cas.univ", []string{"url: passwords need https"}},
		{"public address with a query", "/cas\n", "/cas?a=b\n", []string{"url: write scheme, host and path only"}},
		{"public address with a final slash", "/cas\n", "/cas/\n", []string{"url: leave the last / out"}},
		{"public address without a path", "/cas\n", "\n", []string{"url: add a path"}},
		{"no such time zone", "services: {", "time_zone: Europe/Orleans\nservices: {", []string{"time_zone: write the name"}},
		{"S21: the whole world as a proxy", "services: {", "trusted_proxies: [0.0.0.0/0]\nservices: {", []string{"trusted_proxies[0]: this trusts the whole world"}},
		{"S21: a sloppy range", "services: {", "trusted_proxies: [10.0.5.7/24]\nservices: {", []string{"trusted_proxies[0]:", "write 10.0.5.0/24"}},
		{"S18: no key", "secrets: {keys: [KEY]}\n", "", []string{"secrets.keys: there is no key, and no default: draw a new one with `openssl rand -base64 32`"}},
		{"S18: short key", "[KEY]", "[c2hvcnQ=]", []string{"key 1 is 5 bytes long instead of 32"}},
		{"S18: key that is no key", "[KEY]", "[\"changeme!\"]", []string{"key 1 is neither base64 nor hexadecimal"}},
		{"S18: three keys", "[KEY]", "[KEY, KEY2, KEY3]", []string{"more than two keys"}},
		{"S18: the same key twice", "[KEY]", "[KEY, KEY]", []string{"key 2 is key 1 again"}},
		{"S37: operations on the public port", "services: {", "operations: {listen: \"localhost:8080\"}\nservices: {", []string{"operations.listen: probes and metrics need a port of their own"}},
		{"half of a certificate", "services: {", "tls: {key: nowhere.pem}\nservices: {", []string{"tls: give certificate and key together", "tls.key: the file cannot be read: no such file"}},
		{"S22: passwords in the clear", "ldaps://", "ldap://", []string{"directory.ldap.urls[0]: passwords would travel in the clear"}},
		{"S22: not LDAP at all", "ldaps://ldap", "https://ldap", []string{"directory.ldap.urls[0]: write ldaps://host"}},
		{"no directory", "directory:\n  ldap:\n    urls: [ldaps://ldap.univ.example]\n    base: ou=people,dc=univ,dc=example\n    bind_dn: cn=parvis,dc=univ,dc=example\n    bind_password: secret\n", "", []string{"directory: say where people are"}},
		{"two directories", "directory:\n", "directory:\n  ldif: people.ldif\n", []string{"directory: give ldap or ldif, not both", "directory.ldif: the file cannot be read"}},
		{"bind without password", "    bind_password: secret\n", "", []string{"directory.ldap.bind_password: give the password"}},
		{"filter without brackets", "    base:", "    people_filter: uid=*\n    base:", []string{"directory.ldap.people_filter: write a filter in brackets"}},
		{"S41: password in the address", "redis://localhost", "redis://u:verySecret@localhost", []string{"tickets.redis.url: take the name and password out"}},
		{"S41: password in the query", "redis://localhost:6379/0", "redis+sentinel://localhost?master_name=m&password=verySecret", []string{"tickets.redis.url: take the name and password out of the query"}},
		{"unknown kind of store", "redis://localhost", "postgres://localhost", []string{"tickets.redis.url: write rediss://"}},
		{"Sentinels that are told no master", "redis://localhost", "redis+sentinel://localhost:26379", []string{"tickets.redis.url: name the master"}},
		{"S28: every network opened", "services: {", "outgoing: {networks: [0.0.0.0/0]}\nservices: {", []string{"outgoing.networks[0]: this opens every address"}},
		{"a way to tell that there is not", "services: {", "logout: {tell: all}\nservices: {", []string{"logout.tell: write every or newest"}},
		{"a directory asked all the time", "services: {", "logout: {suspended: 1ms}\nservices: {", []string{"logout.suspended: write a time between 1s and 1h"}},
		{"publishing without REST", "services: {", "rest: {publish: {attribute: memberOf}}\nservices: {", []string{"rest.publish: only goes with rest.enabled", "rest.publish: give attribute and value"}},
		{"S18: a password that somebody may guess", "services: {", "operations: {password: secret}\nservices: {", []string{"operations.password: write 16 characters or more"}},
		{"S4: proxy ticket that lives too long", "tickets:\n", "tickets:\n  proxy_ticket: 1h\n", []string{"tickets.proxy_ticket: write a time between 1s and 5m"}},
		{"S4: ticket that lives too long", "tickets:\n", "tickets:\n  service_ticket: 1h\n", []string{"tickets.service_ticket: write a time between 1s and 5m"}},
		{"S16: remember-me for ever", "services: {", "sessions: {remember_me: {max: 91d}}\nservices: {", []string{"sessions.remember_me.max: write 90d or less"}},
		{"S16: idle longer than the whole", "services: {", "sessions: {idle: 9h}\nservices: {", []string{"sessions.max: write at least as long"}},
		{"S12: a cookie that is not secure", "services: {", "sessions: {cookie: {secure: never}}\nservices: {", []string{"sessions.cookie.secure: write auto"}},
		{"no folder of services", "services: {folder: services}", "", []string{"services.folder: give the folder"}},
		{"folder that is not there", "folder: services", "folder: elsewhere", []string{"services.folder: the folder cannot be read: no such file"}},
		{"account closed by one address", "services: {", "throttle: {account: {every: 31s}}\nservices: {", []string{"throttle.account.every: write half of throttle.account_and_address.every or less: else one address alone closes an account to its owner"}},
		{"limit of nothing", "services: {", "throttle: {account: {burst: 0}}\nservices: {", []string{"throttle.account.burst: write 1 or more"}},
		{"S25: help that runs a script", "{mail: a", "{url: \"javascript:alert(1)\", mail: a", []string{"university.help.url: write an address that begins with https://"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(minimalFile, test.old) {
				t.Fatalf("the minimal file has no %q to replace", test.old)
			}
			_, _, err := load(t, strings.Replace(minimalFile, test.old, test.new, 1), nil)
			faults, ok := errors.AsType[config.Faults](err)
			if !ok {
				t.Fatalf("error = %v, want faults", err)
			}
			for _, want := range test.want {
				if !strings.Contains(faults.Error(), want) {
					t.Errorf("got:\n%v\nwant in it: %s", faults, want)
				}
			}
		})
	}
}

// TestEveryFaultAtOnce mixes what the syntax, the types and the values get
// wrong.
func TestEveryFaultAtOnce(t *testing.T) {
	_, _, err := load(t, `url: http://cas.univ.example/cas
listne: ":80"
sessions:
  idle: soon
  per_person: 0
directory:
  ldap:
    urls: [ftp://x]
    nested: {a: 1}
`, nil)
	faults, ok := errors.AsType[config.Faults](err)
	if !ok {
		t.Fatalf("error = %v, want faults", err)
	}
	got := map[string]int{}
	for _, fault := range faults {
		got[fault.Where] = fault.Line
	}
	want := map[string]int{
		"url": 1, "listne": 2, "sessions.idle": 4, "sessions.per_person": 5, "directory.ldap.urls[0]": 8,
		"directory.ldap.nested": 9, "directory.ldap.base": 7, "directory.ldap.bind_dn": 7, "directory.ldap.bind_password": 7, "university.name": 0, "university.help": 0, "secrets.keys": 0, "services.folder": 0,
	}
	for where, line := range want {
		if at, ok := got[where]; !ok || at != line {
			t.Errorf("%s: line %d (told: %v), want line %d", where, at, ok, line)
		}
	}
	if len(got) != len(want) {
		t.Errorf("faults = %v, want %d of them", got, len(want))
	}
}

// TestWeakKeys: S18, keys that no generator drew.
func TestWeakKeys(t *testing.T) {
	series := make([]byte, config.KeySize)
	for i := range series {
		series[i] = byte(i * 3)
	}
	published, err := hex.DecodeString("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		key  []byte
		want string
	}{
		{"zeros", make([]byte, config.KeySize), "repeats itself"},
		{"a repeated word", []byte(strings.Repeat("parvis42", 4)), "repeats itself"},
		{"a series", series, "repeats itself"},
		{"a sentence", []byte("Univ-Orleans: azertyQWOPkxz 1234"), "was typed, not drawn"},
		{"a published example", published, "published example"},
	}
	for _, test := range tests {
		t.Run("S18 "+test.name, func(t *testing.T) {
			for _, written := range []string{base64.StdEncoding.EncodeToString(test.key), hex.EncodeToString(test.key)} {
				_, _, err := load(t, strings.Replace(minimalFile, "KEY", `"`+written+`"`, 1), nil)
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error = %v, want in it: %s", err, test.want)
				}
				if err != nil && strings.Contains(err.Error(), written) {
					t.Errorf("S18: the fault shows the key: %v", err)
				}
			}
		})
	}
}

func TestVariables(t *testing.T) {
	env := map[string]string{"HOST": "cas.univ.example", "MANY": "7", "EMPTY": ""}
	text := strings.NewReplacer(
		"https://cas.univ.example/cas", `"https://${HOST}/cas"`,
		"assistance@univ.example", `"a$${HOST}b${EMPTY}c$d"`,
		"services: {", "sessions: {per_person: \"${MANY}\"}\nservices: {",
	).Replace(minimalFile)
	c, _, err := load(t, text, env)
	if err != nil {
		t.Fatal(err)
	}
	if want := "https://cas.univ.example/cas"; c.URL != want {
		t.Errorf("url = %q, want %q", c.URL, want)
	}
	if want := "a${HOST}bc$d"; c.University.Help.Mail != want {
		t.Errorf("mail = %q, want %q", c.University.Help.Mail, want)
	}
	if c.Sessions.PerPerson != 7 {
		t.Errorf("per_person = %d, want 7", c.Sessions.PerPerson)
	}
}

func TestSecretFiles(t *testing.T) {
	const ldap = "    bind_password: secret\n"
	tests := []struct {
		name    string
		text    string
		content string
		mode    fs.FileMode
		want    string // of the error, "" for none
		warning string
	}{
		{"read and trimmed", "bind_password_file: secret", " p w \r\n", 0o640, "", ""},
		{"S18: open to all", "bind_password_file: secret", "pw", 0o644, "", "others on this machine can read or change secret (mode 0644): run `chmod 0640` on it"},
		{"empty", "bind_password_file: secret", "\n", 0o600, "bind_password_file: the file is empty", ""},
		{"not there", "bind_password_file: nowhere", "", 0o600, "bind_password_file: the file cannot be read: no such file", ""},
		{"both", "bind_password: a\n    bind_password_file: secret", "pw", 0o600, "give bind_password or bind_password_file, not both", ""},
		{"no twin for what is no secret", "bind_password: x\n    people_filter_file: secret", "pw", 0o600, "people_filter_file: no such key here", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			services(t, folder)
			path := write(t, folder, "secret", test.content)
			if err := os.Chmod(path, test.mode); err != nil {
				t.Fatal(err)
			}
			text := strings.Replace(minimalFile, "KEY", key(t), 1)
			text = strings.Replace(text, ldap, "    "+test.text+"\n", 1)
			c, warnings, err := config.Load(write(t, folder, "parvis.yaml", text), noVariable)
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("error = %v, want in it: %s", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimRight(test.content, "\r\n"); c.Directory.LDAP.BindPassword.Reveal() != want {
				t.Errorf("password = %q, want %q", c.Directory.LDAP.BindPassword.Reveal(), want)
			}
			if test.warning != "" && !strings.Contains(fmt.Sprint(warnings), test.warning) {
				t.Errorf("warnings = %v, want in them: %s", warnings, test.warning)
			}
		})
	}
}

// TestSecretsAreNeverShown: S18, neither printed with the configuration nor in
// a fault of a neighbouring line.
func TestSecretsAreNeverShown(t *testing.T) {
	const password = "verySecret"
	broken := strings.Replace(minimalFile, "    bind_password: secret\n", "    bind_password: {a: "+password+"}\n    bnid_password: "+password+"\n", 1)
	_, _, err := load(t, broken, nil)
	if err == nil || strings.Contains(err.Error(), password) {
		t.Errorf("the faults show the password, or there are none:\n%v", err)
	}
	flow := strings.Replace(minimalFile, "secrets: {keys: [KEY]}", "secrets: {a: 1, keys: [KEY, \""+password+"\"]}", 1)
	if _, _, err := load(t, flow, nil); err == nil || strings.Contains(err.Error(), password) {
		t.Errorf("the faults show the key, or there are none:\n%v", err)
	}
	c, _, err := load(t, strings.Replace(minimalFile, "bind_password: secret", "bind_password: "+password, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "ldap", c.Directory.LDAP, "password", c.Directory.LDAP.BindPassword)
	for name, shown := range map[string]string{
		"%v": fmt.Sprintf("%v", c.Directory.LDAP), "%+v": fmt.Sprintf("%+v", *c.Directory.LDAP),
		"%#v": fmt.Sprintf("%#v", *c.Directory.LDAP), "slog": logged.String(),
	} {
		if strings.Contains(shown, password) {
			t.Errorf("%s shows the password: %s", name, shown)
		}
	}
}

func TestFileThatIsNotThere(t *testing.T) {
	_, _, err := config.Load(filepath.Join(t.TempDir(), "parvis.yaml"), noVariable)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error = %v, want fs.ErrNotExist", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(minimalFile)
	f.Add("url: ${A\n- x")
	f.Add("a: &x [*x]\nb: {<<: *x}")
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(folder, "fuzz.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := config.Load(path, noVariable); err == nil {
			t.Errorf("a file without a good key was taken:\n%s", text)
		}
	})
}

// load reads a text whose KEYs become good keys, beside an empty folder of
// services.
func load(t *testing.T, text string, env map[string]string) (config.Config, []config.Fault, error) {
	t.Helper()
	folder := t.TempDir()
	services(t, folder)
	text = strings.NewReplacer("KEY2", key(t), "KEY3", key(t), "KEY", key(t)).Replace(text)
	return config.Load(write(t, folder, "parvis.yaml", text), func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	})
}

func noVariable(string) (string, bool) { return "", false }

func services(t *testing.T, folder string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(folder, "services"), 0o750); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func key(t *testing.T) string {
	t.Helper()
	raw := make([]byte, config.KeySize)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func text(value any) string {
	return fmt.Sprint(value)
}
