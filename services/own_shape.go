package services

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// shaper looks at the syntax tree before it is decoded: the decoder stops at the
// first fault, and tells of it in its own words.
type shaper struct {
	file   string
	faults []Fault
}

// form is what may be written for a type.
type form struct {
	text, yesNo, number bool
	// section holds the fields of the keys, each the type of the values under
	// keys of any name, and list that of the elements.
	section, each, list reflect.Type
}

// formOf mirrors the UnmarshalYAML methods.
func formOf(t reflect.Type) form {
	text := reflect.TypeFor[string]()
	switch t {
	case reflect.TypeFor[ownList]():
		return form{text: true, list: text}
	case reflect.TypeFor[ownText]():
		return form{text: true, section: reflect.TypeFor[ownTexts]()}
	case reflect.TypeFor[ownMatch](), reflect.TypeFor[ownRelease](), reflect.TypeFor[ownRule]():
		return form{text: true, list: text, section: t}
	case reflect.TypeFor[ownUsername](), reflect.TypeFor[ownLogout](), reflect.TypeFor[ownRewrite]():
		return form{text: true, section: t}
	case reflect.TypeFor[ownSSO]():
		return form{yesNo: true, section: t}
	case reflect.TypeFor[ownPeriods]():
		return form{section: t.Elem(), list: t.Elem()}
	case reflect.TypeFor[ownRewrites]():
		return form{text: true, section: t.Elem(), list: t.Elem()}
	}
	switch t.Kind() {
	case reflect.Bool:
		return form{yesNo: true}
	case reflect.Int, reflect.Int64:
		return form{number: true}
	case reflect.Pointer:
		return formOf(t.Elem())
	case reflect.Struct:
		return form{section: t}
	case reflect.Map:
		return form{each: t.Elem()}
	case reflect.Slice:
		return form{list: t.Elem()}
	}
	return form{text: true}
}

// String says what may be written.
func (f form) String() string {
	var ways []string
	if f.text {
		ways = append(ways, "one text")
	}
	if f.yesNo {
		ways = append(ways, "true or false")
	}
	if f.number {
		ways = append(ways, "a whole number")
	}
	if f.list != nil {
		what := "texts"
		if f.list.Kind() != reflect.String {
			what = `sections, each behind a "-"`
		}
		ways = append(ways, "a list of "+what)
	}
	if f.section != nil {
		ways = append(ways, "a section with some of "+strings.Join(keysOf(f.section), ", "))
	}
	if f.each != nil {
		ways = append(ways, `a section, as "name: …"`)
	}
	return strings.Join(ways, ", or ")
}

// value looks at what stands for a type, and returns it as it is to be decoded.
func (s *shaper) value(node ast.Node, t reflect.Type, key string) ast.Node {
	switch n := node.(type) {
	case *ast.AnchorNode:
		n.Value = s.value(n.Value, t, key)
		return n
	case *ast.TagNode:
		n.Value = s.value(n.Value, t, key)
		return n
	case *ast.AliasNode:
		return n // looked at where it stands
	}
	f := formOf(t)
	switch n := node.(type) {
	case *ast.MappingNode:
		s.section(n, n.Values, f, key)
	case *ast.MappingValueNode:
		s.section(n, []*ast.MappingValueNode{n}, f, key)
	case *ast.SequenceNode:
		if f.list == nil {
			s.fault(node, key, "is a list: write "+f.String())
			return node
		}
		for i, element := range n.Values {
			n.Values[i] = s.value(element, f.list, fmt.Sprintf("%s[%d]", key, i))
		}
	case ast.ScalarNode:
		return s.scalar(node, f, key)
	}
	return node
}

// section looks at the keys of one.
func (s *shaper) section(node ast.Node, pairs []*ast.MappingValueNode, f form, key string) {
	if f.section == nil && f.each == nil {
		if text := cutAtColon(pairs); text != "" {
			s.fault(pairs[0].Key, key, "between braces and brackets, what stands after a ':' is read apart: write it between quotes, as '"+text+"'")
		} else {
			s.fault(node, key, "is a section: write "+f.String())
		}
		return
	}
	for _, pair := range pairs {
		name := pair.Key.GetToken().Value
		inside := strings.TrimPrefix(key+"."+name, ".")
		switch {
		case pair.Key.IsMergeKey():
		case f.each != nil:
			pair.Value = s.value(pair.Value, f.each, inside)
		default:
			if t, known := fieldOf(f.section, name); known {
				pair.Value = s.value(pair.Value, t, inside)
			} else {
				s.fault(pair.Key, inside, "no such key here"+suggest(name, f.section))
			}
		}
	}
}

// cutAtColon is a text that the parser took for a key and a value, although
// nothing stands between the colon and what comes after it, or "".
func cutAtColon(pairs []*ast.MappingValueNode) string {
	if len(pairs) != 1 || pairs[0].Start == nil || pairs[0].Start.Next == nil {
		return ""
	}
	pair := pairs[0]
	value, ok := pair.Value.(ast.ScalarNode)
	if !ok || pair.Key.GetToken().Position.Line != value.GetToken().Position.Line || strings.HasPrefix(pair.Start.Next.Origin, " ") {
		return ""
	}
	return pair.Key.GetToken().Value + ":" + value.GetToken().Value
}

// scalar looks at a single value. Where a text is wanted it stays as it was
// written: a login of 0123 is no number.
func (s *shaper) scalar(node ast.Node, f form, key string) ast.Node {
	switch node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		if !f.text {
			s.fault(node, key, "is a text: write "+f.String())
		}
	case *ast.BoolNode:
		if f.text {
			return ast.String(node.GetToken())
		}
		if !f.yesNo {
			s.fault(node, key, "is true or false: write "+f.String())
		}
	default:
		_, whole := node.(*ast.IntegerNode)
		if f.text {
			return ast.String(node.GetToken())
		}
		if !f.number || !whole {
			s.fault(node, key, "is a number: write "+f.String())
		}
	}
	return node
}

func (s *shaper) fault(node ast.Node, key, message string) {
	fault := yamlFault(s.file, &yaml.SyntaxError{Message: message, Token: node.GetToken()})
	fault.Key = key
	s.faults = append(s.faults, fault)
}

// keysOf are the keys of a section, in the order of the format.
func keysOf(section reflect.Type) []string {
	var keys []string
	for field := range section.Fields() {
		if key := field.Tag.Get("yaml"); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

func fieldOf(section reflect.Type, key string) (reflect.Type, bool) {
	for field := range section.Fields() {
		if key != "" && field.Tag.Get("yaml") == key {
			return field.Type, true
		}
	}
	return nil, false
}

// suggest names the key that was probably meant, or all of them.
func suggest(key string, section reflect.Type) string {
	keys := keysOf(section)
	for field := range section.Fields() {
		if below := formOf(field.Type).section; below != nil {
			if _, known := fieldOf(below, key); known {
				return fmt.Sprintf("; it goes below %q", field.Tag.Get("yaml"))
			}
		}
	}
	nearest, least := "", min(3, len(key))
	for _, known := range keys {
		if d := distance(strings.ToLower(key), known); d < least {
			nearest, least = known, d
		}
	}
	if nearest != "" {
		return fmt.Sprintf("; did you mean %q?", nearest)
	}
	return "; there are: " + strings.Join(keys, ", ")
}

// distance counts the letters to change, add or drop between two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0]++
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(before+1, row[j]+1, change)
		}
	}
	return row[len(b)]
}
