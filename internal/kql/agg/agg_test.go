package agg

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/kql/udf"
)

func newState(t *testing.T, name string) State {
	t.Helper()
	for _, f := range All() {
		if f.Name == name {
			return f.New()
		}
	}
	t.Fatalf("there is no aggregate %s", name)
	return nil
}

// dynamics are rows of make_… with a limit and places; "" is null.
func feed(t *testing.T, s State, most int64, places []int64, values ...string) {
	t.Helper()
	for i, v := range values {
		at := int64(0)
		if i < len(places) {
			at = places[i]
		}
		if err := s.Add([]udf.Value{{S: []byte(v), Null: v == ""}, {I: most}, {I: at}}); err != nil {
			t.Fatal(err)
		}
	}
}

func result(t *testing.T, s State) string {
	t.Helper()
	var out udf.Value
	if err := s.Result(&out); err != nil {
		t.Fatal(err)
	}
	return string(out.S)
}

// TestCollections checks lists, sets and bags of dynamics, in one state and in two
// that are merged.
func TestCollections(t *testing.T) {
	for _, c := range []struct {
		name   string
		most   int64
		places []int64
		values []string
		want   string
	}{
		{"make_list_dynamic", 100, nil, []string{"1", "", `["a",[2]]`, "[]", `{"k":1}`}, `[1,null,"a",[2],{"k":1}]`},
		{"make_list_dynamic", 2, nil, []string{"1", "2", "3"}, `[1,2]`},
		{"make_list_dynamic", 2, []int64{9, 7, 8}, []string{"1", "2", "3"}, `[2,3]`},
		{"make_set_dynamic", 100, nil, []string{"1", "1.0", "", "[1,2,null]", `"1"`, "1.5"}, `[1,null,2,"1",1.5]`},
		{"make_set_dynamic", 2, []int64{3, 2, 1, 4}, []string{"1", "2", "1", "3"}, `[1,2]`},
		{"make_bag", 100, nil, []string{`{"a":1,"b":2}`, "", "7", `{"b":3,"c":{}}`}, `{"a":1,"b":2,"c":{}}`},
		{"make_bag", 1, []int64{2, 1}, []string{`{"a":1}`, `{"a":5}`}, `{"a":5}`},
	} {
		one := newState(t, c.name)
		feed(t, one, c.most, c.places, c.values...)
		if got := result(t, one); got != c.want {
			t.Errorf("%s%q gives %s, not %s", c.name, c.values, got, c.want)
		}
		for cut := range c.values {
			a, b := newState(t, c.name), newState(t, c.name)
			feed(t, a, c.most, c.places, c.values[:cut]...)
			if cut < len(c.places) {
				feed(t, b, c.most, c.places[cut:], c.values[cut:]...)
			} else {
				feed(t, b, c.most, nil, c.values[cut:]...)
			}
			if err := a.Merge(b); err != nil {
				t.Fatal(err)
			}
			if got := result(t, a); got != c.want {
				t.Errorf("%s%q merged at %d gives %s, not %s", c.name, c.values, cut, got, c.want)
			}
		}
	}
}

// TestSummaries checks what is made of many values, at once and merged at each place.
func TestSummaries(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []string
		want   string
	}{
		{"bag_shape", []string{`{"b":1,"a":"x"}`, "", "[1]", `{"a":"y","b":2.5,"c":null,"d":[1]}`, `{"c":true}`}, `{"a":"string","b":"dynamic","c":"bool","d":"dynamic"}`},
		{"bag_shape", nil, "{}"},
		{
			"buildschema",
			[]string{`{"x":1,"y":3.5}`, `{"x":"v","z":[1,2]}`, "", `{"y":{"w":"z"},"z":["f"],"e":[]}`},
			"{\"x\":[\"long\",\"string\"],\"y\":[{\"w\":\"string\"},\"double\"],\"z\":{\"`indexer`\":[\"long\",\"string\"]},\"e\":{\"`indexer`\":\"null\"}}",
		},
		{"sum_decimal", []string{"1.1", "", "2.2", "-0.3"}, "3"},
		{"sum_decimal", nil, "0"},
		{"avg_decimal", []string{"1", "2", "2"}, "1.666666666666666666666666666666667"},
		{"min_decimal", []string{"1.50", "-2", "3"}, "-2"},
		{"max_decimal", []string{"", ""}, ""},
	} {
		for cut := range len(c.values) + 1 {
			a, b := newState(t, c.name), newState(t, c.name)
			feed(t, a, 100, nil, c.values[:cut]...)
			feed(t, b, 100, nil, c.values[cut:]...)
			if err := a.Merge(b); err != nil {
				t.Fatal(err)
			}
			if got := result(t, a); got != c.want {
				t.Errorf("%s%q merged at %d gives %s, not %s", c.name, c.values, cut, got, c.want)
			}
		}
	}
}

