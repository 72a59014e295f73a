//go:build !unix

package folder

import (
	"errors"
	"os"
	"os/user"
)

// lockFile is refused: without a lock that a dead process gives back there is no
// safe writer. The commands that need the lake say so before they come here.
func lockFile(*os.File) (bool, error) {
	return false, errors.New("this system has no lock that ends with its process")
}

// IsFull tells that the disk, or a quota, is full.
func IsFull(error) bool { return false }

func isReadOnly(error) bool { return false }

// syncDir does nothing: folders can't be synced here.
func syncDir(string) error { return nil }

// noLinks tells that hard links are refused here, so that a copy is needed.
func noLinks(err error) bool {
	return err != nil && !errors.Is(err, os.ErrExist) && !errors.Is(err, os.ErrNotExist)
}

// Alive can't be found out here: pins then last until their deadline.
func Alive(int) bool { return true }

// CurrentUser names the user of the process.
func CurrentUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}
