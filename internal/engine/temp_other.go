//go:build !unix

package engine

import (
	"errors"
	"io"
)

// lockFolder is never needed here: there is no worker on this system.
func lockFolder(string) (io.Closer, error) { return nil, errors.ErrUnsupported }
