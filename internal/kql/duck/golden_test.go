package duck_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

// view is a small SecurityEvent, so that golden files don't follow every change
// of the real one.
var view = &schema.View{
	Name: "SecurityEvent", Table: schema.WindowsEvents, Filter: `_Table == "SecurityEvent"`,
	Columns: []schema.ViewColumn{
		{Name: "TimeGenerated", KQL: schema.DateTime, Kind: schema.Stored, Expr: "TimeGenerated"},
		{Name: "Computer", KQL: schema.String, Kind: schema.Stored, Expr: "Computer"},
		{Name: "EventID", KQL: schema.Int, Kind: schema.Stored, Expr: "EventID"},
		{Name: "Channel", KQL: schema.String, Kind: schema.Stored, Expr: "Channel"},
		{Name: "Level", KQL: schema.String, Kind: schema.Stored, Expr: "Level"},
		{Name: "Activity", KQL: schema.String, Kind: schema.Computed, Expr: `case(EventID == 4624, "4624 - logon", EventID == 4625, "4625 - failed", tostring(EventID))`},
		{Name: "Account", KQL: schema.String, Kind: schema.Computed, Expr: `strcat(Provider, "\\", split(Computer, ".")[0])`},
		{Name: "Type", KQL: schema.String, Kind: schema.Constant, Expr: `"SecurityEvent"`},
		{Name: "SourceComputerId", KQL: schema.String, Kind: schema.NotAvailable},
		{Name: "_Xml", KQL: schema.String, Kind: schema.Computed, Expr: "__xml()", Hidden: true},
		{Name: "_Case", KQL: schema.String, Kind: schema.Computed, Expr: "__case()", Hidden: true},
		{Name: "_ItemId", KQL: schema.String, Kind: schema.Computed, Expr: "__item_id()", Hidden: true},
	},
}

func tables(name string) bind.Source {
	if name == "SecurityEvent" {
		return bind.Source{Table: view.Table, View: view}
	}
	return bind.Source{Table: schema.LookupTable(name)}
}

// testNow is noon of 2 January 2026 and one tick.
var testNow = event.UnixEpoch + 20455*event.TicksPerDay + 12*event.TicksPerHour + 1

var env = bind.Env{
	Now: testNow, Tables: tables,
	Names: func() []string { return []string{"SecurityEvent", "windows_events", "sources", "ledger"} },
}

// translate prints what becomes of a query: plan, SQL, scans, or its errors.
func translate(text string) string {
	q, diags := syntax.Parse(text)
	if len(diags) == 0 {
		p, found := bind.Bind(q, env)
		if diags = found; len(diags) == 0 {
			s, err := duck.Emit(p)
			if err != nil {
				return "error: " + err.Error() + "\n"
			}
			return "-- plan --\n" + p.String() + stages(s) + "-- sql --\n" + s.SQL + "\n" + scans(s.Scans)
		}
	}
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintf(&b, "error: %v", d)
		if d.Hint != "" {
			b.WriteString(" (" + d.Hint + ")")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// stages prints what runs before a statement.
func stages(s *duck.Statement) string {
	var b strings.Builder
	for i := range s.Stages {
		stage := &s.Stages[i]
		fmt.Fprintf(&b, "-- %s by %s", stage.Table, stage.Op)
		for _, c := range stage.Out {
			fmt.Fprintf(&b, " %s:%s", c.Name, c.Type)
		}
		fmt.Fprintf(&b, ", %d kept --\n%s\n%s", stage.Kept, stage.SQL, scans(stage.Scans))
	}
	return b.String()
}

func scans(list []duck.Scan) string {
	var b strings.Builder
	b.WriteString("-- scans --\n")
	for _, scan := range list {
		fmt.Fprintf(&b, "%s %s", scan.Name, scan.Table.Name)
		for _, c := range scan.Columns {
			b.WriteString(" " + scan.Table.Columns[c].Name)
		}
		if scan.Take > 0 {
			fmt.Fprintf(&b, " take %d", scan.Take)
		}
		b.WriteByte('\n')
		for _, bound := range scan.Bounds {
			fmt.Fprintf(&b, "  c%d min %v max %v equal %v\n", bound.FieldID, bound.Min, bound.Max, bound.Equal)
		}
	}
	return b.String()
}

// TestGolden holds KQL → plan → SQL; the files in testdata have a query, a line
// "---", and what translate prints.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			query, want, _ := strings.Cut(string(text), "\n---\n")
			got := translate(query)
			if *update {
				if err := os.WriteFile(file, []byte(query+"\n---\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDepth checks that a query of too many levels is refused before DuckDB refuses
// its SQL.
func TestDepth(t *testing.T) {
	for _, c := range []struct {
		operators int
		want      string
	}{{300, ""}, {600, "more than 400 levels"}} {
		text := "datatable(a:datetime)[datetime(2026-01-01)]" + strings.Repeat(" | extend a = bin(a + 1h, 1d)", c.operators)
		q, _ := syntax.Parse(text)
		p, diags := bind.Bind(q, env)
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		_, err := duck.Emit(p)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d operators: %v", c.operators, err)
		}
	}
}
