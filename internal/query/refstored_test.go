//go:build cgo

package query

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// storedTexts are values of stored texts; "" is one of its own beside null.
var storedTexts = []any{nil, nil, "", "a", "A", "foo bar", "Foo.Bar", "foo_bar", "straße", "-", "powershell -enc", "DC1", "dc1", "10.0.0.1", "3", "x3", `a\b`, "日本 語", "it's"}

// storedColumns are those that get random values; the others are null or fixed.
var storedColumns = []string{
	"Computer", "TargetUserName", "TargetDomainName", "SubjectUserName", "SubjectDomainName", "IpAddress", "CommandLine", "LogonType", "NewProcessName", "Provider", "Channel",
}

// storedViews are the tables that generated questions ask, with the columns they
// use: plain ones, cast ones and computed ones.
var storedViews = map[string][]gcol{
	"SecurityEvent": {
		{"TimeGenerated", "datetime"},
		{"EventID", "int"},
		{"Computer", "string"},
		{"Account", "string"},
		{"TargetUserName", "string"},
		{"IpAddress", "string"},
		{"CommandLine", "string"},
		{"LogonType", "int"},
		{"Process", "string"},
		{"AccountType", "string"},
		{"Level", "string"},
	},
	"windows_events": {
		{"TimeGenerated", "datetime"}, {"EventID", "int"}, {"Computer", "string"}, {"Level", "int"}, {"Keywords", "long"}, {"EventRecordId", "long"}, {"Channel", "string"}, {"TargetUserName", "string"},
	},
	"Event": {
		{"TimeGenerated", "datetime"}, {"EventID", "int"}, {"Computer", "string"}, {"Source", "string"}, {"EventLevel", "int"}, {"EventLevelName", "string"},
	},
}

// storedLake writes random events in several files and gives them as the
// interpreter reads them.
func storedLake(t *testing.T, r *rand.Rand) (*world, error) {
	dir := t.TempDir()
	w, err := lake.OpenWriter(t.Context(), dir, lake.Options{})
	if err != nil {
		return nil, err
	}
	log, err := w.BeginLog(t.Context(), lake.LogInfo{Door: "bulk"})
	if err != nil {
		return nil, err
	}
	source, err := log.AddSource(t.Context(), lake.SourceInfo{Kind: "evtx", Host: "dc01", File: "Security.evtx"})
	if err != nil {
		return nil, err
	}
	events := [][]any{}
	for range 4 {
		part, err := log.BeginPart(t.Context())
		if err != nil {
			return nil, err
		}
		made := randomEvents(r, part.IngestedAtUS, source, len(events))
		if err := storeEvents(t.Context(), part, made); err != nil {
			return nil, err
		}
		tally := lake.SourceTally{Source: source}
		tally.Received, tally.Stored = int64(len(made)), int64(len(made))
		if err := part.Commit(t.Context(), lake.PartResult{Sources: []lake.SourceTally{tally}}); err != nil {
			return nil, err
		}
		events = append(events, made...)
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	l, err := lake.Open(t.Context(), dir, lake.Options{})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = l.Close() })
	e, err := engine.Start(t.Context(), engine.Config{ReadDirs: []string{filepath.Clean(dir)}, TempDir: t.TempDir()})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = e.Close() })
	return &world{
		config: &Config{Lake: l, Engine: e, Now: empty.config.Now},
		tables: func(t *schema.Table) [][]any {
			if t == schema.WindowsEvents {
				return events
			}
			return nil
		},
	}, nil
}

// randomEvents makes rows in the order of the table's columns.
func randomEvents(r *rand.Rand, ingestedUS int64, source int32, before int) [][]any {
	table := schema.WindowsEvents
	times := []int64{day.UnixMicro(), day.UnixMicro() + 1, day.UnixMicro() + 3_600_000_000, day.UnixMicro() - 86_400_000_000, 0, -1, 253402300799999999, -62135596800000000}
	var rows [][]any
	for i := range 4 + r.IntN(12) {
		row := make([]any, len(table.Columns))
		set := func(name string, v any) { row[table.Index(name)] = v }
		one := func(values ...any) any { return values[r.IntN(len(values))] }
		if r.IntN(12) > 0 {
			set("TimeGenerated", times[r.IntN(len(times))])
			set("_TimeSub", one(int64(0), int64(0), int64(7), nil))
		}
		set("_IngestedAt", ingestedUS)
		set("_Source", int64(source))
		set("_Seq", int64(before+i+1))
		set("_Table", one("SecurityEvent", "SecurityEvent", "Event"))
		set("_SystemForm", int64(0))
		set("EventXml", "<EventData></EventData></Event>")
		set("EventID", one(int64(4624), int64(4625), int64(4688), int64(4776), int64(0), int64(-1), nil))
		set("Level", one(int64(0), int64(4), int64(2), nil))
		set("Keywords", one(int64(-9214364837600034816), int64(-9218868437227405312), int64(0), nil))
		set("EventRecordId", int64(before+i)*7919%1009) // no two are the same
		for _, name := range storedColumns {
			set(name, storedTexts[r.IntN(len(storedTexts))])
		}
		rows = append(rows, row)
	}
	return rows
}

func storeEvents(ctx context.Context, part *lake.Part, rows [][]any) error {
	table := schema.WindowsEvents
	out := datafile.NewRows(table)
	for _, row := range rows {
		out.Begin()
		for i, v := range row {
			switch v := v.(type) {
			case int64:
				out.Int(i, v)
			case string:
				out.String(i, v)
			}
		}
		out.End()
	}
	return part.Sorter(table).Add(ctx, out)
}

// TestReferenceStored compares over events in the lake: what is null there, what
// views compute, and which files are left out.
func TestReferenceStored(t *testing.T) {
	empty.get(t)
	r := rand.New(rand.NewPCG(7, 7))
	w, err := storedLake(t, r)
	if err != nil {
		t.Fatal(err)
	}
	agree(t, w, fastStoredSeeds, func(g *generator) *gquery {
		q := g.query()
		names := []string{"SecurityEvent", "SecurityEvent", "windows_events", "Event"}
		q.source, q.ops, q.lets = pickOf(g, names), nil, nil
		rel := &grel{cols: slices.Clone(storedViews[q.source])}
		g.unique = ""
		if q.source == "windows_events" && g.r.IntN(3) == 0 { // whole rows
			q.ops = append(q.ops, "summarize "+g.one("arg_max", "arg_min")+"(EventRecordId, *) by "+g.one("Computer", "EventID, Channel", "TimeGenerated"))
		}
		for range 1 + g.r.IntN(4) {
			if op := g.operator(q, rel); op != "" {
				q.ops = append(q.ops, op)
			}
		}
		var cols []string
		for _, c := range rel.cols {
			cols = append(cols, c.name)
		}
		q.last = "project " + strings.Join(cols, ", ")
		return q
	})
}
