package forward

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// takeLock opens a file that nobody else can open meanwhile; the system closes it
// with the process.
func takeLock(name string) (*os.File, error) {
	f, err := open(name, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, windows.OPEN_ALWAYS)
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return nil, errLocked
	}
	return f, err
}

// openLog opens a log so that its writer can rename or remove it meanwhile.
func openLog(name string) (*os.File, error) {
	return open(name, windows.GENERIC_READ, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, windows.OPEN_EXISTING)
}

func open(name string, access, share, how uint32) (*os.File, error) {
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(path, access, share, nil, how, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(h), name), nil
}

// syncDir does nothing: folders can't be synced here.
func syncDir(string) error { return nil }
