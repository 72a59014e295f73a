package server

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// portHolder gives the process that listens on a TCP port, 0 when it can't be told:
// the process belongs to another user.
func portHolder(port string) int {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return 0
	}
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		listening(table, n, sockets)
	}
	if len(sockets) == 0 {
		return 0
	}
	descriptors, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0
	}
	for _, path := range descriptors {
		target, err := os.Readlink(path)
		if err != nil || !sockets[target] {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(path, "/")[2])
		if err == nil {
			return pid
		}
	}
	return 0
}

// listening adds the sockets of a table of proc(5) that listen on a port, named as
// links of descriptors name them.
func listening(table string, port uint64, to map[string]bool) {
	const stateListen = "0A"
	f, err := os.Open(table)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != stateListen {
			continue
		}
		_, hex, _ := strings.Cut(fields[1], ":")
		if n, err := strconv.ParseUint(hex, 16, 16); err == nil && n == port {
			to["socket:["+fields[9]+"]"] = true
		}
	}
}
