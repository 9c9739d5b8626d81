package main

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"parvis/internal/config"
)

// TestReadmeLogin runs the login with curl as the README shows it.
func TestReadmeLogin(t *testing.T) {
	p, cas, first := startDemo(t)
	script := block(t, "sh", "jar=$(mktemp)")
	moved := strings.NewReplacer("http://localhost:8080/cas", cas, "http://localhost:9081/", "http://localhost:"+strconv.Itoa(first)+"/").Replace(script)
	command := exec.CommandContext(t.Context(), "bash", "-eu", "-o", "pipefail", "-c", moved)
	command.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	got, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(got), "<cas:user>o22502142</cas:user>") {
		t.Errorf("the README's login: %v\n%s\n%s", err, got, p.err.String())
	}
}

// TestReadmeConfiguration loads the configuration that the README shows.
func TestReadmeConfiguration(t *testing.T) {
	text := block(t, "yaml", "url:")
	if lines := strings.Count(text, "\n"); lines > 12 {
		t.Errorf("the README's configuration has %d lines, want 12 at most", lines)
	}
	folder := t.TempDir()
	writeFile(t, folder, "keys", newKey(t)+"\n")
	writeFile(t, folder, "ldap-password", "secret\n")
	writeFile(t, folder, "services/x.yaml", "")
	if _, _, err := config.Load(writeFile(t, folder, "parvis.yaml", text), os.LookupEnv); err != nil {
		t.Error(err)
	}
}

// TestReadmeCommands holds what the README and the Makefile call to what there
// is.
func TestReadmeCommands(t *testing.T) {
	for _, command := range regexp.MustCompile(`(?m)^parvis ([a-z]+(?: explain)?)`).FindAllStringSubmatch(readme(t), -1) {
		out, _, code := runOnce(t, append(strings.Fields(command[1]), "-h")...)
		if code != exitFine || !strings.Contains(out, "Usage: parvis "+command[1]) {
			t.Errorf("parvis %s -h: exit code %d, %s", command[1], code, out)
		}
	}
}

// block is the fenced block of the README that holds some words.
func block(t *testing.T, language, words string) string {
	t.Helper()
	for _, found := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(readme(t), -1) {
		if strings.Contains(found[1], words) {
			return found[1]
		}
	}
	t.Fatalf("the README has no %s block with %q", language, words)
	return ""
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
