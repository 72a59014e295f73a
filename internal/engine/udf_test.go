//go:build cgo

package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// tryFuncs are functions of the tests.
func tryFuncs() []udf.Func {
	counted := func() udf.Eval { // how many rows one evaluation has seen
		n := int64(0)
		return func(_ []udf.Value, out *udf.Value) error {
			n++
			out.I = n
			return nil
		}
	}
	stateless := func(f udf.Eval) func() udf.Eval { return func() udf.Eval { return f } }
	joined := func() udf.Eval {
		var text []byte
		return func(args []udf.Value, out *udf.Value) error {
			text = text[:0]
			for i, a := range args {
				if i > 0 {
					text = append(text, '|')
				}
				if a.Null {
					text = append(text, "null"...)
				}
				text = append(text, a.S...)
			}
			out.S = text
			return nil
		}
	}
	all := []schema.Type{schema.Bool, schema.Int, schema.Long, schema.Real, schema.String, schema.Dynamic, schema.DateTime, schema.Guid}
	return []udf.Func{
		{Name: "try_all", Params: all, Min: len(all), Result: schema.String, New: stateless(func(args []udf.Value, out *udf.Value) error {
			var b bytes.Buffer
			for _, a := range args {
				fmt.Fprintf(&b, "%t,%d,%g,%s;", a.Null, a.I, a.F, a.S)
			}
			out.S = b.Bytes()
			return nil
		})},
		{Name: "try_bool", Params: []schema.Type{schema.Long}, Min: 1, Result: schema.Bool, New: stateless(third)},
		{Name: "try_count", Params: []schema.Type{schema.Long}, Min: 1, Result: schema.Long, New: counted, Volatile: true},
		{Name: "try_error", Params: []schema.Type{schema.Long}, Min: 1, Result: schema.Long, New: stateless(func(args []udf.Value, _ *udf.Value) error {
			if args[0].I == 4321 {
				return errors.New("4321 is no good")
			}
			return nil
		})},
		{Name: "try_int", Params: []schema.Type{schema.Long}, Min: 1, Result: schema.Int, New: stateless(third)},
		{Name: "try_join", Params: []schema.Type{schema.String, schema.Dynamic}, Variadic: true, Min: 1, Result: schema.String, New: joined},
		{Name: "try_latin", Params: []schema.Type{schema.Long}, Min: 1, Result: schema.String, New: stateless(func(_ []udf.Value, out *udf.Value) error {
			out.S = []byte("caf\xe9")
			return nil
		})},
		{Name: "try_panic", Params: []schema.Type{schema.Long}, Min: 1, Result: schema.Long, New: stateless(func(args []udf.Value, out *udf.Value) error {
			out.I = 1 / (args[0].I - 4321)
			return nil
		})},
		{Name: "try_real", Params: []schema.Type{schema.Long}, Min: 1, Result: schema.Real, New: stateless(third)},
		{Name: "try_slow", Params: []schema.Type{schema.Long}, Min: 1, Result: schema.Long, New: stateless(func(args []udf.Value, out *udf.Value) error {
			for end := time.Now().Add(5 * time.Millisecond); time.Now().Before(end); {
				out.I++
			}
			return nil
		})},
		{Name: "try_text", Params: []schema.Type{schema.Long}, Min: 1, Result: schema.String, New: func() udf.Eval {
			var text []byte
			return func(args []udf.Value, out *udf.Value) error {
				text = append(text[:0], strings.Repeat("é", int(args[0].I%40))...)
				out.S = text
				return nil
			}
		}},
	}
}

// third gives null for every third number, else the number in every form.
func third(args []udf.Value, out *udf.Value) error {
	*out = udf.Value{Null: args[0].I%3 == 0, I: args[0].I % 2, F: float64(args[0].I) / 2}
	return nil
}

