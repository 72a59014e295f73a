package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/server/socket"
)

// Host runs commands that came through the socket in the server, on the lake and
// the engine that the server has open. It is safe for concurrent use.
type Host struct {
	writer *lake.Writer
	engine *engine.Engine
	flush  func(context.Context) error
	// turn is held by the import that runs: two at once could store a record twice,
	// because each knows only what is committed and what it has read itself.
	turn chan struct{}
}

// NewHost makes a host. flush, if any, brings what the server has acknowledged into
// the lake; it is called before a command that looks at the lake's files.
func NewHost(w *lake.Writer, e *engine.Engine, flush func(context.Context) error) *Host {
	return &Host{writer: w, engine: e, flush: flush, turn: make(chan struct{}, 1)}
}

// Listen makes the socket of the server's data folder, names it in the lake's lock
// and takes calls until ctx ends. stop waits for the end of all calls, which follows
// ctx's. path is the socket's. It is for `wadi serve`, which holds the lock.
func (h *Host) Listen(ctx context.Context, getenv func(string) string, log *slog.Logger) (path string, stop func() error, err error) {
	if path, err = socket.Path(h.writer.Dir(), getenv); err != nil {
		return "", nil, err
	}
	l, err := socket.Listen(path, socket.Config{Version: SocketVersion(), Handle: h.Run, Log: log})
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- l.Serve(ctx) }()
	stop = func() error {
		cancel()
		return errors.Join(<-ended, h.writer.Announce(""))
	}
	if err := h.writer.Announce(path); err != nil {
		return "", nil, errors.Join(err, stop())
	}
	return path, stop, nil
}

// Run runs one call; it is a [socket.Handler].
func (h *Host) Run(ctx context.Context, s *socket.Session) (code int) {
	app := &App{
		Stdin: s.Stdin(), Stdout: s.Stdout(), Stderr: s.Stderr(),
		Getenv: func(name string) string { return s.Env[name] },
		host:   h, session: s,
	}
	defer func() {
		// A fault in one command must not end the collection.
		if fault := recover(); fault != nil {
			code = int(app.report(fmt.Errorf("cannot go on: a fault in the server: %v", fault)))
			app.logger().Error("a command failed by a fault", "fault", fault, "stack", string(debug.Stack()))
		}
	}()
	return int(app.Run(ctx, s.Args))
}

// served are the commands that go through a running server, groups with all that is
// below them.
var served = []string{"import", "demo", "query", "tables", "lake", "table", "token", "verify", "ledger"}

// notServed are the exceptions: a restored lake is another one.
var notServed = []string{"lake restore"}

// goesThrough tells whether a command goes through a running server. One that only
// prints its help doesn't.
func goesThrough(cmd *cobra.Command) bool {
	_, path, ok := strings.Cut(cmd.CommandPath(), " ")
	if !ok || cmd.HasSubCommands() {
		return false
	}
	first, _, _ := strings.Cut(path, " ")
	return slices.Contains(served, first) && !slices.Contains(notServed, path)
}

// wholeFirst are the commands that look at the lake's files: what was acknowledged
// before has to be in them.
var wholeFirst = []string{"lake backup", "lake verify", "lake delete", "lake expire", "lake stats", "verify", "ledger"}

// enter prepares a command in the server.
func (a *App) enter(cmd *cobra.Command) error {
	if !goesThrough(cmd) {
		return usageError("run it where no server runs", "cannot run '%s' in a server", cmd.CommandPath())
	}
	a.DataDir = a.host.writer.Dir()
	_, path, _ := strings.Cut(cmd.CommandPath(), " ")
	if a.host.flush != nil && slices.Contains(wholeFirst, path) {
		return a.host.flush(cmd.Context())
	}
	return nil
}

// openWriter opens the lake for writing, or gives the server's own writer. done
// closes what was opened.
func (a *App) openWriter(ctx context.Context) (w *lake.Writer, done func() error, err error) {
	if a.host != nil {
		return a.host.writer, func() error { return nil }, nil
	}
	if w, err = lake.OpenWriter(ctx, a.DataDir, lake.Options{Log: a.log}); err != nil {
		return nil, nil, err
	}
	return w, w.Close, nil
}

// openImporter is openWriter for an import: one runs at a time, and others wait.
func (a *App) openImporter(ctx context.Context) (w *lake.Writer, done func() error, err error) {
	if a.host == nil {
		return a.openWriter(ctx)
	}
	select {
	case a.host.turn <- struct{}{}:
	default:
		a.notice("another import runs; this one waits for its end")
		select {
		case a.host.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, nil, &Error{Code: CodeFailed, Err: errInterrupted}
		}
	}
	return a.host.writer, func() error { <-a.host.turn; return nil }, nil
}

// openReader opens the lake for reading, or gives the server's own.
func (a *App) openReader(ctx context.Context) (l *lake.Lake, done func() error, err error) {
	if a.host != nil {
		return a.host.writer.Lake, func() error { return nil }, nil
	}
	if l, err = lake.Open(ctx, a.DataDir, lake.Options{Log: a.log}); err != nil {
		return nil, nil, err
	}
	return l, l.Close, nil
}

// hostedQuery gives what questions run on in the server.
func (a *App) hostedQuery() *query.Config {
	return &query.Config{Lake: a.host.writer.Lake, Engine: a.host.engine}
}

// open opens a file that the user named for reading.
func (a *App) open(path string) (io.ReadCloser, error) {
	if a.session != nil {
		return a.session.Files().Open(path)
	}
	return os.Open(path)
}

// path gives a path that the user named as this process has to use it, where it
// isn't the user's own process.
func (a *App) path(path string) string {
	if a.session != nil && !filepath.IsAbs(path) {
		return filepath.Join(a.session.Dir, path)
	}
	return path
}

// toFile makes a file of what write writes, with the rights of the user. What stood
// there before stays when write fails.
func (a *App) toFile(path string, write func(io.Writer) error) error {
	if a.session == nil {
		return toFile(path, write)
	}
	var own error
	err := a.session.Files().Write(path, func(w io.Writer) error {
		own = write(w)
		return own
	})
	if err != nil && own == nil {
		return fmt.Errorf("cannot write the answer: %w", err)
	}
	return errors.Join(own)
}
