//go:build cgo

package query

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// youngerEvents is windows_events as a later version may have it: one more column
// of EventData, and one that nothing tells of older events.
func youngerEvents() *schema.Table {
	table := *schema.WindowsEvents
	table.Version = 2
	table.Columns = append(slices.Clone(table.Columns),
		schema.Column{Name: "FilterRTID", KQL: schema.String, Disk: schema.DiskString, FieldID: 901, Born: 2, Doc: "x", Origin: "x"},
		schema.Column{Name: "_Younger", KQL: schema.Long, Disk: schema.DiskLong, FieldID: 33, Born: 2, Doc: "x", Origin: "x"})
	return &table
}

// addEvents commits a part of rows of a table's version: numbered events whose
// FilterRTID is rt<n>, but none for every third.
func addEvents(t *testing.T, w *lake.Writer, table *schema.Table, first, n int) {
	t.Helper()
	ctx := t.Context()
	log, err := w.BeginLog(ctx, lake.LogInfo{Door: "bulk"})
	if err != nil {
		t.Fatal(err)
	}
	source, err := log.AddSource(ctx, lake.SourceInfo{Kind: "evtx", Host: "dc01", File: "x.evtx"})
	if err != nil {
		t.Fatal(err)
	}
	part, err := log.BeginPart(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rows := datafile.NewRows(table)
	at := table.Index
	for i := first; i < first+n; i++ {
		us, _ := event.FromTime(day.Add(time.Duration(i) * time.Minute)).UnixMicros()
		rows.Begin()
		rows.Int(at("TimeGenerated"), us)
		rows.Int(at("_TimeSub"), 0)
		rows.Int(at("_IngestedAt"), part.IngestedAtUS)
		rows.Int(at("_Source"), int64(source))
		rows.Int(at("_Seq"), int64(i))
		rows.String(at("_Table"), "SecurityEvent")
		rows.Int(at("_SystemForm"), 0)
		rows.Int(at("EventID"), 5156)
		rows.String(at("Channel"), "Security")
		text := "<EventData><Data Name='Application'>x</Data></EventData></Event>"
		if i%3 != 0 {
			value := "rt" + string(rune('0'+i)) + " & <x>"
			text = "<EventData><Data Name='FilterRTID'>" + strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(value) + "</Data></EventData></Event>"
			if table.Version == 2 {
				rows.String(at("FilterRTID"), value)
			}
		}
		if table.Version == 2 {
			rows.Int(at("_Younger"), int64(i))
		}
		rows.String(at("EventXml"), text)
		rows.End()
	}
	if err := part.Sorter(table).Add(ctx, rows); err != nil {
		t.Fatal(err)
	}
	tally := lake.SourceTally{Source: source}
	tally.Received, tally.Stored = int64(n), int64(n)
	if err := part.Commit(ctx, lake.PartResult{Sources: []lake.SourceTally{tally}}); err != nil {
		t.Fatal(err)
	}
}

// TestOlderFiles asks for a column over files of a version that lacks it, and one
// that has it: it is read from the text of the older ones.
func TestOlderFiles(t *testing.T) {
	dir := t.TempDir()
	table := youngerEvents()
	w, err := lake.OpenWriter(t.Context(), dir, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	addEvents(t, w, schema.WindowsEvents, 0, 5)
	addEvents(t, w, table, 5, 4)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c := open(t, dir)
	tables := func(name string) bind.Source {
		if name == "windows_events" {
			return bind.Source{Table: table}
		}
		return source(schema.Builtin(), name)
	}
	for question, want := range map[string]string{
		"windows_events | project _Seq, FilterRTID, _Younger | sort by _Seq asc":                                          "_Seq,FilterRTID,_Younger\n0,,\n1,rt1 & <x>,\n2,rt2 & <x>,\n3,,\n4,rt4 & <x>,\n5,rt5 & <x>,5\n6,,6\n7,rt7 & <x>,7\n8,rt8 & <x>,8\n",
		"windows_events | where FilterRTID startswith 'rt' | count":                                                       "Count\n6\n",
		"windows_events | where FilterRTID == 'rt2 & <x>' | project _Seq":                                                 "_Seq\n2\n",
		"windows_events | where isempty(FilterRTID) | count":                                                              "Count\n3\n",
		"windows_events | where EventData.FilterRTID == 'rt7 & <x>' or EventData.FilterRTID == 'rt1 & <x>' | count":       "Count\n2\n",
		"windows_events | summarize countif(isnull(EventData.FilterRTID)), countif(tostring(EventData.FilterRTID) == '')": "countif_,countif_1\n3,3\n",
		"windows_events | summarize sum(_Younger)":                                                                        "sum__Younger\n26\n",
		"windows_events | count": "Count\n9\n",
	} {
		parsed, found := syntax.Parse(question)
		p, more := bind.Bind(parsed, bind.Env{Now: event.FromTime(day), Tables: tables})
		if len(found)+len(more) > 0 {
			t.Fatal(question, found, more)
		}
		statement, err := duck.Emit(p)
		if err != nil {
			t.Fatal(err)
		}
		result, err := (&Question{plan: p, statement: statement}).Run(t.Context(), c)
		if err != nil {
			t.Fatalf("%s: %v", question, err)
		}
		var b strings.Builder
		if err := errors.Join(WriteCSV(&b, result.Rows), result.Close()); err != nil {
			t.Fatalf("%s: %v", question, err)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", question, diff)
		}
	}
}
