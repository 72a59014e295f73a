package agg

import (
	"errors"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

const (
	// MaxElements is what Kusto's make_list, make_set and make_bag hold at most;
	// more is left out.
	MaxElements = 1 << 20
	// MaxText bounds the text of one result.
	MaxText = 16 << 20
)

// ErrTooLarge says that one group's result would pass [MaxText].
var ErrTooLarge = errors.New("a group's value would be longer than 16 MiB; give it a size limit, or group by more")

// Func is an aggregate function in Go.
type Func struct {
	// Name is its name, in SQL behind wadi_: small letters, digits, "_".
	Name   string
	Params []schema.Type
	Result schema.Type
	// New makes the state of a group without rows.
	New func() State
}

// State is one group's state. It is not safe for concurrent use.
type State interface {
	// Add takes a row; texts of args are the caller's memory.
	Add(args []udf.Value) error
	// Merge takes what another state of the same function holds, which is not used
	// any more.
	Merge(other State) error
	// Result writes the group's value to out, which comes in zeroed. out.S may point
	// into the state.
	Result(out *udf.Value) error
	// Size tells about how many bytes the state holds.
	Size() int
}

// elementTypes are the types that values of a dynamic are made of.
var elementTypes = []schema.Type{
	schema.Bool, schema.Int, schema.Long, schema.Real, schema.Decimal, schema.String, schema.DateTime, schema.TimeSpan, schema.Guid, schema.Dynamic,
}

var all = gather()

func gather() []Func {
	list := slices.Concat(percentiles, bags, series, shapes, decimals, schemas)
	for _, t := range elementTypes {
		params := []schema.Type{t, schema.Long, schema.Long}
		list = append(list,
			Func{Name: "make_list_" + t.String(), Params: params, Result: schema.Dynamic, New: func() State { return newList(t, false) }},
			Func{Name: "make_list_with_nulls_" + t.String(), Params: params, Result: schema.Dynamic, New: func() State { return newList(t, true) }},
			Func{Name: "make_set_" + t.String(), Params: params, Result: schema.Dynamic, New: func() State { return newSet(t) }},
		)
	}
	slices.SortFunc(list, func(a, b Func) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// All gives every function, sorted by name. The caller must not change them.
func All() []Func { return all }

// appendValue appends a value as it stands in a dynamic, null for null.
func appendValue(dst []byte, t schema.Type, v *udf.Value) []byte {
	if v.Null && t != schema.String {
		return append(dst, "null"...)
	}
	switch t {
	case schema.Bool:
		if v.I != 0 {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case schema.Int, schema.Long:
		return dyn.AppendLong(dst, v.I)
	case schema.Real:
		return dyn.AppendReal(dst, v.F)
	case schema.DateTime:
		return dyn.AppendTime(dst, v.I)
	case schema.TimeSpan:
		return dyn.AppendSpan(dst, v.I)
	case schema.Dynamic:
		return append(dst, v.S...)
	}
	return dyn.AppendString(dst, v.S)
}
