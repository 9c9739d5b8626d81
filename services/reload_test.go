package services_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"parvis/services"
)

// lockedBuffer is a log that is written and read at once.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

const (
	brokenFile = "name: X\nenabled: fal"
	removed    = "(removed)"
)

func named(name, id, more string) string {
	return "id: " + id + "\nname: " + name + "\nmatch: https://" + strings.ToLower(name) + ".univ.fr/\n" + more
}

// TestReload is S44: each reload takes the files that are right, and the last
// good version of those that broke. What answers is never more than that.
func TestReload(t *testing.T) {
	const disabled = "enabled: false\n"
	narrow := "id: 1\nname: Narrow\norder: -1\nmatch: https://a.univ.fr/\nenabled: false\n"
	start := map[string]string{
		"a.yaml":    named("A", "11", ""),
		"b.yaml":    named("B", "12", ""),
		"sub/c.yml": named("C", "13", ""),
	}
	for _, tt := range []struct {
		name  string
		start map[string]string
		// steps are reloads: what is written before each.
		steps  []map[string]string
		open   string // hosts of univ.fr that are served after the last
		closed string // those whose entry denies
		faulty string
	}{
		{"a closed service is closed though another file broke", start, []map[string]string{{"a.yaml": brokenFile, "b.yaml": named("B", "12", disabled)}}, "a c", "b", "a.yaml"},
		{"a deleted one too", start, []map[string]string{{"a.yaml": brokenFile, "b.yaml": removed}}, "a c", "", "a.yaml"},
		{"a broken file keeps its last good version, whatever comes later", start, []map[string]string{{"a.yaml": brokenFile}, {"b.yaml": named("B", "12", disabled)}, {"a.yaml": brokenFile + "x"}}, "a c", "b", "a.yaml"},
		{"a mended file is taken", start, []map[string]string{{"a.yaml": brokenFile}, {"a.yaml": named("A", "11", disabled)}}, "b c", "a", ""},
		{"a new broken file adds nothing", start, []map[string]string{{"d.yaml": brokenFile, "b.yaml": named("B", "12", disabled)}}, "a c", "b", "d.yaml"},
		{"a broken file that is deleted leaves nothing", start, []map[string]string{{"a.yaml": brokenFile}, {"a.yaml": removed}}, "b c", "", ""},
		{"a file in a sub-folder", start, []map[string]string{{"sub/c.yml": brokenFile}}, "a b c", "", "sub/c.yml"},
		{"a newcomer does not take an id", start, []map[string]string{{"0.yaml": named("D", "11", "")}}, "a b c", "", "0.yaml"},
		{"nor does a file that changes its own", start, []map[string]string{{"a.yaml": named("A", "12", disabled)}}, "a b c", "", "a.yaml"},
		{"nor when the holder is broken", start, []map[string]string{{"a.yaml": brokenFile, "0.yaml": named("D", "11", "")}}, "a b c", "", "0.yaml a.yaml"},
		{"who falls back keeps what it had", start, []map[string]string{{"a.yaml": named("A", "12", disabled), "0.yaml": named("D", "11", "")}}, "a b c", "", "0.yaml a.yaml"},
		{"two newcomers with one id", start, []map[string]string{{"d.yaml": named("D", "14", ""), "e.yaml": named("E", "14", "")}}, "a b c", "", "d.yaml e.yaml"},
		{"two changes to one id", start, []map[string]string{{"a.yaml": named("A", "14", disabled), "b.yaml": named("B", "14", disabled)}}, "a b c", "", "a.yaml b.yaml"},
		{"two files change ids", start, []map[string]string{{"a.yaml": named("A", "12", ""), "b.yaml": named("B", "11", disabled)}}, "a c", "b", ""},
		{"an id that was left is free", start, []map[string]string{{"a.yaml": removed, "d.yaml": named("D", "11", "")}}, "b c d", "", ""},
		{"renamed and broken at once: the place stays, closed", map[string]string{"n.yaml": narrow, "w.yaml": "name: W\nmatch: https://*.univ.fr/\n"}, []map[string]string{{"n.yaml": removed, "n2.yaml": brokenFile}}, "b c d e", "a", "n2.yaml"},
		{"and still at the next reload", map[string]string{"n.yaml": narrow, "w.yaml": "name: W\nmatch: https://*.univ.fr/\n"}, []map[string]string{{"n.yaml": removed, "n2.yaml": brokenFile}, {"n2.yaml": brokenFile + "x"}}, "b c d e", "a", "n2.yaml"},
		{"until it is mended", map[string]string{"n.yaml": narrow, "w.yaml": "name: W\nmatch: https://*.univ.fr/\n"}, []map[string]string{{"n.yaml": removed, "n2.yaml": brokenFile}, {"n2.yaml": removed}}, "a b c d e", "", ""},
		{"renamed with another's id", map[string]string{"n.yaml": narrow, "w.yaml": "id: 2\nname: W\nmatch: https://*.univ.fr/\n"}, []map[string]string{{"n.yaml": removed, "n2.yaml": strings.Replace(narrow, "id: 1", "id: 2", 1)}}, "b c d e", "a", "n2.yaml"},
		{"renamed rightly while another is broken", start, []map[string]string{{"a.yaml": removed, "a2.yaml": named("A", "11", ""), "d.yaml": brokenFile}}, "a b c", "", "d.yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			change(t, dir, tt.start)
			r, err := services.Open(dir, discard())
			if err != nil {
				t.Fatal(err)
			}
			for i, step := range tt.steps {
				change(t, dir, step)
				err = r.Reload()
				var broken *services.LoadError
				if errors.As(err, &broken) != (len(r.Faulty()) > 0) {
					t.Errorf("step %d: error %v, faulty files %v", i, err, r.Faulty())
				}
			}
			var open, closed []string
			for _, host := range []string{"a", "b", "c", "d", "e"} {
				switch s, err := r.Find("https://" + host + ".univ.fr/"); {
				case err == nil:
					open = append(open, host)
				case s != nil:
					closed = append(closed, host)
				}
			}
			got := fmt.Sprintf("%s / %s / %s", strings.Join(open, " "), strings.Join(closed, " "), strings.Join(r.Faulty(), " "))
			if want := fmt.Sprintf("%s / %s / %s", tt.open, tt.closed, tt.faulty); got != want {
				t.Errorf("open / closed / faulty = %s, want %s\n%v", got, want, err)
			}
		})
	}
}

