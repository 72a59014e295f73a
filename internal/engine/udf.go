//go:build cgo

package engine

/*
#include <stdint.h>
#include <stdlib.h>
typedef void (*wadi_scalar)(void *, void *, void *);
void wadiCall(void *info, void *input, void *output);
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime/cgo"
	"sync"
	"sync/atomic"
	"unicode/utf8"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

const (
	// maxValueBytes bounds one text that a Go function gives: a result may have no
	// more in all.
	maxValueBytes = DefaultMaxBytes
	// maxChunkBytes bounds the texts that a Go function gives for one chunk of rows:
	// DuckDB can't take the failure to hold them in the middle of a call.
	maxChunkBytes = 256 << 20
	// stopEvery is after how many rows a Go function looks whether its question
	// was cancelled: a chunk has 2,048, and a row may take a millisecond.
	stopEvery = 32
)

var errStopped = errors.New("the question was stopped")

// goFunction is a function of package udf as DuckDB's threads call it, at the same
// time.
type goFunction struct {
	def  *udf.Func
	stop *atomic.Bool // the running question is to end

	mu   sync.Mutex
	idle []*evaluation // of the running question
}

// evaluation is what one thread needs to call a function; it serves one chunk
// after another of one question.
type evaluation struct {
	eval udf.Eval
	args []udf.Value
	in   []argument
	out  textWriter
}

// goFunctions are all Go functions of one database.
type goFunctions struct {
	all  []*goFunction
	stop atomic.Bool
}

// registerAll makes the functions known to DuckDB, each under functionPrefix and
// its name, with one form for each number of arguments it takes. DuckDB may
// compute a call of constants once, and the same call of a row once, unless the
// function is volatile.
func (g *goFunctions) registerAll(conn bindings.Connection, defs []udf.Func) error {
	for i := range defs {
		f := &goFunction{def: &defs[i], stop: &g.stop}
		if err := f.register(conn); err != nil {
			return err
		}
		g.all = append(g.all, f)
	}
	return nil
}

// forget drops what the functions keep from chunk to chunk; called when no
// question runs, so that no question leaves anything to the next.
func (g *goFunctions) forget() {
	for _, f := range g.all {
		f.idle = nil
	}
	g.stop.Store(false)
}

func (f *goFunction) register(conn bindings.Connection) error {
	name := functionPrefix + f.def.Name
	if !identifier(name) {
		return fmt.Errorf("cannot register a function as %q", name)
	}
	// DuckDB keeps a pointer, which must not be one of Go's: a word of C memory
	// that holds the handle. Both live as long as the process.
	extra := C.malloc(C.size_t(unsafe.Sizeof(cgo.Handle(0))))
	*(*cgo.Handle)(extra) = cgo.NewHandle(f)
	set := bindings.CreateScalarFunctionSet(name)
	defer bindings.DestroyScalarFunctionSet(&set)
	last := len(f.def.Params)
	for n := min(f.def.Min, last); n <= last; n++ {
		if state := f.addForm(set, extra, name, n); state != bindings.StateSuccess {
			return fmt.Errorf("DuckDB refuses %s with %d arguments", name, n)
		}
	}
	if bindings.RegisterScalarFunctionSet(conn, set) != bindings.StateSuccess {
		return errors.New("DuckDB refuses " + name)
	}
	return nil
}

// addForm adds the form of the function with n arguments, or n and more when those
// are all its parameters and the last repeats.
func (f *goFunction) addForm(set bindings.ScalarFunctionSet, extra unsafe.Pointer, name string, n int) bindings.State {
	form := bindings.CreateScalarFunction()
	defer bindings.DestroyScalarFunction(&form)
	bindings.ScalarFunctionSetName(form, name)
	bindings.ScalarFunctionSetSpecialHandling(form) // nulls come as they are
	bindings.ScalarFunctionSetExtraInfo(form, extra, nil)
	bindings.ScalarFunctionSetFunction(form, unsafe.Pointer(C.wadi_scalar(C.wadiCall)))
	if f.def.Volatile {
		bindings.ScalarFunctionSetVolatile(form)
	}
	with := func(t schema.Type, use func(bindings.LogicalType)) {
		logical := bindings.CreateLogicalType(wireOf(t).duckType())
		defer bindings.DestroyLogicalType(&logical)
		use(logical)
	}
	for _, t := range f.def.Params[:n] {
		with(t, func(l bindings.LogicalType) { bindings.ScalarFunctionAddParameter(form, l) })
	}
	if f.def.Variadic && n > 0 && n == len(f.def.Params) {
		with(f.def.Params[n-1], func(l bindings.LogicalType) { bindings.ScalarFunctionSetVarargs(form, l) })
	}
	with(f.def.Result, func(l bindings.LogicalType) { bindings.ScalarFunctionSetReturnType(form, l) })
	return bindings.AddScalarFunctionToSet(set, form)
}

// take gives an evaluation for one chunk.
func (f *goFunction) take() *evaluation {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.idle); n > 0 {
		e := f.idle[n-1]
		f.idle = f.idle[:n-1]
		return e
	}
	return nil
}

// give takes it back; after an error or a panic it is not to be trusted.
func (f *goFunction) give(e *evaluation) {
	f.mu.Lock()
	f.idle = append(f.idle, e)
	f.mu.Unlock()
}

// wadiCall is called by DuckDB's threads, at the same time, with one chunk of
// flat vectors each; a panic must not unwind through C++.
//
//export wadiCall
func wadiCall(info, input, output unsafe.Pointer) {
	where := bindings.FunctionInfo{Ptr: info}
	name := "a function"
	defer func() {
		if r := recover(); r != nil {
			bindings.ScalarFunctionSetError(where, fmt.Sprint("BUG in ", name, ": ", r))
		}
	}()
	handle := *(*cgo.Handle)(bindings.ScalarFunctionGetExtraInfo(where))
	f, ok := handle.Value().(*goFunction)
	if !ok {
		bindings.ScalarFunctionSetError(where, "BUG: a function without its handle")
		return
	}
	name = f.def.Name
	e := f.take()
	if e == nil {
		e = &evaluation{eval: f.def.New()}
	}
	if err := f.chunk(e, bindings.DataChunk{Ptr: input}, bindings.Vector{Ptr: output}); err != nil {
		bindings.ScalarFunctionSetError(where, callError(name, err))
		return
	}
	f.give(e)
}

func callError(name string, err error) string {
	if errors.Is(err, errStopped) {
		return err.Error()
	}
	return name + ": " + err.Error()
}

// argument is one argument's vector with how its values are read.
type argument struct {
	column
	typ schema.Type
}

// chunk evaluates all rows of a chunk.
func (f *goFunction) chunk(e *evaluation, chunk bindings.DataChunk, result bindings.Vector) error {
	count := int(bindings.DataChunkGetColumnCount(chunk))
	e.in = e.in[:0]
	for i := range count {
		e.in = append(e.in, argument{columnOf(bindings.DataChunkGetVector(chunk, bindings.IdxT(i))), f.def.Param(i)})
	}
	if len(e.args) != count {
		e.args = make([]udf.Value, count)
	}
	defer clear(e.args) // they point into the chunk
	to := resultOf(result, f.def.Result)
	e.out.reset(result)
	var out udf.Value
	for row := range int(bindings.DataChunkGetSize(chunk)) {
		if row%stopEvery == 0 && f.stop.Load() {
			return errStopped
		}
		for i := range e.in {
			e.in[i].value(row, &e.args[i])
		}
		out = udf.Value{}
		if err := e.eval(e.args, &out); err != nil {
			return err
		}
		if err := to.set(row, &out, &e.out); err != nil {
			return err
		}
	}
	e.out.flush()
	return nil
}

// value reads the value of a row; texts alias DuckDB's memory. A null string is
// an empty one, because KQL's strings are never null.
func (a *argument) value(row int, v *udf.Value) {
	if a.null(row) {
		*v = udf.Value{Null: a.typ != schema.String}
		return
	}
	v.Null = false
	switch wireOf(a.typ) {
	case wireBool:
		v.I = int64(*(*uint8)(unsafe.Add(a.data, row)))
	case wireInt32:
		v.I = int64(a.int32(row))
	case wireInt64:
		v.I = a.int64(row)
	case wireFloat64:
		v.F = *(*float64)(unsafe.Add(a.data, row*8))
	default:
		v.S = a.text(row)
	}
}

// results is the vector that a function's results go to.
type results struct {
	vector bindings.Vector
	data   unsafe.Pointer
	valid  unsafe.Pointer // nil until the first null
	typ    schema.Type
}

func resultOf(v bindings.Vector, t schema.Type) results {
	return results{vector: v, data: bindings.VectorGetData(v), typ: t}
}

func (r *results) set(row int, v *udf.Value, text *textWriter) error {
	if v.Null && r.typ != schema.String {
		r.setNull(row)
		return nil
	}
	switch wireOf(r.typ) {
	case wireBool:
		b := uint8(0)
		if v.I != 0 {
			b = 1
		}
		*(*uint8)(unsafe.Add(r.data, row)) = b
	case wireInt32:
		*(*int32)(unsafe.Add(r.data, row*4)) = int32(v.I)
	case wireInt64:
		*(*int64)(unsafe.Add(r.data, row*8)) = v.I
	case wireFloat64:
		*(*float64)(unsafe.Add(r.data, row*8)) = v.F
	default:
		if v.Null {
			v.S = nil
		}
		if len(v.S) > maxValueBytes {
			return fmt.Errorf("it gives a text of %d bytes; the limit is %d", len(v.S), maxValueBytes)
		}
		if text.sum+len(v.S) > maxChunkBytes {
			return fmt.Errorf("it gives too much text at once: more than %d bytes for %d rows", maxChunkBytes, row+1)
		}
		if !utf8.Valid(v.S) { // DuckDB's own functions rely on it
			return errors.New("it gives a text that is not UTF-8")
		}
		text.put(row, v.S)
	}
	return nil
}

func (r *results) setNull(row int) {
	if r.valid == nil {
		bindings.VectorEnsureValidityWritable(r.vector)
		r.valid = bindings.VectorGetValidity(r.vector)
	}
	*(*uint64)(unsafe.Add(r.valid, row/64*8)) &^= 1 << (row % 64)
}

// textWriter writes texts into a vector with one call of C for many rows: it
// gathers those too long to stand in the vector itself, hands them over as one
// text, which DuckDB copies into the vector's own memory, and points the rows at
// their parts of the copy.
type textWriter struct {
	vector bindings.Vector
	data   unsafe.Pointer
	text   []byte
	parts  []textPart
	sum    int // bytes of the chunk so far
}

type textPart struct{ row, start, size int }

const (
	// flushText bounds what is gathered before it is handed over.
	flushText = 1 << 20
	// keepText bounds the buffer that is kept for the next chunk.
	keepText = 4 << 20
)

func (w *textWriter) reset(v bindings.Vector) {
	if cap(w.text) > keepText {
		w.text = nil
	}
	w.vector, w.data, w.text, w.parts, w.sum = v, bindings.VectorGetData(v), w.text[:0], w.parts[:0], 0
}

func (w *textWriter) put(row int, s []byte) {
	w.sum += len(s)
	if len(s) <= inlineBytes {
		at := (*[stringBytes]byte)(unsafe.Add(w.data, row*stringBytes))
		*at = [stringBytes]byte{byte(len(s))}
		copy(at[4:], s)
		return
	}
	w.parts = append(w.parts, textPart{row, len(w.text), len(s)})
	w.text = append(w.text, s...)
	if len(w.text) >= flushText {
		w.flush()
	}
}

func (w *textWriter) flush() {
	if len(w.parts) == 0 {
		return
	}
	first := w.parts[0].row
	bindings.UnsafeVectorAssignStringElementLen(w.vector, bindings.IdxT(first), w.text)
	// As numbers, not pointers: the garbage collector has no business there.
	copied := *(*uintptr)(unsafe.Add(w.data, first*stringBytes+8))
	for _, p := range w.parts {
		at := unsafe.Add(w.data, p.row*stringBytes)
		*(*uint32)(at) = uint32(p.size)
		copy((*[4]byte)(unsafe.Add(at, 4))[:], w.text[p.start:p.start+4])
		*(*uintptr)(unsafe.Add(at, 8)) = copied + uintptr(p.start)
	}
	w.text, w.parts = w.text[:0], w.parts[:0]
}
