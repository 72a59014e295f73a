package folder

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxLockBytes bounds wadi.lock: a number and a path.
const maxLockBytes = 4 << 10

// Write notes the holder in the lock's file: its pid, then its socket if any.
func (l *Lock) Write(socket string) error {
	text := strconv.Itoa(os.Getpid()) + "\n"
	if socket != "" {
		text += socket + "\n"
	}
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt([]byte(text), 0)
	return err
}

// Holder reads who wrote into the data folder dir last: its pid, and the socket it
// announced, "" for none. A process that died leaves both behind, so a caller must
// find out whether anybody answers. Without a lock, or when it can't be read, both
// are zero.
func Holder(dir string) (pid int, socket string) {
	f, err := os.Open(filepath.Join(dir, LockName))
	if err != nil {
		return 0, ""
	}
	defer func() { _ = f.Close() }()
	return readHolder(f)
}

func readHolder(r io.ReaderAt) (pid int, socket string) {
	text, err := io.ReadAll(io.NewSectionReader(r, 0, maxLockBytes))
	if err != nil {
		return 0, ""
	}
	first, rest, _ := strings.Cut(string(text), "\n")
	pid, err = strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return 0, ""
	}
	socket, _, whole := strings.Cut(rest, "\n")
	if !whole {
		return pid, ""
	}
	return pid, socket
}
