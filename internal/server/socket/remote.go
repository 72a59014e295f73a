package socket

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/wadi-project/wadi/internal/collect/files"
)

// Files is the client's file system, as far as it shows it.
type Files struct{ s *Session }

// Files gives the client's file system.
func (s *Session) Files() Files { return Files{s} }

// Stat describes a file; links are followed.
func (f Files) Stat(path string) (fs.FileInfo, error) { return f.stat(askStat, path) }

// Lstat describes a file or a link.
func (f Files) Lstat(path string) (fs.FileInfo, error) { return f.stat(askLstat, path) }

func (f Files) stat(what, path string) (fs.FileInfo, error) {
	if err := checkPath(what, path); err != nil {
		return nil, err
	}
	r, err := f.s.ask(askMessage{What: what, Path: text(path)}, nil, nil)
	if err != nil {
		return nil, err
	}
	drop(r.file)
	if r.Info == nil {
		return nil, errProtocol
	}
	return info{r.Info}, nil
}

// ReadDir lists a folder.
func (f Files) ReadDir(path string) ([]fs.DirEntry, error) {
	if err := checkPath(askReadDir, path); err != nil {
		return nil, err
	}
	var names []fs.DirEntry
	add := func(r *reply) error {
		if len(names)+len(r.Entries) > maxEntries {
			return fmt.Errorf("cannot list %s: it has more than %d names", path, maxEntries)
		}
		for i := range r.Entries {
			names = append(names, entry{info{&r.Entries[i]}, f, path})
		}
		return nil
	}
	r, err := f.s.ask(askMessage{What: askReadDir, Path: text(path)}, nil, add)
	if err == nil {
		drop(r.file)
		err = add(&r)
	}
	return names, err
}

// Glob gives the paths that match a pattern.
func (f Files) Glob(pattern string) ([]string, error) {
	if err := checkPath(askGlob, pattern); err != nil {
		return nil, err
	}
	var paths []string
	add := func(r *reply) error {
		if len(paths)+len(r.Paths) > maxEntries {
			return fmt.Errorf("cannot expand %s: more than %d paths match", pattern, maxEntries)
		}
		for _, p := range r.Paths {
			paths = append(paths, string(p))
		}
		return nil
	}
	r, err := f.s.ask(askMessage{What: askGlob, Path: text(pattern)}, nil, add)
	if err == nil {
		drop(r.file)
		err = add(&r)
	}
	return paths, err
}

// Open opens a file for reading.
func (f Files) Open(path string) (files.File, error) {
	if err := checkPath("open", path); err != nil {
		return nil, err
	}
	return f.s.open(askMessage{What: askOpen, Path: text(path)})
}

// Abs gives the absolute form of a path as the client sees it.
func (f Files) Abs(path string) (string, error) {
	if filepath.IsAbs(path) {
		return filepath.Clean(path), nil
	}
	return filepath.Join(f.s.Dir, path), nil
}

func checkPath(op, path string) error {
	if len(path) > maxPath {
		return &os.PathError{Op: op, Path: path[:80] + "…", Err: errors.New("the path is too long")}
	}
	return nil
}

// open asks for a file.
func (s *Session) open(m askMessage) (files.File, error) {
	r, err := s.ask(m, nil, nil)
	if err != nil {
		return nil, err
	}
	if r.Info == nil {
		drop(r.file)
		return nil, errProtocol
	}
	if r.file == nil {
		return &handle{s: s, n: r.Handle, info: info{r.Info}}, nil
	}
	// What waits, such as a pipe, must not come as a descriptor.
	st, err := r.file.Stat()
	if err != nil || !st.Mode().IsRegular() {
		drop(r.file)
		return nil, errors.Join(err, errProtocol)
	}
	return r.file, nil
}

// info describes a file of the client.
type info struct{ m *infoMessage }

func (i info) Name() string       { return string(i.m.Name) }
func (i info) Size() int64        { return i.m.Size }
func (i info) Mode() fs.FileMode  { return fs.FileMode(i.m.Mode) }
func (i info) ModTime() time.Time { return time.Unix(0, i.m.Mtime) }
func (i info) IsDir() bool        { return i.Mode().IsDir() }
func (i info) Sys() any           { return nil }

// entry is a name of a folder.
type entry struct {
	info
	files Files
	dir   string
}

func (e entry) Type() fs.FileMode { return e.Mode().Type() }

func (e entry) Info() (fs.FileInfo, error) { return e.files.Lstat(filepath.Join(e.dir, e.Name())) }

// handle is a file that the client holds open.
type handle struct {
	s    *Session
	n    int
	info fs.FileInfo
	left []byte
	err  error
}

func (h *handle) Stat() (fs.FileInfo, error) { return h.info, nil }

// ReadAt fails: only regular files are read at any place.
func (h *handle) ReadAt([]byte, int64) (int, error) { return 0, errors.ErrUnsupported }

func (h *handle) Read(p []byte) (int, error) {
	if len(h.left) == 0 && h.err == nil {
		r, err := h.s.ask(askMessage{What: askRead, Handle: h.n, Max: chunk}, nil, nil)
		drop(r.file)
		h.left, h.err = r.body, err
		if err == nil && r.EOF {
			h.err = io.EOF
		}
	}
	n := copy(p, h.left)
	h.left = h.left[n:]
	if n > 0 {
		return n, nil
	}
	return 0, h.err
}

func (h *handle) Write(p []byte) (n int, err error) {
	for n < len(p) {
		part := p[n:min(len(p), n+chunk)]
		r, err := h.s.ask(askMessage{What: askWrite, Handle: h.n}, part, nil)
		if err != nil {
			return n, err
		}
		drop(r.file)
		n += len(part)
	}
	return n, nil
}

func (h *handle) Close() error {
	r, err := h.s.ask(askMessage{What: askClose, Handle: h.n}, nil, nil)
	drop(r.file)
	return err
}

// Write makes a file of the client's of what write writes, with the client's
// rights. What stood there before stays when it fails.
func (f Files) Write(path string, write func(io.Writer) error) error {
	if err := checkPath("create", path); err != nil {
		return err
	}
	r, err := f.s.ask(askMessage{What: askCreate, Path: text(path)}, nil, nil)
	if err != nil {
		return err
	}
	drop(r.file)
	h := &handle{s: f.s, n: r.Handle}
	if err := write(h); err != nil {
		return errors.Join(err, h.Close())
	}
	r, err = f.s.ask(askMessage{What: askKeep, Handle: h.n}, nil, nil)
	drop(r.file)
	return err
}
