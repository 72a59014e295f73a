package series

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// patternRows runs an operator over rows "a b weight", "-" being an empty text.
func patternRows(t *testing.T, name string, args []udf.Value, rows ...string) []string {
	t.Helper()
	in := []schema.Type{schema.String, schema.String, schema.Long}
	out := []schema.Type{schema.Long, schema.Long, schema.Real, schema.String, schema.String}
	op, err := New(name, args, in, out, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values [][]udf.Value
	for _, r := range rows {
		var a, b string
		var w int64
		if _, err := fmt.Sscan(r, &a, &b, &w); err != nil {
			t.Fatal(err)
		}
		text := func(s string) udf.Value { return udf.Value{S: []byte(strings.Trim(s, "-"))} }
		values = append(values, []udf.Value{text(a), text(b), {I: w}})
	}
	var lines []string
	for _, row := range collect(t, op, values) {
		lines = append(lines, printed(row, out))
	}
	return lines
}

// TestBasket checks sets of one and two values, thresholds and the order.
func TestBasket(t *testing.T) {
	rows := []string{"x p 50", "x q 30", "y p 15", "z - 4", "w q 1"}
	got := patternRows(t, "basket", []udf.Value{{F: 0.1}, {I: 5}}, rows...)
	want := []string{"0 80 80 x null", "1 65 65 null p", "2 50 50 x p", "3 31 31 null q", "4 30 30 x q", "5 15 15 y p", "6 15 15 y null"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got = patternRows(t, "basket", []udf.Value{{F: 0.3}, {I: 1}}, rows...)
	if d := cmp.Diff([]string{"0 80 80 x null", "1 65 65 null p", "2 31 31 null q"}, got); d != "" {
		t.Error(d)
	}
}

// TestBasketLimit checks that many columns that agree end in an error.
func TestBasketLimit(t *testing.T) {
	const columns = 20
	var in, out []schema.Type
	out = append(out, schema.Long, schema.Long, schema.Real)
	row := make([]udf.Value, columns, columns+1)
	for i := range columns {
		in, out = append(in, schema.String), append(out, schema.String)
		row[i] = udf.Value{S: []byte("same")}
	}
	op, err := New("basket", []udf.Value{{F: 0.5}, {I: 64}}, append(in, schema.Long), out, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := op.Row(append(row, udf.Value{I: 1}), nil); err != nil {
		t.Fatal(err)
	}
	if err := op.End(func([]udf.Value) error { return nil }); err == nil {
		t.Error("a million patterns were found")
	}
}

// TestAutocluster checks that clusters describe the rows: the large groups are found,
// a value that varies is left out, and the answer is the same each time.
func TestAutocluster(t *testing.T) {
	rows := []string{"x p 40", "x q 1", "y a 10", "y b 10", "y c 10", "y d 10", "z r 19"}
	got := patternRows(t, "autocluster", []udf.Value{{F: 0.5}, {I: 5}}, rows...)
	want := []string{"0 40 40 y null", "1 40 40 x p", "2 19 19 z r", "3 1 1 x q"}
	for range 3 {
		again := patternRows(t, "autocluster", []udf.Value{{F: 0.5}, {I: 5}}, rows...)
		if d := cmp.Diff(got, again); d != "" {
			t.Fatal(d)
		}
	}
	found := strings.Join(got, "\n")
	for _, w := range want[1:3] {
		if !strings.Contains(found, strings.SplitN(w, " ", 2)[1]) {
			t.Errorf("%q is not among\n%s", w, found)
		}
	}
}
