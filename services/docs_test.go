package services_test

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"parvis/services"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestDocs: what the page about services shows can be copied.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../docs/services.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := yamlBlock.FindAllSubmatch(page, -1)
	if len(blocks) < 4 {
		t.Fatalf("only %d examples found", len(blocks))
	}
	for i, block := range blocks {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			r := open(t, "a.yaml", string(block[1]), "logos/cours.svg", "<svg/>")
			if faults := r.Faults(); len(faults) > 0 {
				t.Error(faults)
			}
		})
	}
}

var yamlTag = regexp.MustCompile("`yaml:\"(\\w+)\"`")

// TestEveryKey: each key of our format is documented, and in the files that
// other tests read.
func TestEveryKey(t *testing.T) {
	read := func(names ...string) string {
		var all strings.Builder
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
		return all.String()
	}
	page := read("../docs/services.md")
	samples := read("testdata/own/everything.yaml", "testdata/own/pairwise.yml", "testdata/own/kept.yaml")
	tags := yamlTag.FindAllStringSubmatch(read("own_file.go", "service.go"), -1)
	if len(tags) < 60 {
		t.Fatalf("only %d keys found", len(tags))
	}
	for _, tag := range tags {
		key := regexp.MustCompile(`\b` + tag[1] + `\b`)
		if !key.MatchString(page) {
			t.Errorf("docs/services.md does not speak of %s", tag[1])
		}
		if tag[1] != "fr" && tag[1] != "en" && !regexp.MustCompile(`\b`+tag[1]+`:`).MatchString(samples) {
			t.Errorf("no sample has %s", tag[1])
		}
	}
}

// restless is a folder whose one file changes at every reading, as a file does
// while it is being written, until it rests.
type restless struct {
	readings atomic.Int64
}

const restAfter = 40

func (f *restless) Open(name string) (fs.File, error) {
	n := int64(0)
	if name == "a.yaml" {
		n = f.readings.Add(1)
	}
	content := "name: Closed\nenabled: false\nmatch: https://a.univ.fr/\n"
	switch {
	case n >= restAfter:
		content = "name: Rested\nmatch: https://a.univ.fr/\n"
	case n > 1:
		content = fmt.Sprintf("name: Cut short %d\nmatch: https://a.univ.fr/\n", n)
	}
	return fstest.MapFS{"a.yaml": {Data: []byte(content)}}.Open(name)
}

// TestWatchWaitsForFilesToRest is S44: a file caught half written may be right,
// and lack the line that closes it.
func TestWatchWaitsForFilesToRest(t *testing.T) {
	r, err := services.OpenFS(&restless{}, discard())
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	go r.Watch(ctx, time.Millisecond)
	eventually(t, "the file is taken once it rests", func() bool {
		name := r.Services()[0].Name
		if name != "Closed" && name != "Rested" {
			t.Fatalf("taken while it was being written: %s", name)
		}
		return name == "Rested"
	})
}
