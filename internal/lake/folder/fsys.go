package folder

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// FS is how the lake touches files, so that a test can fail the n-th change.
// Names are paths of the operating system.
type FS interface {
	// Create makes a new file; it fails when there is one.
	Create(name string) (File, error)
	// MkdirAll makes a folder and its parents, and makes the new names durable.
	MkdirAll(name string) error
	Rename(from, to string) error
	// Remove removes a file or an empty folder; a missing one is no error.
	Remove(name string) error
	// Link makes a hard link, or a durable copy where links are refused.
	Link(from, to string) error
	// SyncDir makes the names in a folder durable.
	SyncDir(name string) error

	Open(name string) (*os.File, error)
	Stat(name string) (fs.FileInfo, error)
	ReadDir(name string) ([]fs.DirEntry, error)
}

// File is a file being written.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// OS is the real file system.
type OS struct{}

// Create implements FS.
func (OS) Create(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return nil, err // not f: a nil *os.File in an interface isn't nil
	}
	return f, nil
}

// MkdirAll implements FS.
func (o OS) MkdirAll(name string) error {
	if st, err := os.Stat(name); err == nil && st.IsDir() {
		return nil
	}
	parent := parentOf(name)
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

// Rename implements FS.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements FS.
func (OS) Remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Link implements FS.
func (o OS) Link(from, to string) error {
	err := os.Link(from, to)
	if err == nil || !noLinks(err) {
		return err
	}
	return o.copy(from, to)
}

func (o OS) copy(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := o.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return errors.Join(err, o.Remove(to))
	}
	return nil
}

// SyncDir implements FS.
func (OS) SyncDir(name string) error { return syncDir(name) }

// Open implements FS.
func (OS) Open(name string) (*os.File, error) { return os.Open(name) }

// Stat implements FS.
func (OS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// ReadDir implements FS.
func (OS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }
