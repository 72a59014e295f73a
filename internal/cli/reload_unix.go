//go:build unix

package cli

import (
	"os"
	"syscall"
)

// reloadSignals make a server read its settings again.
var reloadSignals = []os.Signal{syscall.SIGHUP}
