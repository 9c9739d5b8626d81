package services

import (
	"cmp"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Registry answers from a folder of service files, each in its last good
// version. Its methods may be called from any number of goroutines.
type Registry struct {
	fsys fs.FS
	// dir is where fsys is on the disk, or "".
	dir string
	log *slog.Logger
	now func() time.Time

	current atomic.Pointer[snapshot]
	// reload lets one reload run at a time.
	reload sync.Mutex
	// put lets one entry be added at a time.
	put sync.Mutex
}

// snapshot is one version of the folder. It is never changed.
type snapshot struct {
	services []*Service
	index    index
	logos    map[string]Logo
	faults   []Fault
	sum      digest
	// front tells whether any service hears of a logout through the browser.
	front bool

	// good, pictures and ids are what the next version falls back to: the
	// files taken and the logos by path, and the file that holds each id.
	good     map[string]file
	pictures map[string][]byte
	ids      map[int64]string
}

// Option changes how a registry works.
type Option func(*Registry)

// Clock replaces the clock that entries' dates are compared with.
func Clock(now func() time.Time) Option {
	return func(r *Registry) { r.now = now }
}

// Open reads a folder of service files. When any of them cannot be read, the
// error is a *LoadError that lists them all: what a broken file was meant to
// close cannot be known.
func Open(dir string, log *slog.Logger, options ...Option) (*Registry, error) {
	fsys, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	r, err := OpenFS(fsys, log, options...)
	if err != nil {
		return nil, err
	}
	r.dir = dir
	return r, nil
}

// OpenFS is [Open] over any file system, an embedded one for instance.
func OpenFS(fsys fs.FS, log *slog.Logger, options ...Option) (*Registry, error) {
	r := newRegistry(fsys, log, options)
	next := load(scan(fsys), nil)
	if err := next.err(); err != nil {
		return nil, err
	}
	r.take(next)
	return r, nil
}

// Inspect reads a folder to look at it: the files that can be read are there
// even when others are broken, and [Registry.Faults] tells those. Never serve
// from it: what a broken file was meant to close is open.
func Inspect(dir string, options ...Option) (*Registry, error) {
	fsys, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	r := newRegistry(fsys, slog.New(slog.DiscardHandler), options)
	r.take(load(scan(fsys), nil))
	return r, nil
}

func openFolder(dir string) (fs.FS, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open services folder: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open services folder: %s is not a folder", dir)
	}
	return os.DirFS(dir), nil
}

func newRegistry(fsys fs.FS, log *slog.Logger, options []Option) *Registry {
	r := &Registry{fsys: fsys, log: log, now: time.Now}
	for _, option := range options {
		option(r)
	}
	return r
}

// Find returns the entry that a service belongs to: the first that matches,
// by order, name, pattern and id. The service is taken as it was given, decoded
// one time from the request.
//
// The error is [ErrUnknown], [ErrUnsafe] (which is an ErrUnknown too), or
// [ErrDisabled]; with the last, the entry is returned as well, so that a page
// may say who to call.
func (r *Registry) Find(service string) (*Service, error) {
	t := newTarget(service)
	if t.fault != "" {
		return nil, fmt.Errorf("%w (%s)", ErrUnsafe, t.fault)
	}
	s := r.current.Load().index.find(&t)
	if s == nil {
		return nil, ErrUnknown
	}
	if reason := s.closedReason(r.now()); reason != "" {
		return s, fmt.Errorf("%w: %s", ErrDisabled, reason)
	}
	return s, nil
}

// TellsBrowsers tells whether any service hears of a logout through the person's
// browser.
func (r *Registry) TellsBrowsers() bool { return r.current.Load().front }

// Services returns every entry in the order they are tried.
func (r *Registry) Services() []*Service {
	return slices.Clone(r.current.Load().services)
}

// Faults returns what is wrong in the folder as it was last read, by file.
func (r *Registry) Faults() []Fault {
	return slices.Clone(r.current.Load().faults)
}

// Faulty names the files that could not be taken when the folder was last read,
// in order. The last good version of each is in use, if it ever had one.
func (r *Registry) Faulty() []string {
	return faulty(r.current.Load().faults)
}

// LogoNamed returns a picture of the folder by its file name, which
// [Service.Logo] holds; only those that an entry uses are there. It was read
// with the folder: nothing is opened for a request.
func (r *Registry) LogoNamed(name string) (Logo, bool) {
	logo, ok := r.current.Load().logos[name]
	return logo, ok
}

// Reload reads the folder now, and takes it: of a file that is broken, the last
// good version stays; all others are taken. The error is then a *LoadError that
// tells the broken ones.
func (r *Registry) Reload() error {
	return r.replace(scan(r.fsys))
}

func (r *Registry) replace(folder folder) error {
	r.reload.Lock()
	defer r.reload.Unlock()
	next := load(folder, r.current.Load())
	r.take(next)
	return next.err()
}

// take puts a version in use and tells what an operator should know of it, but
// for the broken files, which its error tells.
func (r *Registry) take(next *snapshot) {
	r.current.Store(next)
	r.log.Info("services loaded", "services", len(next.services), "faulty_files", len(faulty(next.faults)))
	for _, fault := range next.faults {
		if fault.Level != Broken {
			r.log.Warn("service file fault", "file", fault.File, "key", fault.Key, "level", fault.Level.String(), "fault", fault.Message)
		}
	}
	for _, s := range next.services {
		if s.enabled && s.refused == "" && s.isWildcard() {
			r.log.Warn("service entry matches any site: whoever is sent there is known to it",
				"file", s.File, "service", s.Name, "patterns", s.Patterns)
		}
	}
}

// sorted puts entries in the order they are tried.
func sorted(list []*Service) []*Service {
	slices.SortStableFunc(list, func(a, b *Service) int {
		return cmp.Or(
			cmp.Compare(a.Order, b.Order),
			strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)),
			slices.Compare(a.Patterns, b.Patterns),
			cmp.Compare(a.ID, b.ID),
		)
	})
	return list
}
