//go:build cgo

package engine

/*
#include <stdint.h>
#include <stdlib.h>

// DuckDB's C API for aggregate functions, as its header duckdb.h declares it; the Go
// bindings leave it out. All handles are pointers.
extern void *duckdb_create_aggregate_function(void);
extern void duckdb_destroy_aggregate_function(void **f);
extern void duckdb_aggregate_function_set_name(void *f, const char *name);
extern void duckdb_aggregate_function_add_parameter(void *f, void *type);
extern void duckdb_aggregate_function_set_return_type(void *f, void *type);
extern void duckdb_aggregate_function_set_functions(void *f, uint64_t (*size)(void *), void (*init)(void *, void *),
	void (*update)(void *, void *, void **), void (*combine)(void *, void **, void **, uint64_t),
	void (*finalize)(void *, void **, void *, uint64_t, uint64_t));
extern void duckdb_aggregate_function_set_special_handling(void *f);
extern void duckdb_aggregate_function_set_extra_info(void *f, void *extra, void (*destroy)(void *));
extern void *duckdb_aggregate_function_get_extra_info(void *info);
extern void duckdb_aggregate_function_set_error(void *info, const char *error);
extern int duckdb_register_aggregate_function(void *connection, void *f);

extern void wadiUpdate(void *info, void *chunk, void **states);
extern void wadiCombine(void *info, void **from, void **to, uint64_t count);
extern void wadiFinalize(void *info, void **states, void *result, uint64_t count, uint64_t offset);

// A state in DuckDB's memory is the number of a state in Go's, 0 for none yet, so
// making one costs no call of Go.
static uint64_t wadiStateSize(void *info) { return sizeof(uint64_t); }
static void wadiStateInit(void *info, void *state) { *(uint64_t *)state = 0; }

static void wadiSetAggregate(void *f) {
	duckdb_aggregate_function_set_functions(f, wadiStateSize, wadiStateInit, wadiUpdate, wadiCombine, wadiFinalize);
	duckdb_aggregate_function_set_special_handling(f); // nulls come as they are
}
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// register makes the aggregate known to DuckDB under functionPrefix and its name.
func (a *goAggregate) register(conn bindings.Connection) error {
	name := functionPrefix + a.def.Name
	if !identifier(name) {
		return fmt.Errorf("cannot register an aggregate as %q", name)
	}
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	f := C.duckdb_create_aggregate_function()
	defer C.duckdb_destroy_aggregate_function(&f)
	C.duckdb_aggregate_function_set_name(f, text)
	for _, t := range a.def.Params {
		logical := bindings.CreateLogicalType(wireOf(t).duckType())
		C.duckdb_aggregate_function_add_parameter(f, logical.Ptr)
		bindings.DestroyLogicalType(&logical)
	}
	logical := bindings.CreateLogicalType(wireOf(a.def.Result).duckType())
	C.duckdb_aggregate_function_set_return_type(f, logical.Ptr)
	bindings.DestroyLogicalType(&logical)
	// As of a scalar function: a word of C memory that holds the handle; both live as
	// long as the process.
	extra := C.malloc(C.size_t(unsafe.Sizeof(cgo.Handle(0))))
	*(*cgo.Handle)(extra) = cgo.NewHandle(a)
	C.duckdb_aggregate_function_set_extra_info(f, extra, nil)
	C.wadiSetAggregate(f)
	if C.duckdb_register_aggregate_function(conn.Ptr, f) != 0 {
		return fmt.Errorf("DuckDB refuses %s", name)
	}
	return nil
}

// aggregateOf finds the aggregate that a call is of.
func aggregateOf(info unsafe.Pointer) *goAggregate {
	handle := *(*cgo.Handle)(C.duckdb_aggregate_function_get_extra_info(info))
	a, _ := handle.Value().(*goAggregate)
	return a
}

// failAggregate ends the question with an error.
func failAggregate(info unsafe.Pointer, message string) {
	text := C.CString(message)
	defer C.free(unsafe.Pointer(text))
	C.duckdb_aggregate_function_set_error(info, text)
}
