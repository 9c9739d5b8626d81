package parvis_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// maxModules bounds the modules that the binary is built from. Each has its
// reason in docs/dependencies.md: raise the number with a new line there.
const maxModules = 24

// rooms says what each room may import of Parvis besides itself: those very
// packages, not what lies below them.
var rooms = map[string][]string{
	"identity":  {},
	"tickets":   {"identity"},
	"services":  {"identity"},
	"ldapstore": {"identity"},
	"ui":        {"identity", "internal/httpx"},
	"cas":       {"identity", "tickets", "services", "ui", "internal/httpx", "internal/audit", "internal/pace", "internal/ratelimit", "internal/slo"},

	"casclient": {}, // other programs take it: it stands alone

	"conformance": {}, // sees a server by its address

	"internal/httpx":      {},
	"internal/audit":      {"identity", "internal/httpx"},
	"internal/pace":       {},
	"internal/ratelimit":  {},
	"internal/metrics":    {"identity", "tickets", "internal/audit"},
	"internal/slo":        {"tickets", "services", "internal/audit", "internal/safehttp"},
	"internal/safehttp":   {},
	"internal/ops":        {"internal/audit", "internal/slo"},
	"internal/sdnotify":   {},
	"internal/config":     {},
	"internal/demo":       {},
	"deploy":              {},
	"internal/showticket": {},
}

// contracts are the rooms whose sub-packages implement what the room states:
// the room itself never sees them.
var contracts = []string{"tickets", "ldapstore", "internal/slo"}

type listed struct {
	ImportPath string
	Imports    []string
	Module     *struct{ Path string }
}

// TestImportsRunOneWay holds the direction that the README draws. Only cmd and
// tests see everything.
func TestImportsRunOneWay(t *testing.T) {
	for _, p := range list(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, "parvis/")
		if name == "parvis" || name == "bench" || strings.HasPrefix(name, "cmd/") || forTests(name) {
			continue
		}
		room := roomOf(name)
		allowed, known := rooms[room]
		if !known {
			t.Errorf("%s is a new room: say in rooms what it may import", name)
			continue
		}
		for _, imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, "parvis/")
			below := !slices.Contains(contracts, room) || strings.HasPrefix(other, room+"/internal/")
			within := roomOf(other) == room && (other == room || below)
			if ours && !within && !slices.Contains(allowed, other) {
				t.Errorf("%s imports %s; besides itself, %s may import %v", name, other, room, allowed)
			}
		}
	}
}

// TestModules counts what the binary is made of.
func TestModules(t *testing.T) {
	modules := map[string]bool{}
	for _, p := range list(t, "-deps", "./cmd/parvis") {
		if p.Module != nil && p.Module.Path != "parvis" {
			modules[p.Module.Path] = true
		}
	}
	if len(modules) > maxModules {
		t.Errorf("the binary is built from %d modules, the ceiling is %d: %v", len(modules), maxModules, modules)
	}
	for module := range modules {
		if !documented(t, module) {
			t.Errorf("docs/dependencies.md does not say why the binary needs %s", module)
		}
	}
}

// roomOf is the room that a package belongs to: "cas", "internal/httpx".
func roomOf(name string) string {
	parts := strings.Split(name, "/")
	if parts[0] == "internal" && len(parts) > 1 {
		return path.Join(parts[:2]...)
	}
	return parts[0]
}

// forTests tells the packages that nothing but tests imports.
func forTests(name string) bool {
	return name == "internal/testkit" || name == "internal/e2e" || name == "interop" || strings.HasSuffix(name, "test")
}

// documented tells whether docs/dependencies.md has a line for a module.
func documented(t *testing.T, module string) bool {
	t.Helper()
	text, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), "`"+module+"`")
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Imports,Module"}, args...)...)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("read what go list says: %v", err)
		}
		all = append(all, p)
	}
}
