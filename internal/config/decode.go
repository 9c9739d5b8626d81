package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decoder fills a Config from a syntax tree. It walks both itself, rather than
// leave it to the YAML library, to go on after a fault and to know where each
// value stands.
type decoder struct {
	env          func(string) (string, bool)
	folder       string
	lines        []string
	places       map[string]place
	inlineSecret bool
	faults       Faults
	warnings     []Fault
}

// place is where a key stands in the file.
type place struct{ line, column int }

// defaulter is an optional section that has defaults once it is there.
type defaulter interface{ setDefaults() }

// mapping fills the struct into from a mapping.
func (d *decoder) mapping(node *ast.MappingNode, into reflect.Value, where string) {
	for _, pair := range node.Values {
		key := pair.Key.GetToken().Value
		path := join(where, key)
		position := pair.Key.GetToken().Position
		d.places[path] = place{position.Line, position.Column}
		if field, ok := fieldOf(into, key); ok {
			d.value(pair.Value, field, path)
			continue
		}
		base, isFile := strings.CutSuffix(key, "_file")
		if field, ok := fieldOf(into, base); ok && isFile && secret(field.Type()) {
			d.twin(pair.Value, field, where, key, base)
			continue
		}
		d.fault(pair.Key, path, "no such key here"+suggest(key, keysOf(into.Type())))
	}
}

// twin fills a secret from the file that key names.
func (d *decoder) twin(node ast.Node, field reflect.Value, where, key, base string) {
	path := join(where, key)
	if _, both := d.places[join(where, base)]; both || !field.IsZero() {
		d.fault(node, path, fmt.Sprintf("give %s or %s, not both", base, key))
		return
	}
	name, ok := d.scalar(node, path)
	if !ok {
		return
	}
	text, ok := d.readSecret(node, path, name)
	if !ok {
		return
	}
	if field.Kind() == reflect.String {
		field.SetString(text)
		return
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			field.Set(reflect.Append(field, reflect.ValueOf(Secret(line))))
		}
	}
}

// value fills one field. A key without a value keeps the default.
func (d *decoder) value(node ast.Node, into reflect.Value, where string) {
	if _, null := node.(*ast.NullNode); null {
		return
	}
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		if section, ok := into.Interface().(defaulter); ok {
			section.setDefaults()
		}
		into = into.Elem()
	}
	_, textual := into.Addr().Interface().(encoding.TextUnmarshaler)
	switch {
	case into.Kind() == reflect.Struct && !textual:
		if mapping, ok := node.(*ast.MappingNode); ok {
			d.mapping(mapping, into, where)
			return
		}
		d.fault(node, where, "put the keys of this section below it, further to the right: "+strings.Join(keysOf(into.Type()), ", "))
	case into.Kind() == reflect.Slice:
		sequence, ok := node.(*ast.SequenceNode)
		if !ok {
			d.fault(node, where, `write a list, as "[a, b]" or one "- value" a line`)
			return
		}
		into.Set(reflect.MakeSlice(into.Type(), len(sequence.Values), len(sequence.Values)))
		for i, item := range sequence.Values {
			d.value(item, into.Index(i), fmt.Sprintf("%s[%d]", where, i))
		}
	default:
		if text, ok := d.scalar(node, where); ok {
			d.inlineSecret = d.inlineSecret || (secret(into.Type()) && !strings.Contains(literal(node), "${"))
			d.set(node, into, where, text)
		}
	}
}

// set fills a field that holds no other.
func (d *decoder) set(node ast.Node, into reflect.Value, where, text string) {
	if unmarshaler, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := unmarshaler.UnmarshalText([]byte(text)); err != nil {
			d.fault(node, where, err.Error())
		}
		return
	}
	switch into.Kind() {
	case reflect.String:
		if into.Type() == reflect.TypeFor[Path]() {
			text = string(d.resolve(text))
		}
		into.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			d.fault(node, where, "write true or false")
			return
		}
		into.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			d.fault(node, where, "write a whole number")
			return
		}
		into.SetInt(int64(n))
	default:
		panic("config: no way to read a " + into.Type().String())
	}
}

// scalar is the text of a single value, its variables expanded.
func (d *decoder) scalar(node ast.Node, where string) (string, bool) {
	if _, ok := node.(ast.ScalarNode); !ok || node.Type() == ast.AnchorType || node.Type() == ast.AliasType {
		d.fault(node, where, "write one value here, not a list, a section or an alias")
		return "", false
	}
	text, err := expand(literal(node), d.env)
	if err != nil {
		d.fault(node, where, err.Error())
		return "", false
	}
	return text, true
}

// literal is a scalar as it was written: 0123 stays 0123.
func literal(node ast.Node) string {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	default:
		return n.GetToken().Value
	}
}

// expand replaces each ${NAME} by the variable's value; $${ stands for ${.
func expand(text string, env func(string) (string, bool)) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		if !found {
			b.WriteString(text)
			return b.String(), nil
		}
		if escaped, ok := strings.CutSuffix(before, "$"); ok {
			b.WriteString(escaped + "${")
			text = after
			continue
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed {
			return "", errors.New(`"${" has no "}": write ${NAME}, or $${ for the characters themselves`)
		}
		value, ok := env(name)
		if !ok {
			return "", fmt.Errorf("the variable %s is not set", name)
		}
		b.WriteString(before + value)
		text = rest
	}
}

func (d *decoder) fault(node ast.Node, where, message string) {
	d.faults = append(d.faults, d.at(node, where, message))
}

func (d *decoder) warn(node ast.Node, where, message string) {
	d.warnings = append(d.warnings, d.at(node, where, message))
}

func (d *decoder) at(node ast.Node, where, message string) Fault {
	position := node.GetToken().Position
	return Fault{Where: where, Message: message, Line: position.Line, Column: position.Column, Source: d.source(position.Line, where)}
}

// locate adds to a fault the line of the nearest key that the file has.
func (d *decoder) locate(fault Fault) Fault {
	for path := fault.Where; path != ""; path = parent(path) {
		for _, name := range []string{path, path + "_file"} {
			if at, ok := d.places[name]; ok {
				fault.Line, fault.Column, fault.Source = at.line, at.column, d.source(at.line, fault.Where)
				return fault
			}
		}
	}
	return fault
}

// hidden finds what may be a secret on a line: the value of a key by such a
// name, unless the key names a file.
var hidden = regexp.MustCompile(`(password|keys|secrets?)[a-z_]*:`)

// source is a line of the file, without what may be a secret.
func (d *decoder) source(line int, where string) string {
	if line < 1 || line > len(d.lines) {
		return ""
	}
	text := strings.TrimRight(d.lines[line-1], " \r")
	for _, at := range hidden.FindAllStringIndex(text, -1) {
		if !strings.HasSuffix(text[at[0]:at[1]], "_file:") && len(text) > at[1] {
			return text[:at[1]] + " …"
		}
	}
	item := strings.TrimLeft(text, " ")
	if strings.HasPrefix(item, "-") && (where == "" || strings.HasPrefix(where, "secrets")) {
		return text[:len(text)-len(item)] + "- …"
	}
	return text
}
