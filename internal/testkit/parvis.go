package testkit

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// MainWithParvis builds the program for the tests of a package, runs them with
// its path, and returns what their TestMain exits with.
func MainWithParvis(run func(binary string) int) int {
	code, err := withParvis(run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func withParvis(run func(binary string) int) (int, error) {
	dir, err := os.MkdirTemp("", "parvis-test")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	binary, err := BuildParvis(dir)
	if err != nil {
		return 0, err
	}
	return run(binary), nil
}

// BuildParvis builds the program with the race detector into the folder and
// returns its path, for a package that has one test of it.
func BuildParvis(dir string) (string, error) {
	binary := filepath.Join(dir, "parvis")
	build := exec.Command("go", "build", "-race", "-o", binary, "parvis/cmd/parvis")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build parvis: %w\n%s", err, out)
	}
	return binary, nil
}

// StartParvis starts the program with arguments, as [StartProgram] does. It
// ends at its first race, and at its end without the second that the race
// detector would wait.
func StartParvis(t testing.TB, binary string, args ...string) *Program {
	t.Helper()
	command := exec.Command(binary, args...)
	command.Env = append(os.Environ(), "GORACE=halt_on_error=1 atexit_sleep_ms=0")
	return StartProgram(t, command)
}

// ServerKey is a new key, as a keys file of the program holds it.
func ServerKey(t testing.TB) string {
	t.Helper()
	const size = 32
	var key [size]byte
	if _, err := rand.Read(key[:]); err != nil {
		t.Fatalf("make a key: %v", err)
	}
	return base64.StdEncoding.EncodeToString(key[:])
}

// LookAtSources makes the result of a test depend on every file below root, the
// project's folder: go test gives a former result again unless something changed
// that a test imports or looked at, and a program that it built is neither.
func LookAtSources(t testing.TB, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // an editor's file, gone since it was listed
			return nil
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "bin"):
			return filepath.SkipDir
		}
		if _, err := os.Stat(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// SiteConfig is what the configurations of all tests' servers say alike: who the
// university is, and where its people and keys are. The files "keys"
// ([ServerKey]) and "bind_password" must lie beside the configuration.
func SiteConfig(people *SlapdServer) string {
	return fmt.Sprintf(`university: {name: Université d'Exemple, help: {mail: assistance@univ.example}}
secrets: {keys_file: keys}
directory:
  ldap:
    urls: [%q]
    start_tls: true
    ca_file: %q
    bind_dn: %q
    bind_password_file: bind_password
    base: %q
`, people.URL(), people.CAFile(), people.BindDN, people.BaseDN)
}
