package udf

import (
	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/schema"
)

// eventData are the functions that read EventData in the stored text of an event;
// the views of windows_events call them, queries can't by name.
var eventData = []Func{
	textFunc("event_data", eventxml.AppendSentinel),
	{Name: "event_field", Params: []schema.Type{schema.String, schema.String}, Min: 2, Result: schema.String, New: newEventField},
	{Name: "event_data_json", Params: []schema.Type{schema.String}, Min: 1, Result: schema.Dynamic, New: newEventJSON},
}

// newEventField gives the value of that name, "" where the event has none.
func newEventField() Eval {
	var r eventxml.DataReader
	return func(args []Value, out *Value) error {
		out.S, _ = r.Field(args[0].S, args[1].S)
		return nil
	}
}

// newEventJSON gives EventData as an object of texts, in the event's order, of a
// repeated name the first; values without a name are in the array "Data". Null
// where the event has no EventData.
func newEventJSON() Eval {
	var r eventxml.DataReader
	var text []byte
	return func(args []Value, out *Value) error {
		n, ok := r.Read(args[0].S)
		if !ok {
			out.Null = true
			return nil
		}
		bag := dyn.BeginBag(text[:0])
		var item []byte
		unnamed := dyn.Begin(nil)
		some := false
		for i := range n {
			name, value := r.Pair(i)
			item = dyn.AppendString(item[:0], value)
			if len(name) > 0 {
				bag.AddName(name, item)
				continue
			}
			some = true
			unnamed.Add(item)
		}
		if some {
			bag.AddName([]byte("Data"), unnamed.End())
		}
		text = bag.End()
		out.S = text
		return nil
	}
}
