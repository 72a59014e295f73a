package cli

import (
	"errors"
	"syscall"
)

// errorNoData is ERROR_NO_DATA: the pipe is being closed.
const errorNoData = syscall.Errno(232)

// brokenPipe tells whether the reader of our output has gone.
func brokenPipe(err error) bool {
	return errors.Is(err, syscall.ERROR_BROKEN_PIPE) || errors.Is(err, errorNoData)
}
