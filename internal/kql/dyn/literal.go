package dyn

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
)

// ParseLiteral reads what stands in dynamic(…): JSON in which strings may have
// single quotes and other literals of KQL may stand for values (datetime(2020-01-01),
// dynamic({})); nil is null.
func ParseLiteral(text string) ([]byte, error) {
	p := literalParser{s: text}
	out, err := p.value(nil, 0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.s) {
		return nil, p.bad("the end of the value")
	}
	if string(out) == "null" {
		return nil, nil
	}
	return out, nil
}

type literalParser struct {
	s  string
	at int
}

func (p *literalParser) bad(want string) error {
	rest := p.s[min(p.at, len(p.s)):]
	if len(rest) > 20 {
		rest = strings.ToValidUTF8(rest[:20], "") + "…"
	}
	return fmt.Errorf("cannot read a dynamic value: %s is expected at %q", want, rest)
}

// space skips white space and comments.
func (p *literalParser) space() {
	for p.at < len(p.s) {
		switch {
		case isSpace(p.s[p.at]):
			p.at++
		case strings.HasPrefix(p.s[p.at:], "//"):
			n := strings.IndexByte(p.s[p.at:], '\n')
			if n < 0 {
				n = len(p.s) - p.at
			}
			p.at += n
		default:
			return
		}
	}
}

func (p *literalParser) take(c byte) bool {
	p.space()
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *literalParser) value(dst []byte, depth int) ([]byte, error) {
	p.space()
	if p.at >= len(p.s) || depth > maxDepth {
		return dst, p.bad("a value")
	}
	switch c := p.s[p.at]; {
	case c == '{':
		return p.bag(dst, depth+1)
	case c == '[':
		return p.array(dst, depth+1)
	case c == '"' || c == '\'' || c == '@' || c == 'h' && p.at+1 < len(p.s) && (p.s[p.at+1] == '"' || p.s[p.at+1] == '\''):
		return p.text(dst)
	case c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9':
		return p.number(dst)
	}
	return p.word(dst, depth)
}

func (p *literalParser) array(dst []byte, depth int) ([]byte, error) {
	p.at++
	a := Begin(dst)
	if p.take(']') {
		return a.End(), nil
	}
	for {
		a.comma()
		var err error
		if a.b, err = p.value(a.b, depth); err != nil {
			return dst, err
		}
		if p.take(']') {
			return a.End(), nil
		}
		if !p.take(',') {
			return dst, p.bad("',' or ']'")
		}
	}
}

func (p *literalParser) bag(dst []byte, depth int) ([]byte, error) {
	p.at++
	g := BeginBag(dst)
	if p.take('}') {
		return g.End(), nil
	}
	for {
		p.space()
		if p.at >= len(p.s) || p.s[p.at] != '"' && p.s[p.at] != '\'' {
			return dst, p.bad("a key in quotes")
		}
		key, err := p.text(nil)
		if err != nil {
			return dst, err
		}
		if !p.take(':') {
			return dst, p.bad("':'")
		}
		v, err := p.value(nil, depth)
		if err != nil {
			return dst, err
		}
		g.Add(key, v)
		if p.take('}') {
			return g.End(), nil
		}
		if !p.take(',') {
			return dst, p.bad("',' or '}'")
		}
	}
}

// text reads a string in either quotes with the escapes of JSON and KQL, or one
// behind @ without escapes.
func (p *literalParser) text(dst []byte) ([]byte, error) {
	if p.s[p.at] == 'h' {
		p.at++
	}
	verbatim := p.s[p.at] == '@'
	if verbatim {
		p.at++
	}
	if p.at >= len(p.s) || p.s[p.at] != '"' && p.s[p.at] != '\'' {
		return dst, p.bad("a string")
	}
	quote := p.s[p.at]
	p.at++
	start := p.at
	for p.at < len(p.s) && p.s[p.at] != quote {
		if p.s[p.at] == '\\' && !verbatim {
			p.at++
		}
		p.at++
	}
	if p.at >= len(p.s) {
		p.at = start
		return dst, p.bad("the end of a string")
	}
	raw := p.s[start:p.at]
	p.at++
	if verbatim || strings.IndexByte(raw, '\\') < 0 {
		return AppendString(dst, []byte(raw)), nil
	}
	return AppendString(dst, Unquote(nil, []byte(`"`+raw+`"`))), nil
}

func (p *literalParser) number(dst []byte) ([]byte, error) {
	start := p.at
	for p.at < len(p.s) && strings.IndexByte("+-.0123456789eExXabcdfABCDF", p.s[p.at]) >= 0 {
		p.at++
	}
	raw := p.s[start:p.at]
	if n, ok := WholeOfText(raw); ok {
		return AppendLong(dst, n), nil
	}
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil || strings.ContainsAny(raw, "xXpP_") {
		p.at = start
		return dst, p.bad("a number")
	}
	return AppendReal(dst, f), nil
}

// word reads true, false, null, or a literal of KQL with its type's name.
func (p *literalParser) word(dst []byte, depth int) ([]byte, error) {
	start := p.at
	for p.at < len(p.s) && (p.s[p.at] >= 'a' && p.s[p.at] <= 'z' || p.s[p.at] >= '0' && p.s[p.at] <= '9') {
		p.at++
	}
	name := p.s[start:p.at]
	switch name {
	case "true", "false", "null":
		return append(dst, name...), nil
	}
	if name == "" || !p.take('(') {
		p.at = start
		return dst, p.bad("a value")
	}
	if name == "dynamic" {
		dst, err := p.value(dst, depth+1)
		if err == nil && !p.take(')') {
			err = p.bad("')'")
		}
		return dst, err
	}
	end := strings.IndexByte(p.s[p.at:], ')')
	if end < 0 {
		return dst, p.bad("')'")
	}
	inner := strings.Trim(strings.TrimSpace(p.s[p.at:p.at+end]), `"'`)
	out, ok := typedLiteral(dst, name, inner)
	if !ok {
		p.at = start
		return dst, p.bad("a value")
	}
	p.at += end + 1
	return out, nil
}

func typedLiteral(dst []byte, name, s string) ([]byte, bool) {
	if s == "null" {
		return append(dst, s...), true
	}
	switch name {
	case "bool", "boolean":
		if s == "true" || s == "false" {
			return append(dst, s...), true
		}
	case "int", "long":
		n, ok := WholeOfText(s)
		return AppendLong(dst, n), ok
	case "real", "double":
		f, ok := RealOfText(s)
		return AppendReal(dst, f), ok
	case "datetime", "date":
		t, err := fn.ParseTime(s)
		return AppendTime(dst, int64(t)), err == nil
	case "timespan", "time":
		n, err := fn.ParseSpan(s)
		return AppendSpan(dst, n), err == nil
	case "guid":
		out, ok := GUIDOfText(append(dst, '"'), []byte(s))
		return append(out, '"'), ok
	}
	return dst, false
}
