package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/cli/chart"
	"github.com/wadi-project/wadi/internal/lake"
)

func (a *App) lakeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lake",
		Short: "Look after the lake: figures, retention, checks, backup",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.lakeStatsCommand(),
		a.lakeCompactCommand(),
		a.lakeExpireCommand(),
		a.lakeVerifyCommand(),
		a.lakeRelocateCommand(),
		a.lakeBackupCommand(),
		a.lakeRestoreCommand(),
		a.lakeDuplicatesCommand(),
		a.lakeRetentionCommand(),
		a.lakeHoldCommand(),
		a.lakeDeleteCommand(),
	)
	return cmd
}

// readLake runs fn on the lake opened for reading.
func (a *App) readLake(ctx context.Context, name string, fn func(*lake.Lake) error) (err error) {
	if err := needsLake("lake " + name); err != nil {
		return err
	}
	l, done, err := a.openReader(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	a.notice(l.Notice())
	return fn(l)
}

// writeLake runs fn on the lake opened for writing. A folder without a lake is
// refused: these commands look after something that exists.
func (a *App) writeLake(ctx context.Context, name string, fn func(*lake.Writer) error) (err error) {
	if err := a.readLake(ctx, name, func(*lake.Lake) error { return nil }); err != nil {
		return err
	}
	w, done, err := a.openWriter(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return fn(w)
}

func (a *App) notice(text string) {
	if text != "" {
		fmt.Fprintf(a.Stderr, "wadi: %s\n", escape(text))
	}
}

// printJSON prints a value on one line.
func (a *App) printJSON(v any) error {
	if err := json.NewEncoder(a.Stdout).Encode(v); err != nil {
		return fmt.Errorf("cannot print the result: %w", err)
	}
	return nil
}

// say prints a line of the result.
func (a *App) say(format string, args ...any) error {
	if _, err := fmt.Fprintf(a.Stdout, format+"\n", args...); err != nil {
		return fmt.Errorf("cannot print the result: %w", err)
	}
	return nil
}

// counted prints a number with its groups.
func counted[N int | int64](n N) string { return chart.Grouped(strconv.FormatInt(int64(n), 10)) }

// megabytes prints a size.
func megabytes(n int64) string {
	switch {
	case n < 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<10), 'f', 1, 64) + " KB"
	case n < 1<<30:
		return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MB"
	}
	return strconv.FormatFloat(float64(n)/(1<<30), 'f', 2, 64) + " GB"
}

func (a *App) lakeStatsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Rows, files and bytes by table",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.readLake(cmd.Context(), "stats", func(l *lake.Lake) error { return a.lakeStats(cmd.Context(), l, asJSON) })
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the figures as JSON")
	return cmd
}

func (a *App) lakeStats(ctx context.Context, l *lake.Lake, asJSON bool) error {
	s, err := l.Stats(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(s)
	}
	var lines [][]string
	for _, t := range s.Tables {
		lines = append(lines, []string{
			t.Table, counted(t.Rows), counted(t.Files), megabytes(t.Bytes),
			strconv.FormatFloat(t.BytesPerRow(), 'f', 1, 64), counted(t.Days), clip(t.First), clip(t.Last),
		})
	}
	a.list([]string{"Table", "Rows", "Files", "Size", "B/row", "Days", "First", "Last"}, lines)
	perRow := 0.0
	if s.Rows > 0 {
		perRow = float64(s.FolderBytes) / float64(s.Rows)
	}
	return a.say("%s rows in %s files; the folder has %s, %.1f bytes a row.", counted(s.Rows), counted(s.Files), megabytes(s.FolderBytes), perRow)
}

// clip shortens a time to the second.
func clip(t string) string {
	if i := strings.IndexByte(t, '.'); i > 0 {
		return t[:i] + "Z"
	}
	return t
}

func (a *App) lakeCompactCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "compact",
		Short: "Merge small files",
		Long:  "Merges the small data files of each table, day and case into larger ones. Rows don't change. An import does this itself when it is due.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.writeLake(cmd.Context(), "compact", func(w *lake.Writer) error {
				done, err := w.Compact(cmd.Context())
				if err != nil {
					return err
				}
				if len(done) == 0 {
					return errors.Join(a.say("Nothing to merge."), w.Upkeep(cmd.Context()))
				}
				var lines [][]string
				for _, t := range done {
					lines = append(lines, []string{t.Table, counted(t.FilesBefore), counted(t.FilesAfter), counted(t.Rows), megabytes(t.BytesBefore), megabytes(t.BytesAfter)})
				}
				a.list([]string{"Table", "Files before", "after", "Rows", "Size before", "after"}, lines)
				return w.Upkeep(cmd.Context())
			})
		},
	}
}

