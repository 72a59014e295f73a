package socket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Handler runs a command and gives its exit code. ctx ends when the client cancels
// or has gone, and when the server ends.
type Handler func(ctx context.Context, s *Session) (code int)

// Config is what a [Listener] needs.
type Config struct {
	// Version is the program's; calls of another are refused.
	Version string
	// Handle runs the calls.
	Handle Handler
	// Log gets what an operator may want to know; nil discards it.
	Log *slog.Logger
}

// Listener is the server's side.
type Listener struct {
	config Config
	l      *net.UnixListener
	slots  chan struct{}
	calls  sync.WaitGroup
}

// Path is where the server of a data folder (absolute) listens: in the service's or
// the user's runtime folder, else in a folder of the user's own below the folder for
// temporary files. getenv gives the environment.
func Path(dataDir string, getenv func(string) string) (string, error) {
	sum := sha256.Sum256([]byte(dataDir))
	name := "wadi-" + hex.EncodeToString(sum[:6]) + ".sock"
	for _, dir := range []string{getenv("RUNTIME_DIRECTORY"), getenv("XDG_RUNTIME_DIR")} {
		if path := filepath.Join(dir, name); filepath.IsAbs(dir) && len(path) <= maxSocketPath {
			return path, nil
		}
	}
	path := filepath.Join(os.TempDir(), "wadi-"+strconv.Itoa(own()), name)
	if len(path) > maxSocketPath {
		return "", fmt.Errorf("cannot listen on %s: its path has %d bytes, a socket's may have %d; set XDG_RUNTIME_DIR", path, len(path), maxSocketPath)
	}
	return path, nil
}

// Listen makes the socket. The caller holds the lake's lock, so a socket of that
// name is one that a dead server left behind. Close must be called.
func Listen(path string, config Config) (*Listener, error) {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if own() < 0 {
		return nil, ErrUnavailable
	}
	l, err := listen(path)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", path, err)
	}
	return &Listener{config: config, l: l, slots: make(chan struct{}, MaxClients)}, nil
}

func listen(path string) (*net.UnixListener, error) {
	dir := filepath.Dir(path)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err := private(dir); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// private holds that nobody else may put files into a folder.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	uid, ok := ownerOf(info)
	switch {
	case !info.IsDir():
		return errors.New("its folder is none")
	case !ok || uid != own() && uid != 0:
		return errors.New("its folder belongs to somebody else")
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("others may write to its folder (mode %o)", info.Mode().Perm())
	}
	return nil
}

// Path is the socket's.
func (l *Listener) Path() string { return l.l.Addr().String() }

// Serve takes calls until ctx ends, cancels what runs then, waits for it, and
// removes the socket.
func (l *Listener) Serve(ctx context.Context) error {
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = l.l.Close() // ends the wait below
	})
	defer func() {
		if !stop() {
			<-closed
		}
	}()
	var err error
	for ctx.Err() == nil {
		var c *net.UnixConn
		if c, err = l.l.AcceptUnix(); err != nil {
			if ctx.Err() != nil {
				break
			}
			var temporary interface{ Temporary() bool }
			if errors.As(err, &temporary) && temporary.Temporary() { // out of descriptors, for example
				l.config.Log.Warn("cannot take a call on the socket", "error", err)
				pause(ctx)
				continue
			}
			break
		}
		l.take(ctx, c)
	}
	l.calls.Wait()
	_ = l.l.Close() // closed twice is closed
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("cannot go on listening: %w", err)
}

// acceptPause keeps a server without free descriptors from spinning.
const acceptPause = 100 * time.Millisecond

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(acceptPause):
	}
}

// take starts a call, or refuses it.
func (l *Listener) take(ctx context.Context, c *net.UnixConn) {
	n := newConn(c, true)
	uid, _, err := peerOf(c)
	switch {
	case err != nil:
		l.config.Log.Warn("a call on the socket is refused", "error", err)
		_ = n.close()
		return
	case uid != own() && uid != 0:
		l.config.Log.Warn("a call of another user is refused", "uid", uid)
		n.refuse(endMessage{Code: codeRefused, Error: "it serves its own user and root only"})
		return
	}
	select {
	case l.slots <- struct{}{}:
	default:
		n.refuse(endMessage{Code: codeRefused, Error: fmt.Sprintf("%d commands run there already", MaxClients), Hint: "try again later"})
		return
	}
	l.calls.Go(func() {
		defer func() { <-l.slots }()
		l.serve(ctx, n)
	})
}

// codeRefused is the exit code of a call that was not run: nothing was done.
const codeRefused = 3

// refuse ends a connection without a call.
func (c *conn) refuse(why endMessage) {
	c.hurry(lastWords)
	_ = c.send(kindEnd, why, nil, nil) // the peer may be gone already
	_ = c.close()
	c.drop()
}

// serve runs one call.
func (l *Listener) serve(ctx context.Context, n *conn) {
	call, err := l.call(n)
	if err != nil {
		n.refuse(endMessage{Code: codeRefused, Error: err.Error(), Hint: hintOf(err)})
		return
	}
	s := newSession(ctx, n, call)
	code := l.config.Handle(s.ctx, s)
	s.end(code)
}

// call reads what the client wants.
func (l *Listener) call(n *conn) (Call, error) {
	_ = n.c.SetReadDeadline(time.Now().Add(callTimeout))
	f, err := n.receive()
	if f.file != nil {
		_ = f.file.Close()
		err = errors.Join(err, errProtocol)
	}
	var m callMessage
	if err == nil && f.kind != kindCall {
		err = errProtocol
	}
	if err == nil {
		err = json.Unmarshal(f.head, &m)
	}
	switch {
	case err != nil:
		return Call{}, fmt.Errorf("the call can't be read: %w", err)
	case m.Protocol != Protocol || m.Version != l.config.Version:
		return Call{}, &versionError{server: l.config.Version, client: m.Version}
	}
	_ = n.c.SetReadDeadline(time.Time{})
	return m.call(), nil
}

// versionError is a client of another version.
type versionError struct{ server, client string }

func (e *versionError) Error() string {
	if e.server == e.client {
		return "it speaks another protocol, although it is wadi " + e.server + " too"
	}
	return fmt.Sprintf("it is wadi %s and this is wadi %s", e.server, e.client)
}

func hintOf(err error) string {
	var v *versionError
	if errors.As(err, &v) {
		return "use the program that the server runs, or restart the server with this one"
	}
	return ""
}
