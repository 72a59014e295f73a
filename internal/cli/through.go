package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/server/socket"
)

// SocketVersion is what a client and a server must have in common: the version and,
// where the build knows it, the revision.
func SocketVersion() string {
	version := Version
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return version
	}
	for _, s := range build.Settings {
		switch {
		case s.Key == "vcs.revision":
			version += " " + s.Value[:min(len(s.Value), revisionLength)]
		case s.Key == "vcs.modified" && s.Value == "true":
			version += " (changed)"
		}
	}
	return version
}

// revisionLength is how much of a revision names it.
const revisionLength = 12

// passedOn are the variables that a command in the server may look at.
var passedOn = []string{"LC_ALL", "LC_CTYPE", "LANG", "NO_COLOR", "TERM"}

// server connects to the server that holds the lake's lock, nil when there is none.
func (a *App) server(ctx context.Context) (*socket.Client, error) {
	_, path := lake.Holder(a.DataDir)
	if path == "" {
		return nil, nil
	}
	c, err := socket.Dial(ctx, a.DataDir, path)
	if errors.Is(err, socket.ErrNotRunning) {
		return nil, nil // it died, or doesn't serve this user: the lake says what is possible
	}
	return c, err
}

// through runs a command in the server that holds the lake, if there is one. done is
// false when the command has to run here; the error ends the command with the exit
// code.
func (a *App) through(cmd *cobra.Command, args []string) (done bool, err error) {
	if !goesThrough(cmd) || cmd.Name() == "query" && a.asksHere(cmd, args) {
		return false, nil
	}
	c, err := a.server(cmd.Context())
	if c == nil {
		return false, err
	}
	code, err := c.Run(cmd.Context(), a.call(a.args, false), a.streams(), shownBy(cmd, args))
	if err != nil {
		return true, err
	}
	return true, &Error{Code: Code(code)}
}

// asksHere tells whether a query is the interactive mode, which stays at its
// terminal.
func (a *App) asksHere(cmd *cobra.Command, args []string) bool {
	flags := cmd.Flags()
	return flags.Changed("interactive") || len(args) == 0 && !flags.Changed("file") && a.interactiveTerminal()
}

// call describes this process to the server.
func (a *App) call(args []string, screen bool) socket.Call {
	c := socket.Call{
		Version: SocketVersion(), Args: args, Screen: screen, Env: map[string]string{},
		Stdout: socket.Stream{Terminal: a.Terminal(a.Stdout), Width: a.Width(a.Stdout)},
		Stderr: socket.Stream{Terminal: a.Terminal(a.Stderr), Width: a.Width(a.Stderr)},
	}
	if dir, err := os.Getwd(); err == nil { // without one, relative paths lead nowhere here too
		c.Dir = dir
	}
	for _, name := range passedOn {
		if v := a.Getenv(name); v != "" {
			c.Env[name] = v
		}
	}
	return c
}

func (a *App) streams() socket.Streams {
	return socket.Streams{Stdin: a.Stdin, Stdout: a.Stdout, Stderr: a.Stderr}
}

// Flags whose values are files that a command reads or makes.
var (
	flagsRead    = []string{"file", "heads"}
	flagsWritten = []string{"out", "heads"}
)

// shownBy gives the files that a command line names: what its server may see.
func shownBy(cmd *cobra.Command, args []string) socket.Shown {
	var s socket.Shown
	switch cmd.Name() {
	case "import":
		s.Read = args
		s.Stdin = slices.Contains(args, "-")
	case "query":
		s.Stdin = slices.Contains(args, "-")
	}
	add := func(names []string, to *[]string) {
		for _, name := range names {
			if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
				*to = append(*to, f.Value.String())
			}
		}
	}
	add(flagsRead, &s.Read)
	add(flagsWritten, &s.Write)
	return s
}

// remote asks the questions of the interactive mode through a server, each in a call
// of its own.
type remote struct{ app *App }

// openRemote gives a remote when a server holds the lake, else nil.
func (a *App) openRemote(ctx context.Context) (*remote, error) {
	c, err := a.server(ctx)
	if c == nil {
		return nil, err
	}
	return &remote{a}, c.Close()
}

// run runs a command in the server.
func (r *remote) run(ctx context.Context, args ...string) error {
	c, err := r.app.server(ctx)
	if err != nil {
		return err
	}
	if c == nil {
		return &Error{Code: CodeFailed, Hint: "leave and begin again: questions are answered without a server then", Err: errors.New("cannot ask: the server has ended")}
	}
	dir, err := filepath.Abs(r.app.DataDir)
	if err != nil {
		return err
	}
	code, err := c.Run(ctx, r.app.call(append([]string{"--data", dir, "--log-level", r.app.logLevel, "--log-format", r.app.logFormat}, args...), true), r.app.streams(), socket.Shown{})
	if err == nil && code != int(CodeDone) {
		err = &Error{Code: Code(code)} // the server has said why
	}
	return err
}

// ask asks one question.
func (r *remote) ask(ctx context.Context, question string, how *asking) error {
	args := []string{"query", "--format", how.format}
	if !how.now.IsZero() {
		args = append(args, "--now", how.now.UTC().Format(nowLayout))
	}
	for flag, on := range map[string]bool{"--explain": how.explain, "--timing": how.timing, "--ascii": how.ascii} {
		if on {
			args = append(args, flag)
		}
	}
	return r.run(ctx, append(args, "--", question)...)
}
