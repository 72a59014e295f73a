package datafile

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/schema"
)

// pyarrowScript prints each row of a file as a JSON list, by field id of the
// columns asked for: numbers as text, doubles as the bits, null as null.
const pyarrowScript = `
import json, struct, sys
import pyarrow as pa, pyarrow.parquet as pq
t = pq.read_table(sys.argv[1])
ids = {int(f.metadata[b"PARQUET:field_id"]): i for i, f in enumerate(t.schema)}
cols = []
for fid in map(int, sys.argv[2].split(",")):
    if fid not in ids:
        cols.append([None] * t.num_rows)
        continue
    c = t.column(ids[fid])
    if pa.types.is_timestamp(c.type):
        assert c.type.unit == "us" and c.type.tz == "UTC", c.type
        c = c.cast(pa.int64())
    if pa.types.is_floating(c.type):
        cols.append([None if v is None else struct.pack(">d", v).hex() for v in c.to_pylist()])
    else:
        cols.append([v if v is None or isinstance(v, str) else str(v) for v in c.to_pylist()])
for row in zip(*cols):
    print(json.dumps(row))
`

// TestPyArrow reads files with another implementation of Parquet.
func TestPyArrow(t *testing.T) {
	python := os.Getenv("WADI_PYTHON")
	if os.Getenv("WADI_SLOW") == "" || python == "" {
		t.Skip("WADI_SLOW and WADI_PYTHON (a Python with pyarrow) are not both set")
	}
	table := testTable(40)
	records := randomRecords(14, table, 5000)
	slices.SortStableFunc(records, order)
	for _, c := range []Compression{Zstd, LZ4} {
		comparePyArrow(t, python, table, records, 1900, c)
		for _, stretch := range []int{8, 100, 1000} {
			comparePyArrow(t, python, table, patchyRecords(uint64(stretch), table, 4*stretch, stretch), stretch, c)
		}
	}
}

// comparePyArrow writes records, which are in order, and has PyArrow read them.
func comparePyArrow(t *testing.T, python string, table *schema.Table, records []record, groupRows int, compression Compression) {
	t.Helper()
	m := newFolder()
	s := NewSorter(SorterConfig{Table: table})
	s.groupRows = groupRows
	if err := add(t.Context(), s, table, records, 100); err != nil {
		t.Fatal(err)
	}
	to := m.output()
	to.Compression = compression
	files, err := s.Finish(t.Context(), to)
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rows.parquet")
	if err := os.WriteFile(path, m.files[files[0].Path].Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range table.Columns {
		ids = append(ids, strconv.Itoa(c.FieldID))
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", pyarrowScript, path, strings.Join(ids, ","))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(records) {
		t.Fatalf("PyArrow reads %d rows, want %d", len(lines), len(records))
	}
	for i, line := range lines {
		var got []any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		for c, v := range records[i] {
			if want := pyValue(v); got[c] != want {
				t.Fatalf("row %d, column %s: PyArrow reads %q, want %q", i, table.Columns[c].Name, got[c], want)
			}
		}
	}
}

// pyValue is how the script prints a value.
func pyValue(v any) any {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		if v {
			return "True"
		}
		return "False"
	case float64:
		bits := strconv.FormatUint(math.Float64bits(v), 16)
		return strings.Repeat("0", 16-len(bits)) + bits
	default:
		return v
	}
}
