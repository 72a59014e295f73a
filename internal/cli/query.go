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
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/query"
)

// maxQuestion bounds the text of a question that is read; the parser's own limit
// is lower and names the place.
const maxQuestion = 16 << 20

func (a *App) queryCommand() *cobra.Command {
	var file, format string
	cmd := &cobra.Command{
		Use:   "query [KQL | - | --file F]",
		Short: "Answer a question in KQL",
		Long: `Answers a question in KQL (Kusto Query Language) over the lake, for example

  wadi query 'SecurityEvent | where EventID == 4625 | summarize count() by Computer'

'wadi tables' shows what there is to ask. A question that ends in 'render' is drawn.
Results end at 500,000 rows or 64 MB unless it begins with 'set notruncation;'.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needsLake("query"); err != nil {
				return err
			}
			text, err := a.question(args, file)
			if err != nil {
				return err
			}
			if !slices.Contains([]string{"table", "json", "jsonl", "csv"}, format) {
				return usageError("use table, json, jsonl or csv", "cannot print as %q", format)
			}
			return a.query(cmd.Context(), text, format)
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "read the question from this file")
	cmd.Flags().StringVar(&format, "format", "table", "table, json, jsonl or csv")
	return cmd
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
		f, err := os.Open(file)
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

// query answers one question on standard output.
func (a *App) query(ctx context.Context, text, format string) error {
	began := time.Now()
	q, err := query.Compile(text, began)
	if err != nil {
		return err
	}
	c, closeAll, err := a.openQuery(ctx)
	if err != nil {
		return err
	}
	defer closeAll()
	result, err := q.Run(ctx, c)
	if err != nil {
		return askError(err)
	}
	if err := a.print(result, format); err != nil {
		_ = result.Close()
		if brokenPipe(err) {
			return &Error{Code: CodeDone}
		}
		return err
	}
	if err := result.Close(); err != nil {
		return askError(err)
	}
	count := grouped(strconv.FormatInt(result.Count(), 10))
	if result.Truncated() {
		fmt.Fprintf(a.Stderr, "wadi: the result is cut after %s rows: the limit is 500,000 rows or 64 MB\nhint: narrow the question, or begin it with 'set notruncation;'\n", count)
	}
	if a.Terminal(a.Stdout) && format == "table" {
		fmt.Fprintf(a.Stderr, "%s rows in %.2f s\n", count, time.Since(began).Seconds())
	}
	return nil
}

// openQuery opens the lake and starts the engine, at the same time. The function
// it gives closes both.
func (a *App) openQuery(ctx context.Context) (*query.Config, func(), error) {
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
func (a *App) print(result *query.Result, format string) error {
	out, rows := a.Stdout, result.Rows
	switch format {
	case "json":
		return query.WriteJSON(out, rows)
	case "jsonl":
		return query.WriteJSONLines(out, rows)
	case "csv":
		if a.Terminal(out) {
			out = terminalWriter{out}
		}
		return query.WriteCSV(out, rows)
	}
	if r := result.Render; r != nil && drawable(r.Kind) {
		return writeChart(out, rows, r, a.Width(out), a.colours(out))
	}
	return writeTable(out, rows, a.Width(out))
}

// colours tells whether w takes colours: a terminal, unless NO_COLOR is set.
func (a *App) colours(w io.Writer) bool {
	return a.Terminal(w) && a.Getenv("NO_COLOR") == "" && a.Getenv("TERM") != "dumb"
}
