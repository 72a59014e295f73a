package schema

import (
	"fmt"
	"strings"
	"testing"
)

//go:generate go test . -run "TestDocs|TestFieldIDs" -update

// TestDocs holds docs/tables.md to the definitions, and writes it with -update.
func TestDocs(t *testing.T) { golden(t, "../../docs/tables.md", document()) }

func document() string {
	var b strings.Builder
	b.WriteString(`# Tables and columns

This page is generated from internal/schema by go generate.

KQL sees rows under Sentinel's names, which are views of physical tables, and under the physical names. The views of a
table never show the same row. Columns whose names begin with an underscore are Wadi's (or Azure's) own; Wadi's are not
part of ` + "`*`" + `.

A column of a view is stored, computed, constant, or not available: the last binds, has the right type, and is null
(texts: empty) in every row, because nothing that Wadi collects holds the value.

Types on disk: bool, int and long as they are, real as double; string, decimal, guid and dynamic (JSON) as string;
timespan as long in ticks of 100 ns; datetime as timestamptz in microseconds, floored. TimeGenerated's seventh digit is
in _TimeSub; other datetimes lose theirs. A text that is null was absent in the source, one that is empty was present;
KQL reads both as empty. Values of EventData are stored as the event has them; a view that shows one as a number gives
null where it is none.

## Views
`)
	for _, v := range Views() {
		fmt.Fprintf(&b, "\n### %s\n\n%s Rows of `%s` where `%s`.\n\n", v.Name, v.Doc, v.Table.Name, v.Filter)
		writeView(&b, v)
	}
	b.WriteString("\n## Tables\n")
	for _, t := range Tables() {
		writeTable(&b, t)
	}
	return b.String()
}

func writeView(b *strings.Builder, v *View) {
	b.WriteString("| column | type | from | what |\n|---|---|---|---|\n")
	for _, c := range v.Columns {
		from := "not available"
		switch c.Kind {
		case Stored:
			from = "stored"
			if c.Expr != c.Name {
				from = "stored as " + c.Expr
			}
		case Computed:
			from = "computed"
		case Constant:
			from = "constant " + c.Expr
		}
		if c.Hidden {
			from += ", not in `*`"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", c.Name, c.KQL, from, cell(c.Doc))
	}
}

func writeTable(b *strings.Builder, t *Table) {
	fmt.Fprintf(b, "\n### %s\n\n%s Version %d; partitioned by %s of _IngestedAt; sorted by hour, %s.\n",
		t.Name, t.Doc, t.Version, map[Partition]string{ByDay: "day", ByMonth: "month"}[t.Partition], strings.Join(t.Sort, ", "))
	if t.Columns[0].FieldID == 0 {
		b.WriteString("Nothing writes it yet: field ids are fixed with the first writer, and questions find it empty.\n")
	}
	b.WriteString("\n| id | column | type | on disk | what | origin |\n|---|---|---|---|---|---|\n")
	for _, c := range t.Columns {
		id := "–"
		if c.FieldID != 0 {
			id = fmt.Sprint(c.FieldID)
		}
		disk := c.Disk.String()
		if c.Required {
			disk += ", never null"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", id, c.Name, c.KQL, disk, cell(c.Doc), cell(c.Origin))
	}
	b.WriteString("\nComputed: ")
	for i, c := range t.Computed {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(b, "%s (%s)", c.Name, strings.TrimSuffix(c.Doc, "."))
	}
	b.WriteString(".\n")
}

// cell makes text safe in a table of Markdown.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "*", `\*`).Replace(s)
}
