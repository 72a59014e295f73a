//go:build unix

package datafile

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
	"github.com/wadi-project/wadi/internal/schema"
)

// benchMix is rows of real events: their columns as windows_events has them.
type benchMix struct {
	table  *schema.Table
	blocks []*Rows
	rows   int
	bytes  int64
}

// benchRows loads a mix once for all benchmarks.
var benchRows = struct {
	sync.Mutex
	mixes map[string]*benchMix
}{mixes: map[string]*benchMix{}}

// mixOf reads a rewritten log of real chunks that hold the marker.
func mixOf(tb testing.TB, marker string, size int64) *benchMix {
	tb.Helper()
	dir := os.Getenv("WADI_CORPUS")
	if dir == "" {
		tb.Skip("WADI_CORPUS is not set: no real events to measure on")
	}
	benchRows.Lock()
	defer benchRows.Unlock()
	if m := benchRows.mixes[marker]; m != nil {
		return m
	}
	full := 60_000
	keep := evtxtest.Holds(marker)
	if marker == "" {
		keep = nil
		full = 1
	}
	chunks, err := evtxtest.Chunks(dir, full, keep)
	if err != nil || len(chunks) == 0 {
		tb.Fatalf("no chunks with %q: %v", marker, err)
	}
	log, _, err := evtxtest.Log(chunks, evtxtest.Options{SizeBytes: size, Seed: 1})
	if err != nil {
		tb.Fatal(err)
	}
	m := rowsOf(tb, log)
	benchRows.mixes[marker] = m
	return m
}

// eachXML calls fn with every event's text.
func eachXML(tb testing.TB, log []byte, fn func(xml string)) {
	f, err := evtx.Open(bytes.NewReader(log), int64(len(log)))
	if err != nil {
		tb.Fatal(err)
	}
	d := evtx.NewDecoder()
	buf := make([]byte, evtx.ChunkSize)
	var out []byte
	for _, c := range f.Chunks() {
		data, err := f.ReadChunk(c, buf)
		if err != nil {
			tb.Fatal(err)
		}
		d.Open(c, data)
		var r evtx.Record
		for d.Next(&r) {
			if out, err = d.AppendXML(out[:0], &r); err != nil {
				continue
			}
			fn(string(out))
		}
	}
}

// rowsOf makes rows of a log as an import does.
func rowsOf(tb testing.TB, log []byte) *benchMix {
	m := &benchMix{table: schema.WindowsEvents}
	b := NewRows(m.table)
	col := m.table.Index
	seq := int64(0)
	done := func() {
		if b.Err() != nil {
			tb.Fatal(b.Err())
		}
		m.rows += b.Len()
		m.bytes += int64(b.SizeBytes())
		m.blocks = append(m.blocks, b)
	}
	eachXML(tb, log, func(xml string) {
		system, rest, ok := strings.Cut(xml, "</System>")
		if !ok {
			return
		}
		b.Begin()
		t, err := time.Parse(time.RFC3339Nano, attr(system, "SystemTime='"))
		if err != nil {
			b.Drop()
			return
		}
		seq++
		b.Int(col("TimeGenerated"), t.UnixMicro())
		b.Int(col("_TimeSub"), int64(t.Nanosecond()/100%10))
		b.Int(col("_IngestedAt"), 1_790_000_000_000_000)
		b.Int(col("_Source"), seq/50_000)
		b.Int(col("_Seq"), seq)
		b.String(col("_Table"), "SecurityEvent")
		b.Int(col("_SystemForm"), 1)
		b.String(col("EventXml"), rest)
		for _, name := range []string{"Channel", "Computer"} {
			b.String(col(name), element(system, name))
		}
		provider := []byte(attr(system, "Provider Name='"))
		b.Bytes(col("Provider"), provider)
		b.String(col("ProviderGuid"), attr(system, "Guid='"))
		for c, v := range map[string]string{
			"EventID": element(system, "EventID"), "Version": element(system, "Version"), "Level": element(system, "Level"),
			"Task": element(system, "Task"), "Opcode": element(system, "Opcode"), "Keywords": element(system, "Keywords"),
			"EventRecordId": element(system, "EventRecordID"), "SystemProcessId": attr(system, "ProcessID='"),
			"SystemThreadId": attr(system, "ThreadID='"),
		} {
			if n, err := strconv.ParseUint(v, 0, 64); err == nil {
				b.Int(col(c), int64(n))
			}
		}
		for c, v := range map[string]string{"ActivityId": attr(system, "ActivityID='"), "SystemUserId": attr(system, "UserID='")} {
			if v != "" {
				b.String(col(c), v)
			}
		}
		eachData(rest, func(name, value string) {
			if c := schema.EventDataColumn(provider, []byte(name)); c >= 0 {
				b.String(c, html.UnescapeString(value))
			}
		})
		b.End()
		if b.SizeBytes() > 1<<20 {
			done()
			b = NewRows(m.table)
		}
	})
	done()
	return m
}

