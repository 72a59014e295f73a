package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/query"
)

func (a *App) tablesCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "tables",
		Short: "List what can be asked: tables and views with their rows and times",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needsLake("tables"); err != nil {
				return err
			}
			return a.tables(cmd.Context(), all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "list those without rows too")
	return cmd
}

// tables lists every table and view. Times are TimeGenerated's to the second.
func (a *App) tables(ctx context.Context, all bool) error {
	c, closeAll, err := a.openQuery(ctx)
	if err != nil {
		return err
	}
	defer closeAll()
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
		lines = append(lines, []string{t.Name, grouped(strconv.FormatInt(t.Rows, 10)), first, last, t.From})
	}
	a.list([]string{"Table", "Rows", "First", "Last", "From"}, lines)
	if empty > 0 {
		fmt.Fprintf(a.Stdout, "%d tables and views have no rows; --all lists them too.\n", empty)
	}
	return nil
}

func listTime(t event.Ticks) string { return t.Time().Format("2006-01-02 15:04:05") }

// list prints lines below a head, its second column to the right.
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
			b.WriteString(pad(v, widths[i], i == 1))
		}
		text := strings.TrimRight(b.String(), " ")
		if width := a.Width(a.Stdout); width > 0 {
			text = cut(text, width)
		}
		fmt.Fprintln(a.Stdout, text)
	}
}
