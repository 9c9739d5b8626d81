package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parvis/services"
)

// importServices writes a folder of Apereo CAS in our own format, and tells all
// that does not go over. Without -into it writes nothing: what would be lost is
// read first.
func importServices(_ context.Context, w surroundings, flags *flag.FlagSet, args []string) int {
	into := flags.String("into", "", "the `folder` to write to; without it, tell what would be written, and write nothing")
	replace := flags.Bool("replace", false, "write over the files that are there")
	rest, err := parse(w, flags, args, "folder of Apereo CAS")
	if err != nil {
		return exitOf(err)
	}
	from := rest[0]
	if info, err := os.Stat(from); err != nil || !info.IsDir() {
		fmt.Fprintf(w.err, "%s: %s is not a folder that can be read\n", flags.Name(), from)
		return exitFault
	}
	imported, err := services.Import(os.DirFS(from))
	if err != nil {
		fmt.Fprintf(w.err, "%s: %v\n", flags.Name(), err)
		return exitFault
	}
	if *into != "" {
		if err := writeImport(imported, *into, *replace); err != nil {
			fmt.Fprintf(w.err, "%s: nothing more is written: %v\n", flags.Name(), err)
			return exitFault
		}
	}
	r := &report{out: w.out}
	r.imported(imported)
	return r.endImport(imported, *into)
}

// imported tells, by file, what becomes of it and what is lost.
func (r *report) imported(imported services.Imported) {
	losses := map[string][]services.Fault{}
	for _, loss := range imported.Losses {
		losses[loss.File] = append(losses[loss.File], loss)
	}
	for _, file := range imported.Files {
		r.begin(file.From)
		switch {
		case file.Service == nil:
			r.good("%s", file.Path)
		case file.Refused != "":
			r.bad("%s: %d, %s, which denies everybody until what it asks for is settled", file.Path, file.Service.ID, file.Service.Name)
		default:
			r.good("%s: %d, %s", file.Path, file.Service.ID, file.Service.Name)
		}
		r.losses(losses[file.From])
	}
	for _, name := range imported.LeftOut {
		r.begin(name)
		r.bad("left out")
		r.losses(losses[name])
	}
}

func (r *report) losses(list []services.Fault) {
	for _, loss := range list {
		text := loss.Message
		if loss.Key != "" {
			text = loss.Key + ": " + text
		}
		if loss.Line > 0 {
			text = fmt.Sprintf("line %d: %s", loss.Line, text)
		}
		r.warn("%s", text)
	}
}

// endImport sums up and returns the exit code: a loss is a fault.
func (r *report) endImport(imported services.Imported, into string) int {
	entries, refused := 0, 0
	for _, file := range imported.Files {
		if file.Service != nil {
			entries++
		}
		if file.Refused != "" {
			refused++
		}
	}
	done := "Nothing was written: give a folder with -into. It would hold"
	if into != "" {
		done = "Written to " + into + ":"
	}
	fmt.Fprintf(r.out, "\n%s %s, %d of them refused. Left out: %s. Lost: %s.\n", done,
		count(entries, "service"), refused, count(len(imported.LeftOut), "file"), lost(len(imported.Losses)))
	if len(imported.Losses) > 0 || len(imported.LeftOut) > 0 {
		return exitFault
	}
	return exitFine
}

func lost(n int) string {
	if n == 0 {
		return "nothing"
	}
	return fmt.Sprintf("what the %s above say", strings.TrimPrefix(count(n, "line"), "no "))
}

// writeImport writes all the files, or none where one is there already and
// another.
func writeImport(imported services.Imported, into string, replace bool) error {
	var taken []string
	for _, file := range imported.Files {
		there, err := os.ReadFile(target(into, file))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("look at what is there: %w", err)
		case !bytes.Equal(there, file.Data):
			taken = append(taken, file.Path)
		}
	}
	if len(taken) > 0 && !replace {
		slices.Sort(taken)
		return fmt.Errorf("these are there already, and differ (-replace writes over them):\n  %s", strings.Join(taken, "\n  "))
	}
	for _, file := range imported.Files {
		if err := writeService(target(into, file), file.Data); err != nil {
			return fmt.Errorf("write %s: %w", file.Path, err)
		}
	}
	return nil
}

func target(into string, file services.ImportedFile) string {
	return filepath.Join(into, filepath.FromSlash(file.Path))
}

// writeService writes a file beside its place and moves it there: a server that
// watches the folder never reads half of it. Entries hold salts, so that not
// everybody may read them.
func writeService(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(name), ".import-*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(data)
	err = errors.Join(err, temporary.Chmod(0o640), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}
