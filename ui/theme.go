package ui

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

//go:embed templates static words
var builtIn embed.FS

// theme is a folder laid over the built-in files: a file of the same name
// replaces ours, another name adds to them.
type theme struct {
	over fs.FS // nil without a theme
}

func openTheme(dir string) (*theme, error) {
	if dir == "" {
		return &theme{}, nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open theme: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open theme %s: not a folder", dir)
	}
	return &theme{over: os.DirFS(dir)}, nil
}

// draws tells whether the theme has templates of its own.
func (t *theme) draws() bool {
	if t.over == nil {
		return false
	}
	_, err := fs.Stat(t.over, "templates")
	return err == nil
}

// files reads all files of a folder whose names end in one of the extensions:
// ours, then the theme's over them.
func (t *theme) files(dir string, extensions ...string) (map[string][]byte, error) {
	found := map[string][]byte{}
	if err := collect(found, builtIn, dir, extensions); err != nil {
		return nil, err
	}
	if t.over == nil {
		return found, nil
	}
	err := collect(found, t.over, dir, extensions)
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	return found, err
}

func collect(into map[string][]byte, from fs.FS, dir string, extensions []string) error {
	entries, err := fs.ReadDir(from, dir)
	if err != nil {
		return fmt.Errorf("read folder %s: %w", dir, err)
	}
	for _, entry := range entries {
		if entry.IsDir() || strings.HasPrefix(entry.Name(), ".") || !hasExtension(entry.Name(), extensions) {
			continue
		}
		data, err := fs.ReadFile(from, path.Join(dir, entry.Name()))
		if err != nil {
			return fmt.Errorf("read file: %w", err)
		}
		into[entry.Name()] = data
	}
	return nil
}

func hasExtension(name string, extensions []string) bool {
	for _, extension := range extensions {
		if strings.HasSuffix(name, extension) {
			return true
		}
	}
	return false
}
