package lake

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"
)

func itoa(n int) string { return strconv.Itoa(n) }

const day = 24 * time.Hour

// at gives options with a clock that the test moves.
func at(now *time.Time) Options {
	o := testOptions()
	o.Now = func() time.Time { return *now }
	return o
}

func TestRetentionHoldsAndCases(t *testing.T) {
	dir := t.TempDir()
	now := testTime
	w := openTestWriter(t, dir, at(&now))
	importRows(t, w, "", 1, 10)
	importRows(t, w, "kept", 1, 20)
	importRows(t, w, "short", 1, 30)
	now = now.Add(3 * day)
	importRows(t, w, "", 1, 5)
	if e, err := w.Expire(t.Context()); err != nil || e.Rows != 0 {
		t.Fatalf("without retention: %+v %v", e, err)
	}
	ctx := t.Context()
	forever, one := int64(0), int64(1)
	steps := []error{
		w.SetRetention(ctx, "windows_events", 2),
		w.SetCaseRetention(ctx, "kept", &forever),
		w.SetCaseRetention(ctx, "short", &one),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	hold, err := w.AddHold(ctx, "windows_events", nil, "inquiry 7")
	if err != nil {
		t.Fatal(err)
	}
	if e, err := w.Expire(ctx); err != nil || e.ByTable["windows_events"] != 0 || e.Held != 2 {
		t.Fatalf("under a hold: %+v %v", e, err)
	}
	if err := w.RemoveHold(ctx, hold); err != nil {
		t.Fatal(err)
	}
	label := "short"
	hold, err = w.AddHold(ctx, "", &label, "inquiry 8")
	if err != nil {
		t.Fatal(err)
	}
	if e, err := w.Expire(ctx); err != nil || e.ByTable["windows_events"] != 10 {
		t.Fatalf("a hold on a case: %+v %v", e, err)
	}
	if err := w.RemoveHold(ctx, hold); err != nil {
		t.Fatal(err)
	}
	if e, err := w.Expire(ctx); err != nil || e.ByTable["windows_events"] != 30 {
		t.Fatalf("the case's own retention: %+v %v", e, err)
	}
	if n := count(t, dir, schema.WindowsEvents); n != 25 {
		t.Errorf("%d rows are left, want 25", n)
	}
	// Keys go with their rows, and only those.
	for _, c := range []struct {
		label string
		key   byte
		want  bool
	}{{"", 1, false}, {"kept", 2, true}, {"short", 3, false}, {"", 4, true}} {
		if _, ok, err := w.Key(ctx, c.label, KeyEVTX, [32]byte{1, c.key, 1}); err != nil || ok != c.want {
			t.Errorf("key %d of case %q: %v %v", c.key, c.label, ok, err)
		}
	}
	if n := count(t, dir, schema.WadiAudit); n != 9 { // 3 retentions, 4 holds, 2 expiries
		t.Errorf("wadi_audit has %d rows, want 9", n)
	}
	if err := w.SetRetention(ctx, "nosuch", 1); err == nil {
		t.Error("retention of an unknown table")
	}
	if err := w.SetCaseRetention(ctx, "nosuch", &one); err == nil {
		t.Error("retention of an unknown case")
	}
	if err := w.RemoveHold(ctx, 99); err == nil {
		t.Error("an unknown hold")
	}
}

func dataFiles(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "lake/default/windows_events/data/*/*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

func TestFilesGoBehindPinsAndADelay(t *testing.T) {
	dir := t.TempDir()
	now := testTime
	w := openTestWriter(t, dir, at(&now))
	importRows(t, w, "", 2, 10)
	now = now.Add(3 * day)
	reader, err := Open(t.Context(), dir, at(&now))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	r, err := reader.Pin(t.Context(), day)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetRetention(t.Context(), "windows_events", 1); err != nil {
		t.Fatal(err)
	}
	if e, err := w.Expire(t.Context()); err != nil || e.Rows != 20 {
		t.Fatal(e, err)
	}
	if n := dataFiles(t, dir); n != 2 {
		t.Fatalf("%d files right after expiry, want 2", n)
	}
	upkeep := func(step time.Duration) {
		t.Helper()
		now = now.Add(step)
		if err := w.Upkeep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	upkeep(deletionDelay + time.Minute) // the old snapshot isn't worth a commit, or goes now
	if _, err := w.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	upkeep(deletionDelay + time.Minute)
	if n := dataFiles(t, dir); n != 2 {
		t.Fatalf("%d files while a reader is pinned, want 2", n)
	}
	files, err := r.Table(schema.WindowsEvents)
	if err != nil || files.Rows != 20 {
		t.Fatal(files.Rows, err)
	}
	for _, f := range files.Files {
		if _, err := os.Stat(f.Path); err != nil {
			t.Error(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	upkeep(time.Second)
	if n := dataFiles(t, dir); n != 0 {
		t.Errorf("%d files are left, want 0", n)
	}
	verifyClean(t, dir)
}

func TestUpkeepKeepsMetadataSmall(t *testing.T) {
	dir := t.TempDir()
	now := testTime
	w := openTestWriter(t, dir, at(&now))
	for range 20 {
		importRows(t, w, "", 1, 1)
		now = now.Add(time.Minute)
	}
	now = now.Add(day)
	for range 2 {
		if err := w.Upkeep(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(day)
	}
	tables, err := w.store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	meta := tables["windows_events"].Meta
	list, err := meta.CurrentSnapshot().Manifests(w.store)
	if err != nil {
		t.Fatal(err)
	}
	if s := len(meta.Snapshots()); s > 2 || len(list) > store.MergeManifests {
		t.Errorf("%d snapshots, %d manifests", s, len(list))
	}
	if n := count(t, dir, schema.WindowsEvents); n != 20 {
		t.Errorf("%d rows, want 20", n)
	}
	files, err := os.ReadDir(filepath.Join(dir, "lake/default/windows_events/metadata"))
	if err != nil || len(files) > 2+3+store.MergeManifests {
		t.Errorf("%d metadata files, %v", len(files), err)
	}
	if v := verifyClean(t, dir); v.Orphans != 0 {
		t.Errorf("verify: %+v", v)
	}
}

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"missing":   os.Remove,
		"shortened": func(p string) error { return os.Truncate(p, 100) },
		"flipped": func(p string) error {
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			data[len(data)/2] ^= 1
			return os.WriteFile(p, data, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w := openTestWriter(t, dir, testOptions())
			importRows(t, w, "", 1, 10)
			files, err := filepath.Glob(filepath.Join(dir, "lake/default/windows_events/data/*/*.parquet"))
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			if err := damage(files[0]); err != nil {
				t.Fatal(err)
			}
			v, err := w.Verify(t.Context(), func(Fault) {})
			if err != nil || v.Faults == 0 {
				t.Errorf("%+v %v", v, err)
			}
		})
	}
	dir := t.TempDir()
	w := openTestWriter(t, dir, testOptions())
	importRows(t, w, "", 1, 10)
	if err := os.WriteFile(filepath.Join(dir, "lake/default/windows_events/data/stray"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := w.Verify(t.Context(), func(Fault) {}); err != nil || v.Faults != 0 || v.Orphans != 1 {
		t.Errorf("an orphan: %+v %v", v, err)
	}
}
