//go:build cgo

package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// runStage runs one stage into its table. The rows stream from one connection,
// which can do nothing else meanwhile, and are appended by another.
func (d *duck) runStage(ctx context.Context, s *stageRequest) (err error) {
	if err := s.names(); err != nil {
		return err
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("BUG in %s: %v", s.Op, r)
		}
	}()
	op, err := d.operator(s.Op, s.args(), s.In, s.outTypes(), s.Kept)
	if err != nil {
		return err
	}
	out, err := d.newStageTable(s)
	if err != nil {
		return err
	}
	defer out.destroy()
	prepared, err := d.prepare(s.SQL, s.In)
	defer bindings.DestroyPrepare(&prepared)
	if err != nil {
		return err
	}
	in := newChunkReader(s.In)
	err = d.stream(ctx, prepared, func(chunk bindings.DataChunk) error {
		return in.rows(chunk, func(row []udf.Value) error {
			if d.funcs.stop.Load() {
				return errStopped
			}
			return op.Row(row, out.row)
		})
	})
	if err == nil {
		err = op.End(out.row)
	}
	if err == nil {
		err = out.finish()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.Op, err)
	}
	return nil
}

// dropStages removes the tables of a question's stages.
func (d *duck) dropStages(stages []stageRequest) error {
	var err error
	for i := range stages {
		if stages[i].names() == nil {
			err = errors.Join(err, execute(d.writer, "DROP TABLE IF EXISTS "+stages[i].Table))
		}
	}
	return err
}

// chunkReader gives the rows of chunks as values.
type chunkReader struct {
	in  []argument
	row []udf.Value
}

func newChunkReader(types []schema.Type) *chunkReader {
	r := &chunkReader{in: make([]argument, len(types)), row: make([]udf.Value, len(types))}
	for i, t := range types {
		r.in[i].typ = t
	}
	return r
}

// rows calls take with each row; its texts alias the chunk's memory.
func (r *chunkReader) rows(chunk bindings.DataChunk, take func([]udf.Value) error) error {
	for i := range r.in {
		r.in[i].column = columnOf(bindings.DataChunkGetVector(chunk, bindings.IdxT(i)))
	}
	for row := range int(bindings.DataChunkGetSize(chunk)) {
		for i := range r.in {
			r.in[i].value(row, &r.row[i])
		}
		if err := take(r.row); err != nil {
			return err
		}
	}
	return nil
}

// stageTable is the table of a stage while it is filled, chunk by chunk.
type stageTable struct {
	types    []schema.Type
	appender bindings.Appender
	chunk    bindings.DataChunk
	columns  []results
	texts    []textWriter
	filled   int // rows of the chunk
	capacity int
	rowCount int64
	maxRows  int64
	bytes    int64
}

func (d *duck) newStageTable(s *stageRequest) (*stageTable, error) {
	types := s.outTypes()
	defs := make([]string, len(types))
	logical := make([]bindings.LogicalType, len(types))
	for i, t := range types {
		defs[i] = s.Out[i].Name + " " + wireOf(t).sqlType()
		logical[i] = bindings.CreateLogicalType(wireOf(t).duckType())
		defer bindings.DestroyLogicalType(&logical[i])
	}
	if err := execute(d.writer, "CREATE OR REPLACE TABLE "+s.Table+" ("+strings.Join(defs, ", ")+")"); err != nil {
		return nil, err
	}
	t := &stageTable{maxRows: d.stageRows, types: types, columns: make([]results, len(types)), texts: make([]textWriter, len(types)), capacity: int(bindings.VectorSize())}
	if bindings.AppenderCreate(d.writer, "", s.Table, &t.appender) != bindings.StateSuccess {
		defer bindings.AppenderDestroy(&t.appender)
		return nil, plain(bindings.AppenderError(t.appender))
	}
	t.chunk = bindings.CreateDataChunk(logical)
	t.begin()
	return t, nil
}

func (t *stageTable) destroy() {
	bindings.DestroyDataChunk(&t.chunk)
	bindings.AppenderDestroy(&t.appender)
}

// begin starts an empty chunk.
func (t *stageTable) begin() {
	bindings.DataChunkReset(t.chunk)
	t.filled = 0
	for i, typ := range t.types {
		v := bindings.DataChunkGetVector(t.chunk, bindings.IdxT(i))
		t.columns[i] = resultOf(v, typ)
		t.texts[i].reset(v)
	}
}

// row takes a row that the operator gives.
func (t *stageTable) row(row []udf.Value) error {
	if len(row) != len(t.types) {
		return fmt.Errorf("BUG: a row of %d values instead of %d", len(row), len(t.types))
	}
	if t.rowCount++; t.rowCount > t.maxRows {
		return fmt.Errorf("it gives more than %d rows", t.maxRows)
	}
	for i := range row {
		t.bytes += int64(stringBytes + len(row[i].S))
		if err := t.columns[i].set(t.filled, &row[i], &t.texts[i]); err != nil {
			return err
		}
	}
	if t.bytes > maxStageBytes {
		return fmt.Errorf("it gives more than %d MB", maxStageBytes>>20)
	}
	if t.filled++; t.filled == t.capacity {
		return t.flush()
	}
	return nil
}

func (t *stageTable) flush() error {
	for i := range t.texts {
		t.texts[i].flush()
	}
	bindings.DataChunkSetSize(t.chunk, bindings.IdxT(t.filled))
	if bindings.AppendDataChunk(t.appender, t.chunk) != bindings.StateSuccess {
		return plain(bindings.AppenderError(t.appender))
	}
	t.begin()
	return nil
}

func (t *stageTable) finish() error {
	if t.filled > 0 {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if bindings.AppenderClose(t.appender) != bindings.StateSuccess {
		return plain(bindings.AppenderError(t.appender))
	}
	return nil
}
