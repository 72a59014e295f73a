package duck

import (
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// bound adds what a filter says about stored columns to their scans, if nothing
// between the filter and the scan cuts or groups rows.
func (e *emitter) bound(f *plan.Filter) {
	if !reaches(f.From) {
		return
	}
	e.conjunct(f.Pred)
}

// reaches tells that every row of n is a row of a scan, and that a row of the
// scan which a filter above drops can be left out.
func reaches(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Scan:
		return true
	case *plan.Filter, *plan.Extend, *plan.Sort, *plan.Lookup:
		return reaches(n.Inputs()[0])
	}
	return false
}

func (e *emitter) conjunct(x plan.Expr) {
	c, ok := x.(*plan.Call)
	if !ok {
		return
	}
	switch c.Op {
	case fn.And:
		for _, a := range c.Args {
			e.conjunct(a)
		}
	case fn.Eq, fn.Lt, fn.Le, fn.Gt, fn.Ge, fn.In:
		raw, ok := e.storedColumn(c.Args[0])
		if !ok {
			return
		}
		b := Bound{FieldID: raw.column.FieldID}
		for _, a := range c.Args[1:] {
			k, isConst := a.(*plan.Const)
			if !isConst {
				return
			}
			v := boundValue(raw.column, k)
			if v == nil || !set(&b, c.Op, v) {
				return
			}
		}
		s := &e.scans[raw.scan]
		s.Bounds = append(s.Bounds, b)
	}
}

// set makes the bound of one comparison; < is taken as <=, which loses nothing.
func set(b *Bound, op fn.Op, v any) bool {
	switch op {
	case fn.Eq, fn.In:
		b.Equal = append(b.Equal, v)
	case fn.Lt, fn.Le:
		b.Max = v
	case fn.Gt, fn.Ge:
		b.Min = v
	}
	return true
}

// storedColumn tells which column an expression reads as it is.
func (e *emitter) storedColumn(x plan.Expr) (rawColumn, bool) {
	if c, ok := x.(*plan.Call); ok && (c.Op == fn.StoredText || c.Op == fn.StoredTicks) {
		x = c.Args[0]
	}
	r, ok := x.(*plan.Ref)
	if !ok {
		return rawColumn{}, false
	}
	raw, ok := e.raw[r.ID]
	return raw, ok
}

// boundValue gives a constant as statistics hold it; nil where it can't bound.
func boundValue(c *schema.Column, k *plan.Const) any {
	switch v := k.V.(type) {
	case int64:
		switch c.Disk {
		case schema.DiskTimestamptz:
			us, _ := event.Ticks(v).UnixMicros()
			return us
		case schema.DiskInt:
			if v == int64(int32(v)) {
				return int32(v)
			}
		case schema.DiskLong:
			return v
		}
	case string:
		if c.Disk == schema.DiskString && v != "" { // "" also means null
			return v
		}
	}
	return nil
}
