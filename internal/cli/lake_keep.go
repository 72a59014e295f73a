package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/schema"
)

func (a *App) lakeDuplicatesCommand() *cobra.Command {
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:   "duplicates",
		Short: "What de-duplication dropped, by source",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.readLake(cmd.Context(), "duplicates", func(l *lake.Lake) error {
				return a.lakeDuplicates(cmd.Context(), l, all, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "list sources without duplicates too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a source")
	return cmd
}

func (a *App) lakeDuplicates(ctx context.Context, l *lake.Lake, all, asJSON bool) error {
	accounts, err := l.Accounts(ctx)
	if err != nil {
		return err
	}
	var lines [][]string
	var sum lake.SourceTally
	for i := range accounts {
		s := &accounts[i]
		sum.Received, sum.Stored = sum.Received+s.Received, sum.Stored+s.Stored
		sum.Duplicate, sum.Damaged = sum.Duplicate+s.Duplicate, sum.Damaged+s.Damaged
		sum.Filtered += s.Filtered
		if s.Duplicate == 0 && !all {
			continue
		}
		name := s.Source.File
		if name == "" {
			name = s.Source.Subscription
		}
		if asJSON {
			err = errors.Join(err, a.printJSON(map[string]any{
				"source": s.Source.ID, "log": s.Log, "kind": s.Source.Kind, "host": s.Source.Host, "file": s.Source.File, "case": s.Case,
				"at": s.At.String(), "received": s.Received, "stored": s.Stored, "duplicate": s.Duplicate, "filtered": s.Filtered, "damaged": s.Damaged,
			}))
			continue
		}
		lines = append(lines, []string{
			strconv.Itoa(int(s.Source.ID)), counted(s.Received), counted(s.Stored), counted(s.Duplicate), counted(s.Damaged), clip(s.At.String()), s.Source.Kind, escape(name),
		})
	}
	if asJSON || err != nil {
		return err
	}
	a.list([]string{"Source", "Received", "Stored", "Duplicate", "Damaged", "Imported", "Kind", "Name"}, lines)
	return a.say("%s received = %s stored + %s duplicate + %s filtered + %s damaged, from %s sources.",
		counted(sum.Received), counted(sum.Stored), counted(sum.Duplicate), counted(sum.Filtered), counted(sum.Damaged), counted(len(accounts)))
}

func (a *App) lakeRetentionCommand() *cobra.Command {
	var label string
	cmd := &cobra.Command{
		Use:   "retention [TABLE | --case LABEL] [DAYS | forever]",
		Short: "Show or set how long rows are kept",
		Long: "Without arguments, shows how long rows are kept. With a table or a case and a number of days (or forever), sets it.\n" +
			"A case's own retention goes before that of the table; 'table' takes it away again. Days count from when a row was\n" +
			"stored. Nothing is removed until 'lake expire' runs. The default is forever.",
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			byCase := cmd.Flags().Changed("case")
			if !byCase && len(args) == 2 || byCase && len(args) == 1 {
				return a.writeLake(ctx, "retention", func(w *lake.Writer) error { return a.setRetention(ctx, w, label, args) })
			}
			if byCase && len(args) > 1 {
				return usageError("name either", "cannot set the retention of a table and a case at once")
			}
			return a.readLake(ctx, "retention", func(l *lake.Lake) error { return a.showRetention(ctx, l, label, args) })
		},
	}
	cmd.Flags().StringVar(&label, "case", "", "label of the case")
	return cmd
}

func (a *App) setRetention(ctx context.Context, w *lake.Writer, label string, args []string) error {
	text := args[len(args)-1]
	days := int64(0)
	if text != "forever" && text != "table" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 1 {
			return usageError("use a number of days from 1 or 'forever'", "cannot understand the retention %q", text)
		}
		days = n
	}
	switch {
	case len(args) == 2 && text == "table":
		return usageError("use a number of days from 1 or 'forever'", "cannot understand the retention %q", text)
	case len(args) == 2:
		return w.SetRetention(ctx, args[0], days)
	case text == "table":
		return w.SetCaseRetention(ctx, label, nil)
	}
	return w.SetCaseRetention(ctx, label, &days)
}

// kept names a retention.
func kept(days int64) string {
	if days == 0 {
		return "forever"
	}
	return strconv.FormatInt(days, 10) + " days"
}

func (a *App) showRetention(ctx context.Context, l *lake.Lake, label string, args []string) error {
	s, err := l.Settings(ctx)
	if err != nil {
		return err
	}
	set, err := l.Schema(ctx)
	if err != nil {
		return err
	}
	var lines [][]string
	for _, t := range set.Tables() {
		if label == "" && (len(args) == 0 || set.Find(args[0]) == t) {
			lines = append(lines, []string{"table " + t.Name, kept(s.Days[t.Name])})
		}
	}
	for _, c := range s.Cases {
		if c.Label == "" || len(args) > 0 || label != "" && label != c.Label {
			continue
		}
		text := "as its tables"
		if c.Days != nil {
			text = kept(*c.Days)
		}
		lines = append(lines, []string{"case " + escape(c.Label), text})
	}
	if len(lines) == 0 {
		return usageError("'wadi lake retention' lists both", "cannot show the retention: there is no such table or case")
	}
	a.list([]string{"Rows of", "Kept"}, lines)
	return nil
}

