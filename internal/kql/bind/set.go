package bind

import (
	"fmt"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// options binds the set statements of a query. They hold for all of it, wherever
// they stand, so they come first.
func (b *binder) options(q *syntax.Query, p *plan.Plan) {
	for _, s := range q.Statements {
		if s, ok := s.(*syntax.Set); ok {
			b.option(s, p)
		}
	}
}

func (b *binder) option(s *syntax.Set, p *plan.Plan) {
	switch s.Name {
	case "notruncation":
		on := true
		if s.Value != nil {
			on = b.optionValue(s, schema.Bool) == true
		}
		p.NoTruncation = on
	case "truncationmaxrecords":
		p.MaxRows = b.optionCount(s)
	case "truncationmaxsize":
		p.MaxBytes = b.optionCount(s)
	case "query_take_max_records":
		p.TakeRows = b.optionCount(s)
	case "query_now":
		if ticks, ok := b.optionValue(s, schema.DateTime).(int64); ok {
			b.Clock = event.Ticks(ticks)
		}
	case "servertimeout":
		if ticks, ok := b.optionValue(s, schema.TimeSpan).(int64); ok {
			if ticks <= 0 {
				b.Fail(s.Span, "servertimeout must be above 0", "")
			}
			p.Deadline = ticks
		}
	default:
		hint := ""
		if n := syntax.Nearest(s.Name, optionNames); n != "" {
			hint = "did you mean " + n + "?"
		}
		b.Fail(s.Span, "set "+s.Name+" is not supported", hint)
	}
}

var optionNames = []string{"notruncation", "truncationmaxrecords", "truncationmaxsize", "query_take_max_records", "query_now", "servertimeout"}

// optionValue gives an option's constant of that type, nil after an error.
func (b *binder) optionValue(s *syntax.Set, typ schema.Type) any {
	if s.Value == nil {
		b.Fail(s.Span, fmt.Sprintf("set %s needs a value of type %s", s.Name, typ), "")
		return nil
	}
	x := b.Scalar(s.Value)
	if x.Type() == 0 {
		return nil
	}
	c := expr.Constant(x)
	if c == nil || c.V == nil || c.T != typ && (!expr.IsWhole(c.T) || !expr.IsWhole(typ)) {
		b.Fail(s.Span, fmt.Sprintf("set %s needs a value of type %s", s.Name, typ), "")
		return nil
	}
	return c.V
}

// optionCount gives an option's number, which must be above 0.
func (b *binder) optionCount(s *syntax.Set) int64 {
	n, ok := b.optionValue(s, schema.Long).(int64)
	if ok && n <= 0 {
		b.Fail(s.Span, "set "+s.Name+" needs a number above 0", "")
	}
	return n
}