// change writes and removes files.
func change(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		if files[name] == removed {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[name]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A file that can no longer be read is as one that broke, and so are the files
// of a folder that is no folder any more, and a logo.
func TestReloadUnreadable(t *testing.T) {
	dir := t.TempDir()
	change(t, dir, map[string]string{"a.yaml": named("A", "11", "logo: a.svg\n"), "b.yaml": named("B", "12", ""), "logos/a.svg": "<svg/>"})
	r, err := services.Open(dir, discard())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.yaml", "logos/a.svg"} {
		path := filepath.Join(dir, name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		// Too large, or a link to a folder: neither can be read.
		if err := os.Symlink(dir, path); err != nil {
			t.Fatal(err)
		}
	}
	change(t, dir, map[string]string{"b.yaml": named("B", "12", "enabled: false\n")})
	if err := r.Reload(); err == nil || strings.Join(r.Faulty(), " ") != "a.yaml logos/a.svg" {
		t.Errorf("faulty files %v, error %v", r.Faulty(), err)
	}
	s, err := r.Find("https://a.univ.fr/")
	if err != nil {
		t.Fatal(err)
	}
	if logo, ok := r.LogoNamed(s.Logo); !ok || string(logo.Data) != "<svg/>" {
		t.Error("the logo is lost")
	}
	if _, err := r.Find("https://b.univ.fr/"); !errors.Is(err, services.ErrDisabled) {
		t.Errorf("b is not closed: %v", err)
	}
}

// Looking at a folder shows what can be read, and every fault.
func TestInspect(t *testing.T) {
	dir := t.TempDir()
	change(t, dir, map[string]string{"a.yaml": named("A", "11", ""), "b.yaml": named("B", "11", ""), "c.yaml": brokenFile})
	r, err := services.Inspect(dir)
	if err != nil {
		t.Fatal(err)
	}
	if list := r.Services(); len(list) != 1 || list[0].Name != "A" || strings.Join(r.Faulty(), " ") != "b.yaml c.yaml" {
		t.Errorf("services %v, faulty files %v", list, r.Faulty())
	}
	if _, err := services.Inspect(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that is not there: no error")
	}
	if _, err := services.Open(dir, discard()); err == nil {
		t.Error("a broken folder is served from")
	}
}
