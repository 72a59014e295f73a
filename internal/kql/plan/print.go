package plan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

// String prints a literal as KQL reads it.
func (e *Const) String() string {
	switch v := e.V.(type) {
	case nil:
		return e.T.String() + "(null)"
	case string:
		return strconv.Quote(v)
	case float64:
		return fn.FormatReal(v)
	case int64:
		switch e.T {
		case schema.DateTime:
			return "datetime(" + event.Ticks(v).String() + ")"
		case schema.TimeSpan:
			return "timespan(" + fn.FormatSpan(v) + ")"
		}
		return strconv.FormatInt(v, 10)
	}
	return fmt.Sprint(e.V)
}

// String prints a column's number.
func (e *Ref) String() string { return "v" + strconv.Itoa(int(e.ID)) }

// String prints the operation and its arguments.
func (e *Call) String() string {
	var b strings.Builder
	b.WriteString(e.Op.String())
	if e.Name != "" {
		b.WriteString(":" + e.Name)
	}
	b.WriteByte('(')
	for i, a := range e.Args {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(a.String())
	}
	b.WriteByte(')')
	return b.String()
}

// String prints the plan, one node a line from the source to the result.
func (p *Plan) String() string {
	var b strings.Builder
	printNode(&b, p.Root)
	b.WriteString("output")
	for i, o := range p.Output {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %s:%s = %s", o.Name, o.Expr.Type(), o.Expr)
	}
	b.WriteByte('\n')
	if p.Render != nil {
		fmt.Fprintf(&b, "render %s\n", p.Render.Kind)
	}
	return b.String()
}

func printNode(b *strings.Builder, node Node) {
	if in := node.Input(); in != nil {
		printNode(b, in)
	}
	switch n := node.(type) {
	case *Scan:
		fmt.Fprintf(b, "scan %s", n.Table.Name)
		for i, c := range n.Columns {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, " v%d = %s", c.ID, n.Table.Columns[c.Index].Name)
		}
	case *Values:
		fmt.Fprintf(b, "values %d rows", len(n.Rows))
		for _, c := range n.Columns {
			fmt.Fprintf(b, " v%d:%s", c.ID, c.T)
		}
	case *Filter:
		fmt.Fprintf(b, "filter %s", n.Pred)
	case *Extend:
		b.WriteString("extend")
		printAssigns(b, n.Cols)
	case *Aggregate:
		b.WriteString("aggregate")
		for i, a := range n.Aggs {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, " v%d = %s%v", a.ID, a.Op, a.Args)
			if a.Filter != nil {
				fmt.Fprintf(b, " if %s", a.Filter)
			}
		}
		if len(n.Keys) > 0 {
			b.WriteString(" by")
			printAssigns(b, n.Keys)
		}
	case *Sort:
		b.WriteString("sort")
		for i, k := range n.Keys {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, " %s%s%s", k.Expr, pick(k.Desc, " desc", " asc"), pick(k.NullsFirst, " nulls first", " nulls last"))
		}
	case *Take:
		fmt.Fprintf(b, "take %d", n.N)
	case *Lookup:
		fmt.Fprintf(b, "lookup v%d = %s of %s where %s = %s", n.Result, &n.Value, n.Table.Table.Name, &n.Key, n.Match)
	}
	b.WriteByte('\n')
}

func pick(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

func printAssigns(b *strings.Builder, cols []Assign) {
	for i, a := range cols {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, " v%d = %s", a.ID, a.Expr)
	}
}
