package services_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"parvis/services"
)

// importOne imports a file, and reads it and what came of it; false where it is
// left out.
func importOne(t interface {
	Helper()
	Fatalf(string, ...any)
}, name string, data []byte,
) (*services.Service, *services.Service, bool) {
	t.Helper()
	im, err := services.Import(fstest.MapFS{name: {Data: data}})
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	if len(im.Files) == 0 {
		if len(im.Losses) == 0 || len(im.LeftOut) == 0 {
			t.Fatalf("left out without a word")
		}
		return nil, nil, false
	}
	their, err := services.OpenFS(fstest.MapFS{name: {Data: data}}, discard())
	if err != nil {
		t.Fatalf("what was imported cannot be read: %v", err)
	}
	our, err := services.OpenFS(fstest.MapFS{im.Files[0].Path: {Data: im.Files[0].Data}}, discard())
	if err != nil {
		t.Fatalf("what is written cannot be read: %v\n%s", err, im.Files[0].Data)
	}
	return their.Services()[0], our.Services()[0], true
}

// FuzzImport: what is written can always be read, and does the same.
func FuzzImport(f *testing.F) {
	for _, dir := range importedFolders {
		files, err := filepath.Glob(dir + "/*.json")
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if their, our, ok := importOne(t, "F-1.json", data); ok {
			sameEntry(t, their, our)
		}
	})
}

// TestImportKeepsTexts: any text goes through our format unchanged, whatever
// YAML would make of it.
func TestImportKeepsTexts(t *testing.T) {
	text := rapid.OneOf(
		rapid.SampledFrom([]string{
			"true", "no", "~", "null", "0x1F", "1e3", "2026-01-01", "12:30", "- a", "a: b", "a #b", "#", "'", `"`, `\`, "{a}", "[a", "*a", "&a", "!a", "|", ">", "%", "@", "`",
			"a\nb", "a\n b", "a\n\nb", "a\r\nb", "\ta", "é\u0301", "\u2028", "\u0085", "\ufeff", "<a&b>", "a,b", "?", ":", "a:", ".inf", "<<", "---", "...", "\x00", "a\\nb", "''", "=",
		}),
		rapid.StringN(0, 12, 40),
	)
	rapid.Check(t, func(t *rapid.T) {
		entry := map[string]any{
			"@class": "x.CasRegisteredService", "id": 1, "serviceId": "^https://a/.*", "name": text.Draw(t, "name"), "description": text.Draw(t, "description"),
			"theme":    text.Draw(t, "theme"),
			"contacts": []any{map[string]any{"name": text.Draw(t, "contact"), "email": text.Draw(t, "mail")}},
			"attributeReleasePolicy": map[string]any{
				"@class":            "x.ReturnStaticAttributeReleasePolicy",
				"allowedAttributes": map[string]any{text.Draw(t, "key"): []any{text.Draw(t, "value"), "x"}, "b": []any{text.Draw(t, "value")}},
			},
			"accessStrategy": map[string]any{
				"@class":             "x.DefaultRegisteredServiceAccessStrategy",
				"requiredAttributes": map[string]any{text.Draw(t, "attribute"): []any{text.Draw(t, "required")}},
			},
			"usernameAttributeProvider": map[string]any{"@class": "x.StaticRegisteredServiceUsernameProvider", "value": text.Draw(t, "static")},
		}
		data, err := json.Marshal(entry)
		if err != nil {
			t.Fatal(err)
		}
		their, our, ok := importOne(t, "F-1.json", data)
		if !ok {
			return
		}
		a, _ := json.Marshal([]any{their.Name, their.Description, their.Theme, their.Contacts, their.Release("u", nil), their.Username("u", nil)})
		b, _ := json.Marshal([]any{our.Name, our.Description, our.Theme, our.Contacts, our.Release("u", nil), our.Username("u", nil)})
		if string(a) != string(b) {
			t.Fatalf("written: %s\nread:    %s", b, a)
		}
		if our.File == their.File {
			t.Fatalf("not written in our format: %s", data)
		}
	})
}
