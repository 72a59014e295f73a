package series

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// collect runs an operator and copies what it gives.
func collect(t *testing.T, op Operator, rows [][]udf.Value) [][]udf.Value {
	t.Helper()
	var out [][]udf.Value
	emit := func(row []udf.Value) error {
		kept := make([]udf.Value, len(row))
		for i, v := range row {
			kept[i] = v
			kept[i].S = append([]byte(nil), v.S...)
		}
		out = append(out, kept)
		return nil
	}
	for _, r := range rows {
		if err := op.Row(r, emit); err != nil {
			t.Fatal(err)
		}
	}
	if err := op.End(emit); err != nil {
		t.Fatal(err)
	}
	return out
}

var statsOut = []schema.Type{schema.Real, schema.Long, schema.Real, schema.Long, schema.Real, schema.Real, schema.Real}

// TestStats checks series_stats against the documentation's example and the kept
// columns beside it.
func TestStats(t *testing.T) {
	in := []schema.Type{schema.Dynamic, schema.String}
	op, err := New("series_stats", nil, in, append(statsOut[:len(statsOut):len(statsOut)], schema.String), 1)
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) udf.Value { return udf.Value{S: []byte(s)} }
	got := collect(t, op, [][]udf.Value{
		{text("[23,46,23,87,4,8,3,75,2,56,13,75,32,16,29]"), text("a")},
		{text("[1,null]"), text("b")},
		{{Null: true}, text("c")},
		{text("7"), text("d")},
		{text("[5.5]"), text("e")},
		{text("[]"), text("f")},
	})
	want := []string{
		"2 8 87 3 32.8 28.50363385354827 812.4571428571429 a",
		"null null null null null null null b",
		"null null null null null null null c",
		"null null null null null null null d",
		"5.5 0 5.5 0 5.5 0 0 e",
		"null null null null null null null f",
	}
	types := append(statsOut[:len(statsOut):len(statsOut)], schema.String)
	for i, row := range got {
		if s := printed(row, types); i >= len(want) || s != want[i] {
			t.Errorf("row %d is %s", i, s)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d rows, not %d", len(got), len(want))
	}
}

// TestEmitError checks that an error of the reader ends the operator.
func TestEmitError(t *testing.T) {
	op, err := New("series_stats", nil, []schema.Type{schema.Dynamic}, statsOut, 0)
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("full")
	err = op.Row([]udf.Value{{S: []byte("[1]")}}, func([]udf.Value) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

// TestNew checks what is refused.
func TestNew(t *testing.T) {
	var got []string
	for _, c := range []struct {
		name string
		in   []schema.Type
		kept int
	}{{"nothing", nil, 0}, {"series_stats", nil, 0}, {"series_stats", []schema.Type{schema.Dynamic}, 2}} {
		_, err := New(c.name, nil, c.in, statsOut, c.kept)
		got = append(got, fmt.Sprint(err))
	}
	want := []string{
		`cannot run the operator "nothing": there is none of that name`,
		"cannot run series_stats: its columns are not those of the operator",
		"cannot run the operator series_stats: it can't keep 2 columns",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func printed(row []udf.Value, types []schema.Type) string {
	var s strings.Builder
	for i, v := range row {
		if i > 0 {
			s.WriteString(" ")
		}
		switch {
		case v.Null:
			s.WriteString("null")
		case types[i] == schema.Real:
			s.WriteString(fmt.Sprint(v.F))
		case types[i] == schema.Long:
			s.WriteString(fmt.Sprint(v.I))
		default:
			s.WriteString(string(v.S))
		}
	}
	return s.String()
}
