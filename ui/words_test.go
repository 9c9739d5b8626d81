package ui_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"parvis/ui"
)

// catalogue reads the messages of a language, a plural's forms joined.
func catalogue(t *testing.T, lang string) map[string]string {
	t.Helper()
	data, err := os.ReadFile("words/" + lang + ".yaml")
	if err != nil {
		t.Fatalf("read words: %v", err)
	}
	var raw map[string]any
	if err := yaml.Unmarshal(data, &raw); err != nil {
		t.Fatalf("read words in %s: %v", lang, err)
	}
	messages := map[string]string{}
	for key, value := range raw {
		switch value := value.(type) {
		case string:
			messages[key] = value
		case map[string]any:
			for _, form := range slices.Sorted(maps.Keys(value)) {
				text, _ := value[form].(string)
				messages[key] += text + "\n"
			}
		}
	}
	return messages
}

var (
	keyUsed  = regexp.MustCompile(`\b(?:t|say|count) "([^"]+)"`)
	keyBuilt = regexp.MustCompile(`say \(print "([^"]+)" \S+ "([^"]+)"\)`)
	filledIn = regexp.MustCompile(`{{\.\w+}}`)
)

// keysOfPages are the keys that templates and code say. A key that a template
// builds stands for all those it may become.
func keysOfPages(t *testing.T) map[string]bool {
	t.Helper()
	kinds := map[string][]string{
		"problem.": {"credentials", "username", "password", "both", "expired", "cookies"},
		"refused.": {"unknown", "disabled", "expired", "denied", "missing"},
		"error.":   {"missing", "request", "server"},
	}
	for _, state := range accountStates {
		kinds["state."] = append(kinds["state."], string(state))
	}
	used := map[string]bool{"language.name": true, "time.months": true, "time.today": true, "time.day": true}
	for _, pattern := range []string{"templates/*.html", "templates/*/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("list templates: %v", err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("read template: %v", err)
			}
			for _, match := range keyUsed.FindAllStringSubmatch(string(data), -1) {
				used[match[1]] = true
			}
			for _, match := range keyBuilt.FindAllStringSubmatch(string(data), -1) {
				for _, kind := range kinds[match[1]] {
					used[match[1]+kind+match[2]] = true
				}
			}
		}
	}
	return used
}

func TestWordsAreAllThereAndAllSaid(t *testing.T) {
	used := keysOfPages(t)
	for _, lang := range []string{"fr", "en"} {
		messages := catalogue(t, lang)
		for key := range used {
			if strings.TrimSpace(messages[key]) == "" {
				t.Errorf("%s: %s is missing or empty", lang, key)
			}
		}
		for key := range messages {
			if !used[key] {
				t.Errorf("%s: no page says %s", lang, key)
			}
		}
	}
}

func TestLanguagesFillInTheSame(t *testing.T) {
	french, english := catalogue(t, "fr"), catalogue(t, "en")
	for key, text := range french {
		if strings.HasPrefix(key, "time.") {
			continue // each language says the time in its own parts
		}
		want := slices.Compact(slices.Sorted(slices.Values(filledIn.FindAllString(text, -1))))
		got := slices.Compact(slices.Sorted(slices.Values(filledIn.FindAllString(english[key], -1))))
		if !slices.Equal(got, want) {
			t.Errorf("%s: fills in %v in English, %v in French", key, got, want)
		}
	}
}

// TestWordsArePlain: no jargon, and French spaces that do not break.
func TestWordsArePlain(t *testing.T) {
	jargon := regexp.MustCompile(`(?i)\b(ticket|token|jeton|CAS|SSO|TGT|LDAP|Redis|authentifi\w*|authenticat\w*|login est|tu|ton|ta)\b`)
	breaking := regexp.MustCompile(`[ ][:;?!»]|« |\w'\w`)
	for _, lang := range []string{"fr", "en"} {
		for key, text := range catalogue(t, lang) {
			if word := jargon.FindString(text); word != "" {
				t.Errorf("%s: %s says %q", lang, key, word)
			}
			if lang == "fr" && breaking.MatchString(text) {
				t.Errorf("fr: %s has a space that breaks, or a straight apostrophe: %q", key, text)
			}
		}
	}
}

func TestThrottledCountsMinutes(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	for _, tt := range []struct {
		lang    string
		seconds int
		want    string
	}{
		{"fr", 1, "dans 1 minute."}, {"fr", 61, "dans 2 minutes."}, {"en", 60, "in 1 minute."}, {"en", 300, "in 5 minutes."},
	} {
		v := &ui.Throttled{Retry: secondsOf(tt.seconds)}
		if body := render(t, pages, tt.lang, sample{"throttled", 423, v}).Body.String(); !strings.Contains(body, tt.want) {
			t.Errorf("%d s in %s: want %q", tt.seconds, tt.lang, tt.want)
		}
	}
}
