package complete

import (
	"maps"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// Words of the language by where they stand.
var (
	// operators are those that run, in their usual spelling.
	operators = []string{
		"as", "count", "distinct", "evaluate", "extend", "getschema", "invoke", "join", "limit", "lookup", "make-series", "mv-apply", "mv-expand", "order", "parse", "parse-kv",
		"parse-where", "project", "project-away", "project-keep", "project-rename", "project-reorder", "render", "search", "serialize", "sort", "summarize", "take", "top", "union", "where",
	}
	// plugins are those of evaluate that run.
	plugins     = []string{"autocluster(", "bag_unpack(", "basket(", "pivot("}
	types       = []string{"bool", "datetime", "decimal", "dynamic", "guid", "int", "long", "real", "string", "timespan"}
	joinKinds   = []string{"anti", "fullouter", "inner", "innerunique", "leftanti", "leftantisemi", "leftouter", "leftsemi", "rightanti", "rightantisemi", "rightouter", "rightsemi"}
	renderKinds = []string{"areachart", "barchart", "columnchart", "linechart", "piechart", "scatterchart", "table", "timechart"}
	comparisons = []string{
		"and", "or", "==", "!=", "=~", "!~", "<", "<=", ">", ">=", "in", "!in", "in~", "!in~", "has", "!has", "has_any", "has_all", "has_cs", "contains", "!contains", "contains_cs",
		"startswith", "!startswith", "endswith", "!endswith", "hasprefix", "hassuffix", "matches regex", "between", "!between",
	}
	sources = []string{"datatable", "print", "range", "union"}
	// params are the parameters in front of an operator's operands.
	params = map[string][]string{
		"join": {"kind="}, "lookup": {"kind="}, "union": {"kind=", "withsource=", "isfuzzy="}, "parse": {"kind=", "flags="}, "parse-where": {"kind=", "flags="},
		"mv-expand": {"bagexpansion=", "with_itemindex="}, "mv-apply": {"with_itemindex="},
	}
	// values are what may stand behind such a parameter.
	values = map[string][]string{
		"join kind": joinKinds, "lookup kind": {"inner", "leftouter"}, "union kind": {"inner", "outer"}, "union isfuzzy": {"false", "true"},
		"parse kind": {"simple", "regex", "relaxed"}, "parse-where kind": {"simple", "regex", "relaxed"}, "mv-expand bagexpansion": {"array", "bag"},
	}
	// clauses are the words that go on an operator behind an operand.
	clauses = map[string][]string{
		"summarize": {"by"}, "sort": {"by", "asc", "desc", "nulls first", "nulls last"}, "order": {"by", "asc", "desc", "nulls first", "nulls last"},
		"top": {"by", "asc", "desc", "nulls first", "nulls last"}, "join": {"on"}, "lookup": {"on"}, "make-series": {"default=", "on", "from", "to", "step", "by"},
		"mv-expand": {"to typeof(", "limit"}, "mv-apply": {"to typeof(", "limit", "on ("}, "parse": {"with"}, "parse-where": {"with"}, "parse-kv": {"as", "with ("},
		"render": {"with ("}, "top-nested": {"of", "by"}, "top-hitters": {"of", "by"}, "sample-distinct": {"of"}, "range": {"from", "to", "step"}, "partition": {"by"},
	}
	// named are operators whose list takes columns' names only.
	named = []string{"project-away", "project-keep", "project-reorder", "distinct"}
	// aggregating are operators whose expressions are aggregates.
	aggregating = []string{"summarize", "make-series", "top-nested"}
)

// suggest collects what may stand at the cursor.
func (c *completer) suggest() {
	last := c.last(1)
	switch {
	case last.Text == "|" && last.Kind == syntax.PunctToken:
		c.addAll(Operator, operators...)
		return
	case last.Text == ":" || last.Text == "(" && c.last(2).Text == "typeof":
		c.addAll(Word, types...)
		return
	case last.Text == ".":
		return // members are the data's
	}
	if c.bar < 0 && (len(c.tokens) == c.start || c.letValue()) {
		c.beginning()
		return
	}
	operator := c.joined(c.first)
	if c.bar < 0 && !slices.Contains(sources, operator) && len(c.open) == 0 {
		return // behind a table stands a bar
	}
	c.inOperator(operator)
}

// letValue tells that the cursor stands right behind let name =.
func (c *completer) letValue() bool {
	return c.last(1).Text == "=" && c.last(3).Text == "let" && len(c.tokens)-3 == c.start
}

// beginning suggests what begins a query.
func (c *completer) beginning() {
	c.tables()
	c.addAll(Word, sources...)
	if c.letValue() {
		c.functions(false)
		c.addAll(Word, "materialize(", "toscalar(", "view (")
		return
	}
	if len(c.open) == 0 {
		c.addAll(Word, "let", "set")
		return
	}
	if c.subquery() {
		c.addAll(Operator, operators...)
		return
	}
	c.columns() // a bracket may hold an expression too
}

// subquery tells that the innermost bracket holds operators without a source.
func (c *completer) subquery() bool {
	i := c.open[len(c.open)-1]
	op := c.operatorAt(i)
	return op == "mv-apply" || op == "partition" || op == "fork" || op == "facet"
}

func (c *completer) tables() {
	for _, l := range c.lets() {
		c.add(Variable, l, "")
	}
	if c.env.Names != nil {
		for _, n := range c.env.Names() {
			c.add(Table, quoted(n), "")
		}
	}
}

// inOperator suggests what goes on an operator.
func (c *completer) inOperator(operator string) {
	last := c.last(1)
	inside := len(c.tokens) - 1
	if last.Text == "=" {
		if v := values[operator+" "+c.last(2).Text]; v != nil {
			c.addAll(Word, v...)
			return
		}
	}
	switch {
	case operator == "render":
		if last.Text == "render" {
			c.addAll(Word, renderKinds...)
		} else {
			c.addAll(Word, clauses[operator]...)
		}
		return
	case (operator == "join" || operator == "lookup" || operator == "union") && !slices.ContainsFunc(c.tokens[c.first:], func(t syntax.Token) bool { return t.Text == "on" }):
		if c.operand() {
			c.tables()
			c.addAll(Word, params[operator]...)
		}
		c.addAll(Word, clauses[operator]...)
		return
	case operator == "evaluate" && last.Text == "evaluate":
		c.addAll(Plugin, plugins...)
		return
	case operator == "as" || operator == "take" || operator == "limit" || operator == "count" || operator == "getschema":
		return
	}
	if inside == c.first+wordTokens(operator)-1 {
		c.addAll(Word, params[operator]...)
	}
	if !c.operand() {
		c.addAll(Word, clauses[operator]...)
		if !slices.Contains(named, operator) {
			c.addAll(Word, comparisons...)
		}
		return
	}
	c.columns()
	if slices.Contains(named, operator) {
		return
	}
	for _, l := range c.lets() {
		c.add(Variable, l, "")
	}
	c.functions(slices.Contains(aggregating, operator) && !c.afterWord("by"))
}

// wordTokens is how many tokens an operator's word has.
func wordTokens(operator string) int { return 1 + 2*strings.Count(operator, "-") }

// afterWord tells whether the operator at the cursor has passed a word.
func (c *completer) afterWord(word string) bool {
	return slices.ContainsFunc(c.tokens[c.first:], func(t syntax.Token) bool { return t.Text == word })
}

// operand tells whether an operand is wanted rather than what follows one.
func (c *completer) operand() bool {
	last := c.last(1)
	switch last.Kind {
	case syntax.WordToken:
		return last.End == c.joinedEnd() || slices.Contains(beforeOperand, last.Text)
	case syntax.PunctToken:
		return last.Text != ")" && last.Text != "]" && last.Text != "*"
	}
	return false
}

// joinedEnd is where the word of the operator at the cursor ends.
func (c *completer) joinedEnd() int {
	if c.first >= len(c.tokens) {
		return -1
	}
	return c.tokens[c.first].Start + len(c.joined(c.first))
}

// beforeOperand are the words that an operand follows.
var beforeOperand = []string{
	"by", "on", "and", "or", "has", "has_cs", "has_any", "has_all", "contains", "contains_cs", "startswith", "startswith_cs", "endswith", "endswith_cs", "hasprefix", "hassuffix", "regex",
	"in", "between", "from", "to", "step", "of", "not",
}

// functions suggests scalar functions, and aggregates where they may stand.
func (c *completer) functions(aggregates bool) {
	for name, f := range fn.Functions {
		c.add(Function, name+"(", signature(f))
	}
	for _, list := range [][]string{fn.Special, fn.Dynamic, fn.Scalar, slices.Sorted(maps.Keys(fn.Windows))} {
		for _, name := range list {
			c.add(Function, name+"(", "")
		}
	}
	if aggregates {
		for name := range fn.Aggregates {
			c.add(Aggregate, name+"(", "")
		}
	}
}

// signature describes a function's parameters and result.
func signature(f fn.Function) string {
	var b strings.Builder
	b.WriteByte('(')
	for i, p := range f.Params {
		if i > 0 {
			b.WriteString(", ")
		}
		if i >= f.Min {
			b.WriteByte('?')
		}
		b.WriteString(className(p))
	}
	if f.Variadic {
		b.WriteString(", …")
	}
	b.WriteString(") → ")
	b.WriteString(f.Result.String())
	return b.String()
}