// TestSeries checks bins: empty ones, those beyond the ends, and too many.
func TestSeries(t *testing.T) {
	row := func(v, at, n int64) []udf.Value { return []udf.Value{{I: v}, {I: at}, {I: n}, {Null: true}} }
	a, b := newState(t, "make_series_long"), newState(t, "make_series_long")
	for i, r := range [][]udf.Value{row(5, 3, 5), row(7, 0, 5), row(9, 5, 5), row(9, -1, 5)} {
		s := a
		if i%2 == 1 {
			s = b
		}
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Merge(b); err != nil {
		t.Fatal(err)
	}
	if got := result(t, a); got != "[7,null,null,5,null]" {
		t.Errorf("got %s", got)
	}
	if err := a.Add(row(1, 0, MaxElements+1)); !errors.Is(err, errBins) {
		t.Errorf("got %v", err)
	}
}

// TestShrink checks that of many rows in an order the first stay, whatever order
// they come in.
func TestShrink(t *testing.T) {
	for _, name := range []string{"make_list_long", "make_set_long"} {
		s := newState(t, name)
		for i := range int64(10_000) {
			at := i*7919%10_000 + 1
			if err := s.Add([]udf.Value{{I: at * 2}, {I: 5}, {I: at}}); err != nil {
				t.Fatal(err)
			}
		}
		if got := result(t, s); got != "[2,4,6,8,10]" {
			t.Errorf("%s gives %s", name, got)
		}
		if s.Size() > 500_000 {
			t.Errorf("%s holds %d bytes for 5 elements", name, s.Size())
		}
	}
}

// TestValues checks how values of each type stand in a list.
func TestValues(t *testing.T) {
	var got []string
	for _, typ := range elementTypes {
		s := newState(t, "make_list_with_nulls_"+typ.String())
		v := udf.Value{I: 1, F: 1, S: []byte("1")}
		for _, v := range []udf.Value{v, {Null: true}} {
			if err := s.Add([]udf.Value{v, {I: 9}, {}}); err != nil {
				t.Fatal(err)
			}
		}
		got = append(got, result(t, s))
	}
	want := `[true,null] [1,null] [1,null] [1.0,null] ["1",null] ["1",""] ["0001-01-01T00:00:00.0000001Z",null] ["00:00:00.0000001",null] ["1",null] [1,null]`
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

// TestManyKeys checks sets of many elements whose rows come in any order.
func TestManyKeys(t *testing.T) {
	const n = 3000
	s := newState(t, "make_set_long")
	for i := range int64(4 * n) {
		at := i*7919%(4*n) + 1
		if err := s.Add([]udf.Value{{I: at % n}, {I: MaxElements}, {I: at}}); err != nil {
			t.Fatal(err)
		}
	}
	got := strings.Split(strings.Trim(result(t, s), "[]"), ",")
	for i, v := range got {
		if want := fmt.Sprint((i + 1) % n); v != want {
			t.Fatalf("element %d is %s, not %s", i, v, want)
		}
	}
	if len(got) != n {
		t.Errorf("%d elements", len(got))
	}
}

// TestAgainstSimple compares sets, lists and bags of random rows, spread over states
// that are merged, with a simple reckoning.
func TestAgainstSimple(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		rows, most := r.Perm(1+r.IntN(4000)), 1+r.IntN(300)
		values := make([]int64, len(rows)) // by place
		kinds := 1 + r.IntN(1500)
		for i := range values {
			values[i] = int64(r.IntN(kinds))
		}
		states := map[string][]State{"make_list_long": nil, "make_set_long": nil, "make_bag": nil}
		parts := 1 + r.IntN(4)
		for name := range states {
			for range parts {
				states[name] = append(states[name], newState(t, name))
			}
			for _, at := range rows {
				v := udf.Value{I: values[at], S: fmt.Appendf(nil, `{"k%d":%d}`, values[at], at)}
				if err := states[name][r.IntN(parts)].Add([]udf.Value{v, {I: int64(most)}, {I: int64(at + 1)}}); err != nil {
					t.Fatal(err)
				}
			}
			for _, other := range states[name][1:] {
				if err := states[name][0].Merge(other); err != nil {
					t.Fatal(err)
				}
			}
		}
		var list, set, bag []string
		seen := map[int64]bool{}
		for at, v := range values {
			list = append(list, fmt.Sprint(v))
			if !seen[v] {
				seen[v] = true
				set = append(set, fmt.Sprint(v))
				bag = append(bag, fmt.Sprintf(`"k%d":%d`, v, at))
			}
		}
		cut := func(s []string) string { return strings.Join(s[:min(most, len(s))], ",") }
		for name, want := range map[string]string{"make_list_long": "[" + cut(list) + "]", "make_set_long": "[" + cut(set) + "]", "make_bag": "{" + cut(bag) + "}"} {
			if got := result(t, states[name][0]); got != want {
				t.Fatalf("%s of %d rows, %d kinds, %d states, at most %d:\ngot  %s\nwant %s", name, len(rows), kinds, parts, most, got, want)
			}
		}
	}
}

func TestTooLarge(t *testing.T) {
	s := newState(t, "make_list_string")
	v := udf.Value{S: []byte(strings.Repeat("x", MaxText/2))}
	var err error
	for range 3 {
		err = errors.Join(err, s.Add([]udf.Value{v, {I: 10}, {}}))
	}
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestWeighted(t *testing.T) {
	var got []string
	for _, share := range []float64{0, 50, 75, 99.9, 100} {
		a, b := newState(t, "percentilew_long"), newState(t, "percentilew_long")
		for i, row := range [][2]int64{{10, 8}, {20, 6}, {30, 3}, {40, 1}, {50, 0}} {
			s := a
			if i%2 == 1 {
				s = b
			}
			if err := s.Add([]udf.Value{{I: row[0]}, {I: row[1]}, {F: share}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Merge(b); err != nil {
			t.Fatal(err)
		}
		var out udf.Value
		if err := a.Result(&out); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(out.I))
	}
	if s := strings.Join(got, " "); s != "10 20 20 40 40" {
		t.Errorf("got %s", s)
	}
	var out udf.Value
	if err := newState(t, "percentilew_real").Result(&out); err != nil || !out.Null {
		t.Errorf("of nothing: %+v, %v", out, err)
	}
}
