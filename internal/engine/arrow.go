package engine

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/schema"
)

// How values are given as Arrow: bool, int32, int64 and float64 as they are; text
// of every kind, decimal, guid and dynamic (JSON) too, as utf8; timespan as int64 of
// 100 ns, as it lies in the lake (Parquet knows no duration), which the field's
// metadata say; datetime as timestamp in UTC. A datetime's tick is 100 ns, so
// nanoseconds hold it exactly, but reach from 1677 to 2262 only; microseconds reach
// everywhere, but lack the seventh digit. So the unit is chosen for each column by
// its values: [Rows.Arrow] says how.

// timeUnit is the unit of one column of ticks.
type timeUnit = arrow.TimeUnit

const (
	nanosPerTick  = 100
	ticksPerMicro = 10
	// farthest is how many ticks from 1970 nanoseconds reach.
	farthest = math.MaxInt64 / nanosPerTick
)

// unitKey is the metadata key of a field's unit, where its type doesn't say it.
const unitKey = "wadi.unit"

// unixEpoch is 1970 in ticks since the year 1.
var unixEpoch = int64(event.FromUnixMicros(0))

// unitNeeds is what a column's values ask of its unit.
type unitNeeds struct {
	far  bool // some value is out of reach of nanoseconds
	fine bool // some value has a seventh digit
}

func (n *unitNeeds) look(v *vector, rows int) {
	for r := range rows {
		if v.nulls[r/8]&(1<<(r%8)) != 0 {
			continue
		}
		since := int64(binary.LittleEndian.Uint64(v.fixed[8*r:])) - unixEpoch
		n.far = n.far || since > farthest || since < -farthest
		n.fine = n.fine || since%ticksPerMicro != 0
	}
}

// unit is nanoseconds if they hold all values seen, else microseconds.
func (n *unitNeeds) unit() timeUnit {
	if n.far {
		return arrow.Microsecond
	}
	return arrow.Nanosecond
}

// converter makes Arrow's columns of the batches of one result.
type converter struct {
	columns []Column
	units   []timeUnit
	schema  *arrow.Schema
}

// newConverter chooses the units by the batches given.
func newConverter(columns []Column, first []*batch) *converter {
	c := &converter{columns: columns, units: make([]timeUnit, len(columns))}
	fields := make([]arrow.Field, len(columns))
	for i, column := range columns {
		fields[i] = arrow.Field{Name: column.Name, Nullable: true}
		switch column.Type {
		case schema.DateTime:
			var needs unitNeeds
			for _, b := range first {
				needs.look(&b.columns[i], b.rows)
			}
			c.units[i] = needs.unit()
		case schema.TimeSpan:
			fields[i].Metadata = arrow.NewMetadata([]string{unitKey}, []string{"100 ns"})
		}
		fields[i].Type = arrowType(column.Type, c.units[i])
	}
	c.schema = arrow.NewSchema(fields, nil)
	return c
}

func arrowType(t schema.Type, unit timeUnit) arrow.DataType {
	if t == schema.DateTime {
		return &arrow.TimestampType{Unit: unit, TimeZone: "UTC"}
	}
	switch wireOf(t) {
	case wireBool:
		return arrow.FixedWidthTypes.Boolean
	case wireInt32:
		return arrow.PrimitiveTypes.Int32
	case wireInt64:
		return arrow.PrimitiveTypes.Int64
	case wireFloat64:
		return arrow.PrimitiveTypes.Float64
	default:
		return arrow.BinaryTypes.String
	}
}

// record gives a batch as Arrow. Texts and numbers share the batch's memory.
func (c *converter) record(b *batch) (arrow.RecordBatch, error) {
	columns := make([]arrow.Array, len(b.columns))
	defer func() {
		for _, a := range columns {
			if a != nil {
				a.Release()
			}
		}
	}()
	for i := range b.columns {
		data, err := c.column(i, &b.columns[i], b.rows)
		if err != nil {
			return nil, err
		}
		columns[i] = array.MakeFromData(data)
		data.Release()
	}
	return array.NewRecordBatch(c.schema, columns, int64(b.rows)), nil
}

