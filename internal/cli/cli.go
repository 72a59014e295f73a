package cli

import (
	"context"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wadi-project/wadi/internal/server/socket"
)

// DefaultDataDir is where the lake lies unless --data or WADI_DATA says
// otherwise.
const DefaultDataDir = "./wadi-data"

// App is one call of the command line: its streams, environment and global
// flags. Tests make their own; it is not safe for concurrent use.
type App struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string

	// DataDir is --data, else WADI_DATA, else [DefaultDataDir].
	DataDir             string
	logLevel, logFormat string
	log                 *slog.Logger

	// args is the command line. host and session are set where it runs in a server,
	// for a client.
	args    []string
	host    *Host
	session *socket.Session
}

// New gives an App on the process's own streams and environment.
func New() *App {
	return &App{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}
}

// Run executes the command line args (without the program's name) and gives the
// exit code. Errors are printed to Stderr.
func (a *App) Run(ctx context.Context, args []string) Code {
	root := a.root()
	a.args = args
	root.SetArgs(args)
	return a.report(root.ExecuteContext(ctx))
}

// Terminal tells whether w is an interactive terminal, where colours and
// progress may be shown.
func (a *App) Terminal(w io.Writer) bool {
	if o, ok := w.(*socket.Output); ok {
		return o.Terminal()
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Width is the terminal's width in columns, 0 when w is none.
func (a *App) Width(w io.Writer) int {
	if o, ok := w.(*socket.Output); ok {
		return o.Width()
	}
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 0
}

func (a *App) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "wadi",
		Short:         "Collects, keeps and searches the security logs of Windows and Azure",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
		PersistentPreRunE: a.prepare,
	}
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError("see '"+cmd.CommandPath()+" --help'", "cannot understand the call: %w", err)
	})
	dir := a.Getenv("WADI_DATA")
	if dir == "" {
		dir = DefaultDataDir
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.DataDir, "data", dir, "folder of the lake (or WADI_DATA)")
	flags.StringVar(&a.logLevel, "log-level", "warn", "debug, info, warn or error")
	flags.StringVar(&a.logFormat, "log-format", "text", "text or json")
	root.AddCommand(
		a.versionCommand(),
		a.demoCommand(),
		a.importCommand(),
		a.forwardCommand(),
		a.evtxCommand(),
		a.queryCommand(),
		a.tablesCommand(),
		a.tableCommand(),
		a.ledgerCommand(),
		a.verifyCommand(),
		a.lakeCommand(),
		a.serveCommand(),
		a.tokenCommand(),
	)
	usageForArgs(root)
	return root
}

// usageForArgs makes wrong arguments of every command end with CodeUsage.
func usageForArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usageError("see '"+c.CommandPath()+" --help'", "cannot understand the call: %w", err)
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		usageForArgs(sub)
	}
}

// prepare runs before every command: in a server it makes the command ready, in a
// client it runs it in the server, if there is one, and ends.
func (a *App) prepare(cmd *cobra.Command, args []string) error {
	if err := a.setUpLog(); err != nil {
		return err
	}
	if a.host != nil {
		return a.enter(cmd)
	}
	_, err := a.through(cmd, args)
	return err
}

// logger is the log of the command line, one that discards before it is set up.
func (a *App) logger() *slog.Logger {
	if a.log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return a.log
}

func (a *App) setUpLog() error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.logLevel)); err != nil {
		return usageError("use debug, info, warn or error", "cannot use --log-level %q", a.logLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch strings.ToLower(a.logFormat) {
	case "text":
		a.log = slog.New(slog.NewTextHandler(a.Stderr, options))
	case "json":
		a.log = slog.New(slog.NewJSONHandler(a.Stderr, options))
	default:
		return usageError("use text or json", "cannot use --log-format %q", a.logFormat)
	}
	return nil
}

// needsLake refuses commands that need the store where it does not run.
func needsLake(name string) error {
	if runtime.GOOS == "windows" {
		return &Error{Code: CodeNothingDone, Hint: "run it on Linux; the file tools (evtx) work here", Err: errNoStore(name)}
	}
	return nil
}

type errNoStore string

func (e errNoStore) Error() string {
	return "cannot run " + string(e) + " on Windows: the lake needs Linux"
}
