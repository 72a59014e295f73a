package engine

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	tempPrefix = "wadi-query-"
	// sweepAge spares folders whose makers have not locked them yet.
	sweepAge = time.Minute
)

// makeTemp makes a worker's own folder in dir and locks it for as long as it is
// used; the kernel lets the lock go when this process dies.
func makeTemp(dir string) (name string, lock io.Closer, err error) {
	name, err = os.MkdirTemp(dir, tempPrefix)
	if err != nil {
		return "", nil, err
	}
	lock, err = lockFolder(name)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(name))
	}
	return name, lock, nil
}

// sweep removes the folders in dir that processes left which were killed. What
// can't be removed is somebody else's to see to.
func sweep(dir string, now time.Time) {
	found, err := filepath.Glob(filepath.Join(escapeGlob(dir), tempPrefix+"*"))
	if err != nil {
		return
	}
	for _, name := range found {
		info, err := os.Lstat(name)
		if err != nil || !info.IsDir() || now.Sub(info.ModTime()) < sweepAge {
			continue
		}
		lock, err := lockFolder(name)
		if err != nil {
			continue
		}
		_ = os.RemoveAll(name)
		_ = lock.Close()
	}
}

// escapeGlob makes every character of a path stand for itself in a pattern.
func escapeGlob(path string) string {
	var b []byte
	for _, c := range []byte(path) {
		if c == '*' || c == '?' || c == '[' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return string(b)
}