func (a *App) lakeExpireCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "expire",
		Short: "Remove rows that are older than their retention",
		Long: "Removes what retention says, counted from when a row was stored (_IngestedAt). Nothing else removes rows by age.\n" +
			"Rows under a legal hold stay. The space is free once no question can need it: at a later expire or import,\n" +
			"at least 11 minutes after.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.writeLake(cmd.Context(), "expire", func(w *lake.Writer) error {
				e, err := w.Expire(cmd.Context())
				switch {
				case err != nil:
					return err
				case asJSON:
					return a.printJSON(e)
				}
				return a.say("%s rows in %s files (%s) have expired; %s files are kept by a hold.", counted(e.Rows), counted(e.Files), megabytes(e.Bytes), counted(e.Held))
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was removed as JSON")
	return cmd
}

func (a *App) lakeVerifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that every file is there, unchanged and whole",
		Long: "Checks each file that the metadata names: that it exists, has its size, its SHA-256 and its rows. Files that nothing\n" +
			"names are listed as orphans, which is no fault. Exit code 1 when there is a fault.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.readLake(cmd.Context(), "verify", func(l *lake.Lake) error { return a.lakeVerify(cmd.Context(), l, asJSON) })
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return cmd
}

func (a *App) lakeVerify(ctx context.Context, l *lake.Lake, asJSON bool) error {
	faults := []lake.Fault{}
	v, err := l.Verify(ctx, func(f lake.Fault) {
		faults = append(faults, f)
		if asJSON {
			return
		}
		kind := "fault"
		if f.Orphan {
			kind = "orphan"
		}
		fmt.Fprintf(a.Stdout, "%s: %s: %s\n", kind, escape(f.Path), escape(f.Reason))
	})
	if err != nil {
		return err
	}
	if asJSON {
		err = a.printJSON(struct {
			lake.Verified
			Findings []lake.Fault `json:"findings"`
		}{v, faults})
	} else {
		err = a.say("%s files with %s rows (%s): %s faults, %s orphans.", counted(v.Files), counted(v.Rows), megabytes(v.Bytes), counted(v.Faults), counted(v.Orphans))
		if v.Unsummed > 0 {
			err = errors.Join(err, a.say("%s files have no known checksum.", counted(v.Unsummed)))
		}
	}
	if err == nil && v.Faults > 0 {
		err = &Error{Code: CodeFailed, Hint: "restore the files named from a backup", Err: fmt.Errorf("cannot vouch for the lake: %d faults", v.Faults)}
	}
	return err
}

func (a *App) lakeRelocateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "relocate",
		Short: "After moving the folder: make other Iceberg readers find the files",
		Long:  "Wadi reads a lake wherever it lies. Other readers follow the paths in Iceberg's metadata; relocate rewrites these.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.writeLake(cmd.Context(), "relocate", func(w *lake.Writer) error {
				from, moved, err := w.Relocate(cmd.Context())
				switch {
				case err != nil:
					return err
				case !moved:
					return a.say("Nothing to do: the metadata names %s.", escape(w.Dir()))
				}
				return a.say("The metadata named %s and names %s now.", escape(from), escape(w.Dir()))
			})
		},
	}
}

func (a *App) lakeBackupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup DIR",
		Short: "Write the lake as it is now to a new folder",
		Long: "Writes hard links of all files (copies on another file system) and copies of the databases to a new folder, as they are\n" +
			"at one moment, also while an import runs. A backup is a lake: it can be asked, and 'lake restore' makes a new one of it.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.readLake(cmd.Context(), "backup", func(l *lake.Lake) error {
				c, err := l.Backup(cmd.Context(), a.path(args[0]))
				if err != nil {
					return err
				}
				return a.say("%s files (%s) are in %s.", counted(c.Files), megabytes(c.Bytes), escape(args[0]))
			})
		},
	}
}

func (a *App) lakeRestoreCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "restore BACKUP",
		Short: "Make the data folder (--data) from a backup",
		Long:  "Makes the folder named by --data from a backup. It must not exist or be empty. The backup stays as it is.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needsLake("lake restore"); err != nil {
				return err
			}
			c, err := lake.Restore(cmd.Context(), args[0], a.DataDir, lake.Options{Log: a.log})
			if err != nil {
				return err
			}
			return a.say("%s files (%s) are in %s.", counted(c.Files), megabytes(c.Bytes), escape(a.DataDir))
		},
	}
}
