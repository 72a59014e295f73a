package lake

import (
	"fmt"
	"strings"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// Announce writes into wadi.lock where the holder can be reached: the path of a
// Unix socket, "" for nowhere any more. It is for others to read with [Holder].
func (w *Writer) Announce(socket string) error {
	if strings.ContainsAny(socket, "\n\x00") {
		return fmt.Errorf("cannot announce the socket %q: its path has a line break", socket)
	}
	if err := w.lock.Write(socket); err != nil {
		return folder.Explain(fmt.Errorf("cannot announce the socket: %w", err))
	}
	return nil
}

// Holder reads who wrote into the data folder dir last: its pid, and the socket it
// announced, "" for none. A process that died leaves both behind, so a caller must
// find out whether anybody answers. Without a lock, or when it can't be read, both
// are zero.
func Holder(dir string) (pid int, socket string) { return folder.Holder(dir) }
