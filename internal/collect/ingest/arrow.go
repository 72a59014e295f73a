package ingest

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/schema"
)

// errArrowMemory is what the allocator panics with; the library has no other way
// out.
var errArrowMemory = errors.New("it takes more than 64 MiB of memory")

// boundedAllocator bounds what a stream unpacks to.
type boundedAllocator struct {
	memory.Allocator
	left int
}

func (a *boundedAllocator) take(n int) {
	if a.left -= n; a.left < 0 || n < 0 {
		panic(errArrowMemory)
	}
}

// Allocate gives memory, within the bound.
func (a *boundedAllocator) Allocate(size int) []byte {
	a.take(size)
	return a.Allocator.Allocate(size)
}

// Reallocate gives memory of another size, within the bound.
func (a *boundedAllocator) Reallocate(size int, b []byte) []byte {
	a.left += len(b)
	a.take(size)
	return a.Allocator.Reallocate(size, b)
}

// Free takes memory back.
func (a *boundedAllocator) Free(b []byte) {
	a.left += len(b)
	a.Allocator.Free(b)
}

// arrow reads a body that is an Arrow IPC stream. The library panics on some
// garbled bytes; that is an error of the body.
func (d *Decoder) arrow(t *Target, body []byte, out *Result) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			if errors.Is(r, errArrowMemory) {
				err = &Error{Offset: -1, Reason: "the Arrow stream: " + r.Error(), TooLarge: true}
				return
			}
			err = badArrow(r)
		default:
			err = badArrow(fmt.Errorf("%v", r))
		}
	}()
	if err := checkArrow(body); err != nil {
		return badArrow(err)
	}
	mem := &boundedAllocator{memory.DefaultAllocator, MaxEncoded}
	r, err := ipc.NewReader(bytes.NewReader(body), ipc.WithAllocator(mem), ipc.WithMetadataSizeLimit(MaxBody), ipc.WithBodySizeLimit(MaxBody))
	if err != nil {
		return badArrow(err)
	}
	defer r.Release()
	cols, err := arrowColumns(t, r.Schema())
	if err != nil {
		return err
	}
	for r.Next() {
		if err := d.arrowBatch(t, r.RecordBatch(), cols, out); err != nil {
			return err
		}
	}
	if err := r.Err(); err != nil && !errors.Is(err, io.EOF) {
		return badArrow(err)
	}
	return nil
}

// maxArrowReason bounds what an error of the library may say.
const maxArrowReason = 200

func badArrow(err error) error {
	if errors.Is(err, errArrowMemory) {
		return &Error{Offset: -1, Reason: "the Arrow stream: " + errArrowMemory.Error(), TooLarge: true}
	}
	text := shortText(err.Error(), maxArrowReason)
	return &Error{Offset: -1, Reason: "the body is no Arrow IPC stream that can be read: " + text}
}

// arrowColumns finds the columns of a stream's schema.
func arrowColumns(t *Target, s *arrow.Schema) ([]int, error) {
	cols, seen := make([]int, s.NumFields()), map[int]bool{}
	for i, f := range s.Fields() {
		cols[i] = t.index([]byte(f.Name))
		name := shortName([]byte(f.Name))
		switch {
		case cols[i] < 0:
			return nil, &Error{Column: name, Offset: -1, Reason: t.unknown(name)}
		case seen[cols[i]]:
			return nil, &Error{Column: name, Offset: -1, Reason: "the column comes twice in the schema"}
		}
		seen[cols[i]] = true
	}
	return cols, nil
}

func (d *Decoder) arrowBatch(t *Target, batch arrow.RecordBatch, cols []int, out *Result) error {
	rows := batch.NumRows()
	if rows < 0 || rows > int64(MaxRows-d.row) {
		return &Error{Offset: -1, Reason: "more than 100000 rows", TooLarge: true}
	}
	read := make([]arrowReader, len(cols))
	for i, col := range cols {
		c := &t.columns[col]
		if read[i] = newArrowReader(batch.Column(i), c.typ); read[i] == nil {
			return &Error{Column: c.name, Offset: -1, Reason: "a column of type " + c.typ.String() + " cannot be read from Arrow's type " + shortText(batch.Column(i).DataType().String(), maxName)}
		}
	}
	for i := range int(rows) {
		d.row++
		d.begin()
		for k, col := range cols {
			d.value = value{}
			reason := read[k](i, &d.value)
			if reason == "" {
				reason = d.set(col, &d.value)
			}
			if reason != "" {
				return &Error{Row: d.row, Column: t.columns[col].name, Offset: -1, Reason: reason}
			}
		}
		if err := d.end(t, -1); err != nil {
			return err
		}
		if err := d.full(out); err != nil {
			return err
		}
	}
	return nil
}

// arrowReader reads the i-th value of an array.
type arrowReader func(i int, v *value) (reason string)

// newArrowReader makes the reader of an array for a column of that type; nil for
// types that have no values for it.
func newArrowReader(a arrow.Array, t schema.Type) arrowReader {
	read := scalarReader(a, t)
	if read == nil {
		read = textReader(a, t)
	}
	if read == nil {
		read = timeReader(a)
	}
	if read == nil {
		return nil
	}
	return func(i int, v *value) string {
		if a.IsNull(i) {
			return ""
		}
		return read(i, v)
	}
}

// numbers are arrays of whole numbers.
type numbers[T any] interface{ Value(int) T }

func wholeReader[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](a numbers[T]) arrowReader {
	return func(i int, v *value) string {
		v.kind, v.n = ofWhole, int64(a.Value(i))
		return ""
	}
}

