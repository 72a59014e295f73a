//go:build !unix

package socket

import (
	"net"
	"os"
)

func rightsSpace() int { return 0 }

func sendFile(*net.UnixConn, []byte, *os.File) (int, error) { return 0, ErrUnavailable }

func readWithFiles(c *net.UnixConn, b, _ []byte) (int, []*os.File, error) {
	n, err := c.Read(b)
	return n, nil, err
}
