package ui

import (
	"fmt"
	"html/template"
	"regexp"
	"text/template/parse"
)

// foldFunc answers with HTML that stands for a call with constant arguments.
type foldFunc func(args ...string) (string, error)

// fold lays the words that never change into the templates of a set, where
// calls stood: most of a page becomes text that is only copied. It must run
// before the set is first executed, so that the engine reads the result when it
// decides how to escape the rest.
func fold(set *template.Template, folds map[string]foldFunc) error {
	for _, tmpl := range set.Templates() {
		if tmpl.Tree == nil || tmpl.Tree.Root == nil {
			continue
		}
		if err := foldList(tmpl.Tree.Root, folds); err != nil {
			return fmt.Errorf("in %s: %w", tmpl.Name(), err)
		}
	}
	return nil
}

func foldList(list *parse.ListNode, folds map[string]foldFunc) error {
	if list == nil {
		return nil
	}
	var folded []parse.Node
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.ActionNode:
			text, ok, err := foldAction(n, folds)
			if err != nil {
				return err
			}
			if ok {
				node = &parse.TextNode{NodeType: parse.NodeText, Pos: n.Pos, Text: []byte(text)}
			}
		case *parse.IfNode:
			if err := foldBranch(&n.BranchNode, folds); err != nil {
				return err
			}
		case *parse.RangeNode:
			if err := foldBranch(&n.BranchNode, folds); err != nil {
				return err
			}
		case *parse.WithNode:
			if err := foldBranch(&n.BranchNode, folds); err != nil {
				return err
			}
		}
		folded = appendNode(folded, node)
	}
	list.Nodes = folded
	return nil
}

func foldBranch(branch *parse.BranchNode, folds map[string]foldFunc) error {
	if err := foldList(branch.List, folds); err != nil {
		return err
	}
	return foldList(branch.ElseList, folds)
}

// appendNode joins text to text, without the template's indentation.
func appendNode(nodes []parse.Node, node parse.Node) []parse.Node {
	text, isText := node.(*parse.TextNode)
	if !isText {
		return append(nodes, node)
	}
	if len(nodes) > 0 {
		if last, ok := nodes[len(nodes)-1].(*parse.TextNode); ok {
			last.Text = indentation.ReplaceAll(append(last.Text, text.Text...), []byte("\n"))
			return nodes
		}
	}
	text.Text = indentation.ReplaceAll(text.Text, []byte("\n"))
	return append(nodes, text)
}

var indentation = regexp.MustCompile(`\s*\n\s*`)

// foldAction is the text of an action that calls one foldable function with
// constant strings.
func foldAction(action *parse.ActionNode, folds map[string]foldFunc) (string, bool, error) {
	if len(action.Pipe.Decl) > 0 || len(action.Pipe.Cmds) != 1 {
		return "", false, nil
	}
	command := action.Pipe.Cmds[0].Args
	name, ok := command[0].(*parse.IdentifierNode)
	if !ok {
		return "", false, nil
	}
	call, ok := folds[name.Ident]
	if !ok {
		return "", false, nil
	}
	args := make([]string, 0, len(command)-1)
	for _, arg := range command[1:] {
		constant, ok := arg.(*parse.StringNode)
		if !ok {
			return "", false, nil
		}
		args = append(args, constant.Text)
	}
	text, err := call(args...)
	if err != nil {
		return "", false, fmt.Errorf("%s: %w", action, err)
	}
	return text, true, nil
}
