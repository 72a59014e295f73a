//go:build unix

package socket

import (
	"errors"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// rightsSpace is room for the descriptors of one message: more than one is against
// the protocol, and is seen with room for two.
func rightsSpace() int { return unix.CmsgSpace(2 * 4) }

// sendFile sends the first bytes of a message with a descriptor.
func sendFile(c *net.UnixConn, b []byte, file *os.File) (n int, err error) {
	raw, err := file.SyscallConn() // Fd would make the file blocking
	if err != nil {
		return 0, err
	}
	inner := raw.Control(func(fd uintptr) { n, _, err = c.WriteMsgUnix(b, unix.UnixRights(int(fd)), nil) })
	return n, errors.Join(inner, err)
}

// readWithFiles reads what is there, with the descriptors that came with it.
func readWithFiles(c *net.UnixConn, b, oob []byte) (n int, files []*os.File, err error) {
	if oob == nil { // the kernel drops what comes
		n, err = c.Read(b)
		return n, nil, err
	}
	n, oobn, flags, _, err := c.ReadMsgUnix(b, oob)
	if oobn > 0 {
		messages, parseErr := unix.ParseSocketControlMessage(oob[:oobn])
		err = errors.Join(err, parseErr)
		for i := range messages {
			fds, rightsErr := unix.ParseUnixRights(&messages[i])
			if rightsErr != nil {
				continue // another kind of message
			}
			for _, fd := range fds {
				unix.CloseOnExec(fd)
				files = append(files, os.NewFile(uintptr(fd), "passed"))
			}
		}
	}
	if flags&syscall.MSG_CTRUNC != 0 || len(files) > 1 {
		err = errors.Join(err, errProtocol)
	}
	return n, files, err
}
