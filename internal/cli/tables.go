package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/query"
)

func (a *App) tablesCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "tables [NAME]",
		Short: "List what can be asked: tables and views with their rows and times, or the columns of one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.listColumns(cmd.Context(), args[0])
			}
			if err := needsLake("tables"); err != nil {
				return err
			}
			return a.tables(cmd.Context(), all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "list those without rows too")
	return cmd
}

func (a *App) tables(ctx context.Context, all bool) error {
	c, closeAll, err := a.openQuery(ctx)
	if err != nil {
		return err
	}
	defer closeAll()
	toSeeAll := "--all"
	if a.session != nil && a.session.Screen {
		toSeeAll = ".tables all"
	}
	return a.listTables(ctx, c, all, toSeeAll)
}

// listTables lists every table and view. Times are TimeGenerated's to the second.
// toSeeAll is how to ask for those without rows.
func (a *App) listTables(ctx context.Context, c *query.Config, all bool, toSeeAll string) error {
	infos, err := query.Tables(ctx, c)
	if err != nil {
		return askError(err)
	}
	var lines [][]string
	empty := 0
	for _, t := range infos {
		if t.Rows == 0 && !all {
			empty++
			continue
		}
		first, last := "", ""
		if t.HasTime {
			first, last = listTime(t.First), listTime(t.Last)
		}
		lines = append(lines, []string{t.Name, counted(t.Rows), first, last, t.From})
	}
	a.list([]string{"Table", "Rows", "First", "Last", "From"}, lines)
	if empty > 0 {
		fmt.Fprintf(a.Stdout, "%d tables and views have no rows; %s lists them too.\n", empty, toSeeAll)
	}
	return nil
}

// listColumns lists the columns of a table or view. It needs no lake for those that
// are built in.
func (a *App) listColumns(ctx context.Context, name string) error {
	set := a.lakeTables(ctx)
	columns := query.Columns(set, name)
	if columns == nil {
		hint := "'wadi tables --all' lists all names"
		if near := syntax.Nearest(name, query.Names(set)); near != "" {
			hint = "did you mean " + near + "?"
		}
		return usageError(hint, "cannot list the columns of '%s': there is no such table", name)
	}
	hidden, absent := 0, 0
	var lines [][]string
	for _, c := range columns {
		note := c.Doc
		switch {
		case c.Hidden:
			note = strings.TrimSpace("(not in *) " + note)
			hidden++
		case c.Absent:
			note = strings.TrimSpace("(always empty) " + note)
			absent++
		}
		lines = append(lines, []string{c.Name, c.Type.String(), note})
	}
	a.list([]string{"Column", "Type", "What"}, lines)
	fmt.Fprintf(a.Stdout, "%d columns, %d of them always empty and %d not in *.\n", len(columns), absent, hidden)
	return nil
}

func listTime(t event.Ticks) string { return t.Time().Format("2006-01-02 15:04:05") }

// list prints lines below a head, its second column to the right unless it holds
// types.
func (a *App) list(head []string, lines [][]string) {
	widths := make([]int, len(head))
	for _, line := range append([][]string{head}, lines...) {
		for i, v := range line {
			widths[i] = max(widths[i], cells(v))
		}
	}
	rules := make([]string, len(head))
	for i, w := range widths {
		rules[i] = strings.Repeat("─", w)
	}
	for _, line := range slices.Concat([][]string{head, rules}, lines) {
		var b strings.Builder
		for i, v := range line {
			if i > 0 {
				b.WriteString(gap)
			}
			b.WriteString(pad(v, widths[i], i == 1 && head[1] != "Type"))
		}
		text := strings.TrimRight(b.String(), " ")
		if width := a.Width(a.Stdout); width > 0 {
			text = cut(text, width)
		}
		fmt.Fprintln(a.Stdout, text)
	}
}
