package series

import (
	"errors"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// stats is series_stats: a series in; least, its place, greatest, its place, mean,
// deviation and variance out.
type stats struct {
	ignore bool
	out    [7]udf.Value
}

func newStats(args []udf.Value, in, out []schema.Type) (Operator, error) {
	if len(in) != 1 || in[0] != schema.Dynamic || len(out) != 7 || len(args) > 1 {
		return nil, errors.New("cannot run series_stats: its columns are not those of the operator")
	}
	return &stats{ignore: len(args) > 0 && args[0].I != 0}, nil
}

func (o *stats) Row(in []udf.Value, emit Emit) error {
	s, ok := dyn.Stats{}, false
	if !in[0].Null {
		s, ok = dyn.StatsOf(in[0].S, o.ignore)
	}
	null := !ok
	o.out = [...]udf.Value{
		{F: s.Min, Null: null},
		{I: s.MinIdx, Null: null},
		{F: s.Max, Null: null},
		{I: s.MaxIdx, Null: null},
		{F: s.Avg, Null: null},
		{F: s.Stdev(), Null: null},
		{F: s.Variance, Null: null},
	}
	return emit(o.out[:])
}

func (o *stats) End(Emit) error { return nil }
