package bind

import (
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// typeNames are the types as declarations write them.
var typeNames = map[string]schema.Type{
	"bool": schema.Bool, "boolean": schema.Bool, "int": schema.Int, "int32": schema.Int, "long": schema.Long, "int64": schema.Long,
	"real": schema.Real, "double": schema.Real, "string": schema.String, "datetime": schema.DateTime, "date": schema.DateTime,
	"dynamic": schema.Dynamic, "timespan": schema.TimeSpan, "time": schema.TimeSpan, "guid": schema.Guid, "uuid": schema.Guid, "uniqueid": schema.Guid,
	"decimal": schema.Decimal,
}

// item is one bound column of a list with its name.
type item struct {
	name     string
	explicit bool
	x        plan.Expr
	span     syntax.Span
}

// item binds a column of project, extend or by. unnamed gives the names of
// columns that have none of their own.
func (b *scalars) item(x syntax.Expr, unnamed func() string) item {
	if n, ok := x.(*syntax.Named); ok {
		if n.Tuple {
			b.refuse(n.Span, "a list of names for one value")
		}
		return item{name: n.Names[0].Name, explicit: true, x: b.scalar(n.X), span: n.Span}
	}
	it := item{x: b.scalar(x), span: x.Pos(), name: resultName(x)}
	if n, ok := x.(*syntax.Name); ok && b.rows != nil && b.rows.find(n.Name) == nil {
		it.name = "" // a let's value has no name
	}
	if it.name == "" {
		it.name = unnamed()
	}
	return it
}

// resultName is the name Kusto gives an expression, "" for none of its own.
func resultName(x syntax.Expr) string {
	switch x := x.(type) {
	case *syntax.Name:
		return x.Name
	case *syntax.Paren:
		return resultName(x.X)
	case *syntax.Member:
		if left := resultName(x.X); left != "" {
			return left + "_" + x.Name
		}
	case *syntax.Index:
		left := resultName(x.X)
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
		first := resultName(x.Args[0])
		if name, ok := dynamicName(x.Name, first); ok {
			return name
		}
		switch {
		case namedByArgument[x.Name]:
			return first
		case x.Name == "strlen" && first != "":
			return "strlen_" + first
		}
	}
	return ""
}

// namedByArgument are the functions whose result has the name of their first
// argument, as Microsoft's parser has it.
var namedByArgument = map[string]bool{
	"bin": true, "floor": true, "bin_at": true, "tostring": true, "toint": true, "tolong": true, "toreal": true, "todouble": true, "tobool": true, "toboolean": true,
	"todatetime": true, "totimespan": true, "toguid": true, "startofday": true, "split": true,
	"abs": true, "ceiling": true, "round": true, "sqrt": true, "pow": true, "exp": true, "log": true, "log2": true, "log10": true,
}

// isStar tells whether an argument is *.
func isStar(x syntax.Expr) bool { _, ok := x.(*syntax.Star); return ok }
