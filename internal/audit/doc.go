// Package audit writes down who logged in, what they were given and what was
// refused: the record that an operator reads after an incident, apart from
// the log that helps to run the service.
//
// One event is one line of JSON. Lines are only ever added. A line never
// holds a password, a whole ticket or a cookie, nor the text of a login that
// the directory does not know, which may be a password typed into the wrong
// field: callers give a pseudonym for it. Whatever a client sent reaches the
// line escaped and cut to a length, so that nobody writes lines for others.
//
// cas and account record events; cmd opens the file and reopens it on SIGHUP.
package audit
