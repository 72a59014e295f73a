//go:build unix

package engine

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// lockFolder takes a folder's lock (flock(2)) or fails at once.
func lockFolder(name string) (io.Closer, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
