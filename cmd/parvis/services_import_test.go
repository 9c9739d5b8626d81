package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const plainEntry = `{"@class": "org.apereo.cas.services.CasRegisteredService", "id": 7, "name": "App", "serviceId": "^https://app\\.univ\\.example/.*"}`

// folderOf writes files into a new folder, from names and contents in turn.
func folderOf(t *testing.T, pairs ...string) string {
	t.Helper()
	folder := t.TempDir()
	for i := 0; i < len(pairs); i += 2 {
		name := filepath.Join(folder, pairs[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Dir(name), filepath.Base(name), pairs[i+1])
	}
	return folder
}

func TestImportServices(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		code  int
		want  []string
	}{
		{"nothing lost", []string{"App-7.json", plainEntry}, exitFine, []string{"✓ App-7.yaml: 7, App", "1 service, 0 of them refused. Left out: no file. Lost: nothing."}},
		{"a key without effect", []string{"App-7.json", strings.Replace(plainEntry, `"id"`, `"colour": "blue", "id"`, 1)}, exitFault, []string{"✓ App-7.yaml", "! colour: is not known", "Lost: what the 1 line above say"}},
		{
			"a script",
			[]string{"App-7.json", strings.Replace(plainEntry, `"id"`, `"accessStrategy": {"@class": "x.GroovyRegisteredServiceAccessStrategy"}, "id"`, 1)},
			exitFault,
			[]string{"✗ App-7.yaml: 7, App, which denies everybody", "! accessStrategy.@class: GroovyRegisteredServiceAccessStrategy is not supported", "1 of them refused"},
		},
		{"S44 a broken file stops no other", []string{"App-7.json", plainEntry, "sub/Bad-8.json", "{"}, exitFault, []string{"✓ App-7.yaml", "sub/Bad-8.json\n  ✗ left out", "Left out: 1 file"}},
		{"another protocol", []string{"App-7.json", plainEntry, "O-8.json", `{"@class": "x.OidcRegisteredService"}`}, exitFault, []string{"O-8.json\n  ✗ left out\n  ! @class: OidcRegisteredService"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from := folderOf(t, tt.files...)
			into := filepath.Join(t.TempDir(), "new")
			dry, _, code := runOnce(t, "services", "import", from)
			if code != tt.code || !strings.Contains(dry, "Nothing was written: give a folder with -into.") {
				t.Errorf("exit code %d:\n%s", code, dry)
			}
			if _, err := os.Stat(into); err == nil {
				t.Error("a folder is written without -into")
			}
			got, _, code := runOnce(t, "services", "import", from, "-into", into)
			if code != tt.code || !strings.Contains(got, "Written to "+into) {
				t.Errorf("exit code %d:\n%s", code, got)
			}
			for _, want := range tt.want {
				if !strings.Contains(got, want) || !strings.Contains(dry, want) {
					t.Errorf("got:\n%s\nwant in it: %s", got, want)
				}
			}
			if _, err := os.Stat(filepath.Join(into, "App-7.yaml")); err != nil {
				t.Error(err)
			}
		})
	}
}

// A file that is there is never lost by mistake; the same one may be written
// again.
func TestImportOverwritesNothing(t *testing.T) {
	from := folderOf(t, "App-7.json", plainEntry, "B-8.json", strings.NewReplacer("7", "8", "app", "b").Replace(plainEntry))
	into := folderOf(t, "App-7.yaml", "name: Mine\n")
	_, said, code := runOnce(t, "services", "import", from, "-into", into)
	if code != exitFault || !strings.Contains(said, "App-7.yaml") {
		t.Errorf("exit code %d: %s", code, said)
	}
	if text, _ := os.ReadFile(filepath.Join(into, "App-7.yaml")); string(text) != "name: Mine\n" {
		t.Errorf("overwritten: %s", text)
	}
	if _, err := os.Stat(filepath.Join(into, "B-8.yaml")); err == nil {
		t.Error("a part is written")
	}
	if _, said, code := runOnce(t, "services", "import", from, "-into", into, "-replace"); code != exitFine {
		t.Errorf("exit code %d: %s", code, said)
	}
	if _, said, code := runOnce(t, "services", "import", from, "-into", into); code != exitFine {
		t.Errorf("the same again: exit code %d: %s", code, said)
	}
	if left, _ := filepath.Glob(filepath.Join(into, ".import-*")); len(left) > 0 {
		t.Errorf("files left: %v", left)
	}
}

func TestImportUsage(t *testing.T) {
	for _, tt := range []struct {
		name, args string
		code       int
		want       string
	}{
		{"no folder", "services import", exitUsage, "give the folder of Apereo CAS"},
		{"a folder that is not there", "services import /nowhere", exitFault, "not a folder"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, said, code := runOnce(t, strings.Fields(tt.args)...); code != tt.code || !strings.Contains(said, tt.want) {
				t.Errorf("exit code %d: %s", code, said)
			}
		})
	}
}
