package series

import (
	"fmt"

	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// Emit takes a row that an operator gives. The row is the operator's memory and is
// read before Emit returns. An error ends the operator.
type Emit func(row []udf.Value) error

// Operator is one run of an operator over one relation. It is not safe for
// concurrent use. An error of either method ends the query with it.
type Operator interface {
	// Row takes one row: the values of the operator's own columns, which are the
	// caller's memory until Row returns.
	Row(in []udf.Value, emit Emit) error
	// End is called once, behind the last row.
	End(emit Emit) error
}

// spec describes an operator. What it takes and gives may hang on its arguments,
// so the binder says that in the plan; spec says what is always so.
type spec struct {
	Name string
	// RowWise tells that rows are given by Row only, each from the row that was
	// taken, so that other columns can be kept beside them.
	RowWise bool
	// New starts a run. args are constants, in the form of udf.Value; in and out are
	// the types of the operator's own columns.
	New func(args []udf.Value, in, out []schema.Type) (Operator, error)
}

var specs = map[string]*spec{
	"autocluster":  {Name: "autocluster", New: newAutocluster},
	"basket":       {Name: "basket", New: newBasket},
	"series_stats": {Name: "series_stats", RowWise: true, New: newStats},
}

// New starts a run of an operator by name. in are the types of the columns it
// takes, of which the last `kept` are passed on to the end of each row it gives;
// out are the types of the rows it gives, the kept ones included.
func New(name string, args []udf.Value, in, out []schema.Type, kept int) (Operator, error) {
	s := specs[name]
	switch {
	case s == nil:
		return nil, fmt.Errorf("cannot run the operator %q: there is none of that name", name)
	case kept < 0 || kept > min(len(in), len(out)) || kept > 0 && !s.RowWise:
		return nil, fmt.Errorf("cannot run the operator %s: it can't keep %d columns", name, kept)
	}
	op, err := s.New(args, in[:len(in)-kept], out[:len(out)-kept])
	if err != nil || kept == 0 {
		return op, err
	}
	return &keeping{op: op, kept: kept}, nil
}

// keeping adds the kept columns of each row to the rows made of it.
type keeping struct {
	op   Operator
	kept int
	row  []udf.Value
}

func (k *keeping) Row(in []udf.Value, emit Emit) error {
	own := len(in) - k.kept
	return k.op.Row(in[:own], func(out []udf.Value) error {
		k.row = append(append(k.row[:0], out...), in[own:]...)
		return emit(k.row)
	})
}

func (k *keeping) End(emit Emit) error { return k.op.End(emit) }
