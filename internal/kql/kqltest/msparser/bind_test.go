package msparser

import (
	"slices"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/kqltest"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// env binds against all views, at noon of a day.
var env = bind.Env{
	Now: event.UnixEpoch + 20455*event.TicksPerDay + 12*event.TicksPerHour,
	Tables: func(name string) bind.Source {
		if v := schema.LookupView(name); v != nil {
			return bind.Source{Table: v.Table, View: v}
		}
		return bind.Source{Table: schema.LookupTable(name)}
	},
	Names: func() []string {
		var names []string
		for _, v := range schema.Views() {
			names = append(names, v.Name)
		}
		slices.Sort(names)
		return names
	},
}

// views gives the columns that Wadi's views show, so that both binders see the
// same tables.
func views() map[string][]kqltest.Column {
	tables := map[string][]kqltest.Column{}
	for _, v := range schema.Views() {
		columns := []kqltest.Column{}
		for _, c := range v.Columns {
			if !c.Hidden {
				columns = append(columns, kqltest.Column{Name: c.Name, Type: c.KQL.String()})
			}
		}
		tables[v.Name] = columns
	}
	return tables
}

// outcome is what a binder makes of a query: an error, or columns as name:type.
type outcome struct {
	err string
	// unsupported tells that Wadi refused it by name, which is no claim about KQL.
	unsupported bool
	columns     []string
}

func (o outcome) String() string {
	if o.err != "" {
		return "reject"
	}
	return strings.Join(o.columns, " ")
}

// refusals are what Wadi says of KQL that it doesn't run: no claim that it is wrong.
var refusals = []string{
	"not supported", "the columns depend on the data", "externaldata reads from outside the lake", "reads another cluster",
	"the query has more than", "the regular expression is longer than", "the result has no columns",
}

func ours(text string) outcome {
	q, diags := syntax.Parse(text)
	if len(diags) > 0 {
		return outcome{err: diags[0].Error()}
	}
	p, diags := bind.Bind(q, env)
	if len(diags) > 0 {
		return outcome{err: diags[0].Error(), unsupported: slices.ContainsFunc(diags, func(d syntax.Diagnostic) bool {
			return slices.ContainsFunc(refusals, func(words string) bool { return strings.Contains(d.Message, words) })
		})}
	}
	var o outcome
	for _, c := range p.Output {
		o.columns = append(o.columns, c.Name+":"+c.Expr.Type().String())
	}
	return o
}

func theirs(a answer) outcome {
	if len(a.Errors) > 0 || a.Crash != "" {
		if a.Crash != "" {
			return outcome{err: a.Crash}
		}
		return outcome{err: a.Errors[0].Code + " " + a.Errors[0].Message}
	}
	return outcome{columns: pairs(a.Columns)}
}

func pairs(columns []kqltest.Column) []string {
	var list []string
	for _, c := range columns {
		list = append(list, c.Name+":"+c.Type)
	}
	return list
}

// compareBinding compares what both binders make of a query: accepted or not, names
// and types of the result. Where Kusto's engine has answered it settles a
// difference; the others are listed, each with its reason.
func compareBinding(t *testing.T, all []question, answers map[string]answer) {
	known := differences(t, "bind")
	counts := map[string]int{}
	for _, q := range all {
		a, b := ours(q.Query), theirs(answers[q.ID])
		want, listed := known[q.ID]
		kind := compare(q, a, b)
		counts[kind]++
		switch {
		case kind != different && listed && kind != unsupported:
			t.Errorf("%s: %s: the line in differences.tsv is old", q.ID, kind)
		case kind != different || listed && want.ours == short(a, b) && want.theirs == short(b, a):
		default:
			t.Errorf("%s %s\nours   %s %s\ntheirs %s %s\n%s", q.Kind, q.ID, a, a.err, b, b.err, q.Query)
		}
	}
	t.Logf("%d queries: %v, %d known differences", len(all), counts, len(known))
}

// short is how differences.tsv writes an outcome beside another: accept or reject,
// or the columns that the other lacks.
func short(o, beside outcome) string {
	if o.err != "" {
		return "reject"
	}
	if beside.err != "" {
		return "accept"
	}
	own := slices.DeleteFunc(slices.Clone(o.columns), func(c string) bool { return slices.Contains(beside.columns, c) })
	if len(own) == 0 {
		return "other order or fewer columns"
	}
	return strings.Join(own, " ")
}

// What a comparison may come to.
const (
	equal       = "equal"
	unsupported = "refused by name"
	settled     = "settled by Kusto's engine"
	different   = "different"
)

func compare(q question, a, b outcome) string {
	switch {
	case a.unsupported:
		return unsupported
	case a.String() == b.String():
		return equal
	case q.Asked && q.Refused == (a.err != "") && (q.Refused || slices.EqualFunc(a.columns, q.Columns, sameColumn)):
		return settled
	}
	return different
}

// sameColumn compares name:type with a recorded column, whose type may be several:
// name:int|long.
func sameColumn(got, recorded string) bool {
	at := strings.LastIndexByte(recorded, ':')
	for typ := range strings.SplitSeq(recorded[at+1:], "|") {
		if got == recorded[:at+1]+typ {
			return true
		}
	}
	return false
}
