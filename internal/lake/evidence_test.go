package lake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go/table"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/evidence"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// findings checks the evidence of a lake and gives what is wrong.
func findings(t *testing.T, dir string, heads ...evidence.Kept) (Evidence, []Fault) {
	t.Helper()
	l, err := Open(t.Context(), dir, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	var found []Fault
	v, err := l.VerifyEvidence(t.Context(), heads, func(f Fault) {
		if !f.Orphan {
			found = append(found, f)
		}
	})
	if err = errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	if v.Faults != len(found) {
		t.Errorf("%d faults are counted, %d reported", v.Faults, len(found))
	}
	return v, found
}

// sound fails unless the evidence of a lake is whole.
func sound(t *testing.T, what, dir string) Evidence {
	t.Helper()
	v, found := findings(t, dir)
	for _, f := range found {
		t.Errorf("%s: %+v", what, f)
	}
	return v
}

// evidenceLake makes a lake of three imports with two files of windows_events that
// stay.
func evidenceLake(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	w, err := OpenWriter(t.Context(), dir, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	importRows(t, w, "", 1, 10)
	importRows(t, w, "red", 2, 20)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// filesOf gives the paths of a table's current files.
func filesOf(t *testing.T, dir string, table *schema.Table) []string {
	t.Helper()
	l, err := Open(t.Context(), dir, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	_, files := tableRows(t, l, table)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	slices.Sort(paths)
	return paths
}

// edit runs a statement in the state as somebody with an editor would.
func edit(t *testing.T, dir, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, folder.StateName))
	if err != nil {
		t.Fatal(err)
	}
	res, err := db.Exec(statement, args...)
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%s changed %d rows, %v", statement, n, err)
	}
}

func rewrite(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil { // the copy may be a link
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func flip(at int) func([]byte) []byte {
	return func(data []byte) []byte {
		if at < 0 {
			at += len(data)
		}
		data[at] ^= 1
		return data
	}
}

// TestTampering holds that each kind of change beside Wadi is found and named.
func TestTampering(t *testing.T) {
	whole := evidenceLake(t)
	before := sound(t, "before", whole)
	head, err := evidence.ParseHead(before.Head)
	if err != nil {
		t.Fatal(err)
	}
	kept := evidence.Kept{N: before.N, Head: head}
	if _, found := findings(t, whole, kept); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	// The second part of the second log has one row group.
	const held = "row group 1 (20 rows: source 3 _Seq 1001 to 1020)"
	for name, c := range map[string]struct {
		do   func(dir string, files []string)
		want []string // each in some finding
		held bool     // the finding names the row group of file 1
	}{
		"a flipped byte":               {func(_ string, files []string) { rewrite(t, files[1], flip(100)) }, []string{"its checksum isn't"}, true},
		"a flipped byte of the footer": {func(_ string, files []string) { rewrite(t, files[1], flip(-20)) }, []string{"its checksum isn't"}, true},
		"a flipped byte and its checksum": {func(dir string, files []string) {
			rewrite(t, files[1], flip(100))
			forgeSum(t, dir, files[1])
		}, []string{"its content isn't what the chain knows"}, true},
		"a file removed": {func(_ string, files []string) {
			if err := os.Remove(files[1]); err != nil {
				t.Fatal(err)
			}
		}, []string{"it is missing"}, true},
		"a file cut off": {func(_ string, files []string) { rewrite(t, files[1], func(b []byte) []byte { return b[:len(b)/2] }) }, []string{"bytes, the metadata says"}, true},
		"two files swapped": {func(_ string, files []string) {
			a, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			rewrite(t, files[0], func([]byte) []byte { b, _ := os.ReadFile(files[1]); return b })
			rewrite(t, files[1], func([]byte) []byte { return a })
		}, []string{" _Seq 1 to"}, true},
		"the state's checksum": {func(dir string, files []string) {
			edit(t, dir, "UPDATE files SET sha256 = ? WHERE path LIKE ?", make([]byte, 32), "%"+filepath.Base(files[1]))
		}, []string{"its checksum isn't the one"}, false},
		"an entry edited": {func(dir string, _ []string) {
			edit(t, dir, `UPDATE evidence SET body = replace(CAST(body AS TEXT), '"rows":10', '"rows":11') WHERE n = 2`)
		}, []string{"entry 2 of the chain: it was changed"}, false},
		"an entry removed": {func(dir string, _ []string) { edit(t, dir, "DELETE FROM evidence WHERE n = 3") }, []string{"entry 4 of the chain: entry 3 before it is missing"}, false},
		"entries swapped": {func(dir string, _ []string) {
			edit(t, dir, "UPDATE evidence SET n = 30 WHERE n = 2")
			edit(t, dir, "UPDATE evidence SET n = 2 WHERE n = 3")
			edit(t, dir, "UPDATE evidence SET n = 3 WHERE n = 30")
		}, []string{"it says that it is entry 3"}, false},
		"the chain's end cut off":   {func(dir string, _ []string) { edit(t, dir, "DELETE FROM evidence WHERE n = 4") }, []string{"which ends with 3", "kept elsewhere", "no entry of the chain brought it"}, false},
		"the chain's beginning cut": {func(dir string, _ []string) { edit(t, dir, "DELETE FROM evidence WHERE n = 1") }, []string{"what was before it is missing"}, false},
		"the whole chain removed":   {func(dir string, _ []string) { edit(t, dir, "DELETE FROM evidence") }, []string{"there is no chain of evidence"}, false},
		"the chain written anew": {func(dir string, files []string) {
			rewrite(t, files[1], flip(100))
			forgeSum(t, dir, files[1])
			forgeChain(t, dir, files[1])
		}, []string{"the table knows another entry 4", "kept elsewhere"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyTree(t, whole)
			files := filesOf(t, dir, schema.WindowsEvents)
			slices.SortFunc(files, func(a, b string) int { return strings.Index(a, "_2_0_v") - strings.Index(b, "_2_0_v") })
			files = []string{files[0], files[2]}
			c.do(dir, files)
			_, found := findings(t, dir, kept)
			text := fmt.Sprintf("%+v", found)
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in %s", want, text)
				}
			}
			named := slices.ContainsFunc(found, func(f Fault) bool {
				return f.Path == files[1] && f.Day == "2026-11-25" && f.Table == "windows_events" && slices.Equal(f.Held, []string{held})
			})
			if c.held && !named {
				t.Errorf("no finding names %s and what it held: %s", filepath.Base(files[1]), text)
			}
			if len(found) > 6 {
				t.Errorf("one change has %d findings: %s", len(found), text)
			}
		})
	}
}

// forgeSum makes the state's checksum that of the file.
func forgeSum(t *testing.T, dir, path string) {
	t.Helper()
	sum := sumOf(t, path)
	edit(t, dir, "UPDATE files SET sha256 = ? WHERE path LIKE ?", sum[:], "%"+filepath.Base(path))
}

// forgeChain writes the whole chain anew so that it knows a file as it is now.
func forgeChain(t *testing.T, dir, path string) {
	t.Helper()
	sum := sumOf(t, path)
	s, err := catalog.OpenState(t.Context(), filepath.Join(dir, folder.StateName), catalog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var rows []catalog.EvidenceRow
	err = s.Evidence(t.Context(), func(r catalog.EvidenceRow) error { rows = append(rows, r); return nil })
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	var prev evidence.Head
	for _, row := range rows {
		var e evidence.Entry
		if err := json.Unmarshal(row.Body, &e); err != nil {
			t.Fatal(err)
		}
		for i := range e.Added {
			if f := &e.Added[i]; strings.HasSuffix(path, f.Path) {
				f.SHA256, f.Groups = fmt.Sprintf("%x", sum), nil
			}
		}
		body, head, err := evidence.Seal(&e, prev)
		if err != nil {
			t.Fatal(err)
		}
		edit(t, dir, "UPDATE evidence SET body = ?, head = ? WHERE n = ?", body, head[:], row.N)
		prev = head
	}
}

func sumOf(t *testing.T, path string) [32]byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha(data)
}

// TestForgedLedger replaces rows of the ledger by others with Wadi's own means, but
// without an entry: as a person would who knows the lake.
func TestForgedLedger(t *testing.T) {
	dir := evidenceLake(t)
	w := openTestWriter(t, dir, testOptions())
	ctx := t.Context()
	_, files := tableRows(t, w.Lake, schema.Ledger)
	old := files[0]
	j := job{w: w, id: w.mark.UUID + "/999", us: testTime.UnixMicro()}
	r := replacement{table: schema.Ledger, old: []store.DataFile{old}, us: testTime.UnixMicro(), write: func(out datafile.Output) ([]datafile.File, error) {
		return forgedLedger(ctx, t, w, old, out)
	}}
	if err := j.prepare(ctx, table.OpOverwrite, []replacement{r}); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Commit(ctx, testTime, j.changes); err != nil {
		t.Fatal(err)
	}
	if err := w.state.FinishPart(ctx, catalog.PartRow{ID: j.id, Files: j.row.Files, Gone: j.row.Gone}); err != nil {
		t.Fatal(err)
	}
	_, found := findings(t, dir)
	text := fmt.Sprintf("%+v", found)
	for _, want := range []string{"it left the table without an entry", "no entry of the chain brought it", "aren't those of its commit", filepath.Base(old.Path)} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	if len(found) != 3 {
		t.Errorf("%s", text)
	}
	// A compaction afterwards doesn't wash it.
	if _, err := w.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	_, found = findings(t, dir)
	if text := fmt.Sprintf("%+v", found); !strings.Contains(text, "which no entry brought in") || !strings.Contains(text, "aren't those of its commit") {
		t.Errorf("after a compaction: %s", text)
	}
}

// forgedLedger writes a file of the ledger again with one record less received.
func forgedLedger(ctx context.Context, t *testing.T, w *Writer, old store.DataFile, out datafile.Output) ([]datafile.File, error) {
	s := datafile.NewSorter(datafile.SorterConfig{Table: schema.Ledger, TempDir: w.TempDir(), Workers: 1})
	defer func() { _ = s.Close() }()
	b := datafile.NewRows(schema.Ledger)
	err := datafile.Read(ctx, datafile.Input{Path: old.Path}, schema.Ledger, nil, datafile.Filter{}, func(row datafile.Row) error {
		b.Begin()
		for i := range schema.Ledger.Columns {
			c := &schema.Ledger.Columns[i]
			if row.Null(i) {
				continue
			}
			if c.Disk == schema.DiskString {
				b.Bytes(i, row.Bytes(i))
				continue
			}
			v, _ := row.Int(i)
			if c.Name == "Received" || c.Name == "Duplicate" {
				v--
			}
			b.Int(i, v)
		}
		b.End()
		return nil
	})
	if err = errors.Join(err, b.Err()); err == nil {
		err = s.Add(ctx, b)
	}
	if err != nil {
		return nil, err
	}
	return s.Finish(ctx, out)
}

// TestEvidenceOfEverything takes a lake through all that changes its files: the chain
// knows it, and a restored lake begins a new one that names the old.
func TestEvidenceOfEverything(t *testing.T) {
	dir := t.TempDir()
	now := testTime
	o := testOptions()
	o.Now = func() time.Time { return now }
	w := openTestWriter(t, dir, o)
	ctx := t.Context()
	sound(t, "empty", dir)
	probe := custom(t, "Probe_CL", "client:int")
	steps := []struct {
		name string
		do   func() error
	}{
		{"imports", func() error { importRows(t, w, "", 3, 10); importRows(t, w, "red", 2, 10); return nil }},
		{"a table", func() error { return w.CreateTable(ctx, probe) }},
		{"rows of it", func() error { addRows(t, w, "", map[*schema.Table]int{probe: 4}); return nil }},
		{"a column", func() error { _, err := w.AlterTable(ctx, "Probe_CL", "x:int"); return err }},
		{"compaction", func() error { _, err := w.Compact(ctx); return err }},
		{"deletion", func() error {
			d, err := w.Delete(ctx, schema.WindowsEvents, func(_ int32, seq int64) bool { return seq%2 == 0 }, "even")
			if d.Rows == 0 {
				err = errors.Join(err, errors.New("nothing was deleted"))
			}
			return err
		}},
		{"upkeep", func() error { now = now.Add(time.Hour); importRows(t, w, "", 6, 5); return w.Upkeep(ctx) }},
		{"a retention", func() error {
			return errors.Join(w.SetRetention(ctx, "windows_events", 5), w.SetRetention(ctx, "ledger", 5))
		}},
		{"expiry", func() error {
			now = now.AddDate(0, 0, 40)
			e, err := w.Expire(ctx)
			if e.ByTable["ledger"] == 0 || e.ByTable["windows_events"] == 0 {
				err = errors.Join(err, fmt.Errorf("%+v", e))
			}
			return err
		}},
		{"another import", func() error { importRows(t, w, "", 1, 7); return nil }},
		{"relocation", func() error { _, _, err := w.Relocate(ctx); return err }},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		sound(t, s.name, dir)
	}
	before := sound(t, "before the backup", dir)
	saved, restored := filepath.Join(t.TempDir(), "saved"), filepath.Join(t.TempDir(), "restored")
	if _, err := w.Backup(ctx, saved); err != nil {
		t.Fatal(err)
	}
	if v := sound(t, "the backup", saved); v.Head != before.Head || v.Chain != before.Chain {
		t.Errorf("the backup has another chain: %+v", v)
	}
	if _, err := Restore(ctx, saved, restored, o); err != nil {
		t.Fatal(err)
	}
	v := sound(t, "the restored lake", restored)
	if v.Chain == before.Chain || v.N != before.N+3 || v.Entries != before.Entries+3 { // relocation, beginning, restoration
		t.Errorf("restored %+v, before %+v", v, before)
	}
	head, err := evidence.ParseHead(before.Head)
	if err != nil {
		t.Fatal(err)
	}
	if _, found := findings(t, restored, evidence.Kept{N: before.N, Head: head}); len(found) > 0 {
		t.Errorf("the old head isn't known: %+v", found)
	}
}

// TestEvidenceOfADeadProcess holds that a process that died between the commit and
// the state leaves evidence that is whole, before and after the next one settles it.
func TestEvidenceOfADeadProcess(t *testing.T) {
	dir := t.TempDir()
	o := testOptions()
	dead := false
	o.fault = func(op string) error {
		if dead && strings.HasPrefix(op, "finish part") {
			return errFault
		}
		return nil
	}
	w, err := OpenWriter(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	g := importRows(t, w, "", 2, 10)
	p, res := fillPart(t, g, 10)
	dead = true
	if err := p.Commit(t.Context(), res); err == nil {
		t.Fatal("the fault was not hit")
	}
	left := copyTree(t, dir)
	_ = w.Close() // it is broken
	before := sound(t, "as it was left", left)
	w = openTestWriter(t, left, testOptions())
	if v := sound(t, "settled", left); v.Head != before.Head || v.N != before.N {
		t.Errorf("settled %+v, before %+v", v, before)
	}
	importRows(t, w, "", 1, 3)
	sound(t, "after another import", left)
}

// TestEvidenceWithoutState begins a new chain where the state was lost, behind the
// entry that the tables know.
func TestEvidenceWithoutState(t *testing.T) {
	dir := evidenceLake(t)
	before := sound(t, "before", dir)
	for _, name := range []string{folder.StateName, folder.StateName + "-wal", folder.StateName + "-shm"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, found := findings(t, dir); len(found) != 1 || !strings.Contains(found[0].Reason, "there is no chain") {
		t.Errorf("%+v", found)
	}
	w := openTestWriter(t, dir, testOptions())
	v := sound(t, "without state", dir)
	if v.N != before.N+1 || v.Unproven == 0 || v.Chain == before.Chain {
		t.Errorf("%+v, before %+v", v, before)
	}
	importRows(t, w, "", 1, 3)
	sound(t, "after an import", dir)
}

// TestEvidenceOfAnOlderLake begins a chain with the checksums that the state has.
func TestEvidenceOfAnOlderLake(t *testing.T) {
	archive := filepath.Join("..", "..", "testdata", "backcompat", "lake-1.tar.gz")
	dir := unpack(t, archive)
	w := openTestWriter(t, dir, testOptions())
	if v := sound(t, "opened", dir); v.Unproven != 0 || v.Entries != 1 {
		t.Errorf("%+v", v)
	}
	importRows(t, w, "", 1, 3)
	sound(t, "after an import", dir)
	files := filesOf(t, dir, schema.W3CIIS)
	rewrite(t, files[0], flip(50))
	if _, found := findings(t, dir); len(found) != 1 || found[0].Path != files[0] || found[0].Day == "" {
		t.Errorf("%+v", found)
	}
}

// TestRowGroupsOfEvidence holds that of many row groups the changed one is named.
func TestRowGroupsOfEvidence(t *testing.T) {
	file := evidence.File{}
	data := bytes.Repeat([]byte("0123456789"), 10)
	for i := range 4 {
		at := int64(4 + i*20)
		file.Groups = append(file.Groups, evidence.Group{Offset: at, Bytes: 20, CRC: crcOf(data[at : at+20])})
	}
	path := filepath.Join(t.TempDir(), "f")
	v := evidenceCheck{lake: &Lake{opts: testOptions().withDefaults()}}
	for at, want := range map[int][]int{4: {0}, 23: {0}, 24: {1}, 83: {3}, 90: nil, 0: nil} {
		changed := bytes.Clone(data)
		changed[at] ^= 1
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := v.changedGroups(path, &file); !slices.Equal(got, want) {
			t.Errorf("byte %d: row groups %v, want %v", at, got, want)
		}
	}
}

func sha(data []byte) [32]byte { return sha256.Sum256(data) }

func crcOf(data []byte) uint32 { return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) }
