package pattern

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/decimal"
	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

// Kind is a kind of parse.
type Kind string

// The kinds of parse.
const (
	Simple  Kind = "simple"
	Regex   Kind = "regex"
	Relaxed Kind = "relaxed"
)

// Part is a part of parse's pattern: a * (Star), a text, or a column of a type.
type Part struct {
	Star bool        `json:",omitempty"`
	Text string      `json:",omitempty"`
	Type schema.Type `json:",omitempty"`
}

// Parse is the pattern of parse. It travels as JSON, as an argument of functions.
type Parse struct {
	Kind  Kind
	Flags string `json:",omitempty"` // of i, m, s and U
	Parts []Part
}

// Matcher is a compiled pattern. It has scratch memory and serves one goroutine.
type Matcher struct {
	pattern  *Parse
	types    []schema.Type
	re       *regexp.Regexp
	groups   []int
	literals [][]byte // for patterns without an expression
	captured []int    // the column before each literal, and behind the last; -1 for none
	open     bool     // the end of the text need not be reached
	captures [][]byte
}

// A whole number, a guid and so on as Kusto's parse recognises them where nothing
// else ends a column. RE2's \d and \s are ASCII, as here.
const (
	wholeShape  = `\s*[-+]?[0-9]+`
	guidDigits  = `[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}`
	guidShape   = `\s*(?:\{` + guidDigits + `\}|` + guidDigits + `)`
	clock       = `[0-9]{1,2}:[0-9]{1,2}`
	dateShape   = `\s*(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{1,4})(?:[Tt ]\s*` + clock + `(?::[0-9]{1,2}(?:\.[0-9]*)?)?)?(?:[Zz]|[-+][0-9]{1,2}(?::[0-9]{1,2})?)?`
	spanShape   = `\s*-?(?:[0-9]+\.` + clock + `:[0-9]{1,2}|` + clock + `(?::[0-9]{1,2})?)(?:\.[0-9]*)?`
	realShape   = `\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)`
	boolShape   = `\s*(?i:true|false|[-+]?[0-9]+)`
	realInRegex = `\s*[-+]?[0-9]+(?:\.[0-9]+)?`
	boolInRegex = `\s*(?i:true|false)`
)

var simpleShapes = map[schema.Type]string{
	schema.Long: wholeShape, schema.Int: wholeShape, schema.Real: realShape, schema.Decimal: realShape, schema.Bool: boolShape, schema.Guid: guidShape,
}

var regexShapes = map[schema.Type]string{
	schema.Long: wholeShape, schema.Int: wholeShape, schema.Real: realInRegex, schema.Decimal: realInRegex, schema.Bool: boolInRegex, schema.Guid: guidShape,
	schema.DateTime: dateShape, schema.TimeSpan: spanShape,
}

// maxParts bounds a pattern.
const maxParts = 200

// Check tells what is wrong with a pattern and with which part.
func (p *Parse) Check() (int, error) {
	if len(p.Parts) > maxParts {
		return maxParts, fmt.Errorf("the pattern has more than %d parts", maxParts)
	}
	for i, part := range p.Parts {
		last := Part{Text: "^"}
		if i > 0 {
			last = p.Parts[i-1]
		}
		switch {
		case part.Type == schema.Dynamic:
			return i, errors.New("a column of type dynamic is not supported in parse yet")
		case part.Type != 0 && last.Text == "":
			return i, errors.New("a column must follow a string")
		case part.Star && last.Star:
			return i, errors.New("a * must be followed by a string")
		case part.Star && last.Type == schema.String:
			return i, errors.New("a * behind a column of type string is ambiguous")
		case !part.Star && part.Type == 0 && part.Text == "":
			return i, errors.New("an empty string can't stand in a pattern")
		case part.Star && last.Type != 0 && simpleShapes[last.Type] == "" && p.Kind != Regex:
			return i, fmt.Errorf("a * behind a column of type %s is not supported yet", last.Type)
		}
		temporal := part.Type == schema.DateTime || part.Type == schema.TimeSpan
		if p.Kind == Regex && temporal && (i == len(p.Parts)-1 || strings.Contains(p.Flags, "U")) {
			return i, fmt.Errorf("a column of type %s at the end or with flag U is not supported in kind regex yet", part.Type)
		}
		if p.Kind == Regex && part.Text != "" {
			if _, err := fn.Regex(part.Text); err != nil {
				return i, err
			}
			if standsAlone(part.Text) {
				return i, errors.New("a | or flags outside of round brackets in parse are not supported yet")
			}
		}
	}
	for _, flag := range p.Flags {
		if p.Kind != Regex || !strings.ContainsRune("imsU", flag) {
			return 0, fmt.Errorf("flag %q of parse is not supported (i, m, s and U are, in kind regex)", flag)
		}
	}
	_, err := Compile(p)
	return 0, err
}

// standsAlone tells that an expression would mean something else next to others:
// it has an alternative or flags outside of brackets.
func standsAlone(re string) bool {
	depth, class := 0, false
	for i := 0; i < len(re); i++ {
		switch c := re[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			if depth == 0 && strings.HasPrefix(re[i:], "(?") && !strings.HasPrefix(re[i:], "(?:") && !strings.HasPrefix(re[i:], "(?P<") && !strings.HasPrefix(re[i:], "(?<") {
				return true
			}
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			return true
		}
	}
	return false
}