// attr gives the text between prefix and the next quote.
func attr(xml, prefix string) string {
	_, v, ok := strings.Cut(xml, prefix)
	if !ok {
		return ""
	}
	v, _, _ = strings.Cut(v, "'")
	return v
}

// element gives the text of the first element of that name.
func element(xml, name string) string {
	_, v, _ := strings.Cut(xml, "<"+name)
	_, v, _ = strings.Cut(v, ">")
	v, _, _ = strings.Cut(v, "<")
	return v
}

// eachData calls fn for every named Data element.
func eachData(xml string, fn func(name, value string)) {
	for {
		_, rest, ok := strings.Cut(xml, "<Data Name='")
		if !ok {
			return
		}
		name, rest, _ := strings.Cut(rest, "'")
		if strings.HasPrefix(rest, ">") {
			var value string
			value, rest, _ = strings.Cut(rest[1:], "<")
			fn(name, value)
		}
		xml = rest
	}
}

// discard is an output that keeps nothing.
func discard() Output {
	return Output{Create: func(int) (io.WriteCloser, string, error) { return nopCloser{io.Discard}, "discarded", nil }}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// cpu is the CPU time this process took so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFinish sorts and writes real events; rows/cpu-s counts both cores'
// time and garbage collection.
func BenchmarkFinish(b *testing.B) {
	for _, mix := range []string{"Microsoft-Windows-Security-Auditing", "Microsoft-Windows-Sysmon", ""} {
		b.Run(fmt.Sprintf("%q", mix), func(b *testing.B) {
			m := mixOf(b, mix, 192<<20)
			b.ReportMetric(float64(m.bytes)/float64(m.rows), "encoded-B/row")
			var size, files, columns int64
			start := cpu()
			for b.Loop() {
				s := NewSorter(SorterConfig{Table: m.table, TempDir: b.TempDir()})
				for _, block := range m.blocks {
					if err := s.Add(b.Context(), block); err != nil {
						b.Fatal(err)
					}
				}
				made, err := s.Finish(b.Context(), discard())
				if err != nil {
					b.Fatal(err)
				}
				size, files = 0, int64(len(made))
				for _, f := range made {
					size += f.SizeBytes
					columns = int64(len(f.Columns))
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(m.rows)*float64(b.N)/(cpu()-start).Seconds(), "rows/cpu-s")
			b.ReportMetric(float64(size)/float64(m.rows), "B/row")
			b.ReportMetric(float64(files), "files")
			b.ReportMetric(float64(columns), "columns")
		})
	}
}

// BenchmarkMerge merges files of real events, as compaction does.
func BenchmarkMerge(b *testing.B) {
	m := mixOf(b, "Microsoft-Windows-Security-Auditing", 192<<20)
	const n = 16
	var inputs []Input
	for i := range n {
		from := newFolder()
		s := NewSorter(SorterConfig{Table: m.table, TempDir: b.TempDir()})
		for k := i; k < len(m.blocks); k += n {
			if err := s.Add(b.Context(), m.blocks[k]); err != nil {
				b.Fatal(err)
			}
		}
		files, err := s.Finish(b.Context(), from.output())
		if err := errors.Join(err, s.Close()); err != nil {
			b.Fatal(err)
		}
		inputs = append(inputs, from.inputs(files)...)
	}
	b.ReportAllocs()
	var peak, held uint64
	var ms runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&ms)
	held = ms.HeapAlloc
	rows := 0
	keep := func(Row) bool {
		if rows++; rows%20_000 == 0 {
			runtime.ReadMemStats(&ms)
			peak = max(peak, ms.HeapAlloc)
		}
		return true
	}
	start := cpu()
	for b.Loop() {
		if _, _, err := Merge(b.Context(), SorterConfig{Table: m.table, TempDir: b.TempDir()}, inputs, discard(), keep); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)/(cpu()-start).Seconds(), "rows/cpu-s")
	b.ReportMetric(float64(peak-held)/(1<<20), "peak-MB")
}

// BenchmarkLoad loads rows of real events; rows/cpu-s of one core.
func BenchmarkLoad(b *testing.B) {
	m := mixOf(b, "Microsoft-Windows-Security-Auditing", 16<<20)
	got := NewRows(m.table)
	start := cpu()
	for b.Loop() {
		for _, block := range m.blocks {
			if err := got.Load(block.Encoded(), m.table.Version); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(m.rows)*float64(b.N)/(cpu()-start).Seconds(), "rows/cpu-s")
}
