package schema

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite docs/tables.md and the golden files")

// golden compares text with a file, or writes the file with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("%s (go generate ./internal/schema rewrites it):\n%s", path, d)
	}
}

// TestFieldIDs holds what files on disk depend on: lines of this golden file may
// be added, never changed.
func TestFieldIDs(t *testing.T) {
	var b strings.Builder
	for _, table := range Tables() {
		for _, c := range table.Columns {
			if c.FieldID == 0 {
				continue
			}
			fmt.Fprintf(&b, "%s %d %s %s", table.Name, c.FieldID, c.Name, c.Disk)
			if c.Required {
				b.WriteString(" required")
			}
			b.WriteByte('\n')
		}
	}
	golden(t, "testdata/fieldids.txt", b.String())
}

var (
	physicalName = regexp.MustCompile(`^[a-z0-9_]+$`)
	columnName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

func TestTables(t *testing.T) {
	names := map[string]bool{}
	for _, table := range Tables() {
		if !physicalName.MatchString(table.Name) || names[table.Name] {
			t.Errorf("table %q: the name is no [a-z0-9_] or occurs twice", table.Name)
		}
		names[table.Name] = true
		if LookupTable(table.Name) != table || LookupTable(strings.ToUpper(table.Name)) != nil {
			t.Errorf("%s: LookupTable doesn't find exactly this name", table.Name)
		}
		if table.Doc == "" || table.Partition == 0 || table.Version < 1 {
			t.Errorf("%s: documentation, partition or version is missing", table.Name)
		}
		checkColumns(t, table)
		for _, s := range table.Sort {
			if table.Column(s) == nil {
				t.Errorf("%s: sorted by %s, which is no column", table.Name, s)
			}
		}
		for _, c := range table.Computed {
			checkViewColumn(t, table.Name, table, c)
		}
	}
}

func checkColumns(t *testing.T, table *Table) {
	t.Helper()
	folded, ids, last := map[string]bool{}, 0, 0
	for i, c := range table.Columns {
		where := table.Name + "." + c.Name
		if !columnName.MatchString(c.Name) || folded[strings.ToLower(c.Name)] {
			t.Errorf("%s: no plain name, or it differs from another only by letter case", where)
		}
		folded[strings.ToLower(c.Name)] = true
		if c.KQL.String() == "" || c.Disk != c.KQL.Disk() {
			t.Errorf("%s: %s lies as %s", where, c.KQL, c.Disk)
		}
		if c.Doc == "" || c.Origin == "" || !strings.HasSuffix(c.Doc, ".") {
			t.Errorf("%s: no sentence of documentation or no origin", where)
		}
		if c.Born < 1 || c.Born > table.Version {
			t.Errorf("%s: born in version %d of %d", where, c.Born, table.Version)
		}
		if c.FieldID != 0 {
			if ids++; c.FieldID <= last {
				t.Errorf("%s: field id %d doesn't grow", where, c.FieldID)
			}
			last = c.FieldID
		}
		if table.Index(c.Name) != i || table.Column(c.Name).Name != c.Name {
			t.Errorf("%s is not found as itself", where)
		}
	}
	if ids != 0 && ids != len(table.Columns) {
		t.Errorf("%s: some field ids are fixed and some are not", table.Name)
	}
}

func TestWindowsEvents(t *testing.T) {
	var stats []int
	data := 0
	for _, c := range WindowsEvents.Columns {
		if c.Stats {
			stats = append(stats, c.FieldID)
		}
		if c.FieldID >= 100 {
			data++
		}
	}
	if want := []int{1, 3, 4, 5, 13, 17, 30}; !slices.Equal(stats, want) {
		t.Errorf("statistics of %v, want %v", stats, want)
	}
	if data > 150 {
		t.Errorf("%d columns of EventData, want at most 150: columns cost more than text", data)
	}
}

func TestViews(t *testing.T) {
	names := map[string]bool{}
	for _, v := range Views() {
		if names[v.Name] || LookupView(v.Name) != v || LookupTable(v.Name) != nil {
			t.Errorf("%s: the name occurs twice or is not found", v.Name)
		}
		names[v.Name] = true
		if v.Doc == "" || v.Filter != `_Table == "`+v.Name+`"` {
			t.Errorf("%s: no documentation, or the filter %q does not keep the views disjoint", v.Name, v.Filter)
		}
		if bad := unknownNames(v.Table, v.Filter); len(bad) > 0 {
			t.Errorf("%s: the filter names %v", v.Name, bad)
		}
		folded := map[string]bool{}
		for _, c := range v.Columns {
			if folded[strings.ToLower(c.Name)] {
				t.Errorf("%s.%s occurs twice", v.Name, c.Name)
			}
			folded[strings.ToLower(c.Name)] = true
			checkViewColumn(t, v.Name, v.Table, c)
		}
	}
}

func checkViewColumn(t *testing.T, view string, table *Table, c ViewColumn) {
	t.Helper()
	where := view + "." + c.Name
	if !columnName.MatchString(c.Name) || c.KQL.String() == "" || c.Doc == "" {
		t.Errorf("%s: name, type or documentation is missing", where)
	}
	switch c.Kind {
	case Stored:
		if table.Column(c.Expr) == nil {
			t.Errorf("%s: %s has no column %q", where, table.Name, c.Expr)
		}
	case Computed:
		if bad := unknownNames(table, c.Expr); c.Expr == "" || len(bad) > 0 {
			t.Errorf("%s: the expression names %v", where, bad)
		}
	case Constant:
		if !regexp.MustCompile(`^"[^"\\]*"$`).MatchString(c.Expr) {
			t.Errorf("%s: %q is no literal", where, c.Expr)
		}
	case NotAvailable:
		if c.Expr != "" {
			t.Errorf("%s is not available and has an expression", where)
		}
	default:
		t.Errorf("%s has no kind", where)
	}
}

// The language of view expressions.
var viewWords = strings.Fields(`in and or not has contains startswith iff case strcat tostring toint tolong toreal todatetime tobool toguid
	isempty isnotempty coalesce tolower toupper substring strlen indexof extract replace_string split
	__xml __event_data __event_data_json __event_field __item_id __case __source_file __source_host`)

var (
	verbatimLiteral = regexp.MustCompile(`@"[^"]*"`)
	stringLiteral   = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	identifier      = regexp.MustCompile(`[A-Za-z_]\w*`)
)

// unknownNames lists the names of an expression that are neither columns of the
// table nor words of the view language.
func unknownNames(table *Table, expr string) []string {
	expr = stringLiteral.ReplaceAllString(verbatimLiteral.ReplaceAllString(expr, " "), " ")
	var bad []string
	for _, name := range identifier.FindAllString(expr, -1) {
		if !slices.Contains(viewWords, name) && table.Column(name) == nil {
			bad = append(bad, name)
		}
	}
	return bad
}

// TestViewsAgainstSentinel compares with Microsoft's table reference.
func TestViewsAgainstSentinel(t *testing.T) {
	corpus := os.Getenv("WADI_CORPUS")
	if corpus == "" {
		t.Skip("WADI_CORPUS is not set: the views are not compared with Sentinel's columns")
	}
	for _, v := range Views() {
		text, err := os.ReadFile(filepath.Join(corpus, "kql", "schemas", v.Name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var page struct{ Columns []struct{ Name, Type string } }
		if err := json.Unmarshal(text, &page); err != nil {
			t.Fatal(err)
		}
		want, got := map[string]string{}, map[string]string{}
		for _, c := range page.Columns {
			want[c.Name] = c.Type
		}
		for _, c := range v.Columns {
			if _, ok := want[c.Name]; ok || !c.Hidden {
				got[c.Name] = c.KQL.String()
			}
		}
		// Every table has these, and every row of Event can name its resource.
		for _, extra := range []string{"_BilledSize", "_IsBillable", "_ResourceId", "_SubscriptionId"} {
			if _, ok := want[extra]; !ok {
				delete(got, extra)
			}
		}
		if d := cmp.Diff(want, got); d != "" || len(want) == 0 {
			t.Errorf("%s, Sentinel's columns against Wadi's:\n%s", v.Name, d)
		}
	}
}
