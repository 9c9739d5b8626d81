package services_test

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
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
