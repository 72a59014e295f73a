//go:build !unix

package cli

import "os"

// reloadSignals make a server read its settings again; here there are none.
var reloadSignals []os.Signal
