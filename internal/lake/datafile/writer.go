package datafile

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/wadi-project/wadi/internal/schema"
)

// ctxEvery is after how many rows a loop looks whether it should stop.
const ctxEvery = 4096

// yieldEvery is after how many rows a loop lets others go first: a server that
// writes files on its only core answers requests meanwhile, and each of their steps
// would else wait for the 10 ms after which the runtime interrupts a loop.
const yieldEvery = 64

// writer writes a stream of sorted rows as data files.
type writer struct {
	table   *schema.Table
	cols    []int // columns that occur, ascending
	out     Output
	workers int
	total   int64 // rows to come, an upper bound: to cut files of even size

	encoders []*encoder
	pages    [][]byte // by column: memory of the last chunk
	files    []File
	made     []string // paths of all files begun
	cur      *fileWriter
	rowsDone int64 // in finished and current files
	size     int64 // bytes of finished files
	first    int   // number of the first file

	groupRows int // rows of a row group; smaller in tests only
}

// newWriter prepares; used tells by column whether it may occur.
func newWriter(t *schema.Table, used []bool, total int64, workers, first int, out Output) *writer {
	w := &writer{table: t, out: out.withDefaults(), workers: max(workers, 1), total: total, first: first, groupRows: rowGroupRows}
	for i := range t.Columns {
		if used[i] || t.Columns[i].Required {
			w.cols = append(w.cols, i)
		}
	}
	w.pages = make([][]byte, len(w.cols))
	return w
}

// writeAll drains src into files: this goroutine fills a row group while another
// one (with workers of its own) encodes the one before.
func (w *writer) writeAll(ctx context.Context, src source) ([]File, error) {
	free, full := make(chan *group, 2), make(chan *group)
	free <- newGroup(w.table, w.groupRows)
	free <- newGroup(w.table, w.groupRows)
	var encodeErr error
	stopped := false // set before full is closed
	done := make(chan struct{})
	go func() {
		defer close(done)
		for g := range full {
			if encodeErr == nil {
				encodeErr = w.encode(g)
			}
			if encodeErr != nil {
				return // the filler sees done
			}
			g.reset()
			free <- g
		}
		if !stopped {
			encodeErr = w.finishFile()
		}
	}()
	err := fill(ctx, src, free, full, done)
	stopped = err != nil
	close(full)
	<-done
	if err = errors.Join(err, encodeErr); err != nil {
		w.abort()
		return nil, err
	}
	return w.files, nil
}

// fill moves rows into groups until the source or the other side ends.
func fill(ctx context.Context, src source, free, full chan *group, done chan struct{}) error {
	for {
		var g *group
		select {
		case g = <-free:
		case <-done:
			return nil
		}
		ended := false
		for !g.full() {
			if g.rows%yieldEvery == 0 {
				runtime.Gosched()
			}
			if g.rows%ctxEvery == 0 && ctx.Err() != nil {
				return fmt.Errorf("cannot write sorted rows: %w", context.Cause(ctx))
			}
			body, _, err := src.next()
			if err == io.EOF {
				ended = true
				break
			}
			if err == nil {
				err = g.add(body)
			}
			if err != nil {
				return err
			}
		}
		if g.rows > 0 {
			select {
			case full <- g:
			case <-done:
				return nil
			}
		}
		if ended {
			return nil
		}
	}
}

// abort closes and discards everything made.
func (w *writer) abort() {
	if w.cur != nil {
		_ = w.cur.f.Close() // the file is given up; its error says nothing new
		w.cur = nil
	}
	w.discard()
}

// discard hands every file made to Output.Discard.
func (w *writer) discard() {
	if w.out.Discard != nil {
		for _, p := range w.made {
			w.out.Discard(p)
		}
	}
	w.made, w.files = nil, nil
}

// encode writes one row group, into a new file when the current one is large
// enough.
func (w *writer) encode(g *group) error {
	if w.cur != nil && w.cut(g) {
		if err := w.finishFile(); err != nil {
			return err
		}
	}
	if w.cur == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	if err := w.group(g); err != nil {
		return fmt.Errorf("cannot write %s: %w", w.cur.path, err)
	}
	w.rowsDone += int64(g.rows)
	return nil
}

// cut decides whether a new file begins: when the target is reached, files are
// left, and what is still to come is worth a file.
func (w *writer) cut(g *group) bool {
	left := w.out.MaxFiles - len(w.files) - 1
	if left <= 0 || w.rowsDone == 0 {
		return false
	}
	cur := w.cur.sink.size
	perRow := float64(w.size+cur) / float64(w.rowsDone)
	rest := int64(perRow * float64(max(w.total-w.rowsDone, int64(g.rows))))
	target := max(w.out.TargetBytes, (cur+rest)/int64(left+1))
	return cur >= target && rest >= w.out.TargetBytes/4
}

