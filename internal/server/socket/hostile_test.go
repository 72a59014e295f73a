package socket

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// raw connects without the client's side of the protocol.
func (s *server) raw(t *testing.T) *net.UnixConn {
	t.Helper()
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: s.path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// header makes a message's header.
func header(size int, k kind, files byte, head int) []byte {
	b := make([]byte, headerBytes)
	binary.LittleEndian.PutUint32(b, uint32(size-4))
	b[4], b[5] = byte(k), files
	binary.LittleEndian.PutUint32(b[6:], uint32(head))
	return b
}

// TestHostileClients sends what no client sends: the server ends the connection, and
// has no descriptor more (serve counts).
func TestHostileClients(t *testing.T) {
	s := serve(t, func(ctx context.Context, s *Session) int {
		_, _ = s.Files().Open("x")
		<-ctx.Done()
		return 0
	})
	call := `{"protocol":1,"version":"v"}`
	whole := string(header(headerBytes+len(call), kindCall, 0, len(call))) + call
	devices := make([]int, 5)
	for i := range devices {
		f, err := os.Open("/dev/zero")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		devices[i] = int(f.Fd())
	}
	reply := `{"id":1,"info":{"name":"eA=="}}`
	for name, sent := range map[string]struct {
		text string
		fds  []int
	}{
		"garbage":              {text: "GET / HTTP/1.1\r\n\r\n"},
		"huge":                 {text: string(header(maxFrame+1, kindCall, 0, 0))},
		"small":                {text: string(header(5, kindCall, 0, 0))},
		"a head beyond":        {text: string(header(headerBytes, kindCall, 0, 1))},
		"no JSON":              {text: string(header(headerBytes+1, kindCall, 0, 1)) + "{"},
		"another message":      {text: string(header(headerBytes, kindCancel, 0, 0))},
		"an unknown message":   {text: string(header(headerBytes, 99, 0, 0))},
		"two calls":            {text: whole + whole},
		"half a message":       {text: whole[:len(whole)-3]},
		"a descriptor missing": {text: string(header(headerBytes+len(call), kindCall, 1, len(call))) + call},
		"a descriptor more":    {text: whole, fds: devices[:1]},
		"many descriptors":     {text: whole, fds: devices},
		"a call's descriptor":  {text: string(header(headerBytes+len(call), kindCall, 1, len(call))) + call, fds: devices[:1]},
		"a device":             {text: whole + string(header(headerBytes+len(reply), kindReply, 1, len(reply))) + reply, fds: devices[:1]},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.raw(t)
			var rights []byte
			if sent.fds != nil {
				rights = unix.UnixRights(sent.fds...)
			}
			if _, _, err := c.WriteMsgUnix([]byte(sent.text), rights, nil); err != nil {
				t.Fatal(err)
			}
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, c) // until the server has closed
		})
	}
	// It still serves.
	c := s.dial(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Run(ctx, Call{Version: "v"}, Streams{nil, io.Discard, io.Discard}, Shown{}); err != nil {
		t.Error(err)
	}
}

// TestDescriptorOfADevice holds that a descriptor of something that could wait is
// not taken for a file.
func TestDescriptorOfADevice(t *testing.T) {
	asked := make(chan error, 1)
	s := serve(t, func(_ context.Context, s *Session) int {
		_, err := s.Files().Open("x")
		asked <- err
		return 0
	})
	c := newConn(s.raw(t), false)
	if err := c.send(kindCall, (&Call{Version: "v"}).message(), nil, nil); err != nil {
		t.Fatal(err)
	}
	f, err := c.receive()
	if err != nil || f.kind != kindAsk {
		t.Fatalf("%v %v", f, err)
	}
	zero, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer zero.Close()
	if err := c.send(kindReply, replyMessage{ID: 1, Info: &infoMessage{Name: text("x")}}, nil, zero); err != nil {
		t.Fatal(err)
	}
	if err := <-asked; !errors.Is(err, errProtocol) {
		t.Errorf("a device was taken: %v", err)
	}
	_, _ = io.Copy(io.Discard, c.c)
}

func TestPath(t *testing.T) {
	env := map[string]string{}
	get := func(name string) string { return env[name] }
	path := func() string {
		t.Helper()
		p, err := Path("/data", get)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Setenv("TMPDIR", "/tmp")
	if p := path(); !strings.HasPrefix(p, "/tmp/wadi-") || len(p) > maxSocketPath {
		t.Error(p)
	}
	env["XDG_RUNTIME_DIR"] = "/run/user/1"
	if p := path(); !strings.HasPrefix(p, "/run/user/1/wadi-") {
		t.Error(p)
	}
	env["RUNTIME_DIRECTORY"] = "/run/wadi"
	if p := path(); !strings.HasPrefix(p, "/run/wadi/wadi-") {
		t.Error(p)
	}
	env = map[string]string{"XDG_RUNTIME_DIR": "/" + strings.Repeat("x", maxSocketPath-20)}
	if p := path(); !strings.HasPrefix(p, "/tmp/") {
		t.Error(p)
	}
	t.Setenv("TMPDIR", "/"+strings.Repeat("x", maxSocketPath))
	if _, err := Path("/data", get); err == nil || !strings.Contains(err.Error(), "107") {
		t.Errorf("a path that is too long: %v", err)
	}
}

// TestListenWhereOthersMayWrite is refused: another user could put a socket of his
// own there.
func TestListenWhereOthersMayWrite(t *testing.T) {
	dir := t.TempDir()
	open := filepath.Join(dir, "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{open, link, filepath.Join(dir, "no", "such")} {
		if l, err := Listen(filepath.Join(folder, "s"), Config{}); err == nil {
			t.Errorf("listens in %s", folder)
			_ = l.l.Close()
		}
	}
}

// TestSocketMode holds that only its user gets to a socket.
func TestSocketMode(t *testing.T) {
	s := serve(t, func(context.Context, *Session) int { return 0 })
	st, err := os.Stat(s.path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st, err)
	}
}

// FuzzReceive reads whatever bytes come: no panic, no memory beyond the limit.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(string(header(headerBytes+2, kindCall, 0, 2)) + "{}"))
	f.Add(append(header(headerBytes+3, kindReply, 0, 0), "abc"...))
	f.Add(header(maxFrame, kindOut, 1, 7))
	f.Fuzz(func(t *testing.T, data []byte) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		var ends [2]*net.UnixConn
		for i, fd := range fds {
			file := os.NewFile(uintptr(fd), "pair")
			c, err := net.FileConn(file)
			if err != nil {
				t.Fatal(err)
			}
			_ = file.Close()
			ends[i] = c.(*net.UnixConn)
			defer ends[i].Close()
		}
		go func() {
			_, _ = ends[0].Write(data)
			_ = ends[0].CloseWrite()
		}()
		c := newConn(ends[1], true)
		defer c.drop()
		n := 0
		for {
			f, err := c.receive()
			if err != nil {
				break
			}
			drop(f.file)
			n += headerBytes + len(f.head) + len(f.body)
		}
		if n > len(data) || cap(c.in) > 2*maxFrame {
			t.Errorf("%d bytes of %d, %d of memory", n, len(data), cap(c.in))
		}
	})
}
