package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestVersionIsLinked: what is published tells its version, however it is built.
func TestVersionIsLinked(t *testing.T) {
	const flag = "-X main.version="
	for _, file := range []string{"../../Makefile", "../../deploy/Dockerfile"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), flag) {
			t.Errorf("%s sets no version", file)
		}
	}
	program := filepath.Join(t.TempDir(), "parvis")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags", flag+"v1.2.3", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), program, "version").Output(); err != nil || !strings.HasPrefix(string(out), "parvis v1.2.3 (") {
		t.Errorf("%q, %v", out, err)
	}
}
