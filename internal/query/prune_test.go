package query

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/lake"
)

func TestExcludes(t *testing.T) {
	i := func(v int64) any { return v }
	for name, c := range map[string]struct {
		stats lake.Bound
		rows  int64
		bound duck.Bound
		want  bool
	}{
		"below":                     {lake.Bound{Min: i(10), Max: i(20)}, 5, duck.Bound{Max: i(9)}, true},
		"touches the minimum":       {lake.Bound{Min: i(10), Max: i(20)}, 5, duck.Bound{Max: i(10)}, false},
		"touches the maximum":       {lake.Bound{Min: i(10), Max: i(20)}, 5, duck.Bound{Min: i(20)}, false},
		"above":                     {lake.Bound{Min: i(10), Max: i(20)}, 5, duck.Bound{Min: i(21)}, true},
		"int against long":          {lake.Bound{Min: int32(10), Max: int32(20)}, 5, duck.Bound{Min: i(21)}, true},
		"one of several":            {lake.Bound{Min: i(10), Max: i(20)}, 5, duck.Bound{Equal: []any{i(1), i(15)}}, false},
		"none of several":           {lake.Bound{Min: i(10), Max: i(20)}, 5, duck.Bound{Equal: []any{i(1), int32(25)}}, true},
		"text":                      {lake.Bound{Min: "b", Max: "d"}, 5, duck.Bound{Equal: []any{"a", "e"}}, true},
		"text within":               {lake.Bound{Min: "b", Max: "d"}, 5, duck.Bound{Equal: []any{"c"}}, false},
		"bool":                      {lake.Bound{Min: false, Max: false}, 5, duck.Bound{Equal: []any{true}}, true},
		"nothing known":             {lake.Bound{Nulls: -1}, 5, duck.Bound{Min: i(1)}, false},
		"another type":              {lake.Bound{Min: "a", Max: "b"}, 5, duck.Bound{Min: i(1)}, false},
		"only a minimum":            {lake.Bound{Min: i(10), Nulls: -1}, 5, duck.Bound{Max: i(9)}, true},
		"only a minimum, above":     {lake.Bound{Min: i(10), Nulls: -1}, 5, duck.Bound{Min: i(30)}, false},
		"all null":                  {lake.Bound{Nulls: 5}, 5, duck.Bound{Min: i(1)}, true},
		"some null":                 {lake.Bound{Nulls: 4, Min: i(3), Max: i(3)}, 5, duck.Bound{Min: i(1)}, false},
		"real":                      {lake.Bound{Min: 1.0, Max: 2.0}, 5, duck.Bound{Min: 2.5}, true},
		"not a number":              {lake.Bound{Min: math.NaN(), Max: math.NaN()}, 5, duck.Bound{Min: 2.5}, false},
		"no condition on the bound": {lake.Bound{Min: i(1), Max: i(2)}, 5, duck.Bound{}, false},
	} {
		if got := excludes(c.stats, c.rows, &c.bound); got != c.want {
			t.Errorf("%s: excluded %v", name, got)
		}
	}
}

// TestPruneNeverLosesARow compares with the rows themselves, over random files.
func TestPruneNeverLosesARow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pruned := 0
	for range 3000 {
		var values []any // of one file, nil is null
		stats, rows := lake.Bound{}, int64(1+r.IntN(4))
		for range rows {
			if r.IntN(4) == 0 {
				values = append(values, nil)
				stats.Nulls++
				continue
			}
			v := int64(r.IntN(10))
			values = append(values, v)
			if stats.Min == nil || v < stats.Min.(int64) {
				stats.Min = v
			}
			if stats.Max == nil || v > stats.Max.(int64) {
				stats.Max = v
			}
		}
		bound := duck.Bound{FieldID: 1}
		switch r.IntN(4) {
		case 0:
			bound.Min = int64(r.IntN(12) - 1)
		case 1:
			bound.Max = int64(r.IntN(12) - 1)
		case 2:
			bound.Min, bound.Max = int64(r.IntN(12)-1), int64(r.IntN(12)-1)
		default:
			bound.Equal = []any{int64(r.IntN(12) - 1), int64(r.IntN(12) - 1)}
		}
		kept := prune([]lake.DataFile{{Rows: rows, Bounds: map[int]lake.Bound{1: stats}}}, []duck.Bound{bound})
		if len(kept) == 0 {
			pruned++
		}
		for _, v := range values {
			if v != nil && meets(v.(int64), &bound) && len(kept) == 0 {
				t.Fatalf("values %v, bound %+v: the file is left out", values, bound)
			}
		}
	}
	if pruned < 300 {
		t.Errorf("only %d of 3000 files are left out", pruned)
	}
}

func meets(v int64, b *duck.Bound) bool {
	if b.Min != nil && v < b.Min.(int64) || b.Max != nil && v > b.Max.(int64) {
		return false
	}
	for _, e := range b.Equal {
		if e.(int64) == v {
			return true
		}
	}
	return len(b.Equal) == 0
}

func TestEnough(t *testing.T) {
	files := []lake.DataFile{{Rows: 5}, {Rows: 0}, {Rows: 7}, {Rows: 9}}
	for take, want := range map[int64]int{0: 4, 1: 1, 5: 1, 6: 3, 12: 3, 13: 4, 100: 4} {
		if got := len(enough(files, take)); got != want {
			t.Errorf("take %d reads %d files, want %d", take, got, want)
		}
	}
}

// BenchmarkPrune2000 is the planning of a question over 2,000 files.
func BenchmarkPrune2000(b *testing.B) {
	var files []lake.DataFile
	for i := range 2000 {
		files = append(files, lake.DataFile{Path: fmt.Sprint(i), Rows: 10_000, Bounds: map[int]lake.Bound{
			1: {Min: int64(i) * int64(time.Hour/time.Microsecond), Max: int64(i+2) * int64(time.Hour/time.Microsecond)}, 17: {Min: int32(1), Max: int32(9000)},
		}})
	}
	hour := int64(time.Hour / time.Microsecond)
	bounds := []duck.Bound{{FieldID: 1, Min: 500 * hour, Max: 501 * hour}, {FieldID: 17, Equal: []any{int32(4625), int32(4624)}}}
	for b.Loop() {
		if n := len(prune(files, bounds)); n != 4 {
			b.Fatal(n)
		}
	}
}
