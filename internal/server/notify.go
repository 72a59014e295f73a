package server

import (
	"net"
	"os"
)

// tell tells systemd what state the server is in (sd_notify(3)), where it asked for
// that. A message that gets lost changes nothing.
func tell(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	_, _ = c.Write([]byte(state))
}
