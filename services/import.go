package services

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Imported is what a folder of Apereo CAS becomes in our own format.
type Imported struct {
	// Files are what to write, by path.
	Files []ImportedFile
	// LeftOut are the files that become nothing; Losses says why.
	LeftOut []string
	// Losses is everything in the folder that Files does not say, by file: keys
	// without effect here, entries that are refused, entries for other protocols,
	// files that cannot be read.
	Losses []Fault
}

// ImportedFile is a file to write.
type ImportedFile struct {
	// Path is relative, with slashes; From is the file it was made of.
	Path, From string
	Data       []byte
	// Service is the entry as it is read from Data; nil for a logo.
	Service *Service
	// Refused is why the entry denies, or "".
	Refused string
}

// Import reads a folder of entries of Apereo CAS, sub-folders included, and
// writes nothing. Every entry keeps its id, name, order and place. One that
// asks for what this server cannot do keeps its place and denies. Files in our
// own format are taken as they are. The error is that of the folder itself.
func Import(from fs.FS) (Imported, error) {
	found := scan(from)
	for _, fault := range found.faults {
		if fault.File == "." {
			return Imported{}, fmt.Errorf("import services: %s", fault.Message)
		}
	}
	im := importing{logos: found.logos, ids: map[int64]string{}, paths: map[string]bool{}}
	im.Losses = append(im.Losses, found.faults...)
	im.LeftOut = faulty(found.faults)
	for _, f := range found.files {
		im.file(f)
	}
	if err := im.strangers(from); err != nil {
		return Imported{}, fmt.Errorf("import services: %w", err)
	}
	slices.SortStableFunc(im.Losses, func(a, b Fault) int { return strings.Compare(a.File, b.File) })
	slices.Sort(im.LeftOut)
	return im.Imported, nil
}

type importing struct {
	Imported
	logos map[string][]byte
	// ids holds the file of each id; paths is what is written.
	ids   map[int64]string
	paths map[string]bool
}

// file takes one file, or says why not.
func (im *importing) file(f file) {
	s, faults := parse(f)
	faults = slices.DeleteFunc(faults, func(fault Fault) bool { return fault.Message == misnamed })
	if s != nil && im.ids[s.ID] != "" {
		faults = append(faults, Fault{File: f.path, Key: "id", Level: Broken, Message: fmt.Sprintf("id %d is already that of %s", s.ID, im.ids[s.ID])})
		s = nil
	}
	im.Losses = append(im.Losses, faults...)
	if s == nil {
		im.LeftOut = append(im.LeftOut, f.path)
		return
	}
	im.ids[s.ID] = f.path
	out := ImportedFile{Path: f.path, From: f.path, Data: f.data, Service: s, Refused: s.refused}
	if isApereo(f) {
		im.translate(f, s, faults, &out)
	}
	im.paths[out.Path] = true
	im.logo(s)
	im.Files = append(im.Files, out)
}

// translate writes the entry in our format. What our format does not take stays
// in Apereo's, which works as well.
func (im *importing) translate(f file, s *Service, faults []Fault, out *ImportedFile) {
	base := strings.TrimSuffix(f.path, path.Ext(f.path))
	target := base + ".yaml"
	if im.paths[target] {
		target = fmt.Sprintf("%s-%d.yaml", base, s.ID)
	}
	data := render(s, faults)
	again, wrong := parse(file{path: target, data: data})
	if again == nil {
		reason := "it cannot be read again"
		if len(wrong) > 0 {
			reason = wrong[0].Key + " " + wrong[0].Message
		}
		im.Losses = append(im.Losses, Fault{File: f.path, Level: Warning, Message: "cannot be written in our own format (" + reason + "): the file is copied as it is"})
		return
	}
	out.Path, out.Data, out.Service = target, data, again
}

// logo takes the picture of an entry along.
func (im *importing) logo(s *Service) {
	if s.Logo == "" {
		return
	}
	data, ok := im.logos[s.Logo]
	target := logoFolder + "/" + s.Logo
	switch {
	case !ok:
		im.Losses = append(im.Losses, Fault{File: s.File, Key: "logo", Level: Warning, Message: "the picture is not in the folder: put it in " + target})
	case !im.paths[target]:
		im.paths[target] = true
		im.Files = append(im.Files, ImportedFile{Path: target, From: target, Data: data})
	}
}

// strangers tells of the files that are no entries. Names that start with a dot
// are editors' and version control's.
func (im *importing) strangers(from fs.FS) error {
	return fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir // told by the reading
		case name != "." && strings.HasPrefix(path.Base(name), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
		case entry.IsDir() || isServiceFile(name) || im.paths[name]:
		default:
			im.LeftOut = append(im.LeftOut, name)
			im.Losses = append(im.Losses, Fault{File: name, Level: Warning, Message: "is no file of a service, nor a picture of one"})
		}
		return nil
	})
}
