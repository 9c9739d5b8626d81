package casclient

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits of a document: nothing of the protocol is deeper or has more elements.
const (
	maxDepth    = 16
	maxElements = 20_000
)

// element is a part of an XML document. text is all that stands directly in it,
// comments left out: a name is never cut short by one.
type element struct {
	name       xml.Name
	attributes []xml.Attr
	text       string
	children   []*element

	read []byte // text so far
}

func (e *element) is(space, local string) bool {
	return e.name.Space == space && e.name.Local == local
}

func (e *element) attribute(name string) string {
	for _, a := range e.attributes {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

var (
	errDTD      = errors.New("the document has a DTD or other directive")
	errTooDeep  = errors.New("the document is too deep")
	errTooMany  = errors.New("the document has too many elements")
	errOneRoot  = errors.New("the document has not one root")
	errLooseEnd = errors.New("the document has text outside of its root")
)

// readXML reads a document. A DTD is refused, and so no entity is ever read but
// XML's own five.
func readXML(document []byte) (*element, error) {
	decoder := xml.NewDecoder(bytes.NewReader(document)) //nolint:gosec,nolintlint // callers bound it; the finding comes and goes
	var root *element
	var open []*element
	for count := 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read XML: %w", err)
		}
		switch t := token.(type) {
		case xml.Directive:
			return nil, errDTD
		case xml.StartElement:
			if count++; count > maxElements {
				return nil, errTooMany
			}
			e := &element{name: t.Name, attributes: t.Copy().Attr}
			switch {
			case len(open) == maxDepth:
				return nil, errTooDeep
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.children = append(parent.children, e)
			case root != nil:
				return nil, errOneRoot
			default:
				root = e
			}
			open = append(open, e)
		case xml.EndElement:
			closed := open[len(open)-1]
			closed.text, closed.read = string(closed.read), nil
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].read = append(open[len(open)-1].read, t...)
			} else if strings.TrimSpace(string(t)) != "" {
				return nil, errLooseEnd
			}
		}
	}
	if root == nil {
		return nil, errOneRoot
	}
	return root, nil
}
