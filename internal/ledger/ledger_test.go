package ledger

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// write finishes a sorter into one file.
func write(t *testing.T, dir string, table *schema.Table, fill func(*datafile.Sorter) error) datafile.Input {
	t.Helper()
	s := datafile.NewSorter(datafile.SorterConfig{Table: table, TempDir: dir})
	defer s.Close()
	if err := fill(s); err != nil {
		t.Fatal(err)
	}
	files, err := s.Finish(t.Context(), datafile.Output{Create: func(int) (io.WriteCloser, string, error) {
		path := filepath.Join(dir, table.Name+".parquet")
		f, err := os.Create(path)
		return f, path, err
	}})
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	return datafile.Input{Path: files[0].Path, SizeBytes: files[0].SizeBytes}
}

func TestAccountsAddUpWhatPartsWrote(t *testing.T) {
	dir := t.TempDir()
	p := Part{Log: "log", Door: "stream", Case: "red", Number: 3, IngestedAtUS: 1_000_000, FirstSeq: 10}
	src := Source{7, catalog.SourceInfo{Kind: "evtx", Host: "dc1", File: "Security.evtx"}}
	sources := write(t, dir, schema.Sources, func(s *datafile.Sorter) error { return p.AddSources(t.Context(), s, []Source{src}) })
	at, later := event.FromUnixMicros(5), event.FromUnixMicros(6)
	entries := write(t, dir, schema.Ledger, func(s *datafile.Sorter) error {
		return p.AddTallies(t.Context(), s, []catalog.SourceTally{
			{Source: 7, Channel: "Security", Received: 10, Stored: 6, Duplicate: 2, Filtered: 1, Damaged: 1, Partial: 3, Lost: 4, FirstTime: at, LastTime: at, Losses: []string{"chunk 3: torn"}},
			{Source: 7, Channel: "System", Received: 1, Duplicate: 1},
			{Source: 8, Received: 2, Stored: 2, Late: 1, FirstTime: at, LastTime: at, SkewMin: -7, SkewMax: 9},
			{Source: 8, Received: 1, Stored: 1, Late: 1, FirstTime: later, LastTime: later, SkewMin: 3, SkewMax: 30},
			{Source: 8, Target: "siem", Delivered: 3},
		})
	})
	if p.FirstSeq != 16 {
		t.Errorf("the next row is %d, want 16", p.FirstSeq)
	}
	got, err := Accounts(t.Context(), []datafile.Input{sources}, []datafile.Input{entries})
	security := catalog.SourceTally{
		Source: 7, Channel: "Security", Received: 10, Stored: 6, Duplicate: 2, Filtered: 1, Damaged: 1, Partial: 3, Lost: 4,
		FirstTime: at, LastTime: at, Losses: []string{"chunk 3: torn"},
	}
	sum := security
	sum.Channel, sum.Received, sum.Duplicate = "", 11, 3
	eight := catalog.SourceTally{Source: 8, Received: 3, Stored: 3, Late: 2, FirstTime: at, LastTime: later, SkewMin: -7, SkewMax: 30}
	want := []Account{
		{
			Source: src, Log: "log", Door: "stream", Case: "red", At: event.FromUnixMicros(1_000_000), SourceTally: sum,
			Channels: []catalog.SourceTally{security, {Source: 7, Channel: "System", Received: 1, Duplicate: 1}},
		},
		{
			Source: Source{ID: 8}, SourceTally: eight, Channels: []catalog.SourceTally{eight},
			Targets: []catalog.SourceTally{{Source: 8, Target: "siem", Delivered: 3}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("accounts (-want +got):\n%s%v", diff, err)
	}
}

func TestATallyThatDoesNotAddUpIsRefused(t *testing.T) {
	p := Part{Log: "log", IngestedAtUS: 1}
	s := datafile.NewSorter(datafile.SorterConfig{Table: schema.Ledger})
	defer s.Close()
	for _, wrong := range []catalog.SourceTally{
		{Source: 1, Received: 3, Stored: 1, Duplicate: 1},
		{Source: 1, Received: 3, Stored: 3, Late: 4},
		{Source: 1, Received: 3, Stored: 3, Delivered: 3},
		{Source: 1, Received: 3, Stored: 3, Delivered: 3, Target: "siem"},
	} {
		if err := p.AddTallies(t.Context(), s, []catalog.SourceTally{wrong}); err == nil {
			t.Errorf("a ledger that is wrong is written: %+v", wrong)
		}
	}
}

func TestActionsKeepTheirDetail(t *testing.T) {
	dir := t.TempDir()
	p := Part{Log: "lake", Number: 5, IngestedAtUS: 1, FirstSeq: 5}
	in := write(t, dir, schema.WadiAudit, func(s *datafile.Sorter) error {
		return p.AddAction(t.Context(), s, Action{Actor: "ann", Action: "expire", Detail: map[string]any{"rows": 3}})
	})
	rows := 0
	err := datafile.Read(t.Context(), in, schema.WadiAudit, nil, datafile.Filter{}, func(r datafile.Row) error {
		rows++
		if d := string(r.Bytes(schema.WadiAudit.Index("Detail"))); d != `{"rows":3}` {
			t.Errorf("detail %s", d)
		}
		return nil
	})
	if rows != 1 || err != nil {
		t.Errorf("%d rows, %v", rows, err)
	}
}
