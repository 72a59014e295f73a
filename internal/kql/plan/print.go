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

// String prints the plan, one node a line from the source to the result. What a
// node has besides its first input stands indented below its line; shared
// relations and the rows of expressions stand before the stage that asks them
// first.
func (p *Plan) String() string {
	w := &printer{seen: map[any]bool{}}
	for _, o := range p.Output {
		w.rowsOf(o.Expr)
	}
	w.node(p.Root)
	b := &w.b
	b.WriteString("output")
	for i, o := range p.Output {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, " %s:%s = %s", o.Name, o.Expr.Type(), o.Expr)
	}
	b.WriteByte('\n')
	if p.Render != nil {
		fmt.Fprintf(b, "render %s\n", p.Render.Kind)
	}
	return b.String()
}

// printer prints nodes at an indentation.
type printer struct {
	b      strings.Builder
	indent string
	seen   map[any]bool
}

func (w *printer) line(f string, args ...any) {
	w.b.WriteString(w.indent)
	fmt.Fprintf(&w.b, f, args...)
	w.b.WriteByte('\n')
}

func (w *printer) node(node Node) {
	for _, x := range node.exprs() {
		w.rowsOf(x)
	}
	inputs := node.Inputs()
	_, union := node.(*Union)
	if len(inputs) > 0 && !union {
		w.node(inputs[0])
		inputs = inputs[1:]
	}
	if u, ok := node.(*Use); ok && !w.seen[u.Of] {
		w.seen[u.Of] = true
		w.block(u.Of.From, "shared %d", u.Of.ID)
	}
	var b strings.Builder
	node.print(&b)
	w.line("%s", b.String())
	for _, in := range inputs {
		w.block(in, "")
	}
}

// block prints a relation indented, below a headline unless that is "".
func (w *printer) block(n Node, headline string, args ...any) {
	if headline != "" {
		w.line(headline, args...)
	} else {
		w.line("  with")
		w.indent += "  "
		defer func() { w.indent = w.indent[2:] }()
	}
	w.indent += "  "
	w.node(n)
	w.indent = w.indent[2:]
}

// rowsOf prints the rows that an expression asks.
func (w *printer) rowsOf(x Expr) {
	Walk(x, func(x Expr) {
		if w.seen[x] {
			return
		}
		switch x := x.(type) {
		case *Scalar:
			w.seen[x] = true
			w.block(x.Root, "scalar %d = %s of", x.ID, x.Value)
		case *InRows:
			w.seen[x] = true
			w.block(x.Root, "rows %d = %s of", x.ID, x.Value)
		}
	})
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
