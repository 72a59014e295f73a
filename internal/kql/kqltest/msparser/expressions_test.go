package msparser

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

// wide is a table with a column of every type.
const wide = "let T = datatable(b:bool, i:int, l:long, r:real, m:decimal, s:string, t:datetime, p:timespan, g:guid, d:dynamic)[];\nT | "

// columnOf gives wide's column of a type; the order is that in which an argument's
// type is chosen.
var columnOf = []struct {
	typ    schema.Type
	column string
}{
	{schema.String, "s"},
	{schema.Long, "l"},
	{schema.Dynamic, "d"},
	{schema.Real, "r"},
	{schema.DateTime, "t"},
	{schema.TimeSpan, "p"},
	{schema.Bool, "b"},
	{schema.Decimal, "m"},
	{schema.Guid, "g"},
	{schema.Int, "i"},
}

// expression is one to compare: an aggregate in summarize, else a scalar in project.
type expression struct {
	function, text string
	aggregate      bool
}

// expressions are operators over all pairs of types, and calls of every function
// and aggregate, also with arguments that they don't take.
func expressions() []expression {
	var list []expression
	for _, op := range []string{"+", "-", "*", "/", "%", "==", "!=", "<", ">", "=~", "has", "contains", "startswith", "and", "in"} {
		for _, a := range columnOf {
			for _, b := range columnOf {
				right := b.column
				if op == "in" {
					right = "(" + right + ")"
				}
				list = append(list, expression{function: op, text: a.column + " " + op + " " + right})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fn.Functions)) {
		list = append(list, fixedCalls(name, fn.Functions[name])...)
	}
	for _, name := range slices.Concat(fn.Special, fn.Dynamic, fn.Scalar) {
		list = append(list, anyCalls(name, false, "s", "l", "d", "p", "i", "t", "r", "b")...)
	}
	for _, name := range slices.Sorted(maps.Keys(fn.Aggregates)) {
		list = append(list, anyCalls(name, true, "b", "s", "5")...)
	}
	return list
}

// fixedCalls calls a function of fixed form with every type its first parameter
// takes.
func fixedCalls(name string, f fn.Function) []expression {
	var list []expression
	for n := f.Min; n <= len(f.Params); n++ {
		var rest []string
		for _, p := range f.Params[min(1, n):n] {
			for _, c := range columnOf {
				if p.Has(c.typ) {
					rest = append(rest, c.column)
					break
				}
			}
		}
		if n == 0 {
			list = append(list, expression{function: name, text: name + "()"})
			continue
		}
		for _, c := range columnOf {
			if f.Params[0].Has(c.typ) {
				list = append(list, expression{function: name, text: name + "(" + strings.Join(append([]string{c.column}, rest...), ", ") + ")"})
			}
		}
	}
	return list
}

// anyCalls calls a function with none, one, two and three arguments.
func anyCalls(name string, aggregate bool, second ...string) []expression {
	list := []expression{{name, name + "()", aggregate}}
	for _, c := range columnOf {
		x := c.column
		list = append(list, expression{name, name + "(" + x + ")", aggregate})
		for _, y := range second {
			list = append(list, expression{name, name + "(" + x + ", " + y + ")", aggregate})
		}
		if !aggregate {
			list = append(list, expression{name, name + "(b, " + x + ", " + x + ")", false}, expression{name, name + `("day", ` + x + ", " + x + ")", false})
		}
	}
	return list
}

// typeDiffers are the functions whose result has another type for Microsoft's
// parser, with the reason.
var typeDiffers = map[string]string{
	"ceiling":       "the engine gives real",
	"jaccard_index": "the engine gives real",
	"round":         "as ceiling: the engine computes with real",
}

// manyResults are the aggregates whose result is several columns; names compares
// them.
var manyResults = []string{"any", "take_any", "arg_max", "arg_min", "argmax", "argmin", "percentiles"}

// TestExpressions compares the types of expressions that both parsers accept. Where
// only one accepts, the arguments are mostly nonsense; how many is printed.
func TestExpressions(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("slow (about half a minute): set WADI_SLOW=1")
	}
	list := expressions()
	theirs := typesOf(t, list)
	counts := map[string]int{}
	for i, x := range list {
		verb := "project"
		if x.aggregate {
			verb = "summarize"
		}
		a, b := ours(wide+verb+" x = ("+x.text+")"), theirs[i]
		switch {
		case a.unsupported:
			counts["refused by name"]++
		case a.err != "" && b.err != "":
			counts["rejected by both"]++
		case a.err != "":
			counts["only theirs accept"]++
		case b.err != "":
			counts["only ours accept"]++
		case slices.Equal(a.columns, b.columns):
			counts["same type"]++
		case typeDiffers[x.function] != "" || slices.Contains(manyResults, x.function):
			counts["known difference"]++
		default:
			t.Errorf("%s: ours %s, theirs %s", x.text, a, b)
		}
	}
	t.Logf("%d expressions: %v", len(list), counts)
}

