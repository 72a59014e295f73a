package refinterp

import (
	"fmt"

	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// goCall runs a function of package udf as it is: what is compared with the engine
// is how values reach it and come back, not what it computes.
func goCall(c *plan.Call, args []any) any {
	f := udf.Lookup(c.Name)
	if f == nil || f.Volatile {
		return unsupported("the function %s", c.Name)
	}
	values := make([]udf.Value, len(args))
	for i, v := range args {
		values[i] = toUDF(v)
	}
	var out udf.Value
	if err := f.New()(values, &out); err != nil {
		return unsupported("the error of %s: %s", c.Name, err)
	}
	return fromUDF(out, f.Result)
}

func toUDF(v any) udf.Value {
	switch v := v.(type) {
	case nil:
		return udf.Value{Null: true}
	case bool:
		if v {
			return udf.Value{I: 1}
		}
		return udf.Value{}
	case int64:
		return udf.Value{I: v}
	case float64:
		return udf.Value{F: v}
	case string:
		return udf.Value{S: []byte(v)}
	}
	panic(fmt.Sprintf("a value of type %T", v))
}

func fromUDF(v udf.Value, t schema.Type) any {
	switch {
	case v.Null && t == schema.String:
		return ""
	case v.Null:
		return nil
	}
	switch t {
	case schema.Bool:
		return v.I != 0
	case schema.Int, schema.Long, schema.DateTime, schema.TimeSpan:
		return v.I
	case schema.Real:
		return v.F
	}
	return string(v.S)
}
