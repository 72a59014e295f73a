package complete

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// Kind tells what a candidate is.
type Kind uint8

// The kinds, in the order in which candidates are given.
const (
	Column Kind = iota + 1
	Variable
	Table
	Operator
	Function
	Aggregate
	Plugin
	Word // a word or value of the language: by, kind=, inner, typeof
)

// String names the kind for people.
func (k Kind) String() string {
	return [...]string{"", "column", "variable", "table", "operator", "function", "aggregate", "plugin", "word"}[k]
}

// Candidate is something that may stand at the cursor.
type Candidate struct {
	// Text replaces the text of Span, which ends at the cursor.
	Text string
	Span syntax.Span
	Kind Kind
	// Detail is a column's type or a function's parameters; it may be empty.
	Detail string
}

// maxText is the longest text that is completed in; a longer one gets nothing, so
// that a key press never takes long.
const maxText = 1 << 16

// At gives what may stand at offset (in bytes) of text, best first, those only
// that begin as the word before the cursor does (case does not count).
func At(text string, offset int, env bind.Env) []Candidate {
	if offset < 0 || offset > len(text) || len(text) > maxText {
		return nil
	}
	c := &completer{text: text[:offset], env: env}
	c.tokens = syntax.Tokens(c.text)
	if c.quiet() {
		return nil
	}
	c.word = syntax.Span{Start: offset, End: offset}
	if n := len(c.tokens); n > 0 && c.tokens[n-1].Kind == syntax.WordToken && c.tokens[n-1].End == offset {
		c.word = c.hyphenated()
	}
	c.frame()
	c.suggest()
	return c.sorted()
}

// completer holds one question.
type completer struct {
	text   string
	tokens []syntax.Token // those before word
	word   syntax.Span
	env    bind.Env
	open   []int // the tokens of the brackets that are open at the cursor
	start  int   // the first token of the innermost pipeline
	bar    int   // the token of its last bar, -1 without
	first  int   // the first token of the operator at the cursor
	out    []Candidate
}

// quiet tells that the cursor stands in a string or a comment.
func (c *completer) quiet() bool {
	if len(c.tokens) == 0 {
		return strings.Contains(lastLine(c.text), "//")
	}
	last := c.tokens[len(c.tokens)-1]
	return last.Open || last.Kind == syntax.NumberToken && last.End == len(c.text) || strings.Contains(lastLine(c.text[last.End:]), "//")
}

func lastLine(s string) string { return s[strings.LastIndexByte(s, '\n')+1:] }

// hyphenated takes the word at the cursor off the tokens: with its parts before
// hyphens where it is an operator (project-aw).
func (c *completer) hyphenated() syntax.Span {
	n := len(c.tokens) - 1
	span := c.tokens[n].Span
	i := n
	for i >= 2 && c.tokens[i-1].Text == "-" && c.tokens[i-1].End == c.tokens[i].Start && c.tokens[i-2].Kind == syntax.WordToken && c.tokens[i-2].End == c.tokens[i-1].Start {
		i -= 2
	}
	if i > 0 && c.tokens[i-1].Text == "|" {
		span.Start = c.tokens[i].Start
		n = i
	}
	c.tokens = c.tokens[:n]
	return span
}

// frame finds the innermost pipeline.
func (c *completer) frame() {
	c.bar = -1
	for i, t := range c.tokens {
		switch {
		case t.Kind != syntax.PunctToken:
		case t.Text == "(" || t.Text == "[" || t.Text == "{":
			c.open = append(c.open, i)
		case t.Text == ")" || t.Text == "]" || t.Text == "}":
			if len(c.open) > 0 {
				c.open = c.open[:len(c.open)-1]
			}
		}
	}
	c.start, c.bar = c.pipelineOf(len(c.open))
	c.first = c.start
	if c.bar >= 0 {
		c.first = c.bar + 1
	}
}

