package services_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hjson/hjson-go/v4"

	"parvis/identity"
	"parvis/services"
)

// importedFolders are read in Apereo's format and in ours.
var importedFolders = []string{"testdata/apereo", "testdata/campus"}

func imported(t *testing.T, dir string) services.Imported {
	t.Helper()
	im, err := services.Import(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// opened are the entries that an import writes.
func opened(t *testing.T, im services.Imported) *services.Registry {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, f := range im.Files {
		fsys[f.Path] = &fstest.MapFile{Data: f.Data}
	}
	r, err := services.OpenFS(fsys, discard(), services.Clock(func() time.Time { return noon }))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestImportGolden shows what is written, and what is told.
func TestImportGolden(t *testing.T) {
	for _, dir := range importedFolders {
		t.Run(dir, func(t *testing.T) {
			im := imported(t, dir)
			var b strings.Builder
			for _, f := range im.Files {
				fmt.Fprintf(&b, "== %s, of %s\n%s\n", f.Path, f.From, f.Data)
			}
			fmt.Fprintf(&b, "== left out\n%s\n\n== losses\n", strings.Join(im.LeftOut, "\n"))
			for _, loss := range im.Losses {
				fmt.Fprintln(&b, loss)
			}
			golden(t, dir+".imported.golden", b.String())
		})
	}
}

// people are tried on every entry.
var people = []identity.Person{
	alice, zoe,
	{UID: "Nobody"},
	{UID: "odd", Attributes: identity.Attributes{
		"mail": {"ODD@UNIV.EXAMPLE", "odd\n@x"}, "eduPersonAffiliation": {"Alumni", "TEACHER", "staff"}, "memberOf": {"CN=Scol,x", "cn=cours-a,ou=b", "x"},
		"supannEntiteAffectation": {"UFR9"}, "on": {"1"}, "sn": {"", "É"}, "givenName": {"x"}, "uid": {"odd"},
	}},
	{UID: "staff1", Attributes: identity.Attributes{"eduPersonAffiliation": {"staff"}, "memberOf": {"cn=scol,ou=g"}, "uid": {"z1"}, "mail": {"s@other.example"}}},
}

var moments = []time.Time{
	noon, noon.AddDate(-8, 0, 0), noon.AddDate(0, -1, 0), noon.Add(time.Hour), noon.AddDate(0, 0, 10), noon.AddDate(2, 0, 0),
	time.Date(2026, 11, 30, 17, 0, 0, 0, time.UTC), time.Date(2026, 6, 30, 22, 0, 0, 0, time.UTC), time.Date(2026, 10, 1, 16, 0, 0, 0, time.UTC),
}

// TestImportBehavesTheSame: for everybody, everywhere and at any time, what an
// import writes does what Apereo's own entry does here.
func TestImportBehavesTheSame(t *testing.T) {
	for _, dir := range importedFolders {
		t.Run(dir, func(t *testing.T) {
			im := imported(t, dir)
			ours := opened(t, im)
			source := fstest.MapFS{}
			for _, f := range im.Files {
				data, err := os.ReadFile(dir + "/" + f.From)
				if err != nil {
					t.Fatal(err)
				}
				source[f.From] = &fstest.MapFile{Data: data}
			}
			theirs, err := services.OpenFS(source, discard(), services.Clock(func() time.Time { return noon }))
			if err != nil {
				t.Fatal(err)
			}
			if len(theirs.Services()) != len(ours.Services()) || len(ours.Services()) < 20 {
				t.Fatalf("%d entries, %d written", len(theirs.Services()), len(ours.Services()))
			}
			for i, their := range theirs.Services() {
				sameEntry(t, their, ours.Services()[i])
			}
			for _, service := range addresses(theirs) {
				a, errA := theirs.Find(service)
				b, errB := ours.Find(service)
				if fmt.Sprint(errA) != fmt.Sprint(errB) || (a == nil) != (b == nil) || a != nil && a.ID != b.ID {
					t.Errorf("Find(%q) = %v, %v; written: %v, %v", service, a, errA, b, errB)
				}
			}
		})
	}
}

// addresses are tried on every entry: what its expression looks like, and
// variations.
func addresses(r *services.Registry) []string {
	list := []string{"imap://mail.univ.example", "IMAP://mail.univ.example", "imaps://imap1.univ.example:993", "https://stranger.example/", "x"}
	for _, s := range r.Services() {
		plain := strings.NewReplacer(`\Q`, "", `\E`, "", `\.`, ".", "^", "", "$", "", ".*", "x", "(:443)?", "", "(/x)?", "/x", "https?", "https", "(?!test)[a-z]+", "a", `\p{Alnum}*`, "b").Replace(s.Patterns[0])
		for _, address := range []string{plain, strings.ToUpper(plain), plain + "?a=b", strings.Replace(plain, "https", "http", 1), strings.Replace(plain, ".", "x", 1), plain + "/../x", "https://" + plain} {
			list = append(list, address, strings.Replace(address, "(esup|mobile)", "esup", 1), strings.Replace(address, "(login/index.php|my/)", "my/", 1))
		}
	}
	return list
}

func sameEntry(t *testing.T, a, b *services.Service) {
	t.Helper()
	shown := func(s *services.Service) string {
		copied := *s
		copied.File = ""
		copied.Patterns = nil
		text, err := json.MarshalIndent(&copied, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if diff := cmp.Diff(shown(a), shown(b)); diff != "" {
		t.Errorf("%s:\n%s", a.File, diff)
	}
	for _, callback := range []string{"https://portal.univ.example/CasProxyServlet?x", "https://sogo.univ.example/SOGo/casProxy", "https://sogo.univ.example/SOGo/casProxy;jsessionid=1", "http://ent.univ.example/uPortal/CasProxyServlet", "https://esup.univ.example/x", "https://x/"} {
		if a.MayProxy(callback) != b.MayProxy(callback) {
			t.Errorf("%s: MayProxy(%s)", a.File, callback)
		}
	}
	if a.HasRelease() != b.HasRelease() || signsOn(a) != signsOn(b) || a.CookieOnRenew() != b.CookieOnRenew() {
		t.Errorf("%s: HasRelease, single sign-on or CookieOnRenew", a.File)
	}
	var refused *services.AccessError
	isRefused := errors.As(a.Allow("", nil, noon), &refused) && strings.Contains(refused.Reason, "refused")
	for _, p := range people {
		if diff := cmp.Diff(a.Release(p.UID, p.Attributes), b.Release(p.UID, p.Attributes)); diff != "" {
			t.Errorf("%s: Release(%s):\n%s", a.File, p.UID, diff)
		}
		if got, want := b.Username(p.UID, p.Attributes), a.Username(p.UID, p.Attributes); got != want && !isRefused {
			t.Errorf("%s: Username(%s) = %q, want %q", a.File, p.UID, got, want)
		}
		for _, now := range moments {
			var wantDenied, gotDenied *services.AccessError
			if errors.As(a.Allow(p.UID, p.Attributes, now), &wantDenied) != errors.As(b.Allow(p.UID, p.Attributes, now), &gotDenied) ||
				wantDenied != nil && wantDenied.RedirectURL != gotDenied.RedirectURL {
				t.Errorf("%s: Allow(%s, %v) = %v, want %v", a.File, p.UID, now, gotDenied, wantDenied)
			}
			for _, age := range []time.Duration{0, time.Minute, 14 * time.Minute, time.Hour} {
				if a.Participates(p.UID, p.Attributes, now.Add(-age), now) != b.Participates(p.UID, p.Attributes, now.Add(-age), now) {
					t.Errorf("%s: Participates(%s, %v)", a.File, p.UID, age)
				}
			}
		}
	}
}

// TestImportTellsEveryKey adds a key that nobody knows to each object of each
// entry: it is told, by its own path or by that of an object that is without
// effect as a whole.
func TestImportTellsEveryKey(t *testing.T) {
	const stranger = "zzStranger"
	// Objects whose keys are names of attributes, or free.
	free := []string{"requiredAttributes", "rejectedAttributes", "allowedAttributes", "patterns", "attributes", "properties"}
	tried := 0
	for _, dir := range importedFolders {
		for _, f := range imported(t, dir).Files {
			data, err := os.ReadFile(dir + "/" + f.From)
			if err != nil || !strings.HasSuffix(f.From, ".json") {
				continue
			}
			var root any
			if err := hjson.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &root); err != nil {
				t.Fatal(err)
			}
			for _, at := range objects(root, "", free) {
				at.object[stranger] = "x"
				changed, err := json.Marshal(root)
				if err != nil {
					t.Fatal(err)
				}
				delete(at.object, stranger)
				im, err := services.Import(fstest.MapFS{f.From: {Data: changed}})
				if err != nil {
					t.Fatal(err)
				}
				tried++
				if !slices.ContainsFunc(im.Losses, func(loss services.Fault) bool {
					return strings.HasSuffix(loss.Key, stranger) || loss.Key != "" && covers(loss.Key, at.path) || loss.Key == "@class"
				}) {
					t.Errorf("%s: a key in %q is dropped without a word: %v", f.From, at.path, im.Losses)
				}
			}
		}
	}
	if tried < 100 {
		t.Errorf("only %d places tried", tried)
	}
}

// covers tells whether a fault on a key speaks of an object as a whole.
func covers(key, path string) bool {
	key = strings.TrimSuffix(key, ".@class")
	return path == key || strings.HasPrefix(path, key+".")
}

type place struct {
	path   string
	object map[string]any
}

// objects lists every object inside a value, but for those whose keys are free.
func objects(value any, path string, free []string) []place {
	var list []place
	switch v := value.(type) {
	case map[string]any:
		last := path[strings.LastIndex(path, ".")+1:]
		if !slices.Contains(free, last) {
			list = append(list, place{path, v})
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			list = append(list, objects(v[key], strings.TrimPrefix(path+"."+key, "."), free)...)
		}
	case []any:
		if len(v) == 2 {
			if class, ok := v[0].(string); ok && strings.HasPrefix(class, "java.") {
				return objects(v[1], path, free)
			}
		}
		for i, element := range v {
			list = append(list, objects(element, fmt.Sprintf("%s[%d]", path, i), free)...)
		}
	}
	return list
}
