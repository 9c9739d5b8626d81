// Package services knows which applications may use this server, and what
// each of them may have.
//
// A folder holds one file a service: either our own YAML, which the owner of
// an application can read and write without knowing regular expressions, or
// the JSON (and YAML) that Apereo CAS writes, taken as it is. A [Registry]
// reads the folder, sorts the entries, and answers one question: which entry
// does this service URL belong to. A [Service] then says who may enter, what
// is told about them and under which name, how it is logged out, and how long
// its tickets live. [Import] writes a folder of Apereo's in our own format, and
// tells all that it loses; [Registry.Put] adds one entry.
//
// What it must never do:
//
//   - widen access by mistake. A file that cannot be read stops [Open]; after
//     that, its last good version stays while the other files are taken. An
//     entry that asks for something this server cannot do in matching, access,
//     release or naming is refused: it still takes its place among the others,
//     and denies, so that no wider entry behind it answers in its stead.
//   - rewrite a service URL. What is matched is what was given (but for
//     ";jsessionid=…"), and a ticket is added to the given bytes ([Appended]).
//   - let a regular expression, however loose, admit a URL that a browser
//     would read differently ([ErrUnsafe]).
//   - drop a key of Apereo's in silence: it is read, or told as a [Fault].
//   - write to the folder, but in Put.
//   - fetch anything. Logos are files of the folder.
//
// The order of the entries, first match wins, and the meaning of Apereo's
// fields follow Apereo CAS: a required value is searched, and lint tells what
// else it lets in. Where its versions differ, the narrower reading is taken: all
// the required attributes, and one rejected value is enough. In our own format a
// value is whole unless it says search.
//
// Callers: cas asks at every login, validation and logout, and puts the entries
// that come by REST; cmd/parvis opens the registry, watches it, shows
// [Registry.Lint] and [Registry.Explain], and writes what Import makes.
package services