// begin makes the next file.
func (w *writer) begin() error {
	n := w.first + len(w.made)
	f, path, err := w.out.Create(n)
	if err != nil {
		return fmt.Errorf("cannot make data file %d: %w", n, err)
	}
	w.made = append(w.made, path)
	w.cur = &fileWriter{f: f, path: path, sink: &sink{w: f, sum: sha256.New()}, bounds: make([]bounds, len(w.cols)), sizes: make([]int64, len(w.cols))}
	for i, c := range w.cols {
		w.cur.bounds[i].kind = w.table.Columns[c].Disk
	}
	if _, err := w.cur.sink.Write([]byte(parquetMagic)); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}

// finishFile closes the current file and adds it to the result.
func (w *writer) finishFile() error {
	fw := w.cur
	if fw == nil {
		return nil
	}
	if _, err := fw.sink.Write(footer(w.table, w.cols, fw.groups)); err != nil {
		return fmt.Errorf("cannot write %s: %w", fw.path, err)
	}
	w.cur = nil // from here on the file is closed, whatever Close says
	if err := fw.f.Close(); err != nil {
		return fmt.Errorf("cannot finish %s: %w", fw.path, err)
	}
	w.size += fw.sink.size
	w.files = append(w.files, fw.result(w.table, w.cols))
	return nil
}

// recovered turns a panic of the Parquet library into an error. Wadi's own panics
// say BUG and go on.
func recovered(err *error, what string) {
	r := recover()
	if r == nil {
		return
	}
	if s, ok := r.(string); ok && len(s) > 3 && s[:4] == "BUG:" {
		panic(s)
	}
	*err = fmt.Errorf("cannot %s: the Parquet library gave up: %v", what, r)
}

// sink counts and hashes what goes into a file.
type sink struct {
	w    io.Writer
	sum  hash.Hash
	size int64
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	s.sum.Write(p[:n])
	s.size += int64(n)
	return n, err
}

// fileWriter is one file being written.
type fileWriter struct {
	f      io.WriteCloser
	path   string
	sink   *sink
	groups []rowGroup
	parts  []Group
	bounds []bounds
	sizes  []int64
	rows   int64
}

// group encodes a row group, its columns shared out among the workers, and
// writes it to the current file.
func (w *writer) group(g *group) error {
	for len(w.encoders) < w.workers {
		e, err := newEncoder(w.out.Compression)
		if err != nil {
			return err
		}
		w.encoders = append(w.encoders, e)
	}
	var (
		wg     sync.WaitGroup
		next   atomic.Int64
		chunks = make([]chunk, len(w.cols))
		errs   = make([]error, len(w.cols))
	)
	for _, e := range w.encoders {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(w.cols) {
					return
				}
				runtime.Gosched() // as in yieldEvery
				chunks[i], errs[i] = e.encode(w.pages[i], &w.table.Columns[w.cols[i]], &g.cols[w.cols[i]], g.rows)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fw := w.cur
	rg := rowGroup{offset: fw.sink.size, rows: g.rows, chunks: chunks, sizes: make([]int64, len(chunks))}
	crc := uint32(0)
	for i := range chunks {
		c := &chunks[i]
		if _, err := fw.sink.Write(c.data); err != nil {
			return err
		}
		crc = crc32.Update(crc, castagnoli, c.data)
		rg.sizes[i] = int64(len(c.data))
		fw.sizes[i] += rg.sizes[i]
		fw.bounds[i].merge(&c.stats)
		w.pages[i], c.data = c.data, nil
	}
	fw.groups = append(fw.groups, rg)
	fw.parts = append(fw.parts, Group{Offset: rg.offset, SizeBytes: fw.sink.size - rg.offset, Rows: int64(g.rows), CRC: crc, Spans: spans(w.table, g)})
	fw.rows += int64(g.rows)
	return nil
}

// result describes the finished file.
func (fw *fileWriter) result(t *schema.Table, cols []int) File {
	res := File{Path: fw.path, Rows: fw.rows, SizeBytes: fw.sink.size, SchemaVersion: t.Version, Groups: fw.parts}
	fw.sink.sum.Sum(res.SHA256[:0])
	for i := range fw.groups {
		res.SplitOffsets = append(res.SplitOffsets, fw.groups[i].offset)
	}
	for i, c := range cols {
		res.Columns = append(res.Columns, t.Columns[c].FieldID)
		res.Stats = append(res.Stats, fw.bounds[i].stats(&t.Columns[c], fw.sizes[i]))
	}
	return res
}
