package duck_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync"
	"testing"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// rowFunc is a Go function for the test's DuckDB; the engine has a faster way.
type rowFunc struct {
	def  *udf.Func
	args int // how many it is registered with
	mu   sync.Mutex
	eval udf.Eval
}

var goTypes = map[schema.Type]duckdb.Type{
	schema.Bool: duckdb.TYPE_BOOLEAN, schema.Int: duckdb.TYPE_INTEGER, schema.Long: duckdb.TYPE_BIGINT, schema.DateTime: duckdb.TYPE_BIGINT,
	schema.TimeSpan: duckdb.TYPE_BIGINT, schema.Real: duckdb.TYPE_DOUBLE,
}

func goType(t schema.Type) duckdb.TypeInfo {
	id, ok := goTypes[t]
	if !ok {
		id = duckdb.TYPE_VARCHAR
	}
	info, err := duckdb.NewTypeInfo(id)
	if err != nil {
		panic(err)
	}
	return info
}

func (f *rowFunc) Config() duckdb.ScalarFuncConfig {
	c := duckdb.ScalarFuncConfig{ResultTypeInfo: goType(f.def.Result), SpecialNullHandling: true, Volatile: f.def.Volatile}
	for i := range f.args {
		c.InputTypeInfos = append(c.InputTypeInfos, goType(f.def.Param(i)))
	}
	return c
}

func (f *rowFunc) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowExecutor: f.row}
}

func (f *rowFunc) row(values []driver.Value) (any, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	args := make([]udf.Value, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case nil:
			args[i].Null = f.def.Param(i) != schema.String
		case bool:
			if v {
				args[i].I = 1
			}
		case int32:
			args[i].I = int64(v)
		case int64:
			args[i].I = v
		case float64:
			args[i].F = v
		case string:
			args[i].S = []byte(v)
		default:
			return nil, fmt.Errorf("an argument of Go type %T", v)
		}
	}
	var out udf.Value
	if err := f.eval(args, &out); err != nil {
		return nil, err
	}
	if out.Null {
		return nil, nil
	}
	switch goType(f.def.Result).InternalType() {
	case duckdb.TYPE_BOOLEAN:
		return out.I != 0, nil
	case duckdb.TYPE_INTEGER:
		return int32(out.I), nil
	case duckdb.TYPE_BIGINT:
		return out.I, nil
	case duckdb.TYPE_DOUBLE:
		return out.F, nil
	}
	return string(out.S), nil
}

// registerGo makes all Go functions known to a database of one connection.
func registerGo(t testing.TB, db *sql.DB) {
	t.Helper()
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const most = 2 * 64 // arguments, of those that take any number
	for i := range udf.All() {
		def := &udf.All()[i]
		var forms []duckdb.ScalarFunc
		last := len(def.Params)
		if def.Variadic {
			last = most
		}
		for n := def.Min; n <= last; n++ {
			forms = append(forms, &rowFunc{def: def, args: n, eval: def.New()})
		}
		if err := duckdb.RegisterScalarUDFSet(conn, "wadi_"+def.Name, forms...); err != nil {
			t.Fatalf("%s: %v", def.Name, err)
		}
	}
}
