package expr

import (
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// TypeNames are the types as declarations write them.
var TypeNames = map[string]schema.Type{
	"bool": schema.Bool, "boolean": schema.Bool, "int": schema.Int, "int32": schema.Int, "long": schema.Long, "int64": schema.Long,
	"real": schema.Real, "double": schema.Real, "string": schema.String, "datetime": schema.DateTime, "date": schema.DateTime,
	"dynamic": schema.Dynamic, "timespan": schema.TimeSpan, "time": schema.TimeSpan, "guid": schema.Guid, "uuid": schema.Guid, "uniqueid": schema.Guid,
	"decimal": schema.Decimal,
}

// Item is one bound column of a list with its name.
type Item struct {
	Name     string
	Explicit bool
	X        plan.Expr
	Span     syntax.Span
}

// Item binds a column of project, extend or by. unnamed gives the names of
// columns that have none of their own.
func (b *Binder) Item(x syntax.Expr, unnamed func() string) Item {
	if n, ok := x.(*syntax.Named); ok {
		value := b.Scalar(n.X) // what can't run is named first
		if n.Tuple && value.Type() != 0 {
			b.Refuse(n.Span, "a list of names for one value")
		}
		return Item{Name: n.Names[0].Name, Explicit: true, X: value, Span: n.Span}
	}
	it := Item{X: b.Scalar(x), Span: x.Pos(), Name: ResultName(x)}
	if _, ok := x.(*syntax.Name); ok && b.Rows != nil && len(b.Rows.Cols) == 0 {
		it.Name = "" // print gives a let's value no name
	}
	if name, ok := literalColumn(x); ok && b.Rows != nil && b.Rows.Find(name) != nil {
		it.Name = name
	}
	if it.Name == "" {
		it.Name = unnamed()
	}
	return it
}

// literalColumn gives the name of the column that column_ifexists("name", …) asks
// for.
func literalColumn(x syntax.Expr) (string, bool) {
	c, ok := x.(*syntax.Call)
	if !ok || c.Name != "column_ifexists" && c.Name != "columnifexists" || len(c.Args) == 0 {
		return "", false
	}
	if l, ok := c.Args[0].(*syntax.Literal); ok && l.Type == schema.String {
		return l.Text, true
	}
	return "", false
}

// ResultName is the name Kusto gives an expression, "" for none of its own.
func ResultName(x syntax.Expr) string {
	switch x := x.(type) {
	case *syntax.Name:
		return x.Name
	case *syntax.Paren:
		return ResultName(x.X)
	case *syntax.Member:
		if left := ResultName(x.X); left != "" {
			return left + "_" + x.Name
		}
	case *syntax.Index:
		left := ResultName(x.X)
		if left == "" {
			return ""
		}
		if i, ok := x.I.(*syntax.Literal); ok {
			return left + "_" + i.Text
		}
		return left + "_"
	case *syntax.Call:
		if len(x.Args) == 0 {
			return ""
		}
		first := ResultName(x.Args[0])
		if name, ok := dynamicName(x.Name, first); ok {
			return name
		}
		switch {
		case NamedByArgument[x.Name]:
			return first
		case (x.Name == "strlen" || x.Name == "string_size") && first != "":
			return x.Name + "_" + first
		}
	}
	return ""
}

// NamedByArgument are the functions whose result has the name of their first
// argument, as Microsoft's parser has it.
var NamedByArgument = map[string]bool{
	"bin": true, "floor": true, "bin_at": true, "tostring": true, "toint": true, "tolong": true, "toreal": true, "todouble": true, "tobool": true, "toboolean": true,
	"todatetime": true, "totimespan": true, "toguid": true, "startofday": true, "split": true,
	"abs": true, "ceiling": true, "round": true, "sqrt": true, "pow": true, "exp": true, "log": true, "log2": true, "log10": true,
	"acos": true, "asin": true, "atan": true, "atan2": true, "cos": true, "sin": true, "tan": true, "erf": true, "erfc": true, "exp2": true, "exp10": true, "gamma": true,
	"loggamma": true, "rand": true, "binary_and": true, "binary_not": true, "binary_or": true, "binary_xor": true, "binary_shift_left": true, "binary_shift_right": true,
	"bitset_count_ones": true, "format_bytes": true, "format_datetime": true, "format_timespan": true, "parse_csv": true, "todecimal": true, "tohex": true,
}

// IsStar tells whether an argument is *.
func IsStar(x syntax.Expr) bool { _, ok := x.(*syntax.Star); return ok }
