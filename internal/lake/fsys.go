package lake

import (
	"io"
	"io/fs"
	"os"
)

// fsys is every change the lake makes to files, so that a test can fail the n-th
// of them. Names are paths of the operating system.
type fsys interface {
	// Create makes a new file; it fails when there is one.
	Create(name string) (file, error)
	// MkdirAll makes a folder and its parents.
	MkdirAll(name string) error
	Rename(from, to string) error
	// Remove removes a file; a missing file is no error.
	Remove(name string) error
	// Link makes a hard link, or a copy where the file system refuses links.
	Link(from, to string) error
	// SyncDir makes the names in a folder durable.
	SyncDir(name string) error

	Open(name string) (*os.File, error)
	Stat(name string) (fs.FileInfo, error)
	ReadDir(name string) ([]fs.DirEntry, error)
}

// file is a file being written.
type file interface {
	io.Writer
	Sync() error
	Close() error
}
