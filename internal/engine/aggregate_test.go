//go:build cgo

package engine

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/schema"
)

// TestGoAggregates runs aggregates of package agg in DuckDB: types, nulls, groups,
// filters, order, no rows, and states of two threads that are merged.
func TestGoAggregates(t *testing.T) {
	d := openTry(t)
	dynamic := schema.Dynamic
	for _, c := range []struct {
		sql   string
		types []schema.Type
		want  string
	}{
		{
			"SELECT wadi_make_list_long(x, 100, 0), wadi_make_list_with_nulls_long(x, 100, 0), wadi_make_set_long(x, 2, 0) FROM (VALUES (3), (NULL), (1), (3), (2)) v(x)",
			[]schema.Type{dynamic, dynamic, dynamic},
			"[3,1,3,2] [3,null,1,3,2] [3,1]",
		},
		{
			"SELECT wadi_make_set_string(x, 100, 0), wadi_make_set_real(y, 100, 0), wadi_make_bag(z, 100, 0) FROM (VALUES ('b\"', 1e0, '{\"a\":1}'), ('', 2e0, NULL), ('b\"', 1e0, '{\"a\":2,\"b\":[]}')) v(x, y, z)",
			[]schema.Type{dynamic, dynamic, dynamic},
			`["b\"",""] [1.0,2.0] {"a":1,"b":[]}`,
		},
		{
			"SELECT wadi_make_list_long(i, 5, 0), wadi_make_bag(NULL, 5, 0), wadi_make_set_bool(NULL, 5, 0), wadi_percentilew_long(i, 1, 50) FROM range(10) r(i) WHERE i > 10",
			[]schema.Type{dynamic, dynamic, dynamic, schema.Long},
			"[] {} [] null",
		},
		{
			"SELECT i % 2, wadi_make_list_long(i, 100, 0) FILTER (WHERE i > 3), wadi_percentilew_long(i, 1, 50) FROM range(10) r(i) GROUP BY 1 ORDER BY 1",
			[]schema.Type{schema.Long, dynamic, schema.Long},
			"0 [4,6,8] 4\n1 [5,7,9] 5",
		},
		{"SELECT wadi_make_list_long(i, 3, 100000 - i) FROM range(100000) r(i)", []schema.Type{dynamic}, "[99999,99998,99997]"},
		// Two threads, many groups, merged.
		{
			"SELECT count(*), min(length(x)), max(length(x)), max(y) FROM (SELECT i % 1000, wadi_make_set_long(i % 7, 100, 0) AS x, wadi_percentilew_long(i, 1, 100) AS y FROM range(700000) r(i) GROUP BY 1)",
			[]schema.Type{schema.Long, schema.Long, schema.Long, schema.Long},
			"1000 15 15 699999",
		},
		{
			"SELECT length(wadi_make_list_long(i % 10, 1000000, 0)), length(wadi_make_set_long(i, 1000, 0)) < 10000, wadi_make_set_string(CASE i % 2 WHEN 0 THEN 'x' ELSE 'y' END, 9, 0) IN ('[\"x\",\"y\"]', '[\"y\",\"x\"]') FROM range(300000) r(i)",
			[]schema.Type{schema.Long, schema.Bool, schema.Bool},
			"600001 true true",
		},
	} {
		got, err := answers(t.Context(), t, d, c.sql, c.types...)
		if err != nil || strings.Join(got, "\n") != c.want {
			t.Errorf("%s\ngot  %s, %v\nwant %s", c.sql, strings.Join(got, "\n"), err, c.want)
		}
	}
	if n := d.aggs.bytes.Load(); n != 0 || d.aggs.next != 1 {
		t.Errorf("%d bytes are held after the questions", n)
	}
}

// TestGoAggregateLimits checks that what would not fit ends in an error.
func TestGoAggregateLimits(t *testing.T) {
	d := openTry(t)
	for sql, want := range map[string]string{
		"SELECT wadi_make_list_string(repeat('x', 1000), 1000000, 0) FROM range(100000)":                                              "longer than 16 MiB",
		"SELECT max(x) FROM (SELECT wadi_make_list_string(repeat('x', 100000), 100, 0) AS x FROM range(10000) r(i) GROUP BY i % 200)": "256 MiB",
	} {
		if _, err := answers(t.Context(), t, d, sql, schema.Dynamic); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", sql, err, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := answers(ctx, t, d, "SELECT count(*) FROM (SELECT wadi_make_set_long(i, 100, 0) FROM range(100000000) r(i) GROUP BY i % 100000)", schema.Long)
	if took := time.Since(start); err == nil || took > 5*time.Second {
		t.Errorf("a cancelled question ended with %v after %v", err, took)
	}
}

func BenchmarkGoAggregates(b *testing.B) {
	d := openTry(b)
	for _, c := range []struct{ name, sql string }{
		{"set", "SELECT max(length(x)) FROM (SELECT wadi_make_set_string('host' || (i % 500)::VARCHAR, 1000, 0) AS x FROM range(2000000) r(i) GROUP BY i % 100)"},
		{"list_distinct", "SELECT max(length(x)) FROM (SELECT CAST(to_json(list(DISTINCT 'host' || (i % 500)::VARCHAR)) AS VARCHAR) AS x FROM range(2000000) r(i) GROUP BY i % 100)"},
		{"list", "SELECT max(length(x)) FROM (SELECT wadi_make_list_string('host' || (i % 500)::VARCHAR, 1000000, 0) AS x FROM range(2000000) r(i) GROUP BY i % 100)"},
		{"list_native", "SELECT max(length(x)) FROM (SELECT CAST(to_json(list('host' || (i % 500)::VARCHAR)) AS VARCHAR) AS x FROM range(2000000) r(i) GROUP BY i % 100)"},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := answers(b.Context(), b, d, c.sql, schema.Long); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
