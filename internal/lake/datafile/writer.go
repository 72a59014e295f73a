package datafile

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/wadi-project/wadi/internal/schema"
)

// ctxEvery is after how many rows a loop looks whether it should stop.
const ctxEvery = 4096

// writer writes a stream of sorted rows as data files.
type writer struct {
	table   *schema.Table
	cols    []int // columns that occur, ascending
	out     Output
	workers int
	total   int64 // rows to come, an upper bound: to cut files of even size

	encoders []*encoder
	files    []File
	made     []string // paths of all files begun
	cur      *fileWriter
	rowsDone int64 // in finished and current files
	size     int64 // bytes of finished files
	first    int   // number of the first file
}

// newWriter prepares; used tells by column whether it may occur.
func newWriter(t *schema.Table, used []bool, total int64, workers, first int, out Output) *writer {
	w := &writer{table: t, out: out.withDefaults(), workers: max(workers, 1), total: total, first: first}
	for i := range t.Columns {
		if used[i] || t.Columns[i].Required {
			w.cols = append(w.cols, i)
		}
	}
	for range w.workers {
		w.encoders = append(w.encoders, newEncoder())
	}
	return w
}

// writeAll drains src into files: this goroutine fills a row group while another
// one (with workers of its own) encodes the one before.
func (w *writer) writeAll(ctx context.Context, src source) ([]File, error) {
	free, full := make(chan *group, 2), make(chan *group)
	free <- newGroup(w.table)
	free <- newGroup(w.table)
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
// enough. A panic of the Parquet library becomes an error.
func (w *writer) encode(g *group) (err error) {
	defer recovered(&err, "write")
	if w.cur != nil && w.cut(g) {
		if err := w.finishFile(); err != nil {
			return err
		}
	}
	if w.cur == nil {
		if err := w.begin(g); err != nil {
			return err
		}
	}
	if err := w.cur.group(g, w.encoders); err != nil {
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

// begin makes the next file, encoded as the group suggests.
func (w *writer) begin(g *group) error {
	n := w.first + len(w.made)
	f, path, err := w.out.Create(n)
	if err != nil {
		return fmt.Errorf("cannot make data file %d: %w", n, err)
	}
	w.made = append(w.made, path)
	fw := &fileWriter{f: f, path: path, table: w.table, cols: w.cols, sink: &sink{w: f, sum: sha256.New()}}
	w.cur = fw
	choices := make([]choice, len(w.cols))
	fw.bounds = make([]bounds, len(w.cols))
	for i, ci := range w.cols {
		c := &w.table.Columns[ci]
		choices[i] = choose(c.Disk, &g.cols[ci])
		fw.bounds[i] = bounds{kind: c.Disk, on: c.Stats}
	}
	root, err := parquetSchema(w.table, w.cols)
	if err != nil {
		return err
	}
	meta := metadata.NewKeyValueMetadata()
	if err := meta.Append(schemaVersionKey, versionText(w.table)); err != nil {
		return fmt.Errorf("cannot write metadata of %s: %w", path, err)
	}
	fw.pw, err = file.NewParquetWriterWithError(fw.sink, root,
		file.WithWriterProps(properties(w.table, w.cols, choices)), file.WithWriteMetadata(meta))
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}

// finishFile closes the current file and adds it to the result.
func (w *writer) finishFile() (err error) {
	fw := w.cur
	if fw == nil {
		return nil
	}
	defer recovered(&err, "write "+fw.path)
	if err := fw.pw.Close(); err != nil {
		return fmt.Errorf("cannot write %s: %w", fw.path, err)
	}
	w.cur = nil // from here on the file is closed, whatever Close says
	if err := fw.f.Close(); err != nil {
		return fmt.Errorf("cannot finish %s: %w", fw.path, err)
	}
	res, err := fw.result()
	if err != nil {
		return err
	}
	w.size += res.SizeBytes
	w.files = append(w.files, res)
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

// sink counts and hashes what goes into a file. It hides Close from the Parquet
// library, which would call it.
type sink struct {
	w    io.Writer
	sum  hash.Hash
	size int64
	err  error
}

// Write implements io.Writer. After an error nothing is written any more.
func (s *sink) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	s.sum.Write(p[:n])
	s.size += int64(n)
	s.err = err
	return n, err
}

// fileWriter writes one file.
type fileWriter struct {
	f      io.WriteCloser
	path   string
	table  *schema.Table
	cols   []int
	sink   *sink
	pw     *file.Writer
	bounds []bounds
	rows   int64
}

// group writes one row group; columns are shared out among the encoders.
func (fw *fileWriter) group(g *group, encoders []*encoder) error {
	rg, err := fw.pw.AppendBufferedRowGroupChecked()
	if err != nil {
		return err
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		next int
		errs error
	)
	take := func() int {
		mu.Lock()
		defer mu.Unlock()
		if errs != nil || next == len(fw.cols) {
			return -1
		}
		next++
		return next - 1
	}
	for _, e := range encoders {
		wg.Go(func() {
			for i := take(); i >= 0; i = take() {
				if err := fw.column(rg, g, e, i); err != nil {
					mu.Lock()
					errs = errors.Join(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if errs != nil {
		return errs
	}
	if err := rg.Close(); err != nil {
		return err
	}
	fw.rows += int64(g.rows)
	return nil
}

// column encodes the i-th column of the file.
func (fw *fileWriter) column(rg file.BufferedRowGroupWriter, g *group, e *encoder, i int) (err error) {
	c := &fw.table.Columns[fw.cols[i]]
	defer recovered(&err, "encode column "+c.Name)
	cw, err := rg.Column(i)
	if err != nil {
		return fmt.Errorf("cannot write column %s: %w", c.Name, err)
	}
	data := &g.cols[fw.cols[i]]
	if err := e.column(cw, data, g.rows, c.Required); err != nil {
		return err
	}
	fw.bounds[i].add(data, g.rows)
	return nil
}

// result describes the finished file.
func (fw *fileWriter) result() (File, error) {
	meta, err := fw.pw.FileMetadata()
	if err != nil {
		return File{}, fmt.Errorf("cannot read back the metadata of %s: %w", fw.path, err)
	}
	res := File{Path: fw.path, Rows: fw.rows, SizeBytes: fw.sink.size, SchemaVersion: fw.table.Version}
	fw.sink.sum.Sum(res.SHA256[:0])
	sizes := make([]int64, len(fw.cols))
	for r := range meta.NumRowGroups() {
		rg := meta.RowGroup(r)
		for i := range fw.cols {
			cc, err := rg.ColumnChunk(i)
			if err != nil {
				return File{}, fmt.Errorf("cannot read back the metadata of %s: %w", fw.path, err)
			}
			sizes[i] += cc.TotalCompressedSize()
			if i == 0 {
				res.SplitOffsets = append(res.SplitOffsets, firstPage(cc))
			}
		}
	}
	for i, ci := range fw.cols {
		id := fw.table.Columns[ci].FieldID
		res.Columns = append(res.Columns, id)
		res.Stats = append(res.Stats, fw.bounds[i].stats(id, sizes[i]))
	}
	return res, nil
}

// firstPage is the offset of a column's first page.
func firstPage(cc *metadata.ColumnChunkMetaData) int64 {
	if cc.HasDictionaryPage() {
		return cc.DictionaryPageOffset()
	}
	return cc.DataPageOffset()
}
