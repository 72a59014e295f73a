package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCustom(t *testing.T) {
	table, view, err := ParseCustom("Probe_CL", "TimeGenerated:datetime, client:int,n:long , ok:boolean,r:double,d:decimal,s:string,at:date,dt:timespan,g:uuid,bag:dynamic")
	if err != nil {
		t.Fatal(err)
	}
	if table.Name != "probe_cl" || table.Custom != "Probe_CL" || view.Name != "Probe_CL" || view.Filter != "" || table.Version != 1 {
		t.Errorf("table %q, custom %q, view %q where %q, version %d", table.Name, table.Custom, view.Name, view.Filter, table.Version)
	}
	checkColumns(t, table)
	var got []string
	for _, c := range table.Columns {
		got = append(got, fmt.Sprint(c.FieldID, " ", c.Name, " ", c.KQL, " ", c.Disk))
	}
	want := []string{
		"1 TimeGenerated datetime timestamptz", "2 _TimeSub int int", "3 _IngestedAt datetime timestamptz", "4 _Source int int", "5 _Seq long long",
		"6 _Table string string", "20 client int int", "21 n long long", "22 ok bool boolean", "23 r real double", "24 d decimal string",
		"25 s string string", "26 at datetime timestamptz", "27 dt timespan long", "28 g guid string", "29 bag dynamic string",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, c := range view.Columns {
		checkViewColumn(t, view.Name, table, c)
	}
	again, err := ParseDefinition(table.Definition())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(table, again); d != "" {
		t.Errorf("the definition %s gives another table:\n%s", table.Definition(), d)
	}
}

func TestParseCustomErrors(t *testing.T) {
	for _, c := range []struct{ name, columns, want string }{
		{"Probe", "x:int", "ends with _CL: Probe_CL"},
		{"Probe_cl", "x:int", "ends with _CL: Probe_CL"},
		{"_Probe_CL", "x:int", "begin with _"},
		{"Pro be_CL", "x:int", "only letters"},
		{"1Probe_CL", "x:int", "begins with a letter"},
		{"../x_CL", "x:int", "only letters"},
		{"Prüfung_CL", "x:int", "only letters"},
		{"", "x:int", "begins with a letter"},
		{"_CL", "x:int", "begin with _"},
		{strings.Repeat("a", 61) + "_CL", "x:int", "64 characters; 63 are the most"},
		{"T_CL", "", "is no column"},
		{"T_CL", "TimeGenerated:datetime", "no column is named besides TimeGenerated"},
		{"T_CL", "TimeGenerated:string, x:int", "must be datetime"},
		{"T_CL", "TimeGenerated:datetime, TimeGenerated:datetime, x:int", "occurs twice"},
		{"T_CL", "timegenerated:datetime, x:int", "only by case"},
		{"T_CL", "x:integer", `the type "integer"; types are bool, int`},
		{"T_CL", "x", "is no column"},
		{"T_CL", "x:int,", "is no column"},
		{"T_CL", ":int", "is no column"},
		{"T_CL", "x:int, x:int", "occurs twice"},
		{"T_CL", "x:int, X:int", "columns x and X differ only by case"},
		{"T_CL", "_x:int", "begin with _"},
		{"T_CL", "Type:string", "has the column Type"},
		{"T_CL", "tenantId:string", "has the column TenantId"},
		{"T_CL", "a b:int", "only letters"},
		{"T_CL", strings.Repeat("a", 46) + ":int", "46 characters; 45 are the most"},
		{"T_CL", manyColumns(MaxCustomColumns + 1), "501 columns; 500 are the most"},
		{"T_CL", strings.Repeat(" ", maxDefinition+1), "bytes"},
	} {
		table, _, err := ParseCustom(c.name, c.columns)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %.60q: %v, %v, want an error with %q", c.name, c.columns, table, err, c.want)
		}
	}
	if _, _, err := ParseCustom("T_CL", manyColumns(MaxCustomColumns)); err != nil {
		t.Error(err)
	}
}

func manyColumns(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ", c%d:int", i)
	}
	return b.String()[2:]
}

func TestAddColumns(t *testing.T) {
	one, _, err := ParseCustom("Probe_CL", "client:int")
	if err != nil {
		t.Fatal(err)
	}
	two, view, err := AddColumns(one, "x:int, y:string")
	if err != nil {
		t.Fatal(err)
	}
	checkColumns(t, two)
	x := two.Column("x")
	if two.Version != 2 || one.Version != 1 || one.Column("x") != nil || x.FieldID != 21 || x.Born != 2 || two.Column("y").FieldID != 22 || two.Column("client").Born != 1 || view.Table != two {
		t.Errorf("version %d, %+v", two.Version, x)
	}
	if again, err := ParseDefinition(two.Definition()); err != nil || cmp.Diff(two, again) != "" {
		t.Errorf("%v: %s", err, two.Definition())
	}
	for columns, want := range map[string]string{
		"Client:int": "differ only by case", "client:int": "occurs twice", "": "is no column", "TimeGenerated:datetime": "is there already",
	} {
		if _, _, err := AddColumns(one, columns); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("add %q: %v, want %q", columns, err, want)
		}
	}
	if _, _, err := AddColumns(W3CIIS, "x:int"); err == nil || !strings.Contains(err.Error(), "built in") {
		t.Error(err)
	}
}

func TestSet(t *testing.T) {
	probe, _, err := ParseCustom("Probe_CL", "client:int")
	if err != nil {
		t.Fatal(err)
	}
	alpha, _, err := ParseCustom("Alpha_CL", "client:int")
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSet(probe, alpha)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Custom(); len(got) != 2 || got[0] != alpha || got[1] != probe {
		t.Errorf("custom tables %v", got)
	}
	if len(s.Tables()) != len(Tables())+2 || len(s.Views()) != len(Views())+2 || len(Builtin().Custom()) != 0 {
		t.Error("tables or views are missing")
	}
	if s.LookupTable("probe_cl") != probe || s.LookupView("Probe_CL").Table != probe || s.LookupView("probe_cl") != nil || s.Find("Probe_CL") != probe ||
		s.Find("w3c_iis") != W3CIIS || s.Find("SecurityEvent") != nil || s.LookupTable("Probe_CL") != nil {
		t.Error("a table is not found, or found under another name")
	}
	other, _, err := ParseCustom("PROBE_CL", "client:int")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewSet(probe, other); err == nil || !strings.Contains(err.Error(), "differ only by case") {
		t.Error(err)
	}
	if _, err := NewSet(probe, probe); err == nil || !strings.Contains(err.Error(), "already") {
		t.Error(err)
	}
	if _, err := NewSet(make([]*Table, MaxCustomTables+1)...); err == nil || !strings.Contains(err.Error(), "501 custom tables") {
		t.Error(err)
	}
}

// FuzzDefinition holds that a definition from anywhere gives an error or a table
// that keeps the rules and gives the same definition.
func FuzzDefinition(f *testing.F) {
	f.Add(`{"name":"Probe_CL","version":1,"columns":[{"id":20,"name":"client","type":"int","born":1}]}`)
	f.Add(`{"name":"Probe_CL","version":2,"columns":[{"id":20,"name":"a","type":"int","born":1},{"id":20,"name":"A","type":"real","born":3}]}`)
	f.Add(`{"name":"windows_events","version":-1,"columns":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		table, err := ParseDefinition(text)
		if err != nil {
			return
		}
		checkColumns(t, table)
		again, err := ParseDefinition(table.Definition())
		if err != nil || cmp.Diff(table, again) != "" {
			t.Errorf("%s: %v", table.Definition(), err)
		}
	})
}
