package lake

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// columnSum is what both readers say of a column. Hash is the sum of the first 8
// bytes of each value's SHA-256, so that order doesn't matter.
type columnSum struct {
	Rows, Nulls int64
	Min, Max    string
	Hash        string
}

// pyicebergScript reads every table of a lake through its catalog and prints the
// sums of every column. Values are compared as text: numbers and times (µs) in
// decimal, doubles by their bits.
const pyicebergScript = `
import hashlib, json, struct, sys
import pyarrow as pa, pyarrow.compute as pc
from pyiceberg.catalog.sql import SqlCatalog
catalog = SqlCatalog("wadi", uri="sqlite:///" + sys.argv[1] + "/catalog.db")
out = {}
for name in catalog.list_tables("default"):
    rows = catalog.load_table(name).scan().to_arrow()
    sums = out[name[-1]] = {}
    for field in rows.schema:
        c = rows.column(field.name)
        nulls = c.null_count
        if pa.types.is_timestamp(field.type):
            c = c.cast(pa.int64())
        values = [v for v in c.to_pylist() if v is not None]
        def text(v):
            if isinstance(v, bool):
                return "true" if v else "false"
            if isinstance(v, float):
                return struct.pack(">d", v).hex()
            return v if isinstance(v, str) else str(v)
        def key(v):
            return v.encode() if isinstance(v, str) else v
        total = 0
        for v in values:
            total += struct.unpack("<Q", hashlib.sha256(text(v).encode()).digest()[:8])[0]
        sums[field.name] = {
            "Rows": rows.num_rows, "Nulls": nulls, "Hash": str(total % 2**64),
            "Min": text(min(values, key=key)) if values else "", "Max": text(max(values, key=key)) if values else "",
        }
json.dump(out, sys.stdout)
`

// summer sums one column as Wadi reads it.
type summer struct {
	rows, values int64
	hash         uint64
	lo, hi       string
	loN, hiN     int64
	loF, hiF     float64
}

func (s *summer) add(disk schema.Disk, row datafile.Row, c int) {
	s.rows++
	if row.Null(c) {
		return
	}
	first := s.values == 0
	s.values++
	text := ""
	switch disk {
	case schema.DiskString:
		text = string(row.Bytes(c))
		if first || text < s.lo {
			s.lo = text
		}
		if first || text > s.hi {
			s.hi = text
		}
	case schema.DiskDouble:
		v, _ := row.Real(c)
		text = doubleText(v)
		if first || v < s.loF {
			s.loF, s.lo = v, text
		}
		if first || v > s.hiF {
			s.hiF, s.hi = v, text
		}
	default:
		v, _ := row.Int(c)
		text = strconv.FormatInt(v, 10)
		if disk == schema.DiskBoolean {
			text = strconv.FormatBool(v != 0)
		}
		if first || v < s.loN {
			s.loN, s.lo = v, text
		}
		if first || v > s.hiN {
			s.hiN, s.hi = v, text
		}
	}
	sum := sha256.Sum256([]byte(text))
	s.hash += binary.LittleEndian.Uint64(sum[:8])
}

func doubleText(v float64) string {
	bits := binary.BigEndian.AppendUint64(nil, math.Float64bits(v))
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 16)
	for _, b := range bits {
		out = append(out, digits[b>>4], digits[b&15])
	}
	return string(out)
}

