package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/wadi-project/wadi/internal/cli/shell"
	"github.com/wadi-project/wadi/internal/query"
)

// screenRows is where the interactive mode ends a table: what runs off the screen
// is not read, and the answer's count says how much there was.
const screenRows = 1000

// interactiveTerminal tells whether a person sits at standard input and output.
func (a *App) interactiveTerminal() bool {
	in, ok := a.Stdin.(*os.File)
	return ok && term.IsTerminal(int(in.Fd())) && a.Terminal(a.Stdout)
}

func checkInteractive(args []string, file string, how *asking, onTerminal bool) error {
	switch {
	case len(args) > 0 || file != "":
		return usageError("leave the question out, or -i", "cannot ask for questions: there is one already")
	case how.out != "":
		return usageError("leave --out out, or give the question as an argument", "cannot ask for questions and write the answers to a file")
	case !onTerminal:
		return usageError("give the question as one argument in quotes, - for standard input, or --file", "cannot ask for questions: standard input and output are no terminal")
	}
	return nil
}

// session is one run of the interactive mode.
type session struct {
	app    *App
	config *query.Config // nil with a remote
	remote *remote
	how    asking
	shell  *shell.Shell
}

// interactive asks for questions on the terminal until the person leaves. One
// worker stays warm for all of them.
func (a *App) interactive(ctx context.Context, how *asking, keep bool) error {
	// Ctrl-C ends the context of the whole call; here it ends a question.
	ctx = context.WithoutCancel(ctx)
	s := &session{app: a, how: *how}
	s.how.screen = true
	var err error
	if s.remote, err = a.openRemote(ctx); err != nil {
		return err
	}
	if s.remote == nil {
		var closeAll func()
		if s.config, closeAll, err = a.openQuery(ctx); err != nil {
			return err
		}
		defer closeAll()
	}
	path := ""
	if keep {
		path = shell.HistoryFile(a.Getenv)
	}
	history, err := shell.OpenHistory(path)
	if err != nil {
		a.report(err)
	}
	s.shell = &shell.Shell{History: history, Out: a.Stdout, Ask: s.ask, Fail: func(err error) { a.report(err) }, Commands: s.commands()}
	editor, err := shell.NewTerminal(s.shell.Pending, s.complete)
	if err != nil {
		return err
	}
	defer func() { _ = editor.Close() }()
	defer endOnSignals(editor)()
	s.shell.Editor = editor
	return s.shell.Run(ctx)
}

// endOnSignals gives the terminal back when the process is told to end, and ends
// it then as the signal does.
func endOnSignals(editor *shell.Terminal) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		select {
		case <-done:
		case s := <-signals:
			_ = editor.Close()
			signal.Reset(s)
			if p, err := os.FindProcess(os.Getpid()); err == nil {
				_ = p.Signal(s)
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}

// ask answers one question.
func (s *session) ask(ctx context.Context, question string) error {
	how := s.how
	return s.answer(ctx, question, &how)
}

func (s *session) answer(ctx context.Context, question string, how *asking) error {
	if s.remote != nil {
		return s.remote.ask(ctx, question, how)
	}
	q, err := compile(ctx, s.config, question, how.moment())
	if err == nil {
		err = s.app.answer(ctx, s.config, q, s.app.Stdout, how)
	}
	if ctx.Err() != nil && err != nil {
		return &Error{Code: CodeFailed, Err: errors.New("stopped")}
	}
	return err
}

// commands are the shell's commands beyond its own.
func (s *session) commands() []shell.Command {
	return []shell.Command{
		{Name: ".tables", Args: "[all]", Help: "tables and views with their rows and times", Run: s.tables},
		{Name: ".schema", Args: "TABLE", Help: "the columns of a table", Run: s.schema},
		{Name: ".explain", Args: "[KQL]", Help: "how a question, or the last one, is run: plan, SQL, files, times", Run: s.explain},
		{Name: ".format", Args: strings.Join(formats[:4], "|"), Help: "the form of answers", Run: s.format},
		{Name: ".now", Args: "[TIME]", Help: "what ago() and now() count from, for old logs; without a time the clock", Run: s.now},
		{Name: ".timing", Args: "on|off", Help: "show where the time went", Run: s.timing},
	}
}

func (s *session) tables(ctx context.Context, argument string) error {
	if argument != "" && argument != "all" {
		return usageError("", "cannot list tables: use .tables or .tables all")
	}
	switch {
	case s.remote == nil:
		return s.app.listTables(ctx, s.config, argument == "all", ".tables all")
	case argument == "all":
		return s.remote.run(ctx, "tables", "--all")
	}
	return s.remote.run(ctx, "tables")
}

func (s *session) schema(ctx context.Context, name string) error {
	if name == "" {
		return usageError("", "cannot show a schema: name a table, as in .schema SecurityEvent")
	}
	if s.remote != nil {
		return s.remote.run(ctx, "tables", "--", name)
	}
	return s.app.listColumns(ctx, name)
}

func (s *session) explain(ctx context.Context, text string) error {
	if text == "" {
		text = s.shell.Last()
	}
	if text == "" {
		return usageError("", "cannot explain: there was no question yet")
	}
	how := s.how
	how.explain, how.format = true, "table"
	return s.answer(ctx, text, &how)
}

func (s *session) format(_ context.Context, name string) error {
	if name == "" {
		fmt.Fprintf(s.app.Stdout, "answers are shown as %s\n", s.how.format)
		return nil
	}
	if !slices.Contains(formats[:4], name) {
		return usageError("", "cannot show answers as %q: use %s", name, strings.Join(formats[:4], ", "))
	}
	s.how.format = name
	return nil
}

func (s *session) now(_ context.Context, text string) error {
	t, err := parseNow(text)
	if err != nil {
		return err
	}
	s.how.now = t
	return nil
}

func (s *session) timing(_ context.Context, value string) error {
	switch value {
	case "on":
		s.how.timing = true
	case "off":
		s.how.timing = false
	default:
		return usageError("", "cannot set the timing to %q: use on or off", value)
	}
	return nil
}
