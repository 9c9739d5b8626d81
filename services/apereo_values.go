package services

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/hjson/hjson-go/v4"
)

// decodeHJSON reads JSON with the liberties that Apereo CAS takes with it:
// comments, trailing commas, keys without quotes, triple-quoted texts.
func decodeHJSON(data []byte) (any, error) {
	var value any
	err := hjson.UnmarshalWithOptions(data, &value, hjson.DecoderOptions{UseJSONNumber: true, DisallowDuplicateKeys: true})
	if err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return value, nil
}

// decodeClassYAML reads Apereo's YAML, where a class may be a tag
// ("!<org.apereo.cas.services.CasRegisteredService>") or an @class key.
func decodeClassYAML(data []byte) (any, error) {
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, fmt.Errorf("read YAML: %w", err)
	}
	var body ast.Node
	for _, doc := range tree.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			return nil, errors.New("the file holds several documents: one service a file")
		}
		body = doc.Body
	}
	if body == nil {
		return nil, errors.New("the file is empty")
	}
	return yamlValue(body)
}

// yamlValue turns a tree into what decodeHJSON would give.
func yamlValue(node ast.Node) (any, error) {
	switch n := node.(type) {
	case *ast.TagNode:
		value, err := yamlValue(n.Value)
		class := strings.Trim(n.Start.Value, "!<>")
		if object, ok := value.(map[string]any); ok && !strings.HasPrefix(class, "java.") && strings.Contains(class, ".") {
			object["@class"] = class
		}
		return value, err
	case *ast.MappingNode:
		return yamlMap(n.Values)
	case *ast.MappingValueNode:
		return yamlMap([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		list := []any{}
		for _, element := range n.Values {
			value, err := yamlValue(element)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case *ast.NullNode, nil:
		return nil, nil
	case *ast.BoolNode:
		return n.Value, nil
	case *ast.IntegerNode:
		return json.Number(n.GetToken().Value), nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case ast.ScalarNode:
		return n.GetToken().Value, nil
	}
	return nil, fmt.Errorf("line %d: %s is not taken here", node.GetToken().Position.Line, strings.ToLower(node.Type().String()))
}

func yamlMap(values []*ast.MappingValueNode) (any, error) {
	object := map[string]any{}
	for _, pair := range values {
		key := pair.Key.GetToken().Value
		if _, taken := object[key]; taken {
			return nil, fmt.Errorf("line %d: key %q is there twice", pair.Key.GetToken().Position.Line, key)
		}
		value, err := yamlValue(pair.Value)
		if err != nil {
			return nil, err
		}
		object[key] = value
	}
	return object, nil
}

// object is one JSON object under reading. It remembers which keys were asked
// for, so that those nobody knows are told.
type object struct {
	in     *importer
	path   string
	values map[string]any
	used   map[string]bool
	// strict refuses the entry for what is wrong or unknown here; otherwise it
	// is a warning.
	strict bool
	// covered means that what is left in it was told already.
	covered bool
}

func (o *object) key(name string) string {
	if o.path == "" {
		return name
	}
	return o.path + "." + name
}

func (o *object) complain(name, message string) {
	o.in.wrong(o.strict, o.key(name), "%s", message)
}

func (o *object) get(name string) any {
	o.used[name] = true
	return untyped(o.values[name])
}

// has tells whether a key is there with something in it.
func (o *object) has(name string) bool {
	switch v := o.get(name).(type) {
	case nil:
		return false
	case []any:
		return len(v) > 0
	case map[string]any:
		for key := range v {
			if key != "@class" {
				return true
			}
		}
		return false
	case string:
		return v != ""
	}
	return true
}

// class returns the last part of the object's Java class.
func (o *object) class() string { return shortClass(o.text("@class")) }

func shortClass(class string) string {
	return class[strings.LastIndexByte(class, '.')+1:]
}

func (o *object) text(name string) string {
	switch v := o.get(name).(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	default:
		o.complain(name, "must be a text")
		return ""
	}
}

func (o *object) boolean(name string, otherwise bool) bool {
	switch v := o.get(name).(type) {
	case nil:
		return otherwise
	case bool:
		return v
	case string:
		if b, err := strconv.ParseBool(strings.ToLower(v)); err == nil {
			return b
		}
	}
	o.complain(name, "must be true or false")
	return otherwise
}

func (o *object) integer(name string) int64 {
	switch v := o.get(name).(type) {
	case nil:
		return 0
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n
		}
	}
	o.complain(name, "must be a whole number")
	return 0
}

// list reads a list of texts, or one text.
func (o *object) list(name string) []string {
	texts, ok := textList(o.get(name))
	if !ok {
		o.complain(name, "must be a list of texts")
	}
	return texts
}

func textList(value any) ([]string, bool) {
	switch v := untyped(value).(type) {
	case nil:
		return nil, true
	case []any:
		texts := make([]string, 0, len(v))
		for _, element := range v {
			text, ok := scalarText(untyped(element))
			if !ok {
				return texts, false
			}
			texts = append(texts, text)
		}
		return texts, true
	default:
		text, ok := scalarText(v)
		return []string{text}, ok
	}
}

func scalarText(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// child opens an object inside, or nil when it is not there.
func (o *object) child(name string, strict bool) *object {
	switch v := o.get(name).(type) {
	case nil:
		return nil
	case map[string]any:
		return o.in.open(o.key(name), v, strict)
	default:
		o.in.wrong(strict || o.strict, o.key(name), "must be an object")
		return nil
	}
}

// children opens the objects of a list.
func (o *object) children(name string, strict bool) []*object {
	value := o.get(name)
	list, ok := value.([]any)
	if !ok && value != nil {
		o.in.wrong(strict || o.strict, o.key(name), "must be a list")
	}
	var objects []*object
	for i, element := range list {
		key := fmt.Sprintf("%s[%d]", o.key(name), i)
		if v, ok := untyped(element).(map[string]any); ok {
			objects = append(objects, o.in.open(key, v, strict))
		} else {
			o.in.wrong(strict || o.strict, key, "must be an object")
		}
	}
	return objects
}

// accept marks keys as known and without effect here.
func (o *object) accept(names ...string) {
	for _, name := range names {
		o.used[name] = true
	}
}

// done complains of every key that nobody asked for, one time.
func (o *object) done() {
	if o.covered {
		return
	}
	o.used["@class"], o.covered = true, true
	for _, name := range sortedKeys(o.values) {
		switch {
		case o.used[name]:
		case o.get(name) == nil:
			o.in.warn(o.key(name), "%s", unknownEmpty)
		default:
			o.complain(name, "is not known")
		}
	}
}

// unknownEmpty is said of keys that some versions write with nothing in them: no
// rule is lost with them.
const unknownEmpty = "is not known, and holds nothing"

var javaClass = regexp.MustCompile(`^[a-z]\w*(\.[\w$]+)+$`)

// untyped takes the Java type off a value: ["java.util.HashSet", [...]].
func untyped(value any) any {
	pair, ok := value.([]any)
	if !ok || len(pair) != 2 {
		return value
	}
	class, ok := pair[0].(string)
	if !ok || !javaClass.MatchString(class) {
		return value
	}
	switch pair[1].(type) {
	case []any, map[string]any:
		return pair[1]
	}
	if strings.HasPrefix(class, "java.") {
		return pair[1]
	}
	return value
}
