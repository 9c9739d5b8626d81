package services

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// looser makes values that a searched expression takes, and that its owner may
// not have meant: longer ones, at each end that is open.
func looser(t valueTest) []string {
	if t.kind != testSearch {
		return nil
	}
	tree, err := syntax.Parse(t.re.String(), syntax.Perl)
	if err != nil {
		return nil
	}
	var values []string
	for _, choice := range choices(tree) {
		value := sample(choice)
		if value == "" {
			continue
		}
		if isOpen(choice, false) {
			values = append(values, "non-"+value)
		}
		if isOpen(choice, true) {
			values = append(values, value+"-bis")
		}
	}
	return slices.DeleteFunc(values, func(value string) bool { return !t.passes(value) })
}

// choices are the sides of an expression that is nothing but a choice.
func choices(tree *syntax.Regexp) []*syntax.Regexp {
	for tree.Op == syntax.OpCapture {
		tree = tree.Sub[0]
	}
	if tree.Op == syntax.OpAlternate {
		return tree.Sub
	}
	return []*syntax.Regexp{tree}
}

// isOpen tells whether more text may stand at an end, though nothing says so: no
// anchor, no ".*", and no sign that ends a word.
func isOpen(tree *syntax.Regexp, atEnd bool) bool {
	at := 0
	if atEnd {
		at = len(tree.Sub) - 1
	}
	switch tree.Op {
	case syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpWordBoundary:
		return false
	case syntax.OpConcat, syntax.OpCapture:
		return isOpen(tree.Sub[at], atEnd)
	case syntax.OpAlternate:
		return slices.ContainsFunc(tree.Sub, func(side *syntax.Regexp) bool { return isOpen(side, atEnd) })
	case syntax.OpStar, syntax.OpPlus:
		inside := tree.Sub[0].Op
		return inside != syntax.OpAnyChar && inside != syntax.OpAnyCharNotNL
	case syntax.OpLiteral:
		edge := tree.Rune[0]
		if atEnd {
			edge = tree.Rune[len(tree.Rune)-1]
		}
		return unicode.IsLetter(edge) || unicode.IsDigit(edge)
	}
	return true
}

// sample is one of the shortest texts that an expression matches.
func sample(tree *syntax.Regexp) string {
	switch tree.Op {
	case syntax.OpLiteral:
		return string(tree.Rune)
	case syntax.OpCharClass:
		for _, r := range "1ax-" {
			for i := 0; i+1 < len(tree.Rune); i += 2 {
				if tree.Rune[i] <= r && r <= tree.Rune[i+1] {
					return string(r)
				}
			}
		}
		if len(tree.Rune) > 0 {
			return string(tree.Rune[0])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "x"
	case syntax.OpCapture, syntax.OpPlus, syntax.OpAlternate:
		return sample(tree.Sub[0])
	case syntax.OpRepeat:
		return strings.Repeat(sample(tree.Sub[0]), min(tree.Min, 16))
	case syntax.OpConcat:
		var b strings.Builder
		for _, part := range tree.Sub {
			b.WriteString(sample(part))
		}
		return b.String()
	}
	return ""
}
