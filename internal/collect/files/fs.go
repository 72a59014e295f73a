package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// FS is the file system that paths lead to. A nil FS is the process's own; another
// is that of a client whose files the process itself may not read. Errors are those
// of package os. It may be used by one goroutine at a time.
type FS interface {
	// Stat and Lstat describe a file; Stat follows links.
	Stat(path string) (fs.FileInfo, error)
	Lstat(path string) (fs.FileInfo, error)
	// ReadDir lists a folder by name.
	ReadDir(path string) ([]fs.DirEntry, error)
	// Glob gives the paths that match a pattern, none for a bad one.
	Glob(pattern string) ([]string, error)
	// Open opens a file for reading.
	Open(path string) (File, error)
	// Abs gives the absolute form of a path.
	Abs(path string) (string, error)
}

// File is a file that is open for reading. ReadAt works for regular files only.
type File interface {
	io.ReadCloser
	io.ReaderAt
	Stat() (fs.FileInfo, error)
}

// ownFS is the process's own file system.
type ownFS struct{}

func (ownFS) Stat(path string) (fs.FileInfo, error)      { return os.Stat(path) }
func (ownFS) Lstat(path string) (fs.FileInfo, error)     { return os.Lstat(path) }
func (ownFS) ReadDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }
func (ownFS) Glob(pattern string) ([]string, error)      { return filepath.Glob(pattern) }
func (ownFS) Open(path string) (File, error)             { return os.Open(path) }
func (ownFS) Abs(path string) (string, error)            { return filepath.Abs(path) }

// orOwn gives the process's own file system for nil.
func orOwn(fsys FS) FS {
	if fsys == nil {
		return ownFS{}
	}
	return fsys
}

// walk calls file for everything below a folder that is none, in the order of
// names; folders that hold a lake are passed by, links to folders not followed.
func (l *lister) walk(dir string) {
	if l.ctx.Err() != nil {
		return
	}
	if _, err := l.fs.Lstat(filepath.Join(dir, lakeMarker)); err == nil {
		return
	}
	names, err := l.fs.ReadDir(dir)
	if err != nil {
		l.fail(dir, err)
	}
	slices.SortFunc(names, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, d := range names {
		if l.ctx.Err() != nil {
			return
		}
		path := filepath.Join(dir, d.Name())
		if d.IsDir() {
			l.walk(path)
			continue
		}
		info, err := l.fs.Stat(path) // a link counts as the file it leads to
		switch {
		case err != nil:
			l.fail(path, err)
		case info.Mode().IsRegular():
			l.file(path, info.Size())
		}
	}
}

// listGlob expands a pattern.
func (l *lister) listGlob(pattern string) {
	matches, _ := l.fs.Glob(pattern) // a bad pattern matches nothing
	if len(matches) == 0 {
		l.fail(pattern, errors.New("no file matches"))
	}
	for _, m := range matches {
		if info, err := l.fs.Stat(m); err != nil {
			l.fail(m, err)
		} else {
			l.add(m, info)
		}
	}
}
