//go:build cgo

package engine

/*
typedef void (*wadi_scalar)(void *, void *, void *);
void wadiSystemXML(void *info, void *input, void *output);
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/schema"
)

// systemXMLFunction is the SQL function that rebuilds an event's text up to and
// with </System> from the typed columns:
//
//	wadi_system_xml(_SystemForm, microseconds of TimeGenerated since 1970, _TimeSub,
//	  Channel, Provider, ProviderGuid, EventSourceName,
//	  EventID, Qualifiers, Version, Level, Task, Opcode, Keywords, EventRecordId,
//	  ActivityId, RelatedActivityId, SystemProcessId, SystemThreadId, SystemUserId, Computer)
//
// A null is a value the event doesn't have; a null form gives null. The text of an
// event whose _SystemXml is not null is that, not this.
const systemXMLFunction = "wadi_system_xml"

// systemXMLTypes are the types of its arguments; the code below knows their order.
var systemXMLTypes = []bindings.Type{
	bindings.TypeInteger, bindings.TypeBigInt, bindings.TypeInteger,
	bindings.TypeVarchar, bindings.TypeVarchar, bindings.TypeVarchar, bindings.TypeVarchar,
	bindings.TypeInteger, bindings.TypeInteger, bindings.TypeInteger, bindings.TypeInteger, bindings.TypeInteger, bindings.TypeInteger,
	bindings.TypeBigInt, bindings.TypeBigInt,
	bindings.TypeVarchar, bindings.TypeVarchar, bindings.TypeInteger, bindings.TypeInteger, bindings.TypeVarchar, bindings.TypeVarchar,
}

// registerFunctions adds Wadi's SQL functions, which generated SQL calls.
func registerFunctions(conn bindings.Connection) error {
	f := bindings.CreateScalarFunction()
	defer bindings.DestroyScalarFunction(&f)
	bindings.ScalarFunctionSetName(f, systemXMLFunction)
	bindings.ScalarFunctionSetSpecialHandling(f) // nulls come as they are
	for _, t := range systemXMLTypes {
		argument := bindings.CreateLogicalType(t)
		bindings.ScalarFunctionAddParameter(f, argument)
		bindings.DestroyLogicalType(&argument)
	}
	result := bindings.CreateLogicalType(bindings.TypeVarchar)
	bindings.ScalarFunctionSetReturnType(f, result)
	bindings.DestroyLogicalType(&result)
	bindings.ScalarFunctionSetFunction(f, unsafe.Pointer(C.wadi_scalar(C.wadiSystemXML)))
	if bindings.RegisterScalarFunction(conn, f) != bindings.StateSuccess {
		return errors.New("DuckDB refuses " + systemXMLFunction)
	}
	return nil
}

// wadiSystemXML is called by DuckDB's threads, at the same time, with one chunk of
// flat vectors each.
//
//export wadiSystemXML
func wadiSystemXML(info, input, output unsafe.Pointer) {
	defer func() {
		if r := recover(); r != nil { // a panic must not unwind through C++
			bindings.ScalarFunctionSetError(bindings.FunctionInfo{Ptr: info}, fmt.Sprint("BUG: ", r))
		}
	}()
	chunk, result := bindings.DataChunk{Ptr: input}, bindings.Vector{Ptr: output}
	var args [21]column
	for i := range args {
		args[i] = columnOf(bindings.DataChunkGetVector(chunk, bindings.IdxT(i)))
	}
	var s eventxml.System
	var text []byte
	to := resultOf(result, schema.Dynamic) // a text that may be null
	out := textWriter{}
	out.reset(result)
	for row := range int(bindings.DataChunkGetSize(chunk)) {
		if args[0].null(row) {
			to.setNull(row)
			continue
		}
		setSystem(&s, &args, row)
		text = eventxml.AppendSystem(text[:0], &s, args[0].int32(row))
		// Its parts are texts of DuckDB, so the whole is UTF-8 without a check.
		out.put(row, text)
	}
	out.flush()
}

// setSystem reads one row's values; texts alias DuckDB's memory.
func setSystem(s *eventxml.System, args *[21]column, row int) {
	s.Has = 0
	s.TimeUS = number64(s, &args[1], row, event.HasTimeCreated)
	s.TimeSub = 0
	if !args[2].null(row) {
		s.TimeSub = args[2].int32(row)
	}
	s.Channel, s.Provider, s.ProviderGUID, s.EventSourceName = textOrNil(&args[3], row), textOrNil(&args[4], row), textOrNil(&args[5], row), textOrNil(&args[6], row)
	s.EventID = number32(s, &args[7], row, event.HasEventID)
	s.Qualifiers = number32(s, &args[8], row, event.HasQualifiers)
	s.Version = number32(s, &args[9], row, event.HasVersion)
	s.Level = number32(s, &args[10], row, event.HasLevel)
	s.Task = number32(s, &args[11], row, event.HasTask)
	s.Opcode = number32(s, &args[12], row, event.HasOpcode)
	s.Keywords = number64(s, &args[13], row, event.HasKeywords)
	s.EventRecordID = number64(s, &args[14], row, event.HasEventRecordID)
	s.ActivityID, s.RelatedActivityID = textOrNil(&args[15], row), textOrNil(&args[16], row)
	s.ProcessID = number32(s, &args[17], row, event.HasProcessID)
	s.ThreadID = number32(s, &args[18], row, event.HasThreadID)
	s.UserID, s.Computer = textOrNil(&args[19], row), textOrNil(&args[20], row)
}

func textOrNil(c *column, row int) []byte {
	if c.null(row) {
		return nil
	}
	return c.text(row)
}

func number32(s *eventxml.System, c *column, row int, has uint32) int32 {
	if c.null(row) {
		return 0
	}
	s.Has |= has
	return c.int32(row)
}

func number64(s *eventxml.System, c *column, row int, has uint32) int64 {
	if c.null(row) {
		return 0
	}
	s.Has |= has
	return c.int64(row)
}
