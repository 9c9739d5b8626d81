package services

import (
	"regexp"
	"slices"
	"strings"

	"parvis/identity"
)

// valueTest is one way for a value of an attribute to be taken.
type valueTest struct {
	kind testKind
	// source is what the owner wrote.
	source string
	// fold looks at no case.
	fold bool
	re   *regexp.Regexp
}

type testKind int

const (
	// testGlob is a whole value; "*" stands for any characters.
	testGlob testKind = iota
	// testRegex is an expression over the whole value.
	testRegex
	// testSearch is an expression found anywhere in the value.
	testSearch
	// testGroup is a distinguished name.
	testGroup
)

// newTest reads a test; the expressions are Java's.
func newTest(kind testKind, source string, fold bool) (valueTest, error) {
	t := valueTest{kind: kind, source: source, fold: fold}
	switch kind {
	case testGlob:
		t.re = globPattern(source, fold)
		return t, nil
	case testGroup:
		t.re = groupPattern(source)
		return t, nil
	}
	re, err := valuePattern(source, kind == testRegex, fold)
	t.re = re
	return t, err
}

func (t valueTest) passes(value string) bool { return t.re.MatchString(value) }

// sources are the tests as they were written.
func sources(tests []valueTest) []string {
	var texts []string
	for _, t := range tests {
		texts = append(texts, t.source)
	}
	return texts
}

func anyPasses(tests []valueTest, value string) bool {
	return slices.ContainsFunc(tests, func(t valueTest) bool { return t.passes(value) })
}

// lookup finds an attribute by its name, else by the same name in another
// case: LDAP names have none, and files are written by hand.
func lookup(attrs identity.Attributes, name string) []string {
	if values, ok := attrs[name]; ok {
		return values
	}
	for key, values := range attrs {
		if strings.EqualFold(key, name) {
			return values
		}
	}
	return nil
}

// globPattern matches a whole value; "*" stands for any characters, and
// nothing else is special.
func globPattern(glob string, fold bool) *regexp.Regexp {
	parts := strings.Split(glob, "*")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	flags := "(?s)"
	if fold {
		flags = "(?si)"
	}
	return regexp.MustCompile(flags + `\A` + strings.Join(parts, ".*") + `\z`)
}

// groupPattern matches a distinguished name whatever its case and the blanks
// around its commas and equal signs, which directories do not agree on.
func groupPattern(dn string) *regexp.Regexp {
	names := strings.Split(dn, ",")
	for i, name := range names {
		sides := strings.SplitN(name, "=", 2)
		for j, side := range sides {
			sides[j] = regexp.QuoteMeta(strings.TrimSpace(side))
		}
		names[i] = strings.Join(sides, ` *= *`)
	}
	return regexp.MustCompile(`(?i)\A *` + strings.Join(names, ` *, *`) + ` *\z`)
}

// valueRewrite takes the values that pass, written another way.
type valueRewrite struct {
	test valueTest
	// to is written with $1 or ${1} for the first group; "" keeps the value.
	to string
}

// of returns the value as it is told, and whether it is.
func (r valueRewrite) of(value string) (string, bool) {
	groups := r.test.re.FindStringSubmatchIndex(value)
	if groups == nil || r.to == "" {
		return value, groups != nil
	}
	return groupReference.ReplaceAllStringFunc(r.to, func(reference string) string {
		number := strings.Trim(reference, "${}")
		n := 0
		for _, digit := range number {
			n = n*10 + int(digit-'0')
		}
		if 2*n+1 >= len(groups) {
			return reference
		}
		if groups[2*n] < 0 {
			return ""
		}
		return value[groups[2*n]:groups[2*n+1]]
	}), true
}

var groupReference = regexp.MustCompile(`\$\{[0-9]{1,2}\}|\$[0-9]`)

// valueFilter keeps or rewrites the values of attributes that a policy
// releases, by their released names.
type valueFilter struct {
	kind filterKind
	// tests and rewrites are by attribute name; "*" stands for those not named.
	tests    map[string][]valueTest
	rewrites map[string][]valueRewrite
	// dropOthers drops the attributes that have no rule.
	dropOthers bool
}

type filterKind int

const (
	// filterOnly keeps the values that pass a test.
	filterOnly filterKind = iota
	// filterNever drops the values that pass a test.
	filterNever
	// filterRewrite keeps the values that pass, written another way.
	filterRewrite
)

func (f *valueFilter) apply(from identity.Attributes) identity.Attributes {
	into := identity.Attributes{}
	for name, values := range from {
		kept, named := f.values(name, values)
		if !named && !f.dropOthers {
			kept = values
		}
		if len(kept) > 0 {
			into[name] = kept
		}
	}
	return into
}

// namesAll tells whether nothing passes but attributes that it names.
func (f *valueFilter) namesAll() bool {
	return f.dropOthers && f.tests["*"] == nil && f.rewrites["*"] == nil
}

// values returns what is kept of an attribute, and whether it has a rule.
func (f *valueFilter) values(name string, values []string) ([]string, bool) {
	var kept []string
	if f.kind == filterRewrite {
		rewrites, named := ruleFor(f.rewrites, name)
		for _, rewrite := range rewrites {
			for _, value := range values {
				if written, ok := rewrite.of(value); ok && !slices.Contains(kept, written) {
					kept = append(kept, written)
				}
			}
		}
		return kept, named
	}
	tests, named := ruleFor(f.tests, name)
	for _, value := range values {
		if anyPasses(tests, value) == (f.kind == filterOnly) {
			kept = append(kept, value)
		}
	}
	return kept, named
}

// ruleFor finds the rules of an attribute, by its name, the same in another
// case, or "*".
func ruleFor[R any](rules map[string][]R, name string) ([]R, bool) {
	if found, ok := rules[name]; ok {
		return found, true
	}
	for key, found := range rules {
		if strings.EqualFold(key, name) {
			return found, true
		}
	}
	found, ok := rules["*"]
	return found, ok
}
