package refinterp

import (
	"maps"

	"github.com/wadi-project/wadi/internal/kql/plan"
)

// join compares each row with each: null equals null, NaN equals NaN.
func (in *interp) join(n *plan.Join) []row {
	left, right := in.node(n.Left), in.node(n.Right)
	leftFound, rightFound := make([]bool, len(left)), make([]bool, len(right))
	var pairs []row
	for i, l := range left {
		for j, r := range right {
			if !in.matches(n.Keys, l, r) {
				continue
			}
			leftFound[i], rightFound[j] = true, true
			pair := maps.Clone(l)
			maps.Copy(pair, r)
			pairs = append(pairs, pair)
		}
	}
	switch n.Kind {
	case plan.InnerJoin:
		return pairs
	case plan.LeftOuterJoin:
		return append(pairs, in.alone(left, leftFound, n.Right)...)
	case plan.RightOuterJoin:
		return append(pairs, in.alone(right, rightFound, n.Left)...)
	case plan.FullOuterJoin:
		return append(append(pairs, in.alone(left, leftFound, n.Right)...), in.alone(right, rightFound, n.Left)...)
	case plan.LeftSemiJoin:
		return picked(left, leftFound, true)
	case plan.LeftAntiJoin:
		return picked(left, leftFound, false)
	case plan.RightSemiJoin:
		return picked(right, rightFound, true)
	case plan.RightAntiJoin:
		return picked(right, rightFound, false)
	}
	unsupported("the join %s", n.Kind)
	return nil
}

func (in *interp) matches(keys []plan.JoinKey, l, r row) bool {
	for _, k := range keys {
		if keyOf(in.eval(k.L, l)) != keyOf(in.eval(k.R, r)) {
			return false
		}
	}
	return true
}

func picked(rows []row, found []bool, want bool) []row {
	var out []row
	for i, r := range rows {
		if found[i] == want {
			out = append(out, r)
		}
	}
	return out
}

// alone gives the rows without a partner, with null for the other side's columns.
func (in *interp) alone(rows []row, found []bool, other plan.Node) []row {
	var out []row
	for _, r := range picked(rows, found, false) {
		r = maps.Clone(r)
		for _, id := range columns(other) {
			r[id] = nil
		}
		out = append(out, r)
	}
	return out
}

// columns are those that a node gives.
func columns(n plan.Node) []plan.ID {
	var out []plan.ID
	add := func(refs []plan.Ref) {
		for _, c := range refs {
			out = append(out, c.ID)
		}
	}
	switch n := n.(type) {
	case *plan.Scan:
		for _, c := range n.Columns {
			out = append(out, c.ID)
		}
		return out
	case *plan.Values:
		add(n.Columns)
		return out
	case *plan.Union:
		add(n.Cols)
		return out
	case *plan.Use:
		for _, c := range n.Cols {
			out = append(out, c.ID)
		}
		return out
	case *plan.Range:
		return []plan.ID{n.Col.ID}
	case *plan.Aggregate:
		for _, k := range n.Keys {
			out = append(out, k.ID)
		}
		for _, a := range n.Aggs {
			out = append(out, a.ID)
		}
		return out
	case *plan.Join:
		switch n.Kind {
		case plan.LeftSemiJoin, plan.LeftAntiJoin:
			return columns(n.Left)
		case plan.RightSemiJoin, plan.RightAntiJoin:
			return columns(n.Right)
		}
	case *plan.Extend:
		for _, c := range n.Cols {
			out = append(out, c.ID)
		}
	case *plan.Lookup:
		out = append(out, n.Result)
	case *plan.Unnest:
		for _, c := range n.Cols {
			out = append(out, c.List, c.ID)
		}
		out = append(out, n.Index)
	case *plan.Number:
		out = append(out, n.ID)
	case *plan.Window:
		for _, c := range n.Cols {
			out = append(out, c.ID)
		}
	case *plan.Filter, *plan.Sort, *plan.Take, *plan.First, *plan.TakeEach:
	default:
		unsupported("the columns of the node %T", n)
	}
	for _, below := range n.Inputs() {
		out = append(out, columns(below)...)
	}
	return out
}

func (in *interp) first(n *plan.First) []row {
	seen := map[string]bool{}
	var out []row
	for _, r := range in.node(n.From) {
		values := make([]any, len(n.Keys))
		for i, k := range n.Keys {
			values[i] = in.eval(k, r)
		}
		if name := keysOf(values); !seen[name] {
			seen[name] = true
			out = append(out, r)
		}
	}
	return out
}

func (in *interp) union(n *plan.Union) []row {
	var out []row
	for _, p := range n.Parts {
		for _, r := range in.node(p.From) {
			line := row{}
			for i, c := range n.Cols {
				line[c.ID] = in.eval(p.Cols[i], r)
			}
			out = append(out, line)
		}
	}
	return out
}

// use reads shared rows, which are computed once.
func (in *interp) use(n *plan.Use) []row {
	rows, ok := in.shared[n.Of]
	if !ok {
		for _, r := range in.node(n.Of.From) {
			line := row{}
			for _, c := range n.Of.Cols {
				line[c.ID] = in.eval(c.Expr, r)
			}
			rows = append(rows, line)
		}
		in.shared[n.Of] = rows
	}
	out := make([]row, len(rows))
	for i, r := range rows {
		out[i] = row{}
		for _, c := range n.Cols {
			out[i][c.ID] = r[c.Of]
		}
	}
	return out
}

// ranged steps from Start to End; there is none with a null or a step of 0.
func (in *interp) ranged(n *plan.Range) []row {
	at, end, step := in.eval(n.Start, nil), in.eval(n.End, nil), in.eval(n.Step, nil)
	if hasNull([]any{at, end, step}) {
		return nil
	}
	const most = 100_000
	var out []row
	if f, ok := at.(float64); ok {
		by, last := step.(float64), end.(float64)
		for i := 0; by != 0 && i < most; i++ {
			v := f + float64(i)*by
			if by > 0 && v > last || by < 0 && v < last {
				return out
			}
			out = append(out, row{n.Col.ID: v})
		}
		return out
	}
	v, last, by := at.(int64), end.(int64), step.(int64)
	for by != 0 && (by > 0 && v <= last || by < 0 && v >= last) {
		out = append(out, row{n.Col.ID: v})
		if len(out) == most {
			unsupported("ranges of more than %d rows", most)
		}
		if next := v + by; (next > v) == (by > 0) {
			v = next
			continue
		}
		break
	}
	return out
}

// scalar is the value of the first row.
func (in *interp) scalar(x *plan.Scalar) any {
	rows := in.subquery(x.ID, x.Root)
	if len(rows) == 0 {
		return constant(&plan.Const{T: x.T})
	}
	return in.eval(x.Value, rows[0])
}

func (in *interp) subquery(id plan.ID, root plan.Node) []row {
	rows, ok := in.rows[id]
	if !ok {
		rows = in.node(root)
		in.rows[id] = rows
	}
	return rows
}

func (in *interp) inRows(x *plan.InRows, r row) any {
	v := in.eval(x.X, r)
	if v == nil {
		return false
	}
	for _, other := range in.subquery(x.ID, x.Root) {
		w := in.eval(x.Value, other)
		switch {
		case w == nil:
		case x.Fold && foldText(v.(string)) == foldText(w.(string)), !x.Fold && equal(v, w):
			return true
		}
	}
	return false
}