// Compile makes a matcher of a pattern that Check has nothing against.
func Compile(p *Parse) (*Matcher, error) {
	m := &Matcher{pattern: p}
	shaped := p.Kind == Regex
	for i, part := range p.Parts {
		if part.Type != 0 {
			m.types = append(m.types, part.Type)
			shaped = shaped || i+1 < len(p.Parts) && p.Parts[i+1].Star
		}
	}
	m.captures = make([][]byte, len(m.types))
	if shaped {
		return m, m.expression()
	}
	column, before := 0, -1
	for i, part := range p.Parts {
		switch {
		case part.Star:
			m.open = i == len(p.Parts)-1
		case part.Type != 0:
			before = column
			column++
		case i > 0 && p.Parts[i-1].Text != "": // two strings side by side are one
			m.literals[len(m.literals)-1] = append(m.literals[len(m.literals)-1], part.Text...)
		default:
			m.literals, m.captured = append(m.literals, []byte(part.Text)), append(m.captured, before)
			before = -1
		}
	}
	m.captured = append(m.captured, before)
	return m, nil
}

// expression compiles the pattern to a regular expression.
func (m *Matcher) expression() error {
	p := m.pattern
	var b strings.Builder
	if p.Flags != "" {
		b.WriteString("(?" + p.Flags + ")")
	}
	if p.Kind != Regex {
		b.WriteString("(?s)")
	}
	column := 0
	for i, part := range p.Parts {
		behind := Part{}
		if i+1 < len(p.Parts) {
			behind = p.Parts[i+1]
		}
		switch {
		case part.Star && i == len(p.Parts)-1 && p.Kind != Regex:
		case part.Star:
			b.WriteString(".*?")
		case part.Type != 0:
			fmt.Fprintf(&b, "(?P<wadi_%d>%s)", column, p.shape(part.Type, behind, i+2 >= len(p.Parts)))
			column++
		case p.Kind == Regex:
			re, err := fn.Regex(part.Text)
			if err != nil {
				return err
			}
			b.WriteString("(?:" + re + ")")
		default:
			b.WriteString(regexp.QuoteMeta(part.Text))
		}
	}
	if p.Kind != Regex && !p.Parts[len(p.Parts)-1].Star {
		b.WriteString(`\z`)
	}
	re, err := regexp.Compile(b.String())
	if err != nil {
		return fmt.Errorf("cannot read the pattern of parse: %w", err)
	}
	m.re = re
	for i := range m.types {
		m.groups = append(m.groups, re.SubexpIndex(fmt.Sprintf("wadi_%d", i)))
	}
	return nil
}

// shape is the expression of a column before the part behind; final tells that
// this is the last part.
func (p *Parse) shape(t schema.Type, behind Part, final bool) string {
	switch {
	case p.Kind == Regex && t == schema.String:
		return ".*"
	case p.Kind == Regex:
		return regexShapes[t]
	case !behind.Star:
		return ".*?"
	case final || p.Kind == Relaxed:
		return "(?:" + simpleShapes[t] + ")?"
	}
	return simpleShapes[t]
}

// Columns is the number of columns.
func (m *Matcher) Columns() int { return len(m.types) }

// Match gives the texts of the columns, which alias s and hold until the next call.
// False when the pattern does not match, or a column does not convert where it must.
func (m *Matcher) Match(s []byte) ([][]byte, bool) {
	if m.re == nil && !m.literally(s) || m.re != nil && !m.byExpression(s) {
		return nil, false
	}
	if m.pattern.Kind != Relaxed {
		for i, t := range m.types {
			if !converts(t, m.captures[i]) {
				return nil, false
			}
		}
	}
	return m.captures, true
}

func (m *Matcher) byExpression(s []byte) bool {
	at := m.re.FindSubmatchIndex(s)
	if at == nil {
		return false
	}
	for i, g := range m.groups {
		if m.captures[i] = nil; at[2*g] >= 0 {
			m.captures[i] = s[at[2*g]:at[2*g+1]]
		}
	}
	return true
}

// literally looks for one literal after the other.
func (m *Matcher) literally(s []byte) bool {
	for i, literal := range m.literals {
		at := bytes.Index(s, literal)
		if i == len(m.literals)-1 && m.captured[i+1] < 0 && !m.open { // must end the text
			if at = len(s) - len(literal); at < 0 || !bytes.Equal(s[at:], literal) {
				return false
			}
		}
		if at < 0 {
			return false
		}
		if c := m.captured[i]; c >= 0 {
			m.captures[c] = s[:at]
		}
		s = s[at+len(literal):]
	}
	if c := m.captured[len(m.captured)-1]; c >= 0 {
		m.captures[c] = s
	}
	return true
}

// converts tells whether a text is a value of a type, as the to…() functions read
// it.
func converts(t schema.Type, s []byte) bool {
	var ok bool
	var err error
	switch t {
	case schema.Long:
		_, ok = dyn.WholeOfText(string(s))
	case schema.Int:
		_, ok = dyn.IntOfText(string(s))
	case schema.Real:
		_, ok = dyn.RealOfText(string(s))
	case schema.Bool:
		text := strings.ToLower(strings.TrimSpace(string(s)))
		_, ok = dyn.WholeOfText(text)
		ok = ok || text == "true" || text == "false"
	case schema.DateTime:
		_, err = fn.ParseTime(string(s))
		ok = err == nil
	case schema.TimeSpan:
		_, err = fn.ParseSpan(string(s))
		ok = err == nil && bytes.ContainsAny(s, ":dhms")
	case schema.Guid:
		_, ok = dyn.GUIDOfText(nil, s)
	case schema.Decimal:
		_, ok = decimal.Parse(string(s))
	default:
		ok = true
	}
	return ok
}
