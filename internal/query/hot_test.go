//go:build cgo

package query

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// hotLake adds rows of a stream to a lake, as hot rows and then committed, and asks in
// between.
func hotLake(t *testing.T, dir string, ask func(state string)) {
	t.Helper()
	ctx := t.Context()
	w, err := lake.OpenWriter(ctx, dir, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := w.OpenLog(ctx, "8f4e0c1a-5d1b-4b57-9a34-0f6f8f4d2b11", lake.LogInfo{Door: "stream"})
	if err != nil {
		t.Fatal(err)
	}
	source, err := g.AddSource(ctx, lake.SourceInfo{Kind: "ingest", Subscription: "probe"})
	if err != nil {
		t.Fatal(err)
	}
	table := schema.WindowsEvents
	part, err := g.BeginPart(ctx)
	if err != nil {
		t.Fatal(err)
	}
	at := table.Index
	for i := range int64(3) {
		rows := datafile.NewRows(table)
		for k := range 4 {
			us, sub := event.FromTime(day.Add(700)).UnixMicros()
			rows.BeginNumbered()
			rows.Int(at("TimeGenerated"), us+i*1000+int64(k))
			rows.Int(at("_TimeSub"), int64(sub))
			rows.String(at("_Table"), "SecurityEvent")
			rows.Int(at("_SystemForm"), 0)
			rows.String(at("EventXml"), fmt.Sprintf("<EventData>%d</EventData></Event>", k))
			rows.String(at("Channel"), "Security")
			rows.Int(at("EventID"), 4688)
			rows.String(at("TargetUserName"), fmt.Sprintf("hot%d", k))
			rows.End()
		}
		rows.Number(source, i*4+1, part.IngestedAtUS)
		if err := errors.Join(g.WriteHot(ctx, table, []*datafile.Rows{rows}, i, i+1), part.Sorter(table).Add(ctx, rows)); err != nil {
			t.Fatal(err)
		}
	}
	ask("hot")
	if err := part.Commit(ctx, lake.PartResult{Positions: map[*schema.Table]int64{table: 3}}); err != nil {
		t.Fatal(err)
	}
	ask("committed, hot files there")
	if err := w.RetireHot(table, 3); err != nil {
		t.Fatal(err)
	}
	ask("committed")
	if err := errors.Join(g.Drained(), w.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestHotRows asks for rows that aren't committed yet, by the worker as it is in use:
// the answers are those after the commit.
func TestHotRows(t *testing.T) {
	dir := t.TempDir()
	c := testLake(t, dir, 3)
	hotLake(t, dir, func(state string) {
		for question, want := range map[string]string{
			"windows_events | count":                        "Count\n42\n",
			"SecurityEvent | where EventID == 4688 | count": "Count\n12\n",
			"windows_events | where EventID == 4688 | summarize n = count(), seqs = dcount(_Seq), least = min(_Seq), most = max(_Seq)":                "n,seqs,least,most\n12,12,1,12\n",
			"windows_events | where TargetUserName has 'hot3' | project _Seq, EventXml | sort by _Seq asc":                                            "_Seq,EventXml\n4,<EventData>3</EventData></Event>\n8,<EventData>3</EventData></Event>\n12,<EventData>3</EventData></Event>\n",
			"windows_events | where EventID == 4688 and _Case == '' | count":                                                                          "Count\n12\n",
			"windows_events | where EventID == 4688 and _SourceFile == '' | count":                                                                    "Count\n12\n",
			"windows_events | where TimeGenerated between (datetime(2026-03-01) .. 1m) | summarize count() by EventID | sort by EventID asc | take 3": "EventID,count_\n4624,1\n4688,12\n",
			"windows_events | summarize arg_max(TimeGenerated, *) by TargetUserName | where TargetUserName == 'hot2' | project EventXml, EventID":     "EventXml,EventID\n<EventData>2</EventData></Event>,4688\n",
		} {
			if diff := cmp.Diff(want, ask(t, c, question)); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", state, question, diff)
			}
		}
	})
}