func realReader[T float32 | float64](a numbers[T]) arrowReader {
	return func(i int, v *value) string {
		v.kind, v.f = ofReal, float64(a.Value(i))
		return ""
	}
}

// scalarReader reads nulls, booleans, numbers and dictionaries of anything.
func scalarReader(a arrow.Array, t schema.Type) arrowReader {
	switch a := a.(type) {
	case *array.Null:
		return func(int, *value) string { return "" }
	case *array.Boolean:
		return func(i int, v *value) string {
			v.kind, v.flag = ofBool, a.Value(i)
			return ""
		}
	case *array.Int8:
		return wholeReader[int8](a)
	case *array.Int16:
		return wholeReader[int16](a)
	case *array.Int32:
		return wholeReader[int32](a)
	case *array.Int64:
		return wholeReader[int64](a)
	case *array.Uint8:
		return wholeReader[uint8](a)
	case *array.Uint16:
		return wholeReader[uint16](a)
	case *array.Uint32:
		return wholeReader[uint32](a)
	case *array.Uint64:
		return func(i int, v *value) string {
			if a.Value(i) > math.MaxInt64 {
				return notLong
			}
			v.kind, v.n = ofWhole, int64(a.Value(i))
			return ""
		}
	case *array.Float32:
		return realReader[float32](a)
	case *array.Float64:
		return realReader[float64](a)
	case *array.Decimal128:
		scale := a.DataType().(*arrow.Decimal128Type).Scale
		return func(i int, v *value) string {
			v.kind, v.text = ofNumber, []byte(a.Value(i).ToString(scale))
			return ""
		}
	case *array.Dictionary:
		read := newArrowReader(a.Dictionary(), t)
		if read == nil {
			return nil
		}
		return func(i int, v *value) string { return read(a.GetValueIndex(i), v) }
	}
	return nil
}

// texts are arrays of strings.
type texts interface {
	arrow.Array
	Value(int) string
}

// textReader reads strings, and JSON for columns of type dynamic; lists and
// structures become JSON.
func textReader(a arrow.Array, t schema.Type) arrowReader {
	kind := ofText
	if t == schema.Dynamic {
		kind = ofJSON
	}
	take := func(v *value, text []byte) string {
		switch {
		case len(text) > MaxText:
			return errLong
		case !utf8.Valid(text):
			return notUTF8
		}
		if v.kind, v.text = kind, text; kind == ofJSON && len(text) == 0 {
			v.kind = ofNull
		}
		return ""
	}
	if t == schema.Dynamic {
		if read := nestedReader(a, take); read != nil {
			return read
		}
	}
	switch a := a.(type) {
	case texts:
		if !isTextType(a.DataType().ID()) {
			return nil
		}
		return func(i int, v *value) string {
			text := a.Value(i)
			// The text lies in the batch, and nothing that takes a value changes it.
			return take(v, unsafe.Slice(unsafe.StringData(text), len(text)))
		}
	case *array.FixedSizeBinary:
		if t != schema.Guid || a.DataType().(*arrow.FixedSizeBinaryType).ByteWidth != 16 {
			return nil
		}
		return func(i int, v *value) string {
			v.kind, v.text = ofText, hex.AppendEncode(nil, a.Value(i))
			return ""
		}
	case array.ExtensionArray:
		return newArrowReader(a.Storage(), t)
	}
	return nil
}

func isTextType(id arrow.Type) bool {
	return id == arrow.STRING || id == arrow.LARGE_STRING || id == arrow.STRING_VIEW
}

// timeReader reads moments and durations.
func timeReader(a arrow.Array) arrowReader {
	at := func(v *value, n, perSecond int64) string {
		ticks, ok := toTicks(n, perSecond)
		if ok = ok && ticks <= int64(event.MaxTicks-event.UnixEpoch) && ticks >= int64(event.MinTicks-event.UnixEpoch); !ok {
			return notTime
		}
		v.kind, v.n = ofTime, ticks+int64(event.UnixEpoch)
		return ""
	}
	switch a := a.(type) {
	case *array.Timestamp:
		perSecond := unitsPerSecond(a.DataType().(*arrow.TimestampType).Unit)
		return func(i int, v *value) string { return at(v, int64(a.Value(i)), perSecond) }
	case *array.Date32:
		return func(i int, v *value) string { return at(v, int64(a.Value(i))*86400, 1) }
	case *array.Date64:
		return func(i int, v *value) string { return at(v, int64(a.Value(i)), 1000) }
	case *array.Duration:
		perSecond := unitsPerSecond(a.DataType().(*arrow.DurationType).Unit)
		return func(i int, v *value) string {
			ticks, ok := toTicks(int64(a.Value(i)), perSecond)
			if !ok {
				return notSpan
			}
			v.kind, v.n = ofSpan, ticks
			return ""
		}
	}
	return nil
}

func unitsPerSecond(u arrow.TimeUnit) int64 {
	switch u {
	case arrow.Second:
		return 1
	case arrow.Millisecond:
		return 1e3
	case arrow.Microsecond:
		return 1e6
	}
	return 1e9
}

// toTicks turns a number of units into ticks of 100 ns, floored; false when it
// doesn't fit.
func toTicks(n, perSecond int64) (int64, bool) {
	const ticks = int64(event.TicksPerSecond)
	if perSecond > ticks {
		per := perSecond / ticks
		q := n / per
		if n%per < 0 {
			q--
		}
		return q, true
	}
	per := ticks / perSecond
	return n * per, n <= math.MaxInt64/per && n >= math.MinInt64/per
}
