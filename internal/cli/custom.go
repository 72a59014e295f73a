package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/schema"
)

func (a *App) tableCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "table",
		Short: "Make, extend and list custom tables",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.tableCreateCommand(), a.tableAlterCommand(), a.tableListCommand())
	return cmd
}

const columnsHint = "columns are written as 'TimeGenerated:datetime, client:int, n:long'"

func (a *App) tableCreateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "create NAME COLUMNS",
		Short: "Make a custom table, such as Probe_CL 'client:int, n:long'",
		Long: "Makes a custom table, for example\n\n" +
			"  wadi table create Probe_CL 'TimeGenerated:datetime, client:int, n:long'\n\n" +
			"The name ends with _CL. Types are bool, int, long, real, decimal, string, datetime, timespan, guid and dynamic.\n" +
			"Every table has TimeGenerated, named or not. Columns can be added later ('wadi table alter'), never changed or removed.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, _, err := schema.ParseCustom(args[0], args[1])
			if err != nil {
				return usageError(columnsHint, "%w", err)
			}
			return a.changeTables(cmd.Context(), func(ctx context.Context, w *lake.Writer) error {
				if err := w.CreateTable(ctx, t); err != nil {
					return err
				}
				return a.say("Table %s is made, with %s.", t.Custom, columnsOf(t))
			})
		},
	}
}

func (a *App) tableAlterCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "alter NAME add COLUMNS",
		Short: "Add columns to a custom table, such as Probe_CL add 'x:int'",
		Long:  "Adds columns to a custom table. Rows stored before have no values in them.",
		Args:  cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[1] != "add" {
				return usageError("'wadi table alter NAME add COLUMNS'", "cannot %q columns: they can only be added", args[1])
			}
			return a.changeTables(cmd.Context(), func(ctx context.Context, w *lake.Writer) error {
				t, err := w.AlterTable(ctx, args[0], args[2])
				if err != nil {
					return err
				}
				return a.say("Table %s has %s now.", t.Custom, columnsOf(t))
			})
		},
	}
}

// changeTables runs fn on the lake opened for writing, which is made when it is
// missing.
func (a *App) changeTables(ctx context.Context, fn func(context.Context, *lake.Writer) error) (err error) {
	if err := needsLake("table"); err != nil {
		return err
	}
	w, done, err := a.openWriter(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return fn(ctx, w)
}

func (a *App) tableListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the custom tables",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			l, done, err := a.openReader(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			set, err := l.Schema(cmd.Context())
			if err != nil {
				return err
			}
			return a.listCustom(set.Custom(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the tables as JSON")
	return cmd
}

// customInfo is a custom table as it is listed.
type customInfo struct {
	Table    string       `json:"table"`
	StoredAs string       `json:"stored_as"`
	Version  int          `json:"version"`
	Columns  []columnInfo `json:"columns"`
}

type columnInfo struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

func (a *App) listCustom(tables []*schema.Table, asJSON bool) error {
	infos := []customInfo{}
	var lines [][]string
	for _, t := range tables {
		info := customInfo{Table: t.Custom, StoredAs: t.Name, Version: t.Version}
		for _, c := range customColumns(t) {
			info.Columns = append(info.Columns, columnInfo{c.Name, c.KQL.String()})
		}
		infos = append(infos, info)
		lines = append(lines, []string{t.Custom, counted(len(info.Columns)), t.Name, columnsOf(t)})
	}
	if asJSON {
		return a.printJSON(infos)
	}
	if len(lines) == 0 {
		return a.say("There are no custom tables; 'wadi table create' makes one, 'wadi tables' lists all tables.")
	}
	a.list([]string{"Table", "Columns", "Stored as", "Definition"}, lines)
	return nil
}

// customColumns are the columns that a definition names.
func customColumns(t *schema.Table) (columns []schema.Column) {
	for _, c := range t.Columns {
		if !strings.HasPrefix(c.Name, "_") {
			columns = append(columns, c)
		}
	}
	return columns
}

func columnsOf(t *schema.Table) string {
	var b strings.Builder
	for i, c := range customColumns(t) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.Name + ":" + c.KQL.String())
	}
	return b.String()
}

// lakeTables gives the tables of the lake, and the built-in ones where there is
// none that can be read: what they mean needs no lake.
func (a *App) lakeTables(ctx context.Context) *schema.Set {
	l, done, err := a.openReader(ctx)
	if err != nil {
		return schema.Builtin()
	}
	set, err := l.Schema(ctx)
	if err = errors.Join(err, done()); err != nil {
		a.notice("custom tables are not known: " + err.Error())
		return schema.Builtin()
	}
	return set
}
