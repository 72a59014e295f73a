package catalog

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func openTestState(t *testing.T) *State {
	t.Helper()
	s, err := OpenState(t.Context(), filepath.Join(t.TempDir(), "100% state?#ü.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSwapIsAllOrNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	p, err := OpenPointers(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx := t.Context()
	if err := p.Swap(ctx, []Move{{Table: "a", To: "a1"}, {Table: "b", To: "b1"}}); err != nil {
		t.Fatal(err)
	}
	for name, moves := range map[string][]Move{
		"one is elsewhere": {{Table: "a", From: "a1", To: "a2"}, {Table: "b", From: "b0", To: "b2"}},
		"one exists":       {{Table: "a", From: "a1", To: "a2"}, {Table: "b", To: "b2"}},
		"one is missing":   {{Table: "a", From: "a1", To: "a2"}, {Table: "c", From: "c1", To: "c2"}},
	} {
		if err := p.Swap(ctx, moves); !errors.Is(err, ErrMoved) {
			t.Errorf("%s: %v", name, err)
		}
	}
	all, err := p.All(ctx)
	if diff := cmp.Diff(map[string]string{"a": "a1", "b": "b1"}, all); diff != "" || err != nil {
		t.Errorf("pointers (-want +got):\n%s%v", diff, err)
	}
	reader, err := OpenPointers(ctx, path, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.Swap(ctx, []Move{{Table: "a", From: "a1", To: "a2"}}); err == nil {
		t.Error("a reader changes the catalog")
	}
}

func TestAPartIsAppliedOnceOrNotAtAll(t *testing.T) {
	s := openTestState(t)
	ctx := t.Context()
	log, err := s.AddLog(ctx, "log-1", LogInfo{Door: "bulk", Case: "red"})
	if err != nil || log.CaseID == 0 {
		t.Fatal(log, err)
	}
	hold := Hold{ID: 7, Table: "windows_events", Reason: "r", SinceUS: 5}
	p := PartRow{
		ID: "log-1/1", Log: log.N, Prepared: true, Number: 1, US: 1000, CaseID: log.CaseID, Tables: []string{"windows_events"},
		Files:   []PartFile{{Path: "windows_events/data/x.parquet", CaseID: log.CaseID, SHA256: [32]byte{1}}},
		Sources: []int32{1, 2}, NextRow: 9,
		Keys: []KeyEntry{
			{KeyEVTX, [32]byte{3}, KeyValue{Count: 4, Prefix: [32]byte{5}, Source: 1, FirstSeq: 6}, 0},
			{KeyText, [32]byte{3}, KeyValue{Count: 1 << 40, Source: 2, FirstSeq: 1 << 50}, 1 << 51},
		},
		Changes: []Change{{AddHold: &hold}, {Table: &TableDays{"windows_events", 30}}},
	}
	if err := errors.Join(s.BeginPart(ctx, p.ID, p.Log), s.PreparePart(ctx, p)); err != nil {
		t.Fatal(err)
	}
	parts, err := s.Parts(ctx)
	if err != nil || len(parts) != 1 {
		t.Fatal(parts, err)
	}
	if diff := cmp.Diff(p, parts[0]); diff != "" {
		t.Errorf("a part isn't read as it was written (-want +got):\n%s", diff)
	}
	if _, ok, err := s.Key(ctx, log.CaseID, KeyEVTX, [32]byte{3}); ok || err != nil {
		t.Errorf("a prepared key is known: %v", err)
	}
	for range 2 { // settled twice: once by a process that died then
		if err := s.FinishPart(ctx, parts[0]); err != nil {
			t.Fatal(err)
		}
	}
	if v, ok, err := s.Key(ctx, log.CaseID, KeyText, [32]byte{3}); err != nil || !ok || v != p.Keys[1].KeyValue {
		t.Errorf("key: %+v %v %v", v, ok, err)
	}
	if n, err := s.NextSource(ctx); n != 3 || err != nil {
		t.Errorf("next source %d, %v", n, err)
	}
	if n, err := s.NextRow(ctx); n != 9 || err != nil {
		t.Errorf("next row %d, %v", n, err)
	}
	holds, err := s.Holds(ctx)
	if diff := cmp.Diff([]Hold{hold}, holds); diff != "" || err != nil {
		t.Errorf("holds (-want +got):\n%s%v", diff, err)
	}
	cases, err := s.SourceCases(ctx)
	if diff := cmp.Diff(map[int32]int64{1: log.CaseID, 2: log.CaseID}, cases); diff != "" || err != nil {
		t.Errorf("cases (-want +got):\n%s%v", diff, err)
	}
	if parts, err := s.Parts(ctx); err != nil || len(parts) != 0 {
		t.Errorf("parts are left: %v %v", parts, err)
	}
}

func TestKeysGoWithTheirRows(t *testing.T) {
	s := openTestState(t)
	ctx := t.Context()
	p := PartRow{ID: "x/1"}
	for i := range 4 {
		p.US, p.Keys = int64(i*100), []KeyEntry{{Kind: KeyEVTX, Key: [32]byte{byte(i)}}}
		if err := s.FinishPart(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	n, err := s.DropKeys(ctx, []KeyCut{{Kind: KeyEVTX, BeforeUS: 300}, {Kind: KeyText, BeforeUS: 1000}, {CaseID: 5, Kind: KeyEVTX, BeforeUS: 1000}}, []Span{{Lo: 50, Hi: 100}, {CaseID: 1, Lo: 0, Hi: 1000}})
	if n != 2 || err != nil { // 0 and 200; 100 has rows, 300 isn't due
		t.Errorf("%d keys dropped, %v", n, err)
	}
	for i, want := range []bool{false, true, false, true} {
		if _, ok, err := s.Key(ctx, 0, KeyEVTX, [32]byte{byte(i)}); ok != want || err != nil {
			t.Errorf("key %d: %v %v", i, ok, err)
		}
	}
}

func TestANewerStateIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := OpenState(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.sql.ExecContext(t.Context(), "UPDATE meta SET value = 99 WHERE key = 'format'"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, ro := range []bool{false, true} {
		if _, err := OpenState(t.Context(), path, Options{ReadOnly: ro}); err == nil {
			t.Errorf("read-only %v: a state of format 99 opens", ro)
		}
	}
}

func TestReadersSeeCommitsAndTidyUp(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "catalog.db")
	p, err := OpenPointers(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := OpenPointers(t.Context(), path, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Swap(t.Context(), []Move{{Table: "a", To: "a1"}}); err != nil {
		t.Fatal(err)
	}
	if all, err := r.All(t.Context()); err != nil || all["a"] != "a1" {
		t.Errorf("a reader sees %v, %v", all, err)
	}
	// A copy is read where SQLite can't work in place.
	c, err := openCopy(t.Context(), path, Options{TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if all, err := (&Pointers{c}).All(t.Context()); err != nil || all["a"] != "a1" {
		t.Errorf("a copy holds %v, %v", all, err)
	}
	if err := errors.Join(c.close(), p.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Errorf("%v is left, %v", names, err)
	}
}

func TestFaultsLeaveTheStateAsItWas(t *testing.T) {
	fail := ""
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := OpenState(t.Context(), path, Options{Fault: func(op string) error {
		if op == fail {
			return errors.New("fault")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, fail = range []string{"add log", "add log commit"} {
		if _, err := s.AddLog(t.Context(), "u", LogInfo{Case: "c"}); err == nil {
			t.Errorf("%s: no error", fail)
		}
	}
	fail = ""
	if _, ok, err := s.CaseID(t.Context(), "c"); ok || err != nil {
		t.Errorf("a case is left: %v %v", ok, err)
	}
}
