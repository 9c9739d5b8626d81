package services

import (
	"fmt"
	"slices"
	"strings"
)

// Level says what a fault does.
type Level int

// The levels, from the mildest.
const (
	// Warning means that something is not used; nobody gets more for it.
	Warning Level = iota
	// Refused means that the entry keeps its place and denies.
	Refused
	// Broken means that the file cannot be used: which services it stands for is
	// not known. At start nothing is used then; later, its last good version.
	Broken
)

// String names the level.
func (l Level) String() string {
	switch l {
	case Warning:
		return "warning"
	case Refused:
		return "refused"
	}
	return "broken"
}

// Fault is something wrong in a file of the folder.
type Fault struct {
	// File is the path inside the folder, with slashes.
	File string
	// Line is where, from 1, or 0 when it is not known.
	Line int
	// Key is the path of the key ("accessStrategy.enabled"), or "".
	Key     string
	Level   Level
	Message string
	// Excerpt shows the lines around, or is "".
	Excerpt string
}

// String is one line: where, what.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	fmt.Fprintf(&b, ": %s: ", f.Level)
	if f.Key != "" && f.Key != f.Level.String() { // the key "refused" says it already
		b.WriteString(f.Key + ": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// LoadError tells the files of a folder that cannot be used.
type LoadError struct {
	// Faults are those of level [Broken], in the order of the files.
	Faults []Fault
}

// Error lists every fault, one a line, with its excerpt.
func (e *LoadError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "load services: %d broken file(s)", len(e.Files()))
	for _, f := range e.Faults {
		b.WriteString("\n  " + f.String())
		for line := range strings.SplitSeq(strings.TrimRight(f.Excerpt, "\n"), "\n") {
			if line != "" {
				b.WriteString("\n    " + line)
			}
		}
	}
	return b.String()
}

// Files names the broken files, each once, in order.
func (e *LoadError) Files() []string { return faulty(e.Faults) }

// faulty names the files that cannot be used.
func faulty(faults []Fault) []string {
	var files []string
	for _, fault := range faults {
		if fault.Level == Broken {
			files = append(files, fault.File)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}
