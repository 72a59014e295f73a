package datafile

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"
	"testing"
)

var errFault = errors.New("the disk is on fire")

// faults fails the n-th input or output of a run.
type faults struct {
	n     int
	mu    sync.Mutex // rows are read in one goroutine, files written in another
	calls int
}

func (f *faults) hit(string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.calls == f.n {
		return errFault
	}
	return nil
}

// temps are temporary files in memory that fail when told to.
type temps struct {
	*faults
	open int
}

type temp struct {
	t      *temps
	data   []byte
	closed bool
}

func (t *temps) make() (tempFile, error) {
	if err := t.hit("create"); err != nil {
		return nil, err
	}
	t.open++
	return &temp{t: t}, nil
}

func (f *temp) Name() string { return "temp" }

func (f *temp) Write(p []byte) (int, error) {
	if err := f.t.hit("write"); err != nil {
		f.data = append(f.data, p[:len(p)/2]...)
		return len(p) / 2, err
	}
	f.data = append(f.data, p...)
	return len(p), nil
}

func (f *temp) ReadAt(p []byte, off int64) (int, error) {
	if err := f.t.hit("read"); err != nil {
		return 0, err
	}
	return bytes.NewReader(f.data).ReadAt(p, off)
}

func (f *temp) Close() error {
	if f.closed {
		panic("a temporary file was closed twice")
	}
	f.closed = true
	f.t.open--
	return f.t.hit("close")
}

// faultyReader fails a read of a data file.
type faultyReader struct {
	io.ReaderAt
	*faults
}

func (r faultyReader) ReadAt(p []byte, off int64) (int, error) {
	if err := r.hit("read"); err != nil {
		return 0, err
	}
	return r.ReaderAt.ReadAt(p, off)
}

// eachFault runs fn with the n-th call failing, for every n, until none fails.
// Nothing may be left open or lying about, and a failure gives no files.
func eachFault(t *testing.T, fn func(f *faults, tmp *temps, m *folder) ([]File, error)) {
	t.Helper()
	before := runtime.NumGoroutine()
	for n := 1; ; n++ {
		f := &faults{n: n}
		tmp, m := &temps{faults: f}, newFolder()
		m.fail = f.hit
		files, err := fn(f, tmp, m)
		if tmp.open != 0 {
			t.Fatalf("fault %d: %d temporary files stay open", n, tmp.open)
		}
		for path, open := range m.open {
			if open {
				t.Fatalf("fault %d: file %s stays open", n, path)
			}
		}
		goroutinesEnd(t, before)
		if f.calls < n {
			if err != nil || len(files) == 0 {
				t.Fatalf("without a fault: %d files, %v", len(files), err)
			}
			t.Logf("%d faults", n-1)
			return
		}
		if files != nil && err != nil {
			t.Fatalf("fault %d: files and an error", n)
		}
		if err != nil && len(m.files) > 0 {
			t.Fatalf("fault %d: %d files are not discarded", n, len(m.files))
		}
		// Closing a file that was only read may fail in silence, nothing else.
		if !errors.Is(err, errFault) {
			t.Fatalf("fault %d: error is %v", n, err)
		}
	}
}

func TestSorterFaults(t *testing.T) {
	table := testTable(5)
	records := randomRecords(8, table, 400)
	for name, fanIn := range map[string]int{"one pass": maxFanIn, "two passes": 3} {
		t.Run(name, func(t *testing.T) {
			eachFault(t, func(_ *faults, tmp *temps, m *folder) (files []File, err error) {
				// One spill at a time, so that the n-th call is always the same.
				s := NewSorter(SorterConfig{Table: table, Workers: 1})
				s.runBytes, s.newTemp, s.groupRows, s.fanIn = 8<<10, tmp.make, 100, fanIn
				err = addSlowly(t, s, records, 20)
				out := m.output()
				out.TargetBytes, out.MaxFiles = 1, 3
				if err == nil {
					files, err = s.Finish(t.Context(), out)
				}
				if e := s.Close(); e != nil && err == nil {
					// The files are whole; the caller hears of the temporary file.
					for _, f := range files {
						out.Discard(f.Path)
					}
					return nil, e
				}
				return files, err
			})
		})
	}
}

