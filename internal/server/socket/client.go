package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// ErrNotRunning tells that nobody answers at a socket, or that its mode keeps this
// user out: the command has to run in this process.
var ErrNotRunning = errors.New("no server answers")

// Error is a call that a server did not run to its end.
type Error struct {
	// Code is the exit code, Text the error's line and Advice one line or "".
	Code         int
	Text, Advice string
}

// Error gives the one line.
func (e *Error) Error() string { return e.Text }

// ExitCode gives the exit code of package cli.
func (e *Error) ExitCode() int { return e.Code }

// Hint gives one line of advice.
func (e *Error) Hint() string { return e.Advice }

// Streams are the client's own.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Client is a connection to a server, for one call.
type Client struct {
	conn *conn
	pid  int
}

// Dial connects to the server of a data folder, at the socket that its lock names.
// A server of a user who is not to be trusted with the call is an error.
func Dial(ctx context.Context, dataDir, path string) (*Client, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	c, err := dialer.DialContext(ctx, "unix", path)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EINVAL):
		return nil, ErrNotRunning
	case err != nil:
		return nil, fmt.Errorf("cannot reach the server: %w", err)
	}
	uc, ok := c.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(ErrUnavailable, c.Close())
	}
	uid, pid, err := peerOf(uc)
	if err == nil && !trusted(dataDir, uid) {
		err = fmt.Errorf("cannot trust the server at %s: it runs as user %d, who owns neither this process nor the data folder", path, uid)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &Client{conn: newConn(uc, false), pid: pid}, nil
}

// trusted tells whether a server of that user may be given a call.
func trusted(dataDir string, uid int) bool {
	if uid == 0 || uid == own() {
		return true
	}
	info, err := os.Stat(dataDir)
	if err != nil {
		return false
	}
	owner, ok := ownerOf(info)
	return ok && owner == uid
}

// PID is the server's process.
func (c *Client) PID() int { return c.pid }

// Run has the server run a call and gives its exit code. When ctx ends the server
// is told to stop, and its end is waited for, for a while. The error is an [*Error].
// A client runs one call.
func (c *Client) Run(ctx context.Context, call Call, streams Streams, shown Shown) (code int, err error) {
	defer func() { _ = c.conn.close() }()
	if f, ok := streams.Stdin.(*os.File); ok {
		st, err := f.Stat()
		call.StdinIsFile = err == nil && st.Mode().IsRegular()
	}
	if err := c.conn.send(kindCall, call.message(), nil, nil); err != nil {
		if refused, ok := c.lastWord(); ok {
			return 0, refused
		}
		return 0, c.died(err)
	}
	a := newAnswers(c.conn, streams.Stdin, shown)
	defer a.close()
	stop := context.AfterFunc(ctx, func() {
		_ = c.conn.send(kindCancel, nil, nil, nil) // a server that has gone needs no cancelling
		_ = c.conn.c.SetReadDeadline(time.Now().Add(endGrace))
	})
	defer stop()
	for {
		f, err := c.conn.receive()
		if err != nil {
			return 0, c.died(err)
		}
		switch f.kind {
		case kindOut:
			if _, err := streams.Stdout.Write(f.body); err != nil {
				return 0, &Error{Code: 1, Text: "cannot print the result: " + err.Error()}
			}
		case kindErr:
			_, _ = streams.Stderr.Write(f.body) // as everybody's standard error
		case kindAsk:
			if err := a.start(f); err != nil {
				return 0, c.died(err)
			}
		case kindEnd:
			return c.end(f)
		default:
			return 0, c.died(errProtocol)
		}
	}
}

// end reads the last message.
func (c *Client) end(f frame) (int, error) {
	var m endMessage
	if err := json.Unmarshal(f.head, &m); err != nil {
		return 0, c.died(errProtocol)
	}
	if m.Error != "" {
		return 0, &Error{Code: m.Code, Text: fmt.Sprintf("cannot go through the server (process %d): %s", c.pid, m.Error), Advice: m.Hint}
	}
	return m.Code, nil
}

