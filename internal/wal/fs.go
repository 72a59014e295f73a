package wal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// FS is how the log touches files, so that a test can fail the n-th change or
// slow every sync. Names are paths of the operating system.
type FS interface {
	// MkdirAll makes a folder and its parents, and makes the new names durable.
	MkdirAll(name string) error
	// Create makes a new file for reading and writing; it fails when there is one.
	Create(name string) (File, error)
	// Open opens a file for reading and writing.
	Open(name string) (File, error)
	Rename(from, to string) error
	// Remove removes a file; a missing one is no error.
	Remove(name string) error
	// SyncDir makes the names in a folder durable.
	SyncDir(name string) error
	ReadDir(name string) ([]fs.DirEntry, error)
}

// File is a segment. *os.File is one.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)
	Sync() error
	Truncate(size int64) error
}

// OS is the real file system, to build others on.
func OS() FS { return osFS{} }

type osFS struct{}

func (o osFS) MkdirAll(name string) error {
	if st, err := os.Stat(name); err == nil && st.IsDir() {
		return nil
	}
	parent := filepath.Dir(name)
	if parent != name {
		if err := o.MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(name, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func (osFS) Create(name string) (File, error) {
	return asFile(os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640))
}

func (osFS) Open(name string) (File, error) { return asFile(os.OpenFile(name, os.O_RDWR, 0)) }

// asFile keeps a nil *os.File from becoming a File that isn't nil.
func asFile(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (osFS) Rename(from, to string) error { return os.Rename(from, to) }

func (osFS) Remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (osFS) SyncDir(name string) error { return syncDir(name) }

func (osFS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// isFull tells that the disk or the user's share of it is full.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