// wadiSums sums every column of a table; columns without any value too.
func wadiSums(t *testing.T, w *Writer, table *schema.Table) map[string]columnSum {
	t.Helper()
	r, err := w.Pin(t.Context(), folder.LongestDeadline)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	files, err := r.Table(table)
	if err != nil {
		t.Fatal(err)
	}
	sums := make([]summer, len(table.Columns))
	for _, f := range files.Files {
		err := datafile.Read(t.Context(), datafile.Input{Path: f.Path}, table, nil, datafile.Filter{}, func(row datafile.Row) error {
			for c := range table.Columns {
				sums[c].add(table.Columns[c].Disk, row, c)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	out := map[string]columnSum{}
	for c := range table.Columns {
		s := &sums[c]
		out[table.Columns[c].Name] = columnSum{s.rows, s.rows - s.values, s.lo, s.hi, strconv.FormatUint(s.hash, 10)}
	}
	return out
}

// TestPyIceberg reads every table with another implementation of Iceberg: after
// imports, a compaction and a deletion.
func TestPyIceberg(t *testing.T) {
	python := os.Getenv("WADI_PYTHON")
	if os.Getenv("WADI_SLOW") == "" || python == "" {
		t.Skip("WADI_SLOW and WADI_PYTHON (a Python with pyiceberg) are not both set")
	}
	dir := filepath.Join(t.TempDir(), "ein Ordner")
	w := openTestWriter(t, dir, testOptions())
	rng := rand.New(rand.NewPCG(1, 1))
	for i, label := range []string{"", "red", "red", ""} {
		g, err := w.BeginLog(t.Context(), LogInfo{Door: "bulk", Case: label})
		if err != nil {
			t.Fatal(err)
		}
		p, result := fillPart(t, g, 30)
		source := result.Sources[0].Source
		for _, table := range []*schema.Table{schema.WindowsEvents, schema.W3CIIS} {
			b := datafile.NewRows(table)
			for n := range 200 {
				randomRow(rng, table, b, source, int64(10_000*i+n), p.IngestedAtUS)
			}
			if err := p.Sorter(table).Add(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
		result.Sources[0].Stored += 400
		result.Sources[0].Received += 400
		if err := p.Commit(t.Context(), result); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			if _, err := w.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Delete(t.Context(), schema.WindowsEvents, func(_ int32, seq int64) bool { return seq%5 == 0 }, "seq"); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A stream, with a position also in a table that never had rows.
	empty := custom(t, "Probe_CL", "TimeGenerated:datetime, n:long")
	g := openStream(t, w, theLog)
	stream := newStream(schema.WindowsEvents, testTime)
	var err error
	if stream.source, err = g.AddSource(t.Context(), theSource); err != nil {
		t.Fatal(err)
	}
	p, err := g.BeginPart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SorterAt(stream.table, stream.us).Add(t.Context(), stream.rows(t, 0, 4)); err != nil {
		t.Fatal(err)
	}
	if err := p.Commit(t.Context(), PartResult{Positions: map[*schema.Table]int64{stream.table: 4, empty: 4}}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", pyicebergScript, dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var theirs map[string]map[string]columnSum
	if err := json.Unmarshal(out, &theirs); err != nil {
		t.Fatal(err)
	}
	want := []*schema.Table{schema.WindowsEvents, schema.W3CIIS, schema.Sources, schema.Ledger, schema.WadiAudit, empty}
	if len(theirs) != len(want) {
		t.Errorf("PyIceberg lists %d tables, want %d", len(theirs), len(want))
	}
	for _, table := range want {
		ours := wadiSums(t, w, table)
		if ours["_Seq"].Rows == 0 && table != empty {
			t.Errorf("%s is empty", table.Name)
		}
		if d := cmp.Diff(ours, theirs[table.Name]); d != "" {
			t.Errorf("%s (- Wadi, + PyIceberg):\n%s", table.Name, d)
		}
	}
}

// randomRow adds a row whose other columns are set at random.
func randomRow(rng *rand.Rand, table *schema.Table, b *datafile.Rows, source int32, seq, us int64) {
	texts := []string{"", "a", "Ä𐍈", "C:\\Windows\\system32\\svchost.exe", "\x01", "\ufffd"}
	b.Begin()
	for c := range table.Columns {
		col := &table.Columns[c]
		switch {
		case col.Name == "_IngestedAt":
			b.Int(c, us)
		case col.Name == "_Source":
			b.Int(c, int64(source))
		case col.Name == "_Seq":
			b.Int(c, seq)
		case !col.Required && rng.IntN(3) > 0:
		case col.Disk == schema.DiskString:
			b.String(c, texts[rng.IntN(len(texts))])
		case col.Disk == schema.DiskBoolean:
			b.Bool(c, rng.IntN(2) == 0)
		case col.Disk == schema.DiskDouble:
			b.Real(c, rng.NormFloat64())
		case col.Disk == schema.DiskInt:
			b.Int(c, []int64{0, -1, math.MaxInt32, math.MinInt32, 4624}[rng.IntN(5)])
		case col.Disk == schema.DiskTimestamptz:
			b.Int(c, []int64{-11_644_473_600_000_000, 0, us, 253_402_300_799_999_999}[rng.IntN(4)])
		default:
			b.Int(c, []int64{0, -1, math.MaxInt64, math.MinInt64}[rng.IntN(4)])
		}
	}
	b.End()
}
