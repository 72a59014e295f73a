package bind

import (
	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// eventDataCalls are the functions of views that read EventData in an event's text,
// by the Go functions that do it, and the columns these take.
var eventDataCalls = map[string]struct {
	function string
	columns  []string
}{
	"__event_data":      {"event_data", []string{"EventXml"}},
	"__event_data_json": {eventBag, []string{"EventXml", "Provider"}},
	"__event_field":     {"event_field", []string{"EventXml"}},
}

// eventBag is the function that gives the whole of EventData as a bag.
const eventBag = "event_data_json"

// eventDataCall binds them; __event_field takes the field's name. Nil when it is
// none of them, or the table has no events.
func (b *binder) eventDataCall(x *syntax.Call) plan.Expr {
	call, known := eventDataCalls[x.Name]
	if !known {
		return nil
	}
	var args []plan.Expr
	for _, name := range call.columns {
		at := b.internal.table.Index(name)
		if at < 0 {
			return nil
		}
		args = append(args, b.internal.stored(at))
	}
	want := len(args)
	if call.function == "event_field" {
		want++
	}
	for _, a := range x.Args {
		args = append(args, b.Scalar(a))
	}
	if len(args) != want {
		return nil
	}
	return expr.GoCall(call.function, args...)
}

// noteBag notes that a column is EventData as a bag: fields of it are read without it.
func (t *tableRows) noteBag(id plan.ID, x plan.Expr) {
	if c, ok := x.(*plan.Call); ok && c.Op == fn.Go && c.Name == eventBag {
		t.b.bags[id] = t.eventField
	}
}

// Field gives a field of EventData without the whole of it, nil for any other bag.
// The rows have the stored columns wherever they have the bag: what makes columns of
// its own gives the bag another number.
func (b *binder) Field(of plan.Expr, name string) plan.Expr {
	r, ok := of.(*plan.Ref)
	if !ok || b.bags[r.ID] == nil {
		return nil
	}
	return b.bags[r.ID](name)
}

// shareFields gives a use of a shared bag its fields: what a field is made of is
// shared, and not the bag.
func (b *binder) shareFields(s *shared, bag plan.Expr, use *plan.Ref, read func(plan.ID, plan.Expr) *plan.Ref) {
	r, ok := bag.(*plan.Ref)
	if !ok || b.bags[r.ID] == nil {
		return
	}
	fields, made := b.bags[r.ID], map[string]plan.Expr{}
	b.bags[use.ID] = func(name string) plan.Expr {
		x := fields(name)
		if x == nil || made[name] != nil {
			return made[name]
		}
		stored, isStored := x.(*plan.Call)
		if isStored = isStored && stored.Op == fn.StoredDynamic; isStored {
			x = stored.Args[0]
		}
		if s.parts[x] == 0 {
			if s.parts == nil {
				s.parts = map[plan.Expr]plan.ID{}
			}
			s.parts[x] = b.NewID()
			s.node.Cols = append(s.node.Cols, plan.Assign{ID: s.parts[x], Expr: x})
		}
		part := read(s.parts[x], x)
		made[name] = part
		if isStored {
			part.NotNull = false
			made[name] = &plan.Call{Op: fn.StoredDynamic, Args: []plan.Expr{part}, T: schema.Dynamic}
		}
		return made[name]
	}
}

// eventField gives a field of EventData, always the same as the bag has under that
// name: a stored column where one holds it, else read from the text alone.
func (t *tableRows) eventField(name string) plan.Expr {
	if x := t.fields[name]; x != nil {
		return x
	}
	x := t.newEventField(name)
	t.fields[name] = x
	return x
}

func (t *tableRows) newEventField(name string) plan.Expr {
	text, provider, column := t.table.Index("EventXml"), t.table.Index("Provider"), t.table.Index(name)
	if text < 0 || provider < 0 {
		return nil
	}
	read := expr.GoCall("event_value", t.stored(text), expr.Text(name))
	if column < 0 {
		return read
	}
	names := schema.EventDataNames(t.table, &t.table.Columns[column])
	if names == nil {
		return read
	}
	choice := &plan.Call{Op: fn.If, T: schema.Dynamic}
	for _, other := range names {
		switch {
		case other.Name == name && other.Provider == "":
		case other.Provider == "": // the column may hold another value of any event
			return read
		default: // of events of that provider
			test := &plan.Call{Op: fn.Eq, Args: []plan.Expr{t.stored(provider), expr.Text(other.Provider)}, T: schema.Bool}
			choice.Args = append(choice.Args, test, read)
		}
	}
	stored := &plan.Call{Op: fn.StoredDynamic, Args: []plan.Expr{t.raw(column)}, T: schema.Dynamic}
	if len(choice.Args) == 0 {
		return stored
	}
	choice.Args = append(choice.Args, stored)
	return choice
}
