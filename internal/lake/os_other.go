//go:build !unix

package lake

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

func isFull(error) bool { return false }

func isReadOnly(error) bool { return false }

// syncDir does nothing: folders can't be synced here.
func syncDir(string) error { return nil }

// noLinks tells that hard links are refused here, so that a copy is needed.
func noLinks(err error) bool {
	return err != nil && !errors.Is(err, os.ErrExist) && !errors.Is(err, os.ErrNotExist)
}

// alive can't be found out here: pins then last until their deadline.
func alive(int) bool { return true }

// currentUser names the user of the process.
func currentUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}