// openTry opens DuckDB in this process, with the functions of the tests.
func openTry(t testing.TB) *duck {
	t.Helper()
	d, err := openDuck(&workerConfig{DuckDBBytes: 1 << 30, Threads: 2, TempDir: t.TempDir()}, tryFuncs())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// answers runs a question in this process and gives its rows as text.
func answers(ctx context.Context, t testing.TB, d *duck, text string, types ...schema.Type) ([]string, error) {
	t.Helper()
	return answersAll(ctx, t, d, &Query{SQL: text, Columns: columns(types...)})
}

// answersAll is answers for a question with stages.
func answersAll(ctx context.Context, t testing.TB, d *duck, q *Query) ([]string, error) {
	t.Helper()
	e := &Engine{config: Config{MaxRows: 1e9, MaxBytes: 1e9}}
	r, err := e.request(q)
	if err != nil {
		t.Fatal(err)
	}
	types := r.Types
	var wire bytes.Buffer
	out := &sender{stdout: &wire, batch: newBatch(types), rowsLeft: 1e9, bytesLeft: 1e9}
	err = d.run(ctx, r, out)
	if err := out.flush(); err != nil {
		t.Fatal(err)
	}
	if err := writeJSON(&wire, frameEnd, &endReply{}); err != nil {
		t.Fatal(err)
	}
	rows := &Rows{worker: &worker{stdout: &wire}, types: types, columns: q.Columns, ctx: t.Context()}
	var lines []string
	for rows.Next() {
		var line []string
		for i, typ := range types {
			line = append(line, cell(rows, i, typ))
		}
		lines = append(lines, strings.Join(line, " "))
	}
	return lines, err
}

func TestGoFunctions(t *testing.T) {
	d := openTry(t)
	text := schema.String
	for _, c := range []struct {
		sql   string
		types []schema.Type
		want  string
	}{
		{
			"SELECT wadi_try_all(true, -1::INTEGER, 1::BIGINT << 40, 0.5::DOUBLE, 'inline', 'a text too long to be inlined', -7, 'g')",
			[]schema.Type{text},
			"false,1,0,;false,-1,0,;false,1099511627776,0,;false,0,0.5,;false,0,0,inline;false,0,0,a text too long to be inlined;false,-7,0,;false,0,0,g;",
		},
		// Nulls come as they are, but strings are never null.
		{
			"SELECT wadi_try_all(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
			[]schema.Type{text},
			"true,0,0,;true,0,0,;true,0,0,;true,0,0,;false,0,0,;true,0,0,;true,0,0,;true,0,0,;",
		},
		{
			"SELECT wadi_try_join('a'), wadi_try_join('a', 'b'), wadi_try_join('', NULL, NULL), wadi_try_join(NULL, '1', '2', '3', '4')",
			[]schema.Type{text, text, text, text},
			"a a|b |null|null |1|2|3|4",
		},
		{
			"SELECT wadi_try_bool(i), wadi_try_int(i), wadi_try_real(i) FROM range(4) r(i) ORDER BY i",
			[]schema.Type{schema.Bool, schema.Int, schema.Real},
			"null null null\ntrue 1 0.5\nfalse 0 1\nnull null null",
		},
		{
			"SELECT sum(wadi_try_int(i)), count(wadi_try_bool(i)), sum(wadi_try_real(i)) FROM range(60000) r(i)",
			[]schema.Type{schema.Long, schema.Long, schema.Real},
			"20000 40000 6e+08",
		},
		// Texts of every length, inlined and not, against DuckDB's own.
		{
			"SELECT count(*), sum(length(wadi_try_text(i))) FROM range(100000) r(i) WHERE wadi_try_text(i) = repeat('é', i % 40)",
			[]schema.Type{schema.Long, schema.Long},
			"100000 1950000",
		},
		// They outlive their chunk.
		{
			"SELECT count(DISTINCT x), min(x), max(length(x)) FROM (SELECT wadi_try_text(i) AS x FROM range(100000) r(i) ORDER BY wadi_try_text(i * 7))",
			[]schema.Type{schema.Long, text, schema.Long},
			"40  39",
		},
		// A volatile function is not computed once; others may be.
		{"SELECT max(wadi_try_count(1)) > 1 FROM range(5000)", []schema.Type{schema.Bool}, "true"},
		{"SELECT count(*) FROM range(5000) r(i) WHERE wadi_try_error(i) = 0 AND i <> 4321 AND i < 4000", []schema.Type{schema.Long}, "4000"},
	} {
		got, err := answers(t.Context(), t, d, c.sql, c.types...)
		if err != nil || strings.Join(got, "\n") != c.want {
			t.Errorf("%s\ngot  %s, %v\nwant %s", c.sql, strings.Join(got, "\n"), err, c.want)
		}
	}
}

// TestGoFunctionErrors ends questions by errors and panics of functions; the
// database serves on.
func TestGoFunctionErrors(t *testing.T) {
	d := openTry(t)
	for _, c := range []struct{ sql, want string }{
		{"SELECT sum(wadi_try_error(i)) FROM range(10000) r(i)", "try_error: 4321 is no good"},
		{"SELECT sum(wadi_try_panic(i)) FROM range(10000) r(i)", "BUG in try_panic: runtime error: integer divide by zero"},
		{"SELECT count(wadi_try_latin(i)) FROM range(10) r(i)", "try_latin: it gives a text that is not UTF-8"},
		{"SELECT wadi_try_error(4321)", "try_error: 4321 is no good"},
		{"SELECT wadi_try_error(1, 2)", "Binder Error: No function matches the given name and argument types 'wadi_try_error(INTEGER_LITERAL, INTEGER_LITERAL)'. You might need to add explicit type casts."},
	} {
		_, err := answers(t.Context(), t, d, c.sql, schema.Long)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s\ngot  %v\nwant %s", c.sql, err, c.want)
		}
		if got, err := answers(t.Context(), t, d, "SELECT wadi_try_error(1)", schema.Long); err != nil || got[0] != "0" {
			t.Errorf("then: %v, %v", got, err)
		}
	}
}

// TestGoFunctionCancelled: a question stops inside a chunk of a slow function.
func TestGoFunctionCancelled(t *testing.T) {
	d := openTry(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := answers(ctx, t, d, "SELECT sum(wadi_try_slow(i)) FROM range(100000) r(i)", schema.Long)
	// A whole chunk would take ten seconds.
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 5*time.Second {
		t.Errorf("after %v: %v", took, err)
	}
	if got, err := answers(t.Context(), t, d, "SELECT wadi_try_error(1)", schema.Long); err != nil || got[0] != "0" {
		t.Errorf("then: %v, %v", got, err)
	}
}

// BenchmarkGoFunction measures a row's cost of calls that do next to nothing,
// with 1, 2 and 8 arguments; "none" is the same statement without a call.
func BenchmarkGoFunction(b *testing.B) {
	d := openTry(b)
	const rows = 1 << 20
	for _, c := range []struct{ name, sql string }{
		{"none", "sum(i)"},
		{"1-long", "sum(wadi_try_int(i))"},
		{"1-text", "count(wadi_try_join(s))"},
		{"2-text", "count(wadi_try_join(s, s))"},
		{"8-text", "count(wadi_try_join(s, s, s, s, s, s, s, s))"},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				text := fmt.Sprintf("SELECT %s FROM (SELECT i, CAST(i AS VARCHAR) AS s FROM range(%d) r(i))", c.sql, rows)
				if _, err := answers(b.Context(), b, d, text, schema.Long); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}
