package services_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parvis/services"
)

func inFolder(t *testing.T, files map[string]string) (*services.Registry, string) {
	t.Helper()
	dir := t.TempDir()
	change(t, dir, files)
	r, err := services.Open(dir, discard())
	if err != nil {
		t.Fatal(err)
	}
	return r, dir
}

// TestPut is R8: an entry is added, found at once, and there after a restart.
func TestPut(t *testing.T) {
	r, dir := inFolder(t, map[string]string{"a.yaml": named("A", "11", "")})
	entry := strings.Replace(apereo(21, `^https://new\.univ\.fr/.*`, ""), "S21", "Où est-ce ? ../x", 1)
	s, err := r.Put([]byte("\xef\xbb\xbf" + entry))
	if err != nil {
		t.Fatal(err)
	}
	if s.ID != 21 || s.File != "O-est-ce-x-21.json" {
		t.Errorf("entry %d in %s", s.ID, s.File)
	}
	if found, err := r.Find("https://new.univ.fr/x"); err != nil || found != s {
		t.Errorf("Find = %v, %v", found, err)
	}
	again, err := services.Open(dir, discard())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Find("https://new.univ.fr/x"); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) > 0 {
		t.Errorf("files left: %v", left)
	}
	closed := strings.Replace(entry, `"serviceId"`, `"accessStrategy": {"@class": "x.DefaultRegisteredServiceAccessStrategy", "enabled": false}, "serviceId"`, 1)
	if _, err := r.Put([]byte(closed)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Find("https://new.univ.fr/x"); !errors.Is(err, services.ErrDisabled) {
		t.Errorf("replaced: %v", err)
	}
}

// TestPutRefuses is R8 with S44: what is wrong or dangerous is not taken.
func TestPutRefuses(t *testing.T) {
	r, dir := inFolder(t, map[string]string{"a.yaml": named("A", "11", ""), "sub/Kept-12.json": apereo(12, "https://k/", ""), "Other-31.json": apereo(13, "https://o/", "")})
	for _, tt := range []struct {
		name, data string
		want       error
		says       string
	}{
		{"nothing", "", nil, "broken"},
		{"not an entry", "[]", nil, "not an object"},
		{"half an entry", `{"@class": "x.CasRegisteredService", "id": 5`, nil, "broken"},
		{"no id", apereo(0, "https://x/", ""), nil, "must be a positive number"},
		{"another protocol", `{"@class": "x.OidcRegisteredService", "id": 5}`, nil, "not an entry for CAS"},
		{"a script", apereo(5, "https://x/", `"accessStrategy": {"@class": "x.GroovyRegisteredServiceAccessStrategy"}`), nil, "not supported"},
		{"S44 any site", apereo(5, "^https?://.*", ""), nil, "wildcard"},
		{"S44 host not ended", apereo(5, `^https://x\.univ\.fr.*`, ""), nil, "open-host"},
		{"S31 proxy anywhere", apereo(5, `^https://x\.univ\.fr/.*`, `"proxyPolicy": {"@class": "x.RegexMatchingRegisteredServiceProxyPolicy", "pattern": "^https://.*"}`), nil, "proxy-wildcard"},
		{"too large", apereo(5, "https://x/", `"description": "`+strings.Repeat("x", 1<<20)+`"`), nil, "1 MiB"},
		{"id of another file", apereo(11, `^https://x\.univ\.fr/.*`, ""), services.ErrTaken, "a.yaml"},
		{"id of a file elsewhere", apereo(12, `^https://x\.univ\.fr/.*`, ""), services.ErrTaken, "Kept-12.json"},
		{"name of another file", strings.Replace(apereo(31, `^https://x\.univ\.fr/.*`, ""), "S31", "Other", 1), services.ErrTaken, "Other-31.json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := files(t, dir)
			s, err := r.Put([]byte(tt.data))
			var refused *services.EntryError
			if s != nil || err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("Put = %v, %v", s, err)
			}
			if tt.want != nil && !errors.Is(err, tt.want) || tt.want == nil && !errors.As(err, &refused) {
				t.Errorf("err = %v, want %v", err, tt.want)
			}
			if after := files(t, dir); after != before {
				t.Errorf("files %s, then %s", before, after)
			}
		})
	}
}

