package services_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parvis/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOrder(t *testing.T) {
	const pattern = `^https://a\.univ\.fr/.*`
	disabled := `"accessStrategy": {"@class": "org.apereo.cas.services.DefaultRegisteredServiceAccessStrategy", "enabled": false}`
	for _, tt := range []struct {
		name  string
		files []string
		id    int64
		err   error
	}{
		{"smallest order first", []string{"A-1.json", apereo(1, pattern, `"evaluationOrder": 10`), "A-2.json", apereo(2, pattern, `"evaluationOrder": 9`)}, 2, nil},
		{"negative order", []string{"A-1.json", apereo(1, pattern, ""), "A-2.json", apereo(2, pattern, `"evaluationOrder": -1`)}, 2, nil},
		{"then the name, whatever its case", []string{"A-9.json", strings.Replace(apereo(9, pattern, ""), "S9", "beta", 1), "A-10.json", strings.Replace(apereo(10, pattern, ""), "S10", "ALPHA", 1)}, 10, nil},
		{"then the pattern", []string{"A-1.json", strings.Replace(apereo(1, pattern+"b?", ""), "S1", "x", 1), "A-2.json", strings.Replace(apereo(2, pattern, ""), "S2", "x", 1)}, 2, nil},
		{"then the id", []string{"A-3.json", strings.Replace(apereo(3, pattern, ""), "S3", "x", 1), "A-2.json", strings.Replace(apereo(2, pattern, ""), "S2", "x", 1)}, 2, nil},
		{"host-bound and free entries keep their order", []string{"A-1.json", apereo(1, `^https://[a-z]+\.univ\.fr/.*`, `"evaluationOrder": 1`), "A-2.json", apereo(2, pattern, `"evaluationOrder": 2`)}, 1, nil},
		{"L5 a disabled first match denies", []string{"A-1.json", apereo(1, pattern, `"evaluationOrder": 1,`+disabled), "A-2.json", apereo(2, pattern, `"evaluationOrder": 2`)}, 1, services.ErrDisabled},
		{"S44 a refused first match denies", []string{"A-1.json", apereo(1, pattern, `"templateName": "x"`), "A-2.json", apereo(2, pattern, `"evaluationOrder": 2`)}, 1, services.ErrDisabled},
		{"S44 a pattern that RE2 lacks denies more than it would match", []string{"A-1.json", apereo(1, `^https://(?!b)a\.univ\.fr/.*`, ""), "A-2.json", apereo(2, `.*`, `"evaluationOrder": 2`)}, 1, services.ErrDisabled},
		{"nothing", nil, 0, services.ErrUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := open(t, tt.files...).Find("https://a.univ.fr/x")
			if !errors.Is(err, tt.err) || (s == nil) != (tt.id == 0) || s != nil && s.ID != tt.id {
				t.Errorf("Find = %+v, %v", s, err)
			}
		})
	}
}

