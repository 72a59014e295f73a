package syntax

import (
	"slices"
	"strings"
)

// wordHints say what to write instead of words of other languages.
var wordHints = map[string]string{
	"is":     "ask isnull(x), isnotnull(x), isempty(x) or isnotempty(x)",
	"like":   "write has, contains, startswith or matches regex",
	"when":   "write case(condition, value, …, otherwise)",
	"then":   "write iff(condition, then, otherwise)",
	"else":   "write iff(condition, then, otherwise)",
	"having": "write | where behind summarize",
	"group":  "write | summarize … by …",
	"from":   "a query begins with the table: T | project a, b",
	"select": "a query begins with the table: T | project a, b",
}

// hint guesses what was meant by the token that stands where wanted should; "" for
// no idea.
func (p *parser) hint(wanted string) string {
	text := p.tok.text
	switch p.tok.kind {
	case tokPunct:
		return p.punctHint(text, wanted)
	case tokWord:
		return p.wordHint(text, wanted)
	case tokString, tokNumber, tokReal, tokSpan:
		if wanted == listWanted {
			return "write the list in brackets: (" + shorten(text) + ")"
		}
	}
	return ""
}

// notKQL gives a hint where a statement of another language begins, else "".
func (p *parser) notKQL() string {
	switch {
	case p.is("."):
		return "management commands, which begin with a dot, do not run here"
	case p.tok.kind == tokWord && strings.EqualFold(p.tok.text, "select"):
		if next := p.ahead(1)[0]; next.kind == tokWord && !infixWords[next.text] || next.punct("*") {
			return wordHints["select"]
		}
	}
	return ""
}

func (p *parser) punctHint(text, wanted string) string {
	next := byte(0)
	if p.at < len(p.text) {
		next = p.text[p.at]
	}
	switch {
	case text == "=" && wanted == afterStatement:
		return "give a name with let: let x = …"
	case text == "=" && (wanted == afterOperator || wanted == "')'"):
		return "== compares; = gives a name"
	case text == "&":
		return "write and"
	case text == "|" && (next == '|' || p.tok.span.Start > 0 && p.text[p.tok.span.Start-1] == '|'):
		return "write or"
	case text == "!":
		return "write != to compare, or not(…)"
	case text == "#":
		return "a comment begins with //"
	case text == "{" && wanted == afterStatement:
		return "a function's parameters need types: (a:long) { … }"
	case text == "{" && wanted == "an expression":
		return "a list of values is written dynamic({…})"
	case text == "," && wanted == "'..'":
		return "write between (low .. high)"
	case text == "[" && wanted == listWanted:
		return "write the list in brackets: (a, b)"
	case text == "@" || text == "$" || text == "?":
		return "write such a name in brackets: ['…']"
	}
	return ""
}

func (p *parser) wordHint(text, wanted string) string {
	lower := strings.ToLower(text)
	switch {
	case wanted == listWanted:
		return "write the list in brackets: (" + shorten(text) + ")"
	case lower != text && (infixWords[lower] || stringOperators[lower] || listOperators[lower]):
		return "write it in small letters: " + lower
	case wordHints[lower] != "":
		return wordHints[lower]
	case wanted == afterStatement && slices.Contains(operatorNames, lower):
		return "operators begin with |: | " + lower
	case wanted == afterStatement:
		return "statements are separated by ;"
	case wanted == afterOperator && slices.Contains(operatorNames, lower):
		return "operators begin with |: | " + lower
	case text == "kind" && strings.HasPrefix(p.after(), "="):
		return "kind=… stands right behind the operator's word"
	case strings.HasSuffix(p.text[:p.prevEnd], "not"):
		return "write not(…)"
	}
	if word := strings.Trim(wanted, "'"); len(word) > 1 && isWordStart(rune(word[0])) && Nearest(text, []string{word}) != "" {
		return "did you mean " + word + "?"
	}
	return ""
}

// What is expected at the end of an operator and of a statement.
const (
	afterOperator  = "'|' or the end of the query"
	afterStatement = "the end of the statement"
	listWanted     = "'(' with the list"
)

// noOperator reports what stands behind | and is no word.
func (p *parser) noOperator() {
	hint := p.hint("an operator")
	if hint == "" && p.ends() {
		hint = "leave the | out, or write an operator such as where behind it"
	}
	p.hinted("an operator", hint)
	if hint == "write or" {
		p.advance()
		p.skipTo("|", ";")
	}
}

// unknownOperator reports a word behind | that is no operator.
func (p *parser) unknownOperator(word string, at Span) {
	if p.tooDeep {
		return
	}
	hint := wordHints[strings.ToLower(word)]
	if n := Nearest(word, operatorNames); n != "" {
		hint = "did you mean " + n + "?"
	}
	p.report(at, "there is no operator '"+shorten(word)+"'", hint)
	p.panicking = true
}
