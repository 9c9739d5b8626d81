package services

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// load makes a version out of a reading. The files that are broken are among its
// faults; their last good versions take their places.
func load(from folder, last *snapshot) *snapshot {
	if last == nil {
		last = &snapshot{}
	}
	m := merger{last: last, faults: slices.Clone(from.faults), candidates: map[string]*candidate{}}
	for _, f := range from.files {
		m.read(f)
	}
	gone := m.missing(from.faults)
	for m.settle() {
		continue // a file that falls back may meet another newcomer
	}
	if m.renamed() {
		m.holdPlaces(gone)
	}
	return m.version(from)
}

// err is a *LoadError when files are broken.
func (v *snapshot) err() error {
	var broken []Fault
	for _, fault := range v.faults {
		if fault.Level == Broken {
			broken = append(broken, fault)
		}
	}
	if len(broken) == 0 {
		return nil
	}
	return &LoadError{Faults: broken}
}

// merger joins a reading with the last version.
type merger struct {
	last       *snapshot
	faults     []Fault
	candidates map[string]*candidate
}

// candidate is a file on its way into a version.
type candidate struct {
	file
	// service is nil for a file that describes nothing for CAS.
	service *Service
}

// read takes a file, or what it last was.
func (m *merger) read(f file) {
	s, faults := parse(f)
	m.faults = append(m.faults, faults...)
	if len(faulty(faults)) > 0 {
		m.fallBack(f.path)
		return
	}
	m.candidates[f.path] = &candidate{file: f, service: s}
}

// fallBack puts the last good version of a file in its place, or nothing. What
// was to be said of it was said when it was read.
func (m *merger) fallBack(path string) {
	delete(m.candidates, path)
	if f, ok := m.last.good[path]; ok {
		s, _ := parse(f)
		m.candidates[path] = &candidate{file: f, service: s}
	}
}

// missing falls back for the files that could not be read, alone or with the
// folder around them, and returns those that are no more.
func (m *merger) missing(unread []Fault) []string {
	var gone []string
	for path := range m.last.good {
		switch {
		case m.candidates[path] != nil:
		case covers(unread, path):
			m.fallBack(path)
		default:
			gone = append(gone, path)
		}
	}
	return gone
}

// covers tells whether a file, or a folder around it, is among the faults.
func covers(faults []Fault, path string) bool {
	return slices.ContainsFunc(faults, func(f Fault) bool {
		return f.File == "." || f.File == path || strings.HasPrefix(path, f.File+"/")
	})
}

// renamed tells whether a broken file is new: it may be one that is gone.
func (m *merger) renamed() bool {
	return slices.ContainsFunc(faulty(m.faults), func(path string) bool {
		_, known := m.last.good[path]
		return !known && path != "." && path != logoFolder && !strings.HasPrefix(path, logoFolder+"/")
	})
}

// holdPlaces keeps the places of files that are gone, and closes them, so that
// no wider entry answers for a file that was renamed and broken at once. A file
// that is read under another name needs none.
func (m *merger) holdPlaces(gone []string) {
	for _, path := range gone {
		f := m.last.good[path]
		s, _ := parse(f)
		if s == nil || m.isElsewhere(s, f) {
			continue
		}
		s.refused = "its file is gone while a new one is broken: it may have been renamed"
		m.candidates[path] = &candidate{file: f, service: s}
		m.faults = append(m.faults, Fault{File: path, Level: Refused, Message: s.refused})
	}
}

func (m *merger) isElsewhere(s *Service, f file) bool {
	for _, c := range m.candidates {
		if c.service != nil && (c.service.ID == s.ID || string(c.data) == string(f.data)) {
			return true
		}
	}
	return false
}

// settle leaves one entry an id, and tells whether there was anything to do. The
// file which held the id in the last version keeps it; the others fall back. When
// none of them held it, all do.
func (m *merger) settle() bool {
	byID := map[int64][]string{}
	for _, path := range slices.Sorted(maps.Keys(m.candidates)) {
		if s := m.candidates[path].service; s != nil {
			byID[s.ID] = append(byID[s.ID], path)
		}
	}
	changed := false
	for id, paths := range byID {
		if len(paths) == 1 {
			continue
		}
		holder := m.holder(id, paths)
		for i, path := range paths {
			if path == holder {
				continue
			}
			other := cmp.Or(holder, paths[(i+1)%len(paths)])
			m.faults = append(m.faults, Fault{File: path, Key: "id", Level: Broken, Message: fmt.Sprintf("id %d is already that of %s", id, other)})
			m.fallBack(path)
			changed = true
		}
	}
	return changed
}

// holder returns which of the files keeps an id, or "". In the first version, it
// is the first file.
func (m *merger) holder(id int64, paths []string) string {
	if m.last.ids == nil {
		return paths[0]
	}
	if holder := m.last.ids[id]; slices.Contains(paths, holder) {
		return holder
	}
	return ""
}

// version is what was merged.
func (m *merger) version(from folder) *snapshot {
	next := &snapshot{
		logos: map[string]Logo{}, sum: from.sum,
		good: map[string]file{}, pictures: from.logos, ids: map[int64]string{},
	}
	for name, data := range m.last.pictures {
		if _, read := next.pictures[name]; !read && covers(from.faults, logoFolder+"/"+name) {
			next.pictures[name] = data
		}
	}
	for _, path := range slices.Sorted(maps.Keys(m.candidates)) {
		c := m.candidates[path]
		next.good[path] = c.file
		if c.service == nil {
			continue
		}
		next.ids[c.service.ID] = path
		m.faults = append(m.faults, next.addLogo(c.service, next.pictures)...)
		next.services = append(next.services, c.service)
	}
	slices.SortStableFunc(m.faults, func(a, b Fault) int { return strings.Compare(a.File, b.File) })
	next.faults = m.faults
	next.services = sorted(next.services)
	next.index = newIndex(next.services)
	next.front = slices.ContainsFunc(next.services, func(s *Service) bool { return s.Logout.Type == LogoutFront })
	return next
}
