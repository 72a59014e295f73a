package bind

import (
	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// eventDataCalls are the functions of views that read EventData in an event's text,
// and the Go functions that do it.
var eventDataCalls = map[string]string{
	"__event_data": "event_data", "__event_data_json": "event_data_json", "__event_field": "event_field",
}

// eventDataCall binds them; __event_field takes the field's name. Nil when it is
// none of them, or the table has no events.
func (b *binder) eventDataCall(x *syntax.Call) plan.Expr {
	name, known := eventDataCalls[x.Name]
	text := b.internal.table.Index("EventXml")
	if !known || text < 0 {
		return nil
	}
	args := []plan.Expr{b.internal.stored(text)}
	for _, a := range x.Args {
		args = append(args, b.Scalar(a))
	}
	if want := 1 + map[bool]int{true: 1}[name == "event_field"]; len(args) != want {
		return nil
	}
	return expr.GoCall(name, args...)
}
