package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

func ref(id plan.ID) *plan.Ref { return &plan.Ref{ID: id, T: schema.Long} }

func is(id plan.ID, n int64) plan.Expr {
	return &plan.Call{Op: fn.Eq, Args: []plan.Expr{ref(id), &plan.Const{T: schema.Long, V: n}}, T: schema.Bool}
}

func rows(ids ...plan.ID) *plan.Values {
	v := &plan.Values{}
	for _, id := range ids {
		v.Columns = append(v.Columns, *ref(id))
	}
	return v
}

func join(kind plan.JoinKind, left plan.Node) *plan.Join {
	return &plan.Join{Left: left, Right: rows(3, 4), Kind: kind, Keys: []plan.JoinKey{{L: ref(1), R: ref(3)}}}
}

func pushed(root plan.Node, out ...plan.ID) string {
	p := &plan.Plan{Root: root}
	for _, id := range out {
		p.Output = append(p.Output, plan.Output{Name: "x", Expr: ref(id)})
	}
	plan.Push(p)
	plan.Prune(p)
	return p.String()
}

// TestPush checks what a filter moves past, and what it doesn't.
func TestPush(t *testing.T) {
	above := func(n plan.Node, preds ...plan.Expr) plan.Node {
		for _, x := range preds {
			n = &plan.Filter{From: n, Pred: x}
		}
		return n
	}
	for _, c := range []struct {
		name string
		root plan.Node
		want string
	}{
		{"an inner join's sides", above(join(plan.InnerJoin, rows(1, 2)), is(2, 7), is(4, 8)), `
values 0 rows v1:long v2:long
filter eq(v2, 7)
join inner v1 = v3
  with
    values 0 rows v3:long v4:long
    filter eq(v4, 8)
`},
		{"the kept side of an outer join", above(join(plan.LeftOuterJoin, rows(1, 2)), is(2, 7), is(4, 8)), `
values 0 rows v1:long v2:long
filter eq(v2, 7)
join leftouter v1 = v3
  with
    values 0 rows v3:long v4:long
filter eq(v4, 8)
`},
		{"the first of each key", above(join(plan.InnerJoin, &plan.First{From: rows(1, 2), Keys: []plan.Expr{ref(1)}}), is(1, 7), is(2, 8)), `
values 0 rows v1:long v2:long
filter eq(v1, 7)
first by v1
filter eq(v2, 8)
join inner v1 = v3
  with
    values 0 rows v3:long v4:long
`},
		{"not a take", above(&plan.Take{From: rows(1, 2, 4), N: 5}, is(1, 7)), `
values 0 rows v1:long v2:long v4:long
take 5
filter eq(v1, 7)
`},
		{"a union's parts", above(&plan.Union{Cols: []plan.Ref{*ref(2), *ref(4)}, Parts: []plan.UnionInput{
			{From: rows(11, 12), Cols: []plan.Expr{ref(11), ref(12)}},
			{From: rows(13), Cols: []plan.Expr{ref(13), &plan.Const{T: schema.Long}}},
		}}, is(4, 7)), `
union v2 = v11 | v13, v4 = v12 | long(null)
  with
    values 0 rows v11:long v12:long
    filter eq(v12, 7)
  with
    values 0 rows v13:long
    filter eq(long(null), 7)
`},
	} {
		got := pushed(c.root, 2, 4)
		want := strings.TrimPrefix(c.want, "\n") + "output x:long = v2, x:long = v4\n"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// TestShared checks that a shared relation with one use stands in its place, and
// one with two is computed once, of the columns that some use reads.
func TestShared(t *testing.T) {
	shared := func() *plan.Shared {
		return &plan.Shared{ID: 9, From: rows(1, 2, 5), Cols: []plan.Assign{{ID: 21, Expr: ref(1)}, {ID: 22, Expr: ref(2)}, {ID: 25, Expr: ref(5)}}}
	}
	one := &plan.Filter{From: &plan.Use{Of: shared(), Cols: []plan.UseColumn{{ID: 31, Of: 21}, {ID: 32, Of: 22}}}, Pred: is(31, 7)}
	if diff := cmp.Diff("values 0 rows v1:long v2:long\nfilter eq(v1, 7)\nextend v32 = v2\noutput x:long = v32\n", pushed(one, 32)); diff != "" {
		t.Errorf("one use:\n%s", diff)
	}
	s := shared()
	two := &plan.Join{
		Left:  &plan.Use{Of: s, Cols: []plan.UseColumn{{ID: 31, Of: 21}, {ID: 35, Of: 25}}},
		Right: &plan.Use{Of: s, Cols: []plan.UseColumn{{ID: 41, Of: 21}, {ID: 42, Of: 22}}},
		Keys:  []plan.JoinKey{{L: ref(31), R: ref(41)}},
	}
	const want = `shared 9
  values 0 rows v1:long v2:long
use 9 v31 = v21
join inner v31 = v41
  with
    use 9 v41 = v21, v42 = v22
output x:long = v42
`
	if diff := cmp.Diff(want, pushed(two, 42)); diff != "" {
		t.Errorf("two uses:\n%s", diff)
	}
}
