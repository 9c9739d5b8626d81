package services

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

func decodeOwn(data []byte, into *ownFile) error {
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return err
	}
	bodies := 0
	for _, doc := range tree.Docs {
		if doc.Body != nil {
			bodies++
		}
	}
	switch {
	case bodies == 0:
		return errors.New("the file is empty")
	case bodies > 1:
		return errors.New("the file holds several documents: one service a file")
	}
	nulls := &nullFinder{}
	for _, doc := range tree.Docs {
		ast.Walk(nulls, doc)
	}
	if nulls.found != nil {
		return &yaml.SyntaxError{Message: "has no value: fill it in or take the key away", Token: nulls.found.GetToken()}
	}
	return yaml.UnmarshalWithOptions(data, into, yaml.Strict())
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
		fault.Message = located.GetMessage()
		if token := located.GetToken(); token != nil && token.Position != nil {
			fault.Line = token.Position.Line
		}
		_, excerpt, _ := strings.Cut(located.FormatError(false, true), "\n")
		fault.Excerpt = excerpt
	}
	return fault
}