// typesOf asks for many expressions in few queries; an expression's faults are those
// within its place.
func typesOf(t *testing.T, list []expression) []outcome {
	t.Helper()
	const perQuery = 80
	type place struct {
		query      string
		start, end int
	}
	var queries []question
	places := make([]place, len(list))
	for _, aggregate := range []bool{false, true} {
		verb := map[bool]string{false: "project ", true: "summarize "}[aggregate]
		var b strings.Builder
		n := 0
		for i, x := range list {
			if x.aggregate != aggregate {
				continue
			}
			if n%perQuery == 0 {
				b.Reset()
				queries = append(queries, question{ID: strconv.Itoa(len(queries))})
				b.WriteString(wide + verb)
			} else {
				b.WriteString(", ")
			}
			n++
			last := &queries[len(queries)-1]
			fmt.Fprintf(&b, "c%d = ", i)
			start := b.Len()
			b.WriteString("(" + x.text + ")")
			places[i] = place{last.ID, start, b.Len()}
			last.Query = b.String()
		}
	}
	answers := ask(t, nil, queries)
	out := make([]outcome, len(list))
	for i, p := range places {
		a := answers[p.query]
		for _, e := range a.Errors {
			if e.Start >= p.start && e.Start < p.end {
				out[i].err = e.Code + " " + e.Message
			}
		}
		for _, c := range a.Columns {
			if c.Name == "c"+strconv.Itoa(i) && out[i].err == "" {
				out[i].columns = []string{"x:" + c.Type}
			}
		}
	}
	return out
}

// nameDiffers are the functions whose result has another name for Microsoft's
// parser, with the reason.
var nameDiffers = map[string]string{
	"covariance":  "the engine names both columns",
	"covariancep": "the engine names both columns",
}

// TestNames compares the names of results without a name, for every function and
// aggregate: the calls with the fewest arguments that Wadi takes.
func TestNames(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("slow (about ten seconds): set WADI_SLOW=1")
	}
	const perFunction = 3
	taken := map[string]int{}
	var queries []question
	results := map[string]outcome{}
	functions := map[string]string{}
	for _, x := range expressions() {
		verb := "project "
		if x.aggregate {
			verb = "summarize "
		}
		text := verb + x.text
		if taken[x.function] == perFunction || functions[text] != "" {
			continue
		}
		if o := ours(wide + text); o.err == "" {
			taken[x.function]++
			results[text], functions[text] = o, x.function
			queries = append(queries, question{ID: text, Query: wide + text})
		}
	}
	answers := ask(t, nil, queries)
	same, other := 0, 0
	for _, q := range queries {
		a, b := results[q.ID], theirs(answers[q.ID])
		switch {
		case b.err != "":
			other++
		case slices.Equal(namesOf(a), namesOf(b)):
			same++
		case nameDiffers[functions[q.ID]] == "":
			t.Errorf("%s: ours %s, theirs %s", q.ID, a, b)
		}
	}
	t.Logf("%d calls of %d functions have the same names, %d are not accepted by Microsoft's parser", same, len(taken), other)
}

func namesOf(o outcome) []string {
	var names []string
	for _, c := range o.columns {
		names = append(names, c[:strings.LastIndexByte(c, ':')])
	}
	return names
}
