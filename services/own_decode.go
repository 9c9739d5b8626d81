package services

import (
	"errors"
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// decodeOwn reads the file into our own format, or tells its faults.
func decodeOwn(f file, into *ownFile) []Fault {
	body, err := parseBody(f.data)
	if err != nil {
		return []Fault{yamlFault(f.path, err)}
	}
	shapes := &shaper{file: f.path}
	body = shapes.value(body, reflect.TypeFor[ownFile](), "")
	if len(shapes.faults) > 0 {
		return shapes.faults
	}
	if err := yaml.NodeToValue(body, into, yaml.Strict()); err != nil {
		return []Fault{yamlFault(f.path, err)}
	}
	return nil
}

// parseBody is the one document of a file, in which every key has a value.
func parseBody(data []byte) (ast.Node, error) {
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, err
	}
	var body ast.Node
	for _, doc := range tree.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			return nil, errors.New("the file holds several documents: one service a file")
		default:
			body = doc.Body
		}
	}
	if body == nil {
		return nil, errors.New("the file is empty")
	}
	nulls := &nullFinder{}
	ast.Walk(nulls, body)
	if nulls.found != nil {
		return nil, &yaml.SyntaxError{Message: "has no value: fill it in or take the key away", Token: nulls.found.GetToken()}
	}
	return body, nil
}

// nullFinder finds a key without a value. It could be a list that was about to
// be written, and an empty access rule lets everybody in.
type nullFinder struct{ found ast.Node }

// Visit implements [ast.Visitor].
func (f *nullFinder) Visit(node ast.Node) ast.Visitor {
	if node.Type() == ast.NullType && f.found == nil {
		f.found = node
	}
	return f
}

// yamlFault turns the decoder's error into a fault with the line shown.
func yamlFault(name string, err error) Fault {
	fault := Fault{File: name, Level: Broken, Message: err.Error()}
	var located yaml.Error
	if errors.As(err, &located) {
		fault.Message = plainly(err, located.GetMessage())
		if token := located.GetToken(); token != nil && token.Position != nil {
			fault.Line = token.Position.Line
		}
		_, excerpt, _ := strings.Cut(located.FormatError(false, true), "\n")
		fault.Excerpt = withoutSalt(excerpt)
	}
	return fault
}

// plainly is what the decoder finds wrong where an alias stands: the shapes of
// the rest were looked at.
func plainly(err error, message string) string {
	_, unlike := errors.AsType[*yaml.TypeError](err)
	_, unexpected := errors.AsType[*yaml.UnexpectedNodeTypeError](err)
	_, unknown := errors.AsType[*yaml.UnknownFieldError](err)
	switch {
	case unlike || unexpected:
		return "an alias stands for something else than belongs there"
	case unknown:
		return "an alias brings a key that does not belong there: " + strings.TrimPrefix(message, "unknown field ")
	}
	return message
}

var saltLine = regexp.MustCompile(`(pairwise_salt["']?:).*`)

// withoutSalt hides what reports and logs must not show.
func withoutSalt(excerpt string) string { return saltLine.ReplaceAllString(excerpt, "$1 …") }