// addSlowly waits for each spill, so that faults come in a fixed order.
func addSlowly(t *testing.T, s *Sorter, records []record, block int) error {
	for part := range slices.Chunk(records, block) {
		if err := add(t.Context(), s, s.cfg.Table, part, block); err != nil {
			return err
		}
		s.wg.Wait()
	}
	return nil
}

func TestMergeFaults(t *testing.T) {
	table := testTable(5)
	records := randomRecords(9, table, 600)
	from := newFolder()
	var files []File
	for i, part := range slices.Collect(slices.Chunk(records, 200)) {
		out := from.output()
		create := out.Create
		out.Create = func(n int) (io.WriteCloser, string, error) { return create(100*i + n) }
		files = append(files, write(t, SorterConfig{Table: table}, out, part)...)
	}
	eachFault(t, func(f *faults, _ *temps, m *folder) ([]File, error) {
		inputs := from.inputs(files)
		for i := range inputs {
			inputs[i].R = faultyReader{inputs[i].R, f}
		}
		merged, _, err := Merge(t.Context(), SorterConfig{Table: table}, inputs, m.output(), nil)
		return merged, err
	})
}

func TestReadFaults(t *testing.T) {
	table := testTable(5)
	records := randomRecords(10, table, 300)
	m := newFolder()
	in := m.input(write(t, SorterConfig{Table: table}, m.output(), records)[0])
	for n := 1; ; n++ {
		f := &faults{n: n}
		bad := in
		bad.R = faultyReader{in.R, f}
		rows := 0
		err := Read(t.Context(), bad, table, nil, Filter{}, func(Row) error { rows++; return nil })
		if f.calls < n {
			if err != nil || rows != 300 {
				t.Fatalf("without a fault: %d rows, %v", rows, err)
			}
			return
		}
		if err == nil {
			t.Fatalf("fault %d: no error", n)
		}
	}
}

func TestCancelled(t *testing.T) {
	table := testTable(5)
	s := NewSorter(SorterConfig{Table: table, TempDir: t.TempDir()})
	defer func() { _ = s.Close() }()
	if err := add(t.Context(), s, table, randomRecords(11, table, 300), 100); err != nil {
		t.Fatal(err)
	}
	m := newFolder()
	ctx, cancel := contextWithCause(t)
	cancel(errFault)
	if files, err := s.Finish(ctx, m.output()); !errors.Is(err, errFault) || files != nil || len(m.files) > 0 {
		t.Errorf("%v, %v, %d files", files, err, len(m.files))
	}
	if err := Read(ctx, Input{Path: "none"}, table, nil, Filter{}, nil); err == nil {
		t.Error("a missing file is read")
	}
}

// TestSpillDamage changes every byte of a spill file in turn.
func TestSpillDamage(t *testing.T) {
	table := testTable(1)
	b := NewRows(table)
	for _, r := range randomRecords(12, table, 8) {
		put(b, r)
	}
	r := &run{}
	r.add(b.buf, b.n, func() []byte { return nil })
	r.sort()
	f := &temp{t: &temps{faults: &faults{}}}
	if err := spill(f, r); err != nil {
		t.Fatal(err)
	}
	count := func(data []byte) (int, error) {
		s := &spilled{f: &temp{t: &temps{faults: &faults{}}, data: data}}
		for n := 0; ; n++ {
			if _, _, err := s.next(); err == io.EOF {
				return n, nil
			} else if err != nil {
				return n, err
			}
		}
	}
	if n, err := count(f.data); n != 8 || err != nil {
		t.Fatalf("%d rows, %v", n, err)
	}
	for i := range f.data {
		bad := slices.Clone(f.data)
		bad[i] ^= 0x10
		if _, err := count(bad); err == nil {
			t.Fatalf("byte %d of %d changed without an error", i, len(bad))
		}
		if _, err := count(f.data[:i]); err == nil {
			t.Fatalf("cut at byte %d of %d without an error", i, len(f.data))
		}
	}
}