// TestOpenFailsClosed is S44: at start a folder with a broken file is not used,
// and every broken file is told.
func TestOpenFailsClosed(t *testing.T) {
	good := "name: Good\nmatch: https://good.univ.fr/\n"
	for _, tt := range []struct {
		name, file, content, want string
	}{
		{"JSON cut short", "Bad-1.json", `{"@class": "x.CasRegisteredService", "serviceId": "a"`, "Bad-1.json: broken: read JSON"},
		{"JSON not an object", "Bad-1.json", `[1]`, "is not an object"},
		{"JSON key twice", "Bad-1.json", `{"@class": "x.CasRegisteredService", "id": 1, "id": 2, "serviceId": "a"}`, "duplicate"},
		{"JSON empty", "Bad-1.json", ``, "@class: is missing"},
		{"no class", "Bad-1.json", `{"id": 1, "serviceId": "a"}`, "@class: is missing"},
		{"no id", "Bad-1.json", `{"@class": "x.CasRegisteredService", "serviceId": "a"}`, "id: must be"},
		{"no pattern", "Bad-1.json", `{"@class": "x.CasRegisteredService", "id": 1}`, "serviceId: is missing"},
		{"pattern that is none", "Bad-1.json", apereo(1, `https://(`, ""), "serviceId: compile pattern"},
		{"pattern that closes its wrapper", "Bad-1.json", apereo(1, `a)|(?:.*`, ""), "serviceId: compile pattern"},
		{"expression in the pattern", "Bad-1.json", apereo(1, `${env}`, ""), "an expression"},
		{"unknown strategy", "Bad-1.json", apereo(1, `a`, `"matchingStrategy": {"@class": "x.Other"}`), "Other is not known"},
		{"YAML key unknown", "bad.yaml", "name: X\nmatch: https://a/\nacces: {}\n", "bad.yaml:3: broken: acces: no such key here; did you mean \"access\"?"},
		{"YAML key unknown inside", "bad.yaml", "name: X\nmatch: https://a/\naccess:\n  group: x\n", "bad.yaml:4: broken: access.group: no such key here; did you mean \"groups\"?"},
		{"YAML key without a value", "bad.yaml", "name: X\nmatch: https://a/\naccess:\n  groups:\n", "has no value"},
		{"YAML key twice", "bad.yaml", "name: X\nname: Y\nmatch: https://a/\n", "already defined"},
		{"YAML two documents", "bad.yaml", "name: X\nmatch: https://a/\n---\nname: Y\n", "several documents"},
		{"YAML empty", "bad.yaml", "# nothing\n", "empty"},
		{"YAML not YAML", "bad.yaml", "a: [", "bad.yaml"},
		{"no match", "bad.yaml", "name: X\n", "match: needs"},
		{"no name", "bad.yaml", "match: https://a/\n", "name: every service"},
		{"regex that is none", "bad.yaml", "name: X\nmatch:\n  regex: '('\n", "bad.yaml:3: broken: match.regex"},
		{"regex with a look-ahead", "bad.yaml", "name: X\nmatch:\n  regex: '(?!a)b'\n", "look-ahead"},
		{"url with a user", "bad.yaml", "name: X\nmatch: https://u@a.fr/\n", "not a safe URL"},
		{"url without a scheme", "bad.yaml", "name: X\nmatch: a.univ.fr\n", "write it in full"},
		{"url with a query", "bad.yaml", "name: X\nmatch: https://a.fr/?x\n", "takes no '?'"},
		{"url with a star inside", "bad.yaml", "name: X\nmatch: https://a*.univ.fr/\n", "character not allowed"},
		{"url star over a top-level domain", "bad.yaml", "name: X\nmatch: https://*.fr/\n", "top-level"},
		{"exact javascript", "bad.yaml", "name: X\nmatch: {exact: 'javascript:x'}\n", "dangerous scheme"},
		{"negative id", "bad.yaml", "id: -1\nname: X\nmatch: https://a/\n", "must be positive"},
		{"empty groups", "bad.yaml", "name: X\nmatch: https://a/\naccess: {groups: []}\n", "lets nobody in"},
		{"empty require", "bad.yaml", "name: X\nmatch: https://a/\naccess: {require: {}}\n", "is empty"},
		{"require without values", "bad.yaml", "name: X\nmatch: https://a/\naccess: {require: {a: []}}\n", "at least one value"},
		{"password released", "bad.yaml", "name: X\nmatch: https://a/\nrelease: [userPassword]\n", "never released"},
		{"except without all", "bad.yaml", "name: X\nmatch: https://a/\nrelease: {except: [a]}\n", "only goes with"},
		{"two user names", "bad.yaml", "name: X\nmatch: https://a/\nusername: {attribute: a, static: b}\n", "takes one of"},
		{"short salt", "bad.yaml", "id: 1\nname: X\nmatch: https://a/\nusername: {pairwise_salt: abc}\n", "at least 16"},
		{"pairwise without an id", "bad.yaml", "name: X\nmatch: https://a/\nusername: {pairwise_salt: 0123456789abcdef}\n", "have an id"},
		{"redirect elsewhere", "bad.yaml", "name: X\nmatch: https://a/\nredirect_url: https://b/\n", "must match the entry"},
		{"bad date", "bad.yaml", "name: X\nmatch: https://a/\nvalid: {until: soon}\n", "write a day"},
		{"dates the wrong way round", "bad.yaml", "name: X\nmatch: https://a/\nvalid: {from: 2026-02-01, until: 2026-01-01}\n", "ends before"},
		{"bad duration", "bad.yaml", "name: X\nmatch: https://a/\nlifetimes: {service_ticket: 30}\n", "write a duration"},
		{"bad protocol", "bad.yaml", "name: X\nmatch: https://a/\nprotocols: CAS4\n", "protocols are"},
		{"bad response", "bad.yaml", "name: X\nmatch: https://a/\nresponse: pigeon\n", "is redirect"},
		{"bad logout", "bad.yaml", "name: X\nmatch: https://a/\nlogout: later\n", "is back"},
		{"bad logout URL", "bad.yaml", "name: X\nmatch: https://a/\nlogout: {url: 'javascript:x'}\n", "full http"},
		{"S8 logo outside the folder", "bad.yaml", "name: X\nmatch: https://a/\nlogo: ../secret.png\n", "without a folder"},
		{"network that is none", "bad.yaml", "name: X\nmatch: https://a/\nnetworks: 10.12\n", "write networks as"},
		{"network with a host", "bad.yaml", "name: X\nmatch: https://a/\nnetworks: 10.12.0.1/16\n", "write networks as"},
		{"file too large", "bad.yaml", "# " + strings.Repeat("x", 1<<20), "larger than 1 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := services.OpenFS(folder("good.yaml", good, tt.file, tt.content, "also-bad.yaml", "x: y"), discard())
			var broken *services.LoadError
			if !errors.As(err, &broken) {
				t.Fatalf("err = %v", err)
			}
			if len(broken.Faults) < 2 || !strings.Contains(err.Error(), "also-bad.yaml") {
				t.Errorf("not every file is told: %v", err)
			}
			if !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(tt.want)) {
				t.Errorf("%q is not in: %v", tt.want, err)
			}
		})
	}
}

