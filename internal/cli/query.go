package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/cli/chart"
	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/query"
)

// maxQuestion bounds the text of a question that is read; the parser's own limit
// is lower and names the place.
const maxQuestion = 16 << 20

// formats are the forms of an answer.
var formats = []string{"table", "json", "jsonl", "csv", "parquet"}

// asking says how a question is answered.
type asking struct {
	format  string
	out     string // a file, "" for standard output
	explain bool
	timing  bool
	ascii   bool
	// now is what now() gives and ago() counts from; zero is the time of asking.
	now time.Time
	// screen tells that tables are cut after screenRows rows where they would run
	// off the screen.
	screen bool
}

func (a *App) queryCommand() *cobra.Command {
	var how asking
	var file, now string
	var interactive, noHistory bool
	cmd := &cobra.Command{
		Use:   "query [KQL | - | --file F | -i]",
		Short: "Answer a question in KQL",
		Long: `Answers a question in KQL (Kusto Query Language) over the lake, for example

  wadi query 'SecurityEvent | where EventID == 4625 | summarize count() by Computer'

'wadi tables' shows what there is to ask. A question that ends in 'render' is drawn.
Results end at 500,000 rows or 64 MB unless it begins with 'set notruncation;'.
--explain runs the question and shows how: its plan, SQL, files and times.

Without a question, on a terminal, it asks for questions until you leave.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needsLake("query"); err != nil {
				return err
			}
			if err := a.checkAsking(&how, now); err != nil {
				return err
			}
			onTerminal := a.interactiveTerminal()
			if interactive || len(args) == 0 && file == "" && onTerminal {
				if err := checkInteractive(args, file, &how, onTerminal); err != nil {
					return err
				}
				return a.interactive(cmd.Context(), &how, !noHistory)
			}
			how.screen = a.session != nil && a.session.Screen
			text, err := a.question(args, file)
			if err != nil {
				return err
			}
			return a.query(cmd.Context(), text, &how)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&file, "file", "", "read the question from this file")
	flags.StringVar(&how.format, "format", "table", "table, json, jsonl, csv or parquet")
	flags.StringVarP(&how.out, "out", "o", "", "write the answer to this file")
	flags.StringVar(&now, "now", "", "a day or time (UTC) that ago() and now() count from, for old logs (default now)")
	flags.BoolVar(&how.explain, "explain", false, "show how the question is run instead of its rows (also as --format json)")
	flags.BoolVar(&how.timing, "timing", false, "show where the time went, on standard error")
	flags.BoolVarP(&interactive, "interactive", "i", false, "ask for questions until you leave (the default on a terminal without a question)")
	flags.BoolVar(&noHistory, "no-history", false, "interactive: keep no file of the questions asked")
	flags.BoolVar(&how.ascii, "ascii", false, "draw with ASCII only (the default where the locale is not UTF-8)")
	return cmd
}

// checkAsking refuses what can't be.
func (a *App) checkAsking(how *asking, now string) (err error) {
	if how.now, err = parseNow(now); err != nil {
		return err
	}
	switch {
	case !slices.Contains(formats, how.format):
		return usageError("use table, json, jsonl, csv or parquet", "cannot print as %q", how.format)
	case how.explain && how.format != "table" && how.format != "json":
		return usageError("use --format table or json with --explain", "cannot explain as %q", how.format)
	case how.format == "parquet" && how.out == "" && a.Terminal(a.Stdout):
		return usageError("name a file with --out, or redirect standard output", "cannot show Parquet on a terminal")
	}
	how.ascii = how.ascii || asciiLocale(a.Getenv)
	return nil
}

// nowLayout is the form of --now that every time has.
const nowLayout = time.RFC3339Nano

// parseNow reads a day or a time; empty is the zero time.
func parseNow(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, nowLayout, "2006-01-02T15:04", "2006-01-02 15:04", time.DateTime} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, usageError("use 2026-11-01, '2026-11-01 12:00' or 2026-11-01T12:00:00Z", "cannot understand the time %q", text)
}

// moment is the now of a question.
func (how *asking) moment() time.Time {
	if how.now.IsZero() {
		return time.Now()
	}
	return how.now
}

// asciiLocale tells whether the locale says that the terminal shows no UTF-8; one
// that says nothing is taken for UTF-8.
func asciiLocale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(name)); v != "" {
			return !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")
		}
	}
	return false
}

// question gives the text asked for: the argument, standard input for -, or a
// file.
func (a *App) question(args []string, file string) (string, error) {
	const hint = "give the question as one argument in quotes, - for standard input, or --file"
	switch {
	case len(args) == 1 && file != "":
		return "", usageError(hint, "cannot answer two questions at once")
	case len(args) == 1 && args[0] != "-":
		return args[0], nil
	case len(args) == 0 && file == "":
		return "", usageError(hint, "cannot answer: there is no question")
	}
	from, name := a.Stdin, "standard input"
	if file != "" {
		f, err := a.open(file)
		if err != nil {
			return "", fmt.Errorf("cannot read the question: %w", err)
		}
		defer func() { _ = f.Close() }()
		from, name = f, file
	}
	text, err := io.ReadAll(io.LimitReader(from, maxQuestion+1))
	if err != nil {
		return "", fmt.Errorf("cannot read the question: %w", err)
	}
	if len(text) > maxQuestion {
		return "", usageError("", "cannot read the question: %s has more than %d MB", name, maxQuestion>>20)
	}
	return string(bytes.TrimPrefix(text, []byte("\ufeff"))), nil
}

// query answers one question.
func (a *App) query(ctx context.Context, text string, how *asking) (err error) {
	if err := query.Check(text); err != nil {
		return err
	}
	defer func() {
		if errors.Is(err, context.Canceled) { // Ctrl-C, wherever it was
			err = askError(err)
		}
	}()
	began := time.Now()
	c, closeAll, err := a.openQuery(ctx)
	if err != nil {
		return err
	}
	defer closeAll()
	q, err := compile(ctx, c, text, how.moment())
	if err != nil {
		return err
	}
	opened := query.Step{Name: "open the lake and start a worker", Took: time.Since(began)}
	if how.out == "" {
		return a.answer(ctx, c, q, a.Stdout, how, opened)
	}
	return a.toFile(how.out, func(out io.Writer) error { return a.answer(ctx, c, q, out, how, opened) })
}

// compile reads a question about the lake's tables.
func compile(ctx context.Context, c *query.Config, text string, now time.Time) (*query.Question, error) {
	set, err := c.Lake.Schema(ctx)
	if err != nil {
		return nil, err
	}
	return query.Compile(text, set, now)
}

// toFile makes a file of what write writes. What stood there before stays when
// write fails. A device or a pipe is written to, never replaced.
func toFile(path string, write func(io.Writer) error) (err error) {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() && !st.IsDir() {
		return toDevice(path, write)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("cannot write the answer: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(answerMode), f.Close()); err != nil {
		return fmt.Errorf("cannot write the answer: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("cannot write the answer: %w", err)
	}
	return nil
}

// toDevice writes to what stands at the path.
func toDevice(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("cannot write the answer: %w", err)
	}
	if err := write(f); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("cannot write the answer: %w", err)
	}
	return nil
}

// answerMode is the mode of files with answers: they hold what the lake holds, so
// others than the owner's group don't read them.
const answerMode = 0o640

// answer runs a compiled question and shows its answer on out, and notices on
// standard error. before are the steps that are done.
func (a *App) answer(ctx context.Context, c *query.Config, q *query.Question, out io.Writer, how *asking, before ...query.Step) error {
	if how.explain {
		report, err := q.Explain(ctx, c)
		if err != nil {
			return askError(err)
		}
		report.Steps = slices.Concat(before, report.Steps)
		if how.format == "json" && a.Terminal(out) {
			out = terminalWriter{out}
		}
		return writeReport(out, report, how.format)
	}
	began := time.Now()
	result, err := q.Run(ctx, c)
	if err != nil {
		return askError(err)
	}
	if err := a.print(out, result, how); err != nil {
		if closing := result.Close(); closing != nil {
			return askError(closing)
		}
		if brokenPipe(err) {
			return &Error{Code: CodeDone}
		}
		return err
	}
	missed, hasMissed := result.Missed()
	if err := result.Close(); err != nil {
		return askError(err)
	}
	if hasMissed && how.format == "table" {
		a.sayMissed(missed, how)
	}
	count := counted(result.Count())
	if cut := result.Cut(); cut != "" {
		fmt.Fprintf(a.Stderr, "wadi: %s\nhint: narrow the question, or begin it with 'set notruncation;'\n", cut)
	}
	if how.timing {
		writeSteps(a.Stderr, slices.Concat(before, result.AllSteps()))
	}
	if how.timing || a.Terminal(out) && how.format == "table" {
		rows := "rows"
		if count == "1" {
			rows = "row"
		}
		fmt.Fprintf(a.Stderr, "%s %s in %.2f s\n", count, rows, (total(before) + time.Since(began)).Seconds())
	}
	return nil
}

// sayMissed says that a question asked about a time without rows.
func (a *App) sayMissed(m query.Missed, how *asking) {
	set := "--now"
	if how.screen {
		set = ".now"
	}
	after := m.Last.Time().Add(time.Second).Truncate(time.Second)
	fmt.Fprintf(a.Stderr, "wadi: no row of %s lies in the time asked for: they are from %s to %s\nhint: %s %s is what ago() and now() count from then\n",
		m.Table, listTime(m.First), listTime(m.Last), set, after.Format(time.RFC3339))
}

// openQuery opens the lake and starts the engine, at the same time. The function
// it gives closes both.
func (a *App) openQuery(ctx context.Context) (*query.Config, func(), error) {
	if a.host != nil {
		return a.hostedQuery(), func() {}, nil
	}
	dir, err := filepath.Abs(a.DataDir)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot find the lake's folder: %w", err)
	}
	dirs := []string{dir}
	if real, err := filepath.EvalSymlinks(dir); err == nil && real != dir {
		dirs = append(dirs, real)
	}
	type started struct {
		engine *engine.Engine
		err    error
	}
	starting := make(chan started, 1)
	go func() {
		e, err := engine.Start(ctx, engine.Config{ReadDirs: dirs, Log: a.log})
		starting <- started{e, err}
	}()
	l, err := lake.Open(ctx, dir, lake.Options{Log: a.log})
	s := <-starting
	closeAll := func() {
		if l != nil {
			_ = l.Close()
		}
		if s.engine != nil {
			_ = s.engine.Close()
		}
	}
	if err != nil {
		l = nil
		closeAll()
		return nil, nil, err
	}
	if s.err != nil {
		closeAll()
		if errors.Is(s.err, engine.ErrUnavailable) {
			return nil, nil, &Error{Code: CodeNothingDone, Hint: "use a build with cgo; the file tools (evtx) work in this one", Err: s.err}
		}
		return nil, nil, s.err
	}
	if notice := l.Notice(); notice != "" {
		fmt.Fprintf(a.Stderr, "wadi: %s\n", escape(notice))
	}
	return &query.Config{Lake: l, Engine: s.engine}, closeAll, nil
}

// askError gives the errors of the engine their hints.
func askError(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return &Error{Code: CodeFailed, Err: errors.New("cannot answer: interrupted")}
	case errors.Is(err, engine.ErrDeadline):
		return &Error{Code: CodeFailed, Hint: "ask about a shorter time, or fewer columns", Err: err}
	default:
		return err
	}
}

// print shows all rows. Its errors are those of writing; the question's own come
// from closing the result.
func (a *App) print(out io.Writer, result *query.Result, how *asking) error {
	rows := result.Rows
	switch how.format {
	case "json":
		return query.WriteJSON(out, rows)
	case "jsonl":
		return query.WriteJSONLines(out, rows)
	case "csv":
		if a.Terminal(out) {
			out = terminalWriter{out}
		}
		return query.WriteCSV(out, rows)
	case "parquet":
		return rows.WriteParquet(out)
	}
	if r := result.Render; r != nil {
		note, drawn := drawing(r)
		if note != "" {
			fmt.Fprintf(a.Stderr, "wadi: %s\n", escape(note))
		}
		if drawn {
			return writeChart(out, rows, r, chart.Look{Width: a.Width(out), Colours: a.colours(out), ASCII: how.ascii})
		}
	}
	limit := int64(0)
	if how.screen {
		limit = screenRows
	}
	return writeTable(out, rows, a.Width(out), how.ascii, limit)
}

// colours tells whether w takes colours: a terminal, unless NO_COLOR is set.
func (a *App) colours(w io.Writer) bool {
	return a.Terminal(w) && a.Getenv("NO_COLOR") == "" && a.Getenv("TERM") != "dumb"
}