func (a *App) lakeHoldCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hold",
		Short: "Legal holds: rows they cover are not removed, whatever else says so",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var label, reason string
	add := &cobra.Command{
		Use:   "add [TABLE]",
		Short: "Hold the rows of a table (default: all tables), or of a case",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			table := strings.Join(args, "")
			var of *string
			if cmd.Flags().Changed("case") {
				of = &label
			}
			return a.writeLake(cmd.Context(), "hold", func(w *lake.Writer) error {
				id, err := w.AddHold(cmd.Context(), table, of, reason)
				if err != nil {
					return err
				}
				return a.say("Hold %d is set.", id)
			})
		},
	}
	add.Flags().StringVar(&label, "case", "", "label of the case")
	add.Flags().StringVar(&reason, "reason", "", "why: a file number, who asked for it")
	remove := &cobra.Command{
		Use:   "remove NUMBER",
		Short: "End a hold",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usageError("see 'wadi lake hold list'", "cannot remove hold %q: it is no number", args[0])
			}
			return a.writeLake(cmd.Context(), "hold", func(w *lake.Writer) error { return w.RemoveHold(cmd.Context(), id) })
		},
	}
	list := &cobra.Command{
		Use:   "list",
		Short: "List the holds",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.readLake(cmd.Context(), "hold", func(l *lake.Lake) error { return a.listHolds(cmd.Context(), l) })
		},
	}
	cmd.AddCommand(add, remove, list)
	return cmd
}

func (a *App) listHolds(ctx context.Context, l *lake.Lake) error {
	s, err := l.Settings(ctx)
	if err != nil {
		return err
	}
	if len(s.Holds) == 0 {
		return a.say("There are no holds.")
	}
	var lines [][]string
	for _, h := range s.Holds {
		table, rows := "all", "all"
		if h.Table != "" {
			table = h.Table
		}
		if h.Case != nil {
			rows = "case " + escape(*h.Case)
		}
		lines = append(lines, []string{strconv.FormatInt(h.ID, 10), clip(event.FromUnixMicros(h.SinceUS).String()), table, rows, escape(h.Reason)})
	}
	a.list([]string{"Hold", "Since", "Table", "Rows", "Reason"}, lines)
	return nil
}

func (a *App) lakeDeleteCommand() *cobra.Command {
	var where string
	cmd := &cobra.Command{
		Use:   "delete TABLE --where KQL",
		Short: "Delete rows, such as a person's data",
		Long: "Deletes the rows of a table for which the KQL condition holds, for example\n\n" +
			"  wadi lake delete windows_events --where 'TargetUserName =~ \"jdoe\"'\n\n" +
			"Files are written anew without them; wadi_audit records it. Importing the same logs again doesn't bring the rows back.\n" +
			"'wadi query TABLE | where …' shows beforehand what would go.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(where) == "" {
				return usageError("for example --where 'EventID == 4624'", "cannot delete without a condition")
			}
			if _, found := syntax.ParseExpr(where); len(found) > 0 { // alone, so that it can't close the bracket around it
				return usageError(found[0].Hint, "cannot delete: the condition is wrong: %s", found[0].Message)
			}
			return a.writeLake(cmd.Context(), "delete", func(w *lake.Writer) error {
				set, err := w.Schema(cmd.Context())
				if err != nil {
					return err
				}
				t := set.Find(args[0])
				if t == nil {
					return usageError("name a table as 'wadi lake stats' does, such as windows_events", "cannot delete from %q: there is no such table", args[0])
				}
				return a.lakeDelete(cmd.Context(), w, t, where)
			})
		},
	}
	cmd.Flags().StringVar(&where, "where", "", "condition in KQL")
	return cmd
}

// rowSet names rows by source: the sequence numbers in order.
type rowSet map[int32][]int64

func (s rowSet) has(source int32, seq int64) bool {
	_, found := slices.BinarySearch(s[source], seq)
	return found
}

func (a *App) lakeDelete(ctx context.Context, w *lake.Writer, t *schema.Table, where string) error {
	// The condition stands in brackets on lines of its own: it can't become more
	// than a condition.
	text := "set notruncation;\n" + t.Name + "\n| where (\n" + where + "\n)\n| project _Source, _Seq"
	rows, err := a.findRows(ctx, text)
	if err != nil {
		return err
	}
	d, err := w.Delete(ctx, t, rows.has, where)
	if err != nil {
		return err
	}
	return errors.Join(a.say("%s rows are deleted; %s files were written anew, %s dropped.", counted(d.Rows), counted(d.FilesRewritten), counted(d.FilesDropped)), w.Upkeep(ctx))
}

// findRows asks for rows. The lake is locked for writing meanwhile, so they stay
// what they are.
func (a *App) findRows(ctx context.Context, text string) (rowSet, error) {
	c, closeAll, err := a.openQuery(ctx)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	q, err := compile(ctx, c, text, time.Now())
	if err != nil {
		return nil, err
	}
	result, err := q.Run(ctx, c)
	if err != nil {
		return nil, askError(err)
	}
	set := rowSet{}
	for result.Next() {
		if result.Null(0) || result.Null(1) {
			continue
		}
		source := int32(result.Int(0))
		set[source] = append(set[source], result.Int(1))
	}
	cut := result.Truncated()
	if err := result.Close(); err != nil {
		return nil, askError(err)
	}
	if cut {
		return nil, fmt.Errorf("cannot delete: not all rows could be found")
	}
	for source := range set {
		slices.Sort(set[source])
	}
	return set, nil
}
