package ui

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

//go:embed templates static words
var builtIn embed.FS

// theme is folders laid over the built-in files, the last one on top: a file of
// the same name replaces what lies below, another name adds to it.
type theme struct {
	name   string // of a service's theme, "" for the site's
	layers []fs.FS
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
	return &theme{layers: []fs.FS{os.DirFS(dir)}}, nil
}

// themeName is what a folder of services is called: it stands in addresses.
var themeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// ofServices are the themes of services, services/NAME of the site's theme, each
// laid over it.
func (t *theme) ofServices() ([]*theme, error) {
	if len(t.layers) == 0 {
		return nil, nil
	}
	entries, err := fs.ReadDir(t.layers[0], "services")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the themes of services: %w", err)
	}
	var themes []*theme
	var faults []error
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		over, err := fs.Sub(t.layers[0], "services/"+name)
		if err != nil {
			return nil, fmt.Errorf("open theme %s: %w", name, err)
		}
		found := slices.ContainsFunc([]string{"static", "words", "templates"}, func(part string) bool {
			info, err := fs.Stat(over, part)
			return err == nil && info.IsDir()
		})
		switch {
		case !themeName.MatchString(name):
			faults = append(faults, fmt.Errorf("open theme services/%s: a theme is named with letters, digits, - and _", name))
		case !found:
			faults = append(faults, fmt.Errorf("open theme services/%s: it has no folder static, words or templates", name))
		default:
			themes = append(themes, &theme{name: name, layers: append(slices.Clone(t.layers), over)})
		}
	}
	return themes, errors.Join(faults...)
}

// draws tells whether the theme has templates of its own.
func (t *theme) draws() bool {
	return slices.ContainsFunc(t.layers, func(layer fs.FS) bool {
		_, err := fs.Stat(layer, "templates")
		return err == nil
	})
}

// files reads all files of a folder whose names end in one of the extensions:
// ours, then each layer's over them.
func (t *theme) files(dir string, extensions ...string) (map[string][]byte, error) {
	found := map[string][]byte{}
	if err := collect(found, builtIn, dir, extensions); err != nil {
		return nil, err
	}
	for _, layer := range t.layers {
		if err := collect(found, layer, dir, extensions); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return found, nil
}

// own reads files of the top layer only.
func (t *theme) own(dir string, extensions ...string) (map[string][]byte, error) {
	found := map[string][]byte{}
	err := collect(found, t.layers[len(t.layers)-1], dir, extensions)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return found, err
}

// says tells whether a template of the theme names a message.
func (t *theme) says(key string) bool {
	for _, layer := range t.layers {
		for _, dir := range []string{"templates", "templates/parts", "templates/fixed"} {
			files := map[string][]byte{}
			// A folder that cannot be read is told when templates are parsed.
			_ = collect(files, layer, dir, []string{".html"})
			for _, source := range files {
				if strings.Contains(string(source), `"`+key+`"`) {
					return true
				}
			}
		}
	}
	return false
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
