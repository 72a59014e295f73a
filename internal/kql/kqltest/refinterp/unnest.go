package refinterp

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/wadi-project/wadi/internal/kql/plan"
)

// unnest gives a row for each element: of a null one null, of nothing nothing.
// Elements of several columns stand side by side.
func (in *interp) unnest(n *plan.Unnest) []row {
	var out []row
	for _, r := range in.node(n.From) {
		lists := make([][]any, len(n.Cols))
		longest := 0
		for i, c := range n.Cols {
			lists[i] = elements(in.eval(c.X, r), n.Pairs)
			if c.Text { // a split's parts as the texts they are
				for j, text := range lists[i] {
					lists[i][j] = unquoted(text)
				}
			}
			if n.Limit > 0 && int64(len(lists[i])) > n.Limit {
				lists[i] = lists[i][:n.Limit]
			}
			longest = max(longest, len(lists[i]))
		}
		for j := range longest {
			line := maps.Clone(r)
			for i, c := range n.Cols {
				line[c.ID], line[c.List] = nil, nil
				if j < len(lists[i]) {
					line[c.ID] = lists[i][j]
				}
			}
			if n.Index != 0 {
				line[n.Index] = int64(j)
			}
			out = append(out, line)
		}
	}
	return out
}

// elements are those of an array, the single-key bags (or pairs) of a bag, and of
// any other value the value itself.
func elements(v any, pairs bool) []any {
	text, ok := v.(string)
	if !ok || text == "" {
		return []any{nil}
	}
	switch text[0] {
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			unsupported("the array %q: %s", text, err)
		}
		out := make([]any, len(list))
		for i, e := range list {
			out[i] = element(e)
		}
		return out
	case '{':
		return bagElements(text, pairs)
	}
	return []any{text}
}

func unquoted(v any) any {
	var s string
	if err := json.Unmarshal([]byte(v.(string)), &s); err != nil {
		unsupported("the text %v: %s", v, err)
	}
	return s
}

func element(raw json.RawMessage) any {
	if string(raw) == "null" {
		return nil
	}
	return string(raw)
}

// bagElements reads a bag in the order of its keys, which a map would lose.
func bagElements(text string, pairs bool) []any {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	var out []any
	_, err := d.Token()
	for err == nil && d.More() {
		var key json.Token
		if key, err = d.Token(); err != nil {
			break
		}
		var value json.RawMessage
		if err = d.Decode(&value); err != nil {
			break
		}
		name, _ := json.Marshal(key)
		if pairs {
			out = append(out, "["+string(name)+","+string(value)+"]")
			continue
		}
		out = append(out, "{"+string(name)+":"+string(value)+"}")
	}
	if err != nil {
		unsupported("the bag %q: %s", text, err)
	}
	return out
}

func (in *interp) number(n *plan.Number) []row {
	var out []row
	for i, r := range in.node(n.From) {
		r = maps.Clone(r)
		r[n.ID] = int64(i + 1)
		out = append(out, r)
	}
	return out
}

// takeEach keeps the first rows of each group.
func (in *interp) takeEach(n *plan.TakeEach) []row {
	rows := slices.Clone(in.node(n.From))
	slices.SortStableFunc(rows, func(a, b row) int { return in.compareRows(n.Keys, a, b) })
	taken := map[string]int64{}
	var out []row
	for _, r := range rows {
		values := make([]any, len(n.By))
		for i, x := range n.By {
			values[i] = in.eval(x, r)
		}
		if name := keysOf(values); taken[name] < n.N {
			taken[name]++
			out = append(out, r)
		}
	}
	return out
}
