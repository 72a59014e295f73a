package agg

import (
	"errors"
	"slices"

	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// series are the aggregates of make-series, one for each type of values. Arguments
// are the value of a bin, the bin's number from 0, the number of bins, and the value
// of bins without any; the last two are the same in all rows of a group.
var series = func() []Func {
	var list []Func
	for _, t := range []schema.Type{schema.Int, schema.Long, schema.Real, schema.DateTime, schema.TimeSpan, schema.Bool} {
		list = append(list, Func{
			Name: "make_series_" + t.String(), Params: []schema.Type{t, schema.Long, schema.Long, t}, Result: schema.Dynamic,
			New: func() State { return &bins{typ: t} },
		})
	}
	return list
}()

var errBins = errors.New("the series would have more than 1048576 values; take a longer step")

// bins holds the bins that have a value.
type bins struct {
	typ    schema.Type
	values []binValue
	count  int64
	empty  udf.Value
}

type binValue struct {
	at int64
	v  udf.Value
}

// binBytes is the size of a binValue.
const binBytes = 56

func (s *bins) Add(args []udf.Value) error {
	if s.count = args[2].I; s.count > MaxElements {
		return errBins
	}
	s.empty = args[3]
	if at := args[1].I; !args[1].Null && at >= 0 && at < s.count {
		s.values = append(s.values, binValue{at, args[0]})
	}
	return nil
}

func (s *bins) Merge(other State) error {
	o, _ := other.(*bins)
	if o == nil {
		return nil
	}
	if len(s.values) == 0 {
		*s = *o
		return nil
	}
	s.values = append(s.values, o.values...)
	return nil
}

func (s *bins) Result(out *udf.Value) error {
	slices.SortStableFunc(s.values, func(a, b binValue) int { return int(a.at - b.at) })
	text := []byte{'['}
	next := 0
	for at := range s.count {
		if at > 0 {
			text = append(text, ',')
		}
		v := &s.empty
		for ; next < len(s.values) && s.values[next].at == at; next++ {
			v = &s.values[next].v
		}
		if text = appendValue(text, s.typ, v); len(text) > MaxText {
			return ErrTooLarge
		}
	}
	out.S = append(text, ']')
	return nil
}

func (s *bins) Size() int { return binBytes * cap(s.values) }
