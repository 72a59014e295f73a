package proof

import (
	"path/filepath"
	"testing"

	"github.com/wadi-project/wadi/internal/collect/bulk"
	"github.com/wadi-project/wadi/internal/lake"
)

// TestEachFileAddsUp imports the whole corpus and holds, for each file, that
// what was read is what was stored, known already or damaged.
func TestEachFileAddsUp(t *testing.T) {
	slow(t)
	dir := corpus(t)
	w, err := lake.OpenWriter(t.Context(), t.TempDir(), lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	paths := []string{filepath.Join(dir, "evtx"), filepath.Join(dir, "iis"), filepath.Join(dir, "sigma/regression")}
	got, err := bulk.Import(t.Context(), bulk.Config{Writer: w, Paths: paths})
	if err != nil {
		t.Fatal(err)
	}
	var sum bulk.Counts
	for _, f := range got.PerFile {
		if f.Read != f.Stored+f.Duplicate+f.Damaged {
			t.Errorf("%s: %+v does not add up", f.Name, f.Counts)
		}
		if f.Damaged > 0 && len(f.Findings) == 0 {
			t.Errorf("%s: %d damaged records and no reason", f.Name, f.Damaged)
		}
		sum.Read += f.Read
		sum.Stored += f.Stored
		sum.Duplicate += f.Duplicate
		sum.Damaged += f.Damaged
		sum.Partial += f.Partial
		sum.Lost += f.Lost
	}
	if sum != got.Counts || len(got.PerFile) != got.Files || got.Files < 300 {
		t.Errorf("%d files give %+v, the summary says %+v", len(got.PerFile), sum, got)
	}
}
