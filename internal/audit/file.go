package audit

import (
	"fmt"
	"os"
	"sync"
)

// File is an audit file that can be reopened under its name, after logrotate
// has moved it away. It is safe for concurrent use.
type File struct {
	path string
	mu   sync.Mutex
	file *os.File
}

// OpenFile opens path for adding, and makes it, readable by its owner and
// group, where it is not there.
func OpenFile(path string) (*File, error) {
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	return &File{path: path, file: file}, nil
}

func open(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640) //nolint:gosec // the group of the log collector reads it
	if err != nil {
		return nil, fmt.Errorf("open audit file: %w", err)
	}
	return file, nil
}

// Write adds whole lines.
func (f *File) Write(lines []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.file.Write(lines)
	if err != nil {
		return n, fmt.Errorf("write audit file: %w", err)
	}
	return n, nil
}

// Reopen opens the file anew under its name. Where that fails the old one
// stays in use: no event is lost for a rotation that went wrong.
func (f *File) Reopen() error {
	file, err := open(f.path)
	if err != nil {
		return err
	}
	f.mu.Lock()
	old := f.file
	f.file = file
	f.mu.Unlock()
	if err := old.Close(); err != nil {
		return fmt.Errorf("close audit file: %w", err)
	}
	return nil
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.file.Close(); err != nil {
		return fmt.Errorf("close audit file: %w", err)
	}
	return nil
}