func TestDuplicateIDs(t *testing.T) {
	_, err := services.OpenFS(folder("a.yaml", "id: 7\nname: A\nmatch: https://a/\n", "B-7.json", apereo(7, "https://b/", "")), discard())
	if err == nil || !strings.Contains(err.Error(), "already that of") {
		t.Errorf("err = %v", err)
	}
}

func TestOpenMissingFolder(t *testing.T) {
	if _, err := services.Open(filepath.Join(t.TempDir(), "none"), discard()); err == nil {
		t.Error("no error")
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	// Written beside and renamed, as a careful deployment does.
	temporary := filepath.Join(dir, "."+name)
	if err := os.WriteFile(temporary, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temporary, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// TestWatch is S44: changes are taken, but for a file that is broken: its last
// good version stays until it is mended.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "narrow.yaml", "name: Narrow\norder: 1\nmatch: https://a.univ.fr/\nenabled: false\n")
	write(t, dir, "wide.yaml", "name: Wide\norder: 2\nmatch: https://*.univ.fr/\n")
	var log lockedBuffer
	r, err := services.Open(dir, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { r.Watch(ctx, 5*time.Millisecond) })
	defer done.Wait()
	defer stop()

	write(t, dir, "new.yaml", "name: New\nmatch: https://new.example/\n")
	eventually(t, "the new file is taken", func() bool { _, err := r.Find("https://new.example/"); return err == nil })

	write(t, dir, "narrow.yaml", "name: Narrow\nenabled: fal")
	write(t, dir, "new.yaml", "name: New\nmatch: https://newer.example/\n")
	eventually(t, "the file that is right is taken", func() bool { _, err := r.Find("https://newer.example/"); return err == nil })
	eventually(t, "the fault is told", func() bool {
		return len(r.Faulty()) == 1 && strings.Contains(log.String(), "level=ERROR") && strings.Contains(log.String(), "files=[narrow.yaml]")
	})
	if _, err := r.Find("https://a.univ.fr/"); !errors.Is(err, services.ErrDisabled) {
		t.Errorf("a broken file opened its service: %v", err)
	}

	write(t, dir, "narrow.yaml", "name: Narrow\norder: 1\nmatch: https://a.univ.fr/\n")
	eventually(t, "the file mended is taken", func() bool { _, err := r.Find("https://a.univ.fr/"); return err == nil })
	if faults := r.Faults(); len(faults) != 0 {
		t.Errorf("faults left: %v", faults)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the loss of the folder is told", func() bool { return len(r.Faults()) > 0 })
	if _, err := r.Find("https://newer.example/"); err != nil {
		t.Errorf("the loss of the folder closed its services: %v", err)
	}
}

// TestReloadIsAtomic: readers see one version or the other, whole.
func TestReloadIsAtomic(t *testing.T) {
	dir := t.TempDir()
	version := func(n int) {
		for _, name := range []string{"a", "b"} {
			write(t, dir, name+".yaml", fmt.Sprintf("name: V%d\nmatch: https://%s.univ.fr/\n", n, name))
		}
	}
	version(0)
	r, err := services.Open(dir, discard())
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if list := r.Services(); len(list) != 2 || list[0].Name != list[1].Name {
					t.Errorf("a mix: %v", list)
					return
				}
			}
		})
	}
	for n := range 20 {
		version(n)
		if err := r.Reload(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	readers.Wait()
}

func TestWildcardWarning(t *testing.T) {
	var out bytes.Buffer
	_, err := services.OpenFS(folder("W-1.json", apereo(1, `^(https|imaps)://.*`, "")), slog.New(slog.NewTextHandler(&out, nil)))
	if err != nil || !strings.Contains(out.String(), "matches any site") || !strings.Contains(out.String(), "W-1.json") {
		t.Errorf("S44: %v, %s", err, out.String())
	}
}

func TestLogo(t *testing.T) {
	fsys := folder("logos/a.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>", "logos/e.svg", "<svg onload='x()'/>", "logos/f.svg", "<svg><image href='//cdn.example/x.png'/></svg>",
		"E-5.json", apereo(5, "https://e/", `"logo": "e.svg"`), "F-6.json", apereo(6, "https://f/", `"logo": "images/f.svg"`),
		"logos/sub/b.svg", "<svg/>", "logos/c.html", "x",
		"a.yaml", "id: 1\nname: A\nmatch: https://a/\nlogo: a.svg\n", "b.yaml", "id: 2\nname: B\nmatch: https://b/\nlogo: b.svg\n",
		"C-3.json", apereo(3, "https://c/", `"logo": "../../etc/c.html"`), "D-4.json", apereo(4, "https://d/", `"logo": "https://cdn.example/d.png"`))
	r, err := services.OpenFS(fsys, discard())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Services() {
		logo, ok := r.LogoNamed(s.Logo)
		if ok != (s.ID == 1) || ok && (logo.Type != "image/svg+xml" || !strings.HasPrefix(string(logo.Data), "<svg xmlns") || len(logo.Hash) != 12) {
			t.Errorf("%s: %+v, %v", s.Name, logo, ok)
		}
	}
	if _, ok := r.LogoNamed("../a.yaml"); ok {
		t.Error("a file outside logos/ is served")
	}
}

func BenchmarkFind(b *testing.B) {
	var pairs []string
	for i := range 1000 {
		pairs = append(pairs, fmt.Sprintf("S-%d.json", i+1), apereo(i+1, fmt.Sprintf(`^https?://app%d\.univ\.example(:443)?/.*`, i), ""))
	}
	r := open(b, pairs...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Find("https://app987.univ.example/mod/quiz/view.php?id=12&lang=fr"); err != nil {
			b.Fatal(err)
		}
	}
}
