package complete

import (
	"strings"

	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// columns suggests the columns that the operator at the cursor sees.
func (c *completer) columns() {
	for _, o := range c.scope() {
		c.add(Column, quoted(o.Name), o.Expr.Type().String())
	}
}

// scope binds the pipeline before the cursor; where that fails, less and less of
// it. A subquery without a source sees the columns of the pipeline around it.
func (c *completer) scope() []plan.Output {
	start, bar := c.start, c.bar
	for depth := len(c.open); ; depth-- {
		for bar >= 0 {
			if out := c.bound(start, bar); out != nil {
				return out
			}
			bar = c.barBefore(start, bar)
		}
		if depth <= 0 {
			return nil
		}
		start, bar = c.pipelineOf(depth - 1)
	}
}

// barBefore gives the bar before bar in the pipeline that begins at start, -1 for
// none.
func (c *completer) barBefore(start, bar int) int {
	level := 0
	for i := bar - 1; i > start; i-- {
		switch c.tokens[i].Text {
		case ")", "]", "}":
			level++
		case "(", "[", "{":
			level--
		case "|":
			if level == 0 {
				return i
			}
		}
	}
	return -1
}

// bound gives the columns of the tokens from start to bar, after the statements
// that are whole before them; nil when they don't bind.
func (c *completer) bound(start, bar int) []plan.Output {
	if start >= bar {
		return nil
	}
	text := c.statements() + c.text[c.tokens[start].Start:c.tokens[bar].Start]
	q, diags := syntax.Parse(text)
	if len(diags) > 0 {
		return nil
	}
	p, diags := bind.Bind(q, c.env)
	if len(diags) > 0 {
		return nil
	}
	return p.Output
}

// statements gives the text up to the last semicolon outside of brackets.
func (c *completer) statements() string {
	level, end := 0, 0
	for _, t := range c.tokens {
		switch t.Text {
		case "(", "[", "{":
			level++
		case ")", "]", "}":
			level--
		case ";":
			if level == 0 {
				end = t.End
			}
		}
	}
	return c.text[:end] + " "
}

// lets gives the names that let statements before the cursor define.
func (c *completer) lets() []string {
	var names []string
	for i, t := range c.tokens {
		if t.Text == "let" && i+2 < len(c.tokens) && c.tokens[i+1].Kind == syntax.WordToken && c.tokens[i+2].Text == "=" && (i == 0 || c.tokens[i-1].Text == ";" || c.tokens[i-1].Text == "{") {
			names = append(names, c.tokens[i+1].Text)
		}
	}
	return names
}

// quoted writes a name in brackets where it needs them.
func quoted(name string) string {
	return syntax.PrintExpr(&syntax.Name{Name: name})
}

// className names a set of types: its one type, number, or any.
func className(c fn.Class) string {
	var names []string
	for t := schema.Type(1); t <= schema.Dynamic; t++ {
		if c.Has(t) {
			names = append(names, t.String())
		}
	}
	switch {
	case len(names) == 1:
		return names[0]
	case c.Has(schema.Real) && c.Has(schema.Long) && !c.Has(schema.String):
		return "number"
	case len(names) > 4:
		return "any"
	}
	return strings.Join(names, "|")
}
