package datafile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/wadi-project/wadi/internal/schema"
)

// MergeStats counts what a Merge did.
type MergeStats struct {
	// Read and Dropped are rows: all that were read, and those keep refused.
	Read, Dropped int64
	// Resorted tells that an input was not in order and everything was sorted anew.
	Resorted bool
}

// Bounds of a merge. An input holds one page per column, read buffers and one
// batch: about 10 MB for Windows events.
const (
	// minBatchRows and mergeBytes bound the batches of all inputs together.
	minBatchRows = 64
	mergeBytes   = 64 << 20
	// MaxMergeInputs is how many files one Merge takes.
	MaxMergeInputs = 256
	// columnOverhead is what a value takes beside its bytes in the file, roughly:
	// most texts lie in dictionaries.
	columnOverhead = 16
)

// errUnsorted ends the merge of an input that is not in order.
var errUnsorted = errors.New("rows are not in order")

// Merge rewrites data files of cfg.Table as one sorted stream: compaction, and the
// deletion of rows that keep refuses (nil keeps all; it is called once per row
// from one goroutine at a time, and may see a row twice when Resorted). Inputs may
// have different columns and older schema versions; a field that the table
// doesn't know is an error, because the rewrite would lose it. Inputs stay as they
// are. Each input is checked to be in order while it is read; one that isn't makes
// Merge begin again with a full sort. On an error no files are returned and those
// made are handed to out.Discard. With no rows left there are no files.
func Merge(ctx context.Context, cfg SorterConfig, inputs []Input, out Output, keep func(Row) bool) ([]File, MergeStats, error) {
	cfg = cfg.withDefaults()
	var st MergeStats
	if len(inputs) > MaxMergeInputs {
		return nil, st, fmt.Errorf("cannot merge %d files at once, the limit is %d", len(inputs), MaxMergeInputs)
	}
	files, made, err := mergeSorted(ctx, cfg, inputs, out, keep, &st)
	if !errors.Is(err, errUnsorted) {
		return files, st, err
	}
	st = MergeStats{Resorted: true}
	files, err = mergeUnsorted(ctx, cfg, inputs, out, keep, &st, made)
	return files, st, err
}

// mergeSorted merges inputs that are in order; made counts the files begun.
func mergeSorted(ctx context.Context, cfg SorterConfig, inputs []Input, out Output, keep func(Row) bool, st *MergeStats) (files []File, made int, err error) {
	var sources []source
	defer func() {
		var closing error
		for _, s := range sources {
			closing = errors.Join(closing, s.close())
		}
		if err == nil && closing != nil {
			files, err = giveUp(out, files), closing
		}
	}()
	used := make([]bool, len(cfg.Table.Columns))
	total := int64(0)
	for _, in := range inputs {
		s, err := openMergeInput(in, cfg, len(inputs), keep, st)
		if err != nil {
			return nil, 0, err
		}
		sources = append(sources, s)
		total += s.r.rows
		for _, p := range s.r.picked {
			used[p.col] = true
		}
	}
	t := newTree(sources)
	w := newWriter(cfg.Table, used, total, cfg.Workers, 0, out)
	create := w.out.Create
	w.out.Create = func(n int) (io.WriteCloser, string, error) { made = n + 1; return create(n) }
	files, err = w.writeAll(ctx, t)
	return files, made, err
}

// giveUp discards files that are finished but will not be returned.
func giveUp(out Output, files []File) []File {
	if out.Discard != nil {
		for i := range files {
			out.Discard(files[i].Path)
		}
	}
	return nil
}

// mergeUnsorted sorts all rows of the inputs.
func mergeUnsorted(ctx context.Context, cfg SorterConfig, inputs []Input, out Output, keep func(Row) bool, st *MergeStats, made int) (files []File, err error) {
	s := NewSorter(cfg)
	defer func() {
		if e := s.Close(); err == nil && e != nil {
			files, err = giveUp(out, files), e
		}
	}()
	for _, in := range inputs {
		if err := addInput(ctx, s, in, cfg, len(inputs), keep, st); err != nil {
			return nil, err
		}
	}
	return s.finish(ctx, out, made)
}

