package udf

import (
	"bytes"

	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/schema"
)

// eventData are the functions that read EventData in the stored text of an event;
// the binder and the views of windows_events call them, queries can't by name.
var eventData = []Func{
	textFunc("event_data", eventxml.AppendSentinel),
	{Name: "event_field", Params: []schema.Type{schema.String, schema.String}, Min: 2, Result: schema.String, New: newEventField},
	{Name: "event_value", Params: []schema.Type{schema.String, schema.String}, Min: 2, Result: schema.Dynamic, New: newEventValue},
	{Name: "event_data_json", Params: []schema.Type{schema.String, schema.String}, Min: 2, Result: schema.Dynamic, New: newEventJSON},
	scratched("text_value", schema.Dynamic, newTextValue, schema.String),
	{Name: "event_text", Params: []schema.Type{schema.String, schema.String}, Min: 2, Result: schema.Dynamic, New: newEventText},
}

// unnamedData is the key of the array of values without a name.
const unnamedData = "Data"

// newEventField gives the value of that name, "" where the event has none.
func newEventField() Eval {
	var r eventxml.DataReader
	return func(args []Value, out *Value) error {
		out.S, _ = r.Field(args[0].S, args[1].S)
		return nil
	}
}

// newEventText gives the value of that name as its text, null where the event has
// none: what a stored column holds. A string can't be null, so that the type is
// dynamic, which lies in SQL as a text too.
func newEventText() Eval {
	var r eventxml.DataReader
	return func(args []Value, out *Value) error {
		value, ok := r.Field(args[0].S, args[1].S)
		out.S, out.Null = value, !ok
		return nil
	}
}

// newEventValue gives what event_data_json has under a name that is none of those in
// UserData, without making the rest.
func newEventValue() Eval {
	var r eventxml.DataReader
	var text []byte
	return func(args []Value, out *Value) error {
		value, ok := r.Field(args[0].S, args[1].S)
		switch {
		case ok:
			text = dyn.AppendString(text[:0], value)
			out.S = text
		case bytes.Equal(args[1].S, []byte(unnamedData)):
			n, _ := r.Read(args[0].S)
			text, ok = appendUnnamed(text[:0], &r, n)
			out.S, out.Null = text, !ok
		default:
			out.Null = true
		}
		return nil
	}
}

// appendUnnamed appends the array of the values without a name; false when there are
// none.
func appendUnnamed(dst []byte, r *eventxml.DataReader, n int) ([]byte, bool) {
	list := dyn.Begin(dst)
	var item []byte
	some := false
	for i := range n {
		if name, value := r.Pair(i); len(name) == 0 {
			item = dyn.AppendString(item[:0], value)
			list.Add(item)
			some = true
		}
	}
	return list.End(), some
}

// newTextValue gives a text as a dynamic string.
func newTextValue() Eval {
	var text []byte
	return func(args []Value, out *Value) error {
		text = dyn.AppendString(text[:0], args[0].S)
		out.S = text
		return nil
	}
}

// newEventJSON gives EventData as an object of texts, in the event's order, of a
// repeated name the first; values without a name are in the array "Data". Who cleared
// a log stands in UserData and is shown here, of an event of the provider that is the
// second argument. Null where the event has neither.
func newEventJSON() Eval {
	var r eventxml.DataReader
	var text, item []byte
	return func(args []Value, out *Value) error {
		n, some := r.Read(args[0].S)
		bag := dyn.BeginBag(text[:0])
		add := func(name, value []byte) {
			item = dyn.AppendString(item[:0], value)
			bag.AddName(name, item)
		}
		for i := range n {
			if name, value := r.Pair(i); len(name) > 0 {
				add(name, value)
			}
		}
		eventxml.ClearedBy(args[1].S, r.UserData(), func(name string, value []byte) {
			some = true
			add([]byte(name), value)
		})
		if list, unnamed := appendUnnamed(nil, &r, n); unnamed {
			bag.AddName([]byte(unnamedData), list)
		}
		if text = bag.End(); !some {
			out.Null = true
			return nil
		}
		out.S = text
		return nil
	}
}
