package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Fault is one thing to mend in the configuration.
type Fault struct {
	// Where is the key's path, as "sessions.remember_me.max"; "" is the file.
	Where string
	// Message says what is wrong and what to do about it.
	Message string
	// Line and Column are where it stands in the file, from 1; 0 is nowhere.
	Line, Column int
	// Source is the text of that line, without what may be a secret.
	Source string
}

// String shows the fault, with its line and a caret where it has one:
//
//	sessions.idel: no such key here; did you mean "idle"?
//	  12 |   idel: 2h
//	     |   ^
func (f Fault) String() string {
	var b strings.Builder
	if f.Where != "" {
		b.WriteString(f.Where + ": ")
	}
	b.WriteString(f.Message)
	if f.Line > 0 {
		fmt.Fprintf(&b, "\n%4d | %s\n     | %s^", f.Line, f.Source, strings.Repeat(" ", max(0, min(f.Column, utf8.RuneCountInString(f.Source))-1)))
	}
	return b.String()
}

// Faults are all that is wrong with a configuration, at least one.
type Faults []Fault

// Error tells every fault.
func (f Faults) Error() string {
	lines := make([]string, 0, len(f))
	for _, fault := range f {
		lines = append(lines, fault.String())
	}
	return strings.Join(lines, "\n")
}

// cover tells whether a value, or the section around it, has a fault already:
// what it should have been is not judged then.
func (f Faults) cover(where string) bool {
	return slices.ContainsFunc(f, func(fault Fault) bool {
		read := strings.TrimSuffix(fault.Where, "_file")
		return read == "" || read == where || strings.HasPrefix(read, where+"[") || strings.HasPrefix(where, read+".")
	})
}

// Concern tells whether a fault is about a section, or the whole file.
func (f Faults) Concern(section string) bool {
	return slices.ContainsFunc(f, func(fault Fault) bool {
		return fault.Where == "" || fault.Where == section || strings.HasPrefix(fault.Where, section+".")
	})
}
