package services

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// Errors of [Registry.Put]. Callers test them with [errors.Is].
var (
	// ErrUnwritable means that the folder takes no files: it is read-only, or no
	// folder at all.
	ErrUnwritable = errors.New("the folder of services cannot be written to")
	// ErrTaken means that another file has the entry's id or name, or already
	// answers for its addresses.
	ErrTaken = errors.New("another entry is there")
)

// EntryError tells why an entry is not taken.
type EntryError struct {
	// Faults are those that break or refuse the entry, Dangers what is dangerous
	// in it. One of them is not empty.
	Faults  []Fault
	Dangers []Finding
}

// Error lists them, one a line.
func (e *EntryError) Error() string {
	var b strings.Builder
	b.WriteString("the entry is not taken")
	for _, fault := range e.Faults {
		b.WriteString("\n  " + fault.String())
	}
	for _, danger := range e.Dangers {
		b.WriteString("\n  " + danger.String())
	}
	return b.String()
}

// Put adds an entry in Apereo's JSON, or replaces the one that has its id and
// its file name, and reads the folder again. The file is called Name-id.json, and
// is there whole or not at all. What the folder's own files are forgiven is
// refused here, as nobody looks at it: an entry that is broken, refused or
// dangerous is an *EntryError. The other errors are [ErrTaken], [ErrUnwritable]
// and those of the disk; nothing is changed then. The entry returned may stand
// behind another that matches first, but never before one that answered for the
// same addresses until now.
func (r *Registry) Put(data []byte) (*Service, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	s, err := r.acceptable(data)
	if err != nil {
		return nil, err
	}
	if r.dir == "" {
		return nil, ErrUnwritable
	}
	r.put.Lock()
	defer r.put.Unlock()
	// What another process wrote may have taken the id since the last reading.
	now := load(scan(r.fsys), r.current.Load())
	target, err := r.place(s, now.ids)
	if err != nil {
		return nil, err
	}
	if by := now.overtaken(s); by != nil {
		return nil, fmt.Errorf("%w: its addresses are those of %s (%s), which it would come before", ErrTaken, by.Name, by.File)
	}
	if err := writeWhole(filepath.Join(r.dir, filepath.FromSlash(target)), data); err != nil {
		return nil, err
	}
	// Files that were broken before are no fault of this one.
	if err := r.Reload(); err != nil {
		if broken, ok := errors.AsType[*LoadError](err); !ok || slices.Contains(broken.Files(), target) {
			return nil, fmt.Errorf("read the entry again: %w", err)
		}
	}
	for _, loaded := range r.current.Load().services {
		if loaded.ID == s.ID && loaded.File == target {
			return loaded, nil
		}
	}
	return nil, fmt.Errorf("%w: %d", ErrTaken, s.ID)
}

// acceptable reads an entry, and refuses whatever is wrong with it.
func (r *Registry) acceptable(data []byte) (*Service, error) {
	if len(data) > maxFile {
		return nil, &EntryError{Faults: []Fault{{Level: Broken, Message: "the entry is larger than 1 MiB"}}}
	}
	const unnamed = "entry-0.json"
	s, faults := parse(file{path: unnamed, data: data})
	bad := &EntryError{}
	for _, fault := range faults {
		if fault.Level != Warning || s == nil {
			bad.Faults = append(bad.Faults, fault)
		}
	}
	if s != nil && len(bad.Faults) == 0 {
		l := linter{service: s, now: r.now()}
		l.entry()
		for _, finding := range l.findings {
			if finding.Severity == Danger {
				bad.Dangers = append(bad.Dangers, finding)
			}
		}
	}
	if len(bad.Faults)+len(bad.Dangers) > 0 {
		return nil, bad
	}
	return s, nil
}

// overtaken is a service whose addresses would be another's if s were added, nil
// for none.
func (v *snapshot) overtaken(s *Service) *Service {
	with := slices.DeleteFunc(slices.Clone(v.services), func(o *Service) bool { return o.ID == s.ID })
	others := slices.Clone(with)
	after := newIndex(sorted(append(with, s)))
	for _, other := range others {
		for _, sample := range other.samples() {
			t := newTarget(sample)
			if t.fault == "" && v.index.find(&t) == other && after.find(&t) == s {
				return other
			}
		}
	}
	return nil
}

var notWord = regexp.MustCompile(`\W+`)

// place returns the path of an entry inside the folder, whose ids are held by
// files.
func (r *Registry) place(s *Service, ids map[int64]string) (string, error) {
	name := strings.Trim(notWord.ReplaceAllString(s.Name, "-"), "-")
	if len(name) > 80 {
		name = name[:80]
	}
	if name == "" {
		name = "Service"
	}
	target := fmt.Sprintf("%s-%d.json", name, s.ID)
	if holder, held := ids[s.ID]; held {
		// The file may have been sorted into a folder since.
		if path.Base(holder) != target {
			return "", fmt.Errorf("%w: %d is that of %s", ErrTaken, s.ID, holder)
		}
		return holder, nil
	}
	// A file of that name is of another id, or cannot be read.
	switch _, err := os.Lstat(filepath.Join(r.dir, target)); {
	case err == nil:
		return "", fmt.Errorf("%w: there is a file %s already", ErrTaken, target)
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("look for the entry's file: %w", err)
	}
	return target, nil
}

// writeWhole writes a file beside its place, and moves it there.
func writeWhole(name string, data []byte) error {
	// A name that starts with a dot is not read as an entry.
	temporary, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return unwritable(err)
	}
	_, err = temporary.Write(data)
	// The folder may be read by another account than the one that serves.
	err = errors.Join(err, temporary.Chmod(0o640), temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		return errors.Join(unwritable(err), os.Remove(temporary.Name()))
	}
	return nil
}

func unwritable(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	return fmt.Errorf("write the entry's file: %w", err)
}
