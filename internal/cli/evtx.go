package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/collect/dump"
	"github.com/wadi-project/wadi/internal/collect/files"
	"github.com/wadi-project/wadi/internal/evtx"
)

func (a *App) evtxCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "evtx",
		Short: "Read Windows event logs (.evtx) without a lake",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.evtxDumpCommand(), a.evtxInfoCommand())
	return cmd
}

func (a *App) evtxDumpCommand() *cobra.Command {
	var format string
	var flat bool
	cmd := &cobra.Command{
		Use:   "dump PATH…",
		Short: "Print the records of event logs",
		Long: "Print the records of event logs: files, folders, globs, .gz, .zip, or - for standard input.\n" +
			"XML is the text that import stores. What is damaged is named on standard error, one line each.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := dump.ParseFormat(format)
			if err != nil {
				return usageError("use xml, json (one array) or jsonl (one object a line)", "cannot use --format %q", format)
			}
			if flat && !cmd.Flags().Changed("format") {
				f = dump.JSONLines
			}
			if flat && f == dump.XML {
				return usageError("use --format json or jsonl", "cannot write flat XML")
			}
			return a.evtxDump(cmd.Context(), args, dump.Config{Format: f, Flat: flat, Workers: runtime.GOMAXPROCS(0)})
		},
	}
	cmd.Flags().StringVar(&format, "format", "xml", "xml, json (one array) or jsonl (one object a line)")
	cmd.Flags().BoolVar(&flat, "flat", false, "JSON without nesting: System's fields under the lake's column names, then EventData's (implies jsonl)")
	return cmd
}

func (a *App) evtxInfoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "info PATH…",
		Short: "Summarise event logs: channels, time range, counts, gaps, damage",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			first := true
			return a.eachLog(cmd.Context(), args, func(ctx context.Context, in *files.Input) error {
				info, err := dump.Inspect(ctx, in.Name, in.Content, in.SizeBytes, runtime.GOMAXPROCS(0))
				if err != nil {
					return err
				}
				if !first {
					fmt.Fprintln(a.Stdout)
				}
				first = false
				if in.Damage != "" {
					a.lost(in.Name, in.Damage)
				}
				if err := info.Print(a.Stdout); err != nil {
					return &dump.WriteError{Err: err}
				}
				return nil
			})
		},
	}
}

// lost prints one line about damage.
func (a *App) lost(name, reason string) { fmt.Fprintf(a.Stderr, "%s: %s\n", name, reason) }

func (a *App) evtxDump(ctx context.Context, paths []string, cfg dump.Config) error {
	cfg.Lost = func(name string, l evtx.Loss) { a.lost(name, l.Error()) }
	d := dump.New(a.Stdout, cfg)
	err := a.eachLog(ctx, paths, func(ctx context.Context, in *files.Input) error {
		if in.Damage != "" {
			a.lost(in.Name, in.Damage)
		}
		return d.Log(ctx, in.Name, in.Content, in.SizeBytes)
	})
	if quiet := (*Error)(nil); errors.As(err, &quiet) && quiet.Err == nil {
		return err // nobody reads on
	}
	if end := endOfOutput(ctx, d.Close()); end != nil {
		return end
	}
	return err
}

// eachLog opens the event logs that paths name and calls work for each. What is
// no event log is passed by in folders and archives, and is an error where the
// user named it. The rest goes on behind a file that cannot be read; the call
// fails at its end.
func (a *App) eachLog(ctx context.Context, paths []string, work func(context.Context, *files.Input) error) error {
	named := map[string]bool{}
	for _, p := range paths {
		named[p] = true
	}
	failures := 0
	failed := func(f *files.Failure) {
		failures++
		fmt.Fprintf(a.Stderr, "wadi: cannot open %v\n", f)
	}
	entries, missing, err := files.List(ctx, nil, paths)
	for _, f := range missing {
		failed(f)
	}
	if err != nil {
		return endOfOutput(ctx, err)
	}
	cfg := files.Config{TempDir: os.TempDir(), Stdin: a.Stdin}
	for _, e := range entries {
		err := e.Open(ctx, cfg, func(in *files.Input) error {
			if in.Kind != files.EVTX {
				if named[in.Name] {
					failed(&files.Failure{Path: in.Name, Err: errors.New("it is no event log")})
				}
				return nil
			}
			err := work(ctx, in)
			var out *dump.WriteError
			if err == nil || errors.As(err, &out) || ctx.Err() != nil {
				return err
			}
			failed(&files.Failure{Path: in.Name, Err: err})
			return nil
		}, failed)
		if err != nil {
			return endOfOutput(ctx, err)
		}
	}
	if failures > 0 {
		return &Error{Code: CodeFailed, Err: fmt.Errorf("cannot open %d of the named files", failures)}
	}
	return nil
}

// endOfOutput makes an error of a pipe whose reader has gone (head, a pager) or
// of Ctrl-C a quiet end.
func endOfOutput(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil || errors.Is(err, io.ErrClosedPipe) || brokenPipe(err) {
		return &Error{Code: CodeFailed}
	}
	return err
}
