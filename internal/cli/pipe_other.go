//go:build !windows

package cli

import (
	"errors"
	"syscall"
)

// brokenPipe tells whether the reader of our output has gone.
func brokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
