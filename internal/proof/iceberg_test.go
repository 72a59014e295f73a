package proof

import (
	"encoding/json"
	"errors"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// columnFacts is what testdata/tables.py prints of a column.
type columnFacts struct {
	Nulls    int64
	Sum      uint64
	Min, Max string
}

type tableFacts struct {
	Rows    int64
	Columns map[string]columnFacts
}

// python gives the interpreter of the tests' environment.
func python(t *testing.T) string {
	t.Helper()
	path := os.Getenv("WADI_PYTHON")
	if path == "" {
		t.Skip("needs Python with PyIceberg: set WADI_PYTHON (make test does, after scripts/test-needs.sh)")
	}
	return path
}

// TestPyIcebergReadsEveryTable holds rows, nulls, minima, maxima and a checksum
// of each column, as PyIceberg reads them, against Wadi's own reading.
func TestPyIcebergReadsEveryTable(t *testing.T) {
	slow(t)
	interpreter := python(t)
	// A path with a blank and a letter beyond ASCII, as users have them.
	data := filepath.Join(t.TempDir(), "Bänke 1")
	inputs := []string{sampleDir}
	if dir := os.Getenv("WADI_CORPUS"); dir != "" {
		inputs = append(inputs, filepath.Join(dir, "evtx"), filepath.Join(dir, "iis"))
	}
	importJSON(t, append([]string{"--data", data, "import", "--json"}, inputs...)...)
	must(t, "--data", data, "lake", "compact")
	must(t, "--data", data, "lake", "retention", "windows_events", "3650") // a row for wadi_audit

	out, err := exec.CommandContext(t.Context(), interpreter, "testdata/tables.py", data).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("%v\n%s", err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	foreign := map[string]tableFacts{}
	if err := json.Unmarshal(out, &foreign); err != nil {
		t.Fatal(err)
	}
	own := ownFacts(t, data)
	for _, name := range []string{"windows_events", "w3c_iis", "sources", "ledger", "wadi_audit"} {
		if own[name].Rows == 0 {
			t.Errorf("%s has no rows, so nothing was compared", name)
		}
	}
	if diff := cmp.Diff(own, foreign); diff != "" {
		t.Errorf("PyIceberg reads other things (-Wadi +PyIceberg):\n%s", diff)
	}
}

// ownFacts reads every table that has rows with Wadi's own reader.
func ownFacts(t *testing.T, data string) map[string]tableFacts {
	t.Helper()
	l, err := lake.Open(t.Context(), data, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	point, err := l.Pin(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := point.Close(); err != nil {
			t.Error(err)
		}
	}()
	all := map[string]tableFacts{}
	for _, table := range schema.Tables() {
		files, err := point.Table(table)
		if err != nil {
			t.Fatal(err)
		}
		if len(files.Files) == 0 {
			continue
		}
		facts := make([]columnCounter, len(table.Columns))
		var rows int64
		for _, f := range files.Files {
			in := datafile.Input{Path: f.Path, SizeBytes: f.SizeBytes}
			err := datafile.Read(t.Context(), in, table, nil, datafile.Filter{}, func(r datafile.Row) error {
				rows++
				for i := range table.Columns {
					facts[i].add(&table.Columns[i], r, i)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		out := tableFacts{Rows: rows, Columns: map[string]columnFacts{}}
		for i := range table.Columns {
			out.Columns[table.Columns[i].Name] = facts[i].columnFacts
		}
		all[table.Name] = out
	}
	return all
}

// columnCounter gathers a column's facts.
type columnCounter struct {
	columnFacts
	seen     bool
	min, max int64
}

func (c *columnCounter) add(column *schema.Column, r datafile.Row, i int) {
	if r.Null(i) {
		c.Nulls++
		return
	}
	var text string
	switch column.Disk {
	case schema.DiskString:
		text = string(r.Bytes(i))
		if !c.seen || text < c.Min {
			c.Min = text
		}
		if !c.seen || text > c.Max {
			c.Max = text
		}
	case schema.DiskBoolean:
		b, _ := r.Bool(i)
		text = strconv.FormatBool(b)
		if !c.seen || !b {
			c.Min = text
		}
		if !c.seen || b {
			c.Max = text
		}
	case schema.DiskInt, schema.DiskLong, schema.DiskTimestamptz:
		n, _ := r.Int(i)
		text = strconv.FormatInt(n, 10)
		if !c.seen || n < c.min {
			c.min, c.Min = n, text
		}
		if !c.seen || n > c.max {
			c.max, c.Max = n, text
		}
	case schema.DiskDouble: // no table has one yet; the sums would tell
	}
	c.seen = true
	c.Sum += uint64(crc32.ChecksumIEEE([]byte(text)))
}
