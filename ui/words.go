package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// words says things in one language.
type words struct {
	lang      string
	localizer *i18n.Localizer
	// always are the values that any message may use: {{.University}},
	// {{.ShortName}}.
	always map[string]any
}

// loadWords reads the catalogues, one a language, and the theme's over them: a
// file words/fr.yaml with the keys to say in another way, and those that only
// its own templates say.
func loadWords(theme *theme, options Options) (map[string]*words, error) {
	bundle := i18n.NewBundle(language.French)
	bundle.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	loaded := map[string]*words{}
	added := map[string][]string{} // the languages of each key that a theme adds
	for _, lang := range spoken {
		name := "words/" + lang + ".yaml"
		known, err := addWords(bundle, builtIn, name)
		if err != nil {
			return nil, err
		}
		for _, layer := range theme.layers {
			themed, err := addWords(bundle, layer, name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("read theme: %w", err)
			}
			for key := range themed {
				if !known[key] {
					known[key] = true
					added[key] = append(added[key], lang)
				}
			}
		}
		loaded[lang] = &words{
			lang:      lang,
			localizer: i18n.NewLocalizer(bundle, lang),
			always:    map[string]any{"University": options.University.Name, "ShortName": shortName(options, lang)},
		}
	}
	return loaded, checkAdded(theme, added)
}

// checkAdded tells the keys of a theme that no page says, which are typing
// errors mostly, and those that not every language has.
func checkAdded(theme *theme, added map[string][]string) error {
	var faults []error
	for _, key := range slices.Sorted(maps.Keys(added)) {
		if !theme.says(key) {
			faults = append(faults, fmt.Errorf("read theme: words/%s.yaml: no page says %q", added[key][0], key))
			continue
		}
		for _, lang := range spoken {
			if !slices.Contains(added[key], lang) {
				faults = append(faults, fmt.Errorf("read theme: words/%s.yaml: %q is said in another language only", lang, key))
			}
		}
	}
	return errors.Join(faults...)
}

// addWords reads one catalogue into the bundle and tells its keys.
func addWords(bundle *i18n.Bundle, from fs.FS, name string) (map[string]bool, error) {
	data, err := fs.ReadFile(from, name)
	if err != nil {
		return nil, fmt.Errorf("read words: %w", err)
	}
	file, err := bundle.ParseMessageFileBytes(data, name)
	if err != nil {
		return nil, fmt.Errorf("read words in %s: %w", name, err)
	}
	keys := map[string]bool{}
	for _, message := range file.Messages {
		if strings.TrimSpace(message.Other) == "" {
			return nil, fmt.Errorf("read words in %s: %s is empty", name, message.ID)
		}
		keys[message.ID] = true
	}
	return keys, nil
}

func shortName(options Options, lang string) string {
	if name := options.University.ShortName[lang]; name != "" {
		return name
	}
	return options.University.Name
}

// say looks a message up and fills it in. A key that the language does not have
// is an error, for a page in two languages is nobody's.
func (w *words) say(key string, values map[string]any) (string, error) {
	data := w.always
	if len(values) > 0 {
		data = maps.Clone(w.always)
		maps.Copy(data, values)
	}
	said, err := w.localizer.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data})
	if err != nil {
		return "", fmt.Errorf("say %s in %s: %w", key, w.lang, err)
	}
	return said, nil
}

// count says a message about a number, in the form the language wants for it;
// the message has it as {{.Count}}.
func (w *words) count(key string, n int) (string, error) {
	data := maps.Clone(w.always)
	data["Count"] = n
	said, err := w.localizer.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: n})
	if err != nil {
		return "", fmt.Errorf("say %s in %s: %w", key, w.lang, err)
	}
	return said, nil
}

// sayPairs is say for templates: {{say "key" "Name" .Value}}.
func (w *words) sayPairs(key string, pairs ...any) (string, error) {
	values := map[string]any{}
	for pair := range slices.Chunk(pairs, 2) {
		name, ok := pair[0].(string)
		if !ok || len(pair) != 2 {
			return "", fmt.Errorf("say %s: want names and values in turn", key)
		}
		values[name] = pair[1]
	}
	return w.say(key, values)
}