// lastWord reads a refusal that came before the whole call was sent.
func (c *Client) lastWord() (error, bool) {
	f, err := c.conn.receive()
	if err != nil || f.kind != kindEnd {
		return nil, false
	}
	_, err = c.end(f)
	return err, err != nil
}

// died is a server that has gone in the middle.
func (c *Client) died(err error) *Error {
	const advice = "what is stored stays; run it again"
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &Error{Code: 1, Text: fmt.Sprintf("cannot wait any longer: the server (process %d) doesn't end the command", c.pid), Advice: advice}
	}
	if errors.Is(err, errProtocol) {
		return &Error{Code: 1, Text: fmt.Sprintf("cannot understand the server (process %d): %v", c.pid, err), Advice: "use the program that the server runs"}
	}
	return &Error{Code: 1, Text: fmt.Sprintf("cannot finish: the server (process %d) ended in the middle", c.pid), Advice: advice}
}

// Shown is what a server may see of the client's files: Read lists the paths,
// folders and globs as the user named them, with everything below; Write the files
// that may be made, Stdin whether standard input may be read.
type Shown struct {
	Read, Write []string
	Stdin       bool
}

// mayRead tells whether a path lies at or below what is shown.
func (s Shown) mayRead(path string) bool {
	path = filepath.Clean(path)
	for _, root := range s.Read {
		pattern := filepath.Clean(root)
		for p := path; ; p = filepath.Dir(p) {
			if p == pattern {
				return true
			}
			if ok, err := filepath.Match(pattern, p); err == nil && ok {
				return true
			}
			if p == filepath.Dir(p) {
				break
			}
		}
	}
	return false
}

// mayGlob tells whether a pattern is one that is shown.
func (s Shown) mayGlob(pattern string) bool { return has(s.Read, pattern) }

func (s Shown) mayWrite(path string) bool { return has(s.Write, path) }

func has(list []string, s string) bool {
	return slices.Contains(list, s)
}

// answers answers a server's questions about files.
type answers struct {
	conn  *conn
	stdin io.Reader
	shown Shown
	slots chan struct{}
	tasks sync.WaitGroup

	mu      sync.Mutex
	next    int
	handles map[int]*openFile
}

// openFile is a file that a call has open: r is read, w written. own is what is
// closed with it; a new file has none, and takes its name at the end.
type openFile struct {
	r    io.Reader
	w    *os.File
	name string
	own  io.Closer
}

func newAnswers(c *conn, stdin io.Reader, shown Shown) *answers {
	return &answers{conn: c, stdin: stdin, shown: shown, slots: make(chan struct{}, maxHandles), handles: map[int]*openFile{}}
}

// start answers a question, while others may be answered.
func (a *answers) start(f frame) error {
	var m askMessage
	if err := json.Unmarshal(f.head, &m); err != nil {
		return errProtocol
	}
	select {
	case a.slots <- struct{}{}:
	default:
		return errProtocol // no server asks so much at once
	}
	body := append([]byte(nil), f.body...)
	a.tasks.Go(func() {
		defer func() { <-a.slots }()
		a.answer(&m, body)
	})
	return nil
}

// close closes what is open. A read that waits for input that never comes is not
// waited for: the process ends.
func (a *answers) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, h := range a.handles {
		h.abandon()
	}
	a.handles = map[int]*openFile{}
}

// abandon closes a file; one that was to be made is removed.
func (h *openFile) abandon() {
	switch {
	case h.own != nil:
		_ = h.own.Close() // what was to be said about it was said before
	case h.w != nil:
		_ = h.w.Close()
		_ = os.Remove(h.w.Name())
	}
}

// Close ends a connection that was not used.
func (c *Client) Close() error { return c.conn.close() }
