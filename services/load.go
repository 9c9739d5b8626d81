package services

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// maxFile bounds a service file or a logo.
const maxFile = 1 << 20

// logoFolder holds the pictures.
const logoFolder = "logos"

type digest [sha256.Size]byte

// folder is what one reading of the file system gave.
type folder struct {
	files  []file
	logos  map[string][]byte
	faults []Fault
	sum    digest
}

type file struct {
	path string
	data []byte
}

// scan reads every service file and logo. Names that start with a dot are left
// out: they are editors' and version control's.
func scan(fsys fs.FS) folder {
	found := folder{logos: map[string][]byte{}}
	sum := sha256.New()
	// What cannot be read is a fault, and stops nothing: the others are read.
	unread := func(name string, err error) {
		found.faults = append(found.faults, Fault{File: name, Level: Broken, Message: err.Error()})
		addTo(sum, name, []byte(err.Error()))
	}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			unread(name, fmt.Errorf("read folder: %w", err))
			return nil
		}
		if name != "." && strings.HasPrefix(path.Base(name), ".") {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		isLogo := path.Dir(name) == logoFolder && logoType(name) != ""
		if entry.IsDir() || !isLogo && !isServiceFile(name) {
			return nil
		}
		data, err := readFile(fsys, name)
		if err != nil {
			unread(name, err)
			return nil
		}
		addTo(sum, name, data)
		if isLogo {
			found.logos[path.Base(name)] = data
		} else {
			found.files = append(found.files, file{path: name, data: data})
		}
		return nil
	})
	if err != nil {
		unread(".", err)
	}
	sum.Sum(found.sum[:0])
	return found
}

func addTo(sum hash.Hash, name string, data []byte) {
	var sizes [16]byte
	binary.BigEndian.PutUint64(sizes[:8], uint64(len(name)))
	binary.BigEndian.PutUint64(sizes[8:], uint64(len(data)))
	for _, part := range [][]byte{sizes[:], []byte(name), data} {
		_, _ = sum.Write(part) // a hash takes all
	}
}

func isServiceFile(name string) bool {
	if strings.HasPrefix(name, logoFolder+"/") {
		return false
	}
	switch path.Ext(name) {
	case ".json", ".yaml", ".yml":
		return true
	}
	return false
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open file: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if info, err := f.Stat(); err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	if len(data) > maxFile {
		return nil, errors.New("file is larger than 1 MiB")
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

var yamlClass = regexp.MustCompile(`(?m)^\s*(---\s*)?!<[A-Za-z]|^["']?@class["']?\s*:`)

// parse reads one file, in the format it is in. The service is nil when the
// file is broken, or describes something that is not for CAS.
func parse(f file) (*Service, []Fault) {
	var s *Service
	var faults []Fault
	func() {
		// The YAML parser panics on some malformed tags and anchors; a file must
		// not stop the server.
		defer func() {
			if recover() != nil {
				s, faults = nil, []Fault{{File: f.path, Level: Broken, Message: "the file cannot be parsed"}}
			}
		}()
		s, faults = parseFormat(f)
	}()
	return s, faults
}

func parseFormat(f file) (*Service, []Fault) {
	switch {
	case !isApereo(f):
		return parseOwn(f)
	case path.Ext(f.path) == ".json":
		return parseApereo(f, decodeHJSON)
	}
	return parseApereo(f, decodeClassYAML)
}

func isApereo(f file) bool { return path.Ext(f.path) == ".json" || yamlClass.Match(f.data) }

// fileID is the id of an entry that gives none: it stays the same as long as
// the file keeps its name.
func fileID(name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash takes all
	return int64(h.Sum64()>>1) | 1<<40
}