func addInput(ctx context.Context, s *Sorter, in Input, cfg SorterConfig, inputs int, keep func(Row) bool, st *MergeStats) (err error) {
	m, err := openMergeInput(in, cfg, inputs, keep, st)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	for {
		if err := m.load(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := s.Add(ctx, m.rows); err != nil {
			return err
		}
	}
}

// mergeInput reads a data file as a source of encoded rows.
type mergeInput struct {
	r     *reader
	keep  func(Row) bool
	stats *MergeStats
	rows  *Rows
	kinds []schema.Disk
	left  []byte
	last  []byte
}

// openMergeInput opens one of n inputs, with a share of the memory.
func openMergeInput(in Input, cfg SorterConfig, n int, keep func(Row) bool, st *MergeStats) (*mergeInput, error) {
	r, err := openReader(in, cfg.Table, nil, batchRows)
	if err != nil {
		return nil, err
	}
	if len(r.unknown) > 0 {
		return nil, errors.Join(fmt.Errorf("cannot merge %s: table %s has no field %d, which would be lost", in.Path, cfg.Table.Name, r.unknown[0]), r.close())
	}
	m := &mergeInput{r: r, keep: keep, stats: st, rows: NewRows(cfg.Table)}
	m.kinds = m.rows.kinds
	if r.rows > 0 {
		// A batch is held twice: as columns and as encoded rows.
		perRow := 2 * (r.unpacked()/r.rows + columnOverhead*int64(len(r.picked)))
		r.batch = int(min(max(min(cfg.MemoryBytes, mergeBytes)/int64(n)/max(perRow, 1), minBatchRows), batchRows))
	}
	return m, nil
}

// unpacked is about how large the file's values are.
func (r *reader) unpacked() int64 {
	n := int64(0)
	for i := range r.pr.NumRowGroups() {
		n += r.pr.MetaData().RowGroups[i].GetTotalByteSize()
	}
	return n
}

// load encodes the next batch of rows; io.EOF at the end.
func (m *mergeInput) load() error {
	n, err := m.r.load()
	if err != nil {
		return err
	}
	m.rows.Reset()
	for i := range n {
		row := Row{&m.r.b, i}
		m.stats.Read++
		if m.keep != nil && !m.keep(row) {
			m.stats.Dropped++
			continue
		}
		m.rows.Begin()
		for _, p := range m.r.picked {
			if !row.Null(p.col) {
				m.rows.copy(row, p.col)
			}
		}
		m.rows.End()
	}
	if err := m.rows.Err(); err != nil {
		return fmt.Errorf("cannot merge %s: %w", m.r.name, err)
	}
	return nil
}

// copy sets a column to the value that a row read has there.
func (b *Rows) copy(row Row, col int) {
	switch b.kinds[col] {
	case schema.DiskString:
		b.Bytes(col, row.Bytes(col))
	case schema.DiskDouble:
		v, _ := row.Real(col)
		b.Real(col, v)
	case schema.DiskBoolean:
		v, _ := row.Bool(col)
		b.Bool(col, v)
	default:
		v, _ := row.Int(col)
		b.Int(col, v)
	}
}

// next implements source and checks the order.
func (m *mergeInput) next() (body, key []byte, err error) {
	for len(m.left) == 0 {
		if err := m.load(); err != nil {
			return nil, nil, err
		}
		m.left = m.rows.buf
	}
	body, key, m.left, err = cutRow(m.left)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot merge %s: %w", m.r.name, err)
	}
	if bytes.Compare(key, m.last) < 0 {
		return nil, nil, fmt.Errorf("cannot merge %s: %w", m.r.name, errUnsorted)
	}
	m.last = append(m.last[:0], key...)
	return body, key, nil
}

func (m *mergeInput) close() error { return m.r.close() }