// pipelineOf gives the first token and the last bar of the pipeline around the
// cursor: that within the first depth open brackets, or where it holds no bar and
// no query can begin in it, the one around.
func (c *completer) pipelineOf(depth int) (start, bar int) {
	for ; ; depth-- {
		start, bar = 0, -1
		if depth > 0 {
			start = c.open[depth-1] + 1
		}
		level := 0
		for i := start; i < len(c.tokens); i++ {
			t := c.tokens[i]
			if t.Kind != syntax.PunctToken {
				continue
			}
			switch t.Text {
			case "(", "[", "{":
				level++
			case ")", "]", "}":
				level--
			case "|":
				if level == 0 {
					bar = i
				}
			case ";":
				if level == 0 {
					start, bar = i+1, -1
				}
			}
		}
		if depth == 0 || bar >= 0 || c.queryBracket(c.open[depth-1]) {
			return start, bar
		}
	}
}

// queryBracket tells whether a query may begin in the bracket at token i.
func (c *completer) queryBracket(i int) bool {
	if c.tokens[i].Text == "{" {
		return true
	}
	if c.tokens[i].Text != "(" || i == 0 {
		return c.tokens[i].Text == "("
	}
	before := c.tokens[i-1]
	switch before.Text {
	case "on", "join", "lookup", "union", "in", "materialize", "toscalar", "fork", "with", ";", "(", "~", "|":
		return true
	case ",":
		return c.operatorAt(i) == "union"
	case "=":
		return i >= 3 && c.tokens[i-3].Text == "let"
	}
	// kind=inner (…
	return i >= 3 && c.tokens[i-2].Text == "=" && c.tokens[i-3].Kind == syntax.WordToken && (c.operatorAt(i) == "join" || c.operatorAt(i) == "lookup" || c.operatorAt(i) == "union")
}

// operatorAt gives the word of the operator that token i stands in, "" for none.
func (c *completer) operatorAt(i int) string {
	level := 0
	for j := i - 1; j >= 0; j-- {
		switch c.tokens[j].Text {
		case ")", "]", "}":
			level++
		case "(", "[", "{":
			if level == 0 {
				return c.joined(j + 1)
			}
			level--
		case "|", ";":
			if level == 0 {
				return c.joined(j + 1)
			}
		}
	}
	return c.joined(0)
}

// joined gives the word at token i with the parts that hyphens join to it.
func (c *completer) joined(i int) string {
	if i >= len(c.tokens) || c.tokens[i].Kind != syntax.WordToken {
		return ""
	}
	word, end := c.tokens[i].Text, c.tokens[i].End
	for i += 2; i < len(c.tokens) && c.tokens[i-1].Text == "-" && c.tokens[i-1].Start == end && c.tokens[i].Kind == syntax.WordToken && c.tokens[i].Start == end+1; i += 2 {
		word += "-" + c.tokens[i].Text
		end = c.tokens[i].End
	}
	return word
}

// last gives the n-th token before the cursor, 1 for the nearest.
func (c *completer) last(n int) syntax.Token {
	if n > len(c.tokens) {
		return syntax.Token{}
	}
	return c.tokens[len(c.tokens)-n]
}

// add suggests a text if it begins as the word at the cursor does.
func (c *completer) add(kind Kind, text, detail string) {
	typed := c.text[c.word.Start:c.word.End]
	if len(text) < len(typed) || !strings.EqualFold(text[:len(typed)], typed) {
		return
	}
	c.out = append(c.out, Candidate{Text: text, Span: c.word, Kind: kind, Detail: detail})
}

func (c *completer) addAll(kind Kind, texts ...string) {
	for _, text := range texts {
		c.add(kind, text, "")
	}
}

// sorted gives the candidates by kind, those in the typed case first, without
// repetitions.
func (c *completer) sorted() []Candidate {
	typed := c.text[c.word.Start:c.word.End]
	exact := func(x Candidate) int {
		if strings.HasPrefix(x.Text, typed) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(c.out, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(exact(a), exact(b)), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Text, b.Text))
	})
	return slices.CompactFunc(c.out, func(a, b Candidate) bool { return a.Text == b.Text && a.Kind == b.Kind })
}
