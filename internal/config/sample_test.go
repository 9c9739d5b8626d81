package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"parvis/internal/config"
)

const sample = "../../deploy/parvis.sample.yaml"

// TestSampleLoads puts the sample where it expects its files to be.
func TestSampleLoads(t *testing.T) {
	folder := t.TempDir()
	text := strings.ReplaceAll(readSample(t), "/etc/parvis/", folder+"/")
	write(t, folder, "keys", key(t)+"\n"+key(t)+"\n")
	write(t, folder, "ldap-password", "first secret\n")
	write(t, folder, "redis-password", "second secret\n")
	if err := os.Mkdir(filepath.Join(folder, "services"), 0o750); err != nil {
		t.Fatal(err)
	}
	c, warnings, err := config.Load(write(t, folder, "parvis.yaml", text), noVariable)
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 0 {
		t.Errorf("the sample warns: %v", warnings)
	}
	if got := c.Directory.LDAP.BindPassword.Reveal(); got != "first secret" {
		t.Errorf("bind password = %q: the last newline must be trimmed, and nothing else", got)
	}
	if got := len(c.Secrets.Keys.Bytes()); got != 2 {
		t.Errorf("keys = %d, want 2", got)
	}
}

// TestSampleHasEveryKey holds the sample and the code together, both ways.
func TestSampleHasEveryKey(t *testing.T) {
	uncommented := regexp.MustCompile(`(?m)^( *)#( *[a-z_]+:)`).ReplaceAllString(readSample(t), "$1$2")
	got := map[string]bool{}
	flatten(parse(t, uncommented), "", func(path string, _ any) { got[strings.TrimSuffix(path, "_file")] = true })
	for _, section := range []string{"directory.ldap", "tickets.redis", "outgoing"} {
		got[section+".ca_file"] = got[section+".ca"]
		delete(got, section+".ca")
	}

	want := map[string]bool{}
	keys(reflect.TypeFor[config.Config](), "", func(path string) { want[path] = true })
	for path := range want {
		if !got[path] {
			t.Errorf("the sample does not show %s", path)
		}
	}
	for path := range got {
		if !want[path] {
			t.Errorf("the sample shows %s, which the code does not know", path)
		}
	}
}

// TestSampleTellsTheDefaults compares what the sample says with what the code
// does when a key is left out.
func TestSampleTellsTheDefaults(t *testing.T) {
	folder := t.TempDir()
	minimal := write(t, folder, "parvis.yaml", strings.ReplaceAll(minimalFile, "KEY", key(t)))
	services(t, folder)
	c, _, err := config.Load(minimal, noVariable)
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]bool{}
	flatten(parse(t, minimalFile), "", func(path string, _ any) { given[path] = true })

	shown := map[string]string{}
	flatten(parse(t, readSample(t)), "", func(path string, value any) { shown[path] = text(value) })
	defaults := map[string]string{}
	values(reflect.ValueOf(c), "", func(path string, value reflect.Value) {
		if !value.IsZero() && !given[path] {
			defaults[path] = text(value.Interface())
		}
	})
	for _, path := range slices.Sorted(maps.Keys(defaults)) {
		if normal(shown[path]) != normal(defaults[path]) {
			t.Errorf("%s: the sample says %q, the default is %q", path, shown[path], defaults[path])
		}
	}
	for _, path := range []string{"sessions.idle", "throttle.address.burst", "directory.ldap.login_attributes"} {
		if defaults[path] == "" {
			t.Errorf("%s has no default to compare: the test proves nothing", path)
		}
	}
}

// normal writes the ways to say one value alike.
func normal(s string) string {
	var d config.Duration
	if d.UnmarshalText([]byte(s)) == nil {
		return d.String()
	}
	return s
}

func readSample(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// flatten visits the leaves of a YAML tree.
func flatten(tree map[string]any, where string, visit func(path string, value any)) {
	for key, value := range tree {
		if section, ok := value.(map[string]any); ok {
			flatten(section, where+key+".", visit)
			continue
		}
		visit(where+key, value)
	}
}

// keys visits the paths of a section's leaves.
func keys(section reflect.Type, where string, visit func(path string)) {
	for i := range section.NumField() {
		field := section.Field(i)
		path := where + field.Tag.Get("yaml")
		if inner := deref(field.Type); isSection(inner) {
			keys(inner, path+".", visit)
			continue
		}
		visit(path)
	}
}

// values visits the leaves of a section that is there.
func values(section reflect.Value, where string, visit func(path string, value reflect.Value)) {
	for i := range section.NumField() {
		path := where + section.Type().Field(i).Tag.Get("yaml")
		value := reflect.Indirect(section.Field(i))
		switch {
		case !value.IsValid():
		case isSection(value.Type()):
			values(value, path+".", visit)
		default:
			visit(path, value)
		}
	}
}

func deref(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[config.Prefix]()
}
