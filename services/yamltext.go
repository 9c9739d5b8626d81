package services

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// mapping is what is written as YAML, in the order of its keys. Values are
// string, bool, int, int64, []string, mapping and []mapping.
type mapping []pair

type pair struct {
	key   string
	value any
}

// set adds a key, unless there is nothing in the value.
func (m *mapping) set(key string, value any) {
	switch v := value.(type) {
	case string:
		if v == "" {
			return
		}
	case int:
		if v == 0 {
			return
		}
	case []string:
		if len(v) == 0 {
			return
		}
	case mapping:
		if len(v) == 0 {
			return
		}
	case []mapping:
		if len(v) == 0 {
			return
		}
	}
	*m = append(*m, pair{key, value})
}

// lineWidth is how long a list or a mapping may be to stay on one line.
const lineWidth = 76

// write writes the mapping as lines.
func (m mapping) write(b *strings.Builder, indent string) {
	for _, p := range m {
		b.WriteString(indent)
		p.write(b, indent)
	}
}

func (p pair) write(b *strings.Builder, indent string) {
	b.WriteString(yamlKey(p.key) + ":")
	if text, ok := p.value.(string); ok && isBlock(text) {
		b.WriteString(" |-\n" + indent + "  " + strings.ReplaceAll(text, "\n", "\n"+indent+"  ") + "\n")
		return
	}
	if flow, ok := flowText(p.value); ok && (len(indent)+len(p.key)+len(flow) <= lineWidth || isScalar(p.value)) {
		b.WriteString(" " + flow + "\n")
		return
	}
	b.WriteByte('\n')
	inside := indent + "  "
	switch v := p.value.(type) {
	case []string:
		for _, text := range v {
			b.WriteString(inside + "- " + scalarYAML(text) + "\n")
		}
	case mapping:
		v.write(b, inside)
	case []mapping:
		for _, element := range v {
			writeElement(b, inside, element)
		}
	}
}

func writeElement(b *strings.Builder, indent string, m mapping) {
	b.WriteString(indent + "- ")
	if flow, ok := flowText(m); ok && len(indent)+len(flow)+2 <= lineWidth || len(m) == 0 {
		b.WriteString(flow + "\n")
		return
	}
	m[0].write(b, indent+"  ")
	m[1:].write(b, indent+"  ")
}

var blockLine = regexp.MustCompile(`^\S(.*\S)?$`)

// isBlock tells whether a text reads well on several lines.
func isBlock(text string) bool {
	if !strings.Contains(text, "\n") {
		return false
	}
	for line := range strings.SplitSeq(text, "\n") {
		if !blockLine.MatchString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return false
		}
	}
	return true
}

func isScalar(value any) bool {
	switch v := value.(type) {
	case []string:
		return len(v) == 1
	case mapping, []mapping:
		return false
	}
	return true
}

// flowText is a value on one line; false means that it reads better on several.
func flowText(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return scalarYAML(v), true
	case []string:
		if len(v) == 1 {
			return scalarYAML(v[0]), true
		}
		var texts []string
		for _, text := range v {
			texts = append(texts, scalarYAML(text))
		}
		return "[" + strings.Join(texts, ", ") + "]", true
	case mapping:
		var texts []string
		for _, p := range v {
			text, ok := flowText(p.value)
			if !ok {
				return "", false
			}
			texts = append(texts, yamlKey(p.key)+": "+text)
		}
		return "{" + strings.Join(texts, ", ") + "}", true
	case []mapping:
		return "", false
	}
	return fmt.Sprint(value), true
}

var (
	plainKey    = regexp.MustCompile(`^[A-Za-z_][\w.-]*$`)
	plainScalar = regexp.MustCompile(`^[\pL/][\pL\pN _./:@+=&-]*$`)
	duration    = regexp.MustCompile(`^(\d+h)?(\d+m)?(\d+s)?$`)
)

// reserved texts mean something else than themselves to some YAML parser.
var reserved = []string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}

func yamlKey(key string) string {
	if plainKey.MatchString(key) && !slices.Contains(reserved, strings.ToLower(key)) {
		return key
	}
	return quotedYAML(key)
}

// scalarYAML writes a text as people do, quoted where YAML would misread it.
func scalarYAML(text string) string {
	plain := plainScalar.MatchString(text) && !strings.HasSuffix(text, " ") && !strings.HasSuffix(text, ":") &&
		!strings.Contains(text, ": ") && !slices.Contains(reserved, strings.ToLower(text))
	if plain || text != "" && duration.MatchString(text) {
		return text
	}
	return quotedYAML(text)
}

func quotedYAML(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a text is always written
	return strings.TrimSuffix(b.String(), "\n")
}

// comment writes lines that YAML does not read.
func comment(b *strings.Builder, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return ' '
			}
			return r
		}, line)
		b.WriteString(strings.TrimRight("# "+line, " ") + "\n")
	}
}