// TestPutTakesNoAddresses: an entry that is tried first answers for nobody
// else's addresses, and one that is tried last may stand behind another.
func TestPutTakesNoAddresses(t *testing.T) {
	r, _ := inFolder(t, map[string]string{"Marks-12.json": apereo(12, `^https://marks\.univ\.fr/.*`, `"evaluationOrder": 10`)})
	before, err := r.Find("https://marks.univ.fr/x")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := r.Put([]byte(apereo(5, `^https://marks\.univ\.fr/.*`, `"evaluationOrder": 1`))); !errors.Is(err, services.ErrTaken) {
		t.Errorf("Put = %v, %v", s, err)
	}
	if found, err := r.Find("https://marks.univ.fr/x"); err != nil || found != before {
		t.Errorf("another entry answers: %v, %v", found, err)
	}
	if _, err := r.Put([]byte(apereo(5, `^https://marks\.univ\.fr/.*`, `"evaluationOrder": 20`))); err != nil {
		t.Errorf("behind another: %v", err)
	}
}

func files(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}

// A file that is in a folder inside keeps its place.
func TestPutKeepsThePlace(t *testing.T) {
	r, dir := inFolder(t, map[string]string{"sub/S12-12.json": apereo(12, `^https://old\.univ\.fr/.*`, "")})
	s, err := r.Put([]byte(apereo(12, `^https://new\.univ\.fr/.*`, "")))
	if err != nil || s.File != "sub/S12-12.json" {
		t.Fatalf("Put = %+v, %v", s, err)
	}
	if files(t, dir) != "sub" {
		t.Error(files(t, dir))
	}
}

// A broken file of the folder stops no entry from being added.
func TestPutBesideBrokenFiles(t *testing.T) {
	r, dir := inFolder(t, map[string]string{"a.yaml": named("A", "11", "")})
	change(t, dir, map[string]string{"a.yaml": brokenFile, "S9-9.json": "{"})
	if _, err := r.Put([]byte(apereo(12, `^https://new\.univ\.fr/.*`, ""))); err != nil {
		t.Error(err)
	}
	if _, err := r.Put([]byte(apereo(9, `^https://nine\.univ\.fr/.*`, ""))); !errors.Is(err, services.ErrTaken) {
		t.Errorf("over a file that cannot be read: %v", err)
	}
}

func TestPutUnwritable(t *testing.T) {
	r := open(t, "a.yaml", named("A", "11", ""))
	if _, err := r.Put([]byte(apereo(12, `^https://new\.univ\.fr/.*`, ""))); !errors.Is(err, services.ErrUnwritable) {
		t.Errorf("no folder: %v", err)
	}
	gone, dir := inFolder(t, map[string]string{"a.yaml": named("A", "11", "")})
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := gone.Put([]byte(apereo(12, `^https://new\.univ\.fr/.*`, ""))); err == nil {
		t.Error("no error, and no folder")
	}
}

// TestPutAtOnce: of many that claim an id, one gets it.
func TestPutAtOnce(t *testing.T) {
	r, _ := inFolder(t, map[string]string{"a.yaml": named("A", "11", "")})
	var all sync.WaitGroup
	results := make(chan error, 8)
	for i := range 8 {
		name, _ := json.Marshal("N" + string(rune('a'+i)))
		entry := strings.Replace(apereo(12, `^https://new\.univ\.fr/.*`, ""), `"S12"`, string(name), 1)
		all.Go(func() {
			_, err := r.Put([]byte(entry))
			results <- err
		})
	}
	all.Wait()
	close(results)
	won := 0
	for err := range results {
		if err == nil {
			won++
		} else if !errors.Is(err, services.ErrTaken) {
			t.Error(err)
		}
	}
	if won != 1 || len(r.Faulty()) != 0 {
		t.Errorf("%d won, faulty %v", won, r.Faulty())
	}
}