func (c *converter) column(i int, v *vector, rows int) (*array.Data, error) {
	valid := make([]byte, len(v.nulls))
	for k, b := range v.nulls {
		valid[k] = ^b
	}
	buffers := []*memory.Buffer{memory.NewBufferBytes(valid)}
	switch {
	case v.wire == wireString:
		offsets := make([]byte, 4, 4*(rows+1))
		for _, end := range v.ends {
			offsets = binary.LittleEndian.AppendUint32(offsets, end)
		}
		buffers = append(buffers, memory.NewBufferBytes(offsets), memory.NewBufferBytes(v.text))
	case v.wire == wireBool:
		bits := make([]byte, (rows+7)/8)
		for r, b := range v.fixed {
			if b != 0 {
				bits[r/8] |= 1 << (r % 8)
			}
		}
		buffers = append(buffers, memory.NewBufferBytes(bits))
	default:
		fixed := v.fixed
		if c.columns[i].Type == schema.DateTime {
			var err error
			if fixed, err = c.inUnit(i, v, rows); err != nil {
				return nil, err
			}
		}
		buffers = append(buffers, memory.NewBufferBytes(fixed))
	}
	return array.NewData(c.schema.Field(i).Type, rows, buffers, nil, array.UnknownNullCount, 0), nil
}

// inUnit gives the datetimes of a column in its unit; it fails where they don't fit.
func (c *converter) inUnit(i int, v *vector, rows int) ([]byte, error) {
	var needs unitNeeds
	needs.look(v, rows)
	nanos := c.units[i] == arrow.Nanosecond
	if nanos && needs.far || !nanos && needs.fine {
		return nil, fmt.Errorf("cannot give the column %q exactly: some of its values lie outside the reach of nanoseconds and some have a seventh digit; use format_datetime or tostring", c.columns[i].Name)
	}
	out := make([]byte, 0, 8*rows)
	for r := range rows {
		since := int64(binary.LittleEndian.Uint64(v.fixed[8*r:])) - unixEpoch
		switch {
		case v.nulls[r/8]&(1<<(r%8)) != 0:
			since = 0
		case nanos:
			since *= nanosPerTick
		default:
			since /= ticksPerMicro
		}
		out = binary.LittleEndian.AppendUint64(out, uint64(since))
	}
	return out, nil
}

// peekBytes is how much of a result is read before the units of its times are
// chosen: all of a result that is not unlimited.
const peekBytes = DefaultMaxBytes

// Arrow gives the rows that are left as record batches, which the callee must not
// keep without Retain; the error of give ends it. The schema is that of the first
// and of all batches; a result without rows gives one empty batch. Datetimes and
// timespans are in nanoseconds where these hold all values of the column that lie
// in the first 64 MB of the result, which are held in memory, else in
// microseconds; a value behind those that the unit doesn't hold exactly is an
// error.
func (r *Rows) Arrow(give func(arrow.RecordBatch) error) error {
	var first []*batch
	size, more := 0, true
	for size < peekBytes {
		if more = r.nextBatch(); !more {
			break
		}
		r.count += int64(r.batch.rows)
		first = append(first, r.batch)
		size += r.batch.sizeBytes()
	}
	if r.err != nil {
		return r.err
	}
	c := newConverter(r.columns, first)
	if len(first) == 0 {
		first = []*batch{emptyBatch(r.types)}
	}
	pass := func(b *batch) error {
		record, err := c.record(b)
		if err != nil {
			return err
		}
		defer record.Release()
		return give(record)
	}
	for i, b := range first {
		first[i] = nil
		if err := pass(b); err != nil {
			return err
		}
	}
	for more && r.nextBatch() {
		r.count += int64(r.batch.rows)
		if err := pass(r.batch); err != nil {
			return err
		}
	}
	return r.err
}

func emptyBatch(types []schema.Type) *batch {
	b := newBatch(types)
	for i := range b.columns {
		b.columns[i].nulls = []byte{}
	}
	return b
}
