package services

import (
	"slices"
	"strings"
)

// releaseMatching reads the policy that releases the values which match,
// rewritten. Its expressions look at no case.
func (in *importer) releaseMatching(o *object) releaser {
	policy := releaseMatching{}
	rules := o.child("allowedAttributes", true)
	if rules == nil {
		return policy
	}
	for _, name := range sortedKeys(rules.values) {
		if name == "@class" {
			continue
		}
		rule := rules.child(name, true)
		if rule == nil {
			continue
		}
		pattern, transform := rule.text("pattern"), rule.text("transform")
		in.noScripts(rule.key("pattern"), []string{name, pattern})
		if strings.Contains(transform, "groovy") || isScript(groupReference.ReplaceAllString(transform, "")) {
			in.refuse(rule.key("transform"), "holds a script or an expression to evaluate")
		}
		if test, err := newTest(testSearch, pattern, true); err != nil {
			in.refuse(rule.key("pattern"), "%v", err)
		} else {
			policy[name] = valueRewrite{test: test, to: transform}
		}
		rule.done()
	}
	return policy
}

// filters reads a filter, or those of a chain in their order.
func (in *importer) filters(o *object) []valueFilter {
	defer o.done()
	f := valueFilter{tests: map[string][]valueTest{}, rewrites: map[string][]valueRewrite{}}
	o.accept("order")
	switch class := o.class(); class {
	case "RegisteredServiceRegexAttributeFilter":
		in.filterTests(o.key("pattern"), "*", []string{o.text("pattern")}, testRegex, true, &f)
	case "RegisteredServiceMappedRegexAttributeFilter":
		in.mappedFilter(o, &f)
	case "RegisteredServiceReverseMappedRegexAttributeFilter":
		f.kind = filterNever
		in.mappedFilter(o, &f)
	case "RegisteredServiceMutantRegexAttributeFilter":
		f.kind = filterRewrite
		in.mappedFilter(o, &f)
	case "RegisteredServiceChainingAttributeFilter":
		children := o.children("filters", true)
		slices.SortStableFunc(children, byOrder)
		var list []valueFilter
		for _, child := range children {
			list = append(list, in.filters(child)...)
		}
		return list
	default:
		in.refuse(o.key("@class"), "%s is not supported", class)
		o.covered = true
	}
	return []valueFilter{f}
}

// mappedFilter reads expressions by attribute.
func (in *importer) mappedFilter(o *object, f *valueFilter) {
	f.dropOthers = o.boolean("excludeUnmappedAttributes", false)
	fold := o.boolean("caseInsensitive", true)
	kind := testSearch
	if o.boolean("completeMatch", false) {
		kind = testRegex
	}
	for name, patterns := range in.textLists(o, "patterns") {
		key := o.key("patterns") + "." + name
		if len(patterns) == 0 {
			in.refuse(key, "has no expression")
		}
		if f.kind != filterRewrite {
			in.filterTests(key, name, patterns, kind, fold, f)
			continue
		}
		for _, text := range patterns {
			pattern, to, _ := strings.Cut(text, "->")
			test, err := newTest(kind, strings.TrimSpace(pattern), fold)
			if err != nil {
				in.refuse(key, "%v", err)
				continue
			}
			f.rewrites[name] = append(f.rewrites[name], valueRewrite{test: test, to: strings.TrimSpace(to)})
		}
	}
}

func (in *importer) filterTests(key, name string, patterns []string, kind testKind, fold bool, f *valueFilter) {
	for _, text := range patterns {
		test, err := newTest(kind, text, fold)
		if err != nil || text == "" {
			in.refuse(key, "is not an expression that can be used: %v", err)
			continue
		}
		f.tests[name] = append(f.tests[name], test)
	}
}
