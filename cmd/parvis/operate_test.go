package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestMemoryIsToldOnce: the unit, the containers and the manual give one limit.
func TestMemoryIsToldOnce(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(string(text)), " ")
	}
	unit := read("deploy/systemd/parvis.service")
	limit := regexp.MustCompile(`GOMEMLIMIT=(\w+)`).FindStringSubmatch(unit)
	most := regexp.MustCompile(`MemoryMax=(\w+)`).FindStringSubmatch(unit)
	if limit == nil || most == nil {
		t.Fatal("the unit sets no limit")
	}
	for name, want := range map[string]string{
		"docs/operate.md":     "(" + limit[1] + " of " + most[1] + ", as in the unit)",
		"deploy/compose.yaml": "GOMEMLIMIT: " + limit[1] + " mem_limit: " + strings.ToLower(most[1]),
	} {
		if !strings.Contains(read(name), want) {
			t.Errorf("%s does not say %q", name, want)
		}
	}
}
