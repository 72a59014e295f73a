package w3c

import (
	"bytes"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/event"
)

// Limits on hostile input.
const (
	// DefaultMaxLineBytes bounds a line. HTTP.sys takes requests of 16 KiB by
	// default and 16 MiB at most; a line of more than 1 MiB is no log line.
	DefaultMaxLineBytes = 1 << 20
	// MaxFields bounds the names of a #Fields directive; IIS knows about 30, and
	// Advanced Logging a few hundred.
	MaxFields = 1024
)

// Kind says what a line is.
type Kind uint8

// The kinds of lines.
const (
	// Blank lines hold nothing (blanks or NULs, which a crash leaves behind).
	Blank Kind = iota
	// Directive lines begin with #.
	Directive
	// Data lines are rows.
	Data
)

// Format is what wrote the log.
type Format uint8

// The formats that Wadi tells apart.
const (
	Other Format = iota
	IIS
	HTTPERR
)

// Options say what the log itself doesn't.
type Options struct {
	// Location is the zone of the log's clock. Nil is UTC for date and time, as
	// IIS writes them, and "unknown" for date-local and time-local: such rows
	// then have no time.
	Location *time.Location
	// MaxLineBytes bounds a line; 0 is DefaultMaxLineBytes.
	MaxLineBytes int
}

// Field is one value of a row.
type Field struct {
	// Col is the index in schema.W3CIIS.Columns, -1 for a value without column:
	// it belongs into _Extra.
	Col int
	// Name is the field's name as #Fields writes it.
	Name []byte
	// Value is never empty but in a quoted value; values written "-" are not
	// given at all. A value for a number column is a canonical decimal number
	// in the column's range.
	Value []byte
}

// Row is a data line. Its slices alias the line and the parser's memory and are
// valid until the next call of [Parser.Line].
type Row struct {
	// Time is the row's time in UTC, when HasTime.
	Time    event.Ticks
	HasTime bool
	// UTCOffset is how many seconds the log's clock was east of UTC at Time
	// (column _UtcOffset); 0 is stored as null.
	UTCOffset int32
	// Fields are the values, in the line's order; date and time are not among
	// them unless their text can't be told from Time.
	Fields []Field
	// FieldNames is the #Fields directive in effect, names separated by one
	// blank (column _Fields); empty without one.
	FieldNames []byte
	// Format is the log's format.
	Format Format
	// Line is the line's number, from 1.
	Line int64
	// Damage says in one line why the row doesn't fit; empty when it does.
	Damage string
	// NeedsRaw tells that the columns don't give the line back and Raw has to be
	// stored.
	NeedsRaw bool
	// Raw is the line as it is stored in _Raw: valid UTF-8, without line end.
	Raw []byte
}

// Parser reads the lines of one log in their order. It is not safe for
// concurrent use.
type Parser struct {
	opts    Options
	maxLine int
	line    int64

	names    []byte // FieldNames
	fields   []field
	twice    bool // a name occurs twice
	quoted   bool // the writer quotes: Advanced Logging
	software Format
	format   Format
	clock    clock

	parts   [][]byte // scratch: the line's values
	scratch []byte   // scratch: decoded values and the line as UTF-8
}

// NewParser makes a parser for one log.
func NewParser(opts Options) *Parser {
	p := &Parser{opts: opts, maxLine: opts.MaxLineBytes}
	if p.maxLine <= 0 {
		p.maxLine = DefaultMaxLineBytes
	}
	p.clock.loc = opts.Location
	return p
}

// KindOf says what a line is, with or without its line end, but for a byte order
// mark before it.
func KindOf(line []byte) Kind {
	line = bytes.TrimLeft(line, "\x00")
	switch {
	case len(bytes.TrimRight(line, " \t\r\n\x00")) == 0:
		return Blank
	case line[0] == '#':
		return Directive
	}
	return Data
}

// Line reads the next line, with or without its line end, and says what it is.
// For Data it fills row; for other kinds row is left as it is.
func (p *Parser) Line(line []byte, row *Row) Kind {
	p.line++
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if p.line == 1 {
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	full := line
	line = bytes.TrimLeft(line, "\x00")
	switch kind := KindOf(full); kind {
	case Blank:
		return kind
	case Directive:
		p.directive(line)
		return kind
	}
	*row = Row{Fields: row.Fields[:0], FieldNames: p.names, Format: p.format, Line: p.line, Raw: full}
	p.scratch = p.scratch[:0]
	if len(full) > p.maxLine {
		row.damage(fmt.Sprintf("the line has %d bytes, more than %d: cut", len(full), p.maxLine))
		row.Raw = p.valid(full[:p.maxLine])
		return Data
	}
	if !utf8.Valid(full) {
		row.damage("the line is not UTF-8: read as ISO 8859-1")
		row.Raw = p.valid(full)
		line = bytes.TrimLeft(row.Raw, "\x00")
	}
	if len(line) < len(row.Raw) {
		row.damage(fmt.Sprintf("%d NUL bytes before the row", len(row.Raw)-len(line)))
	}
	p.data(line, row)
	if row.Damage != "" {
		row.NeedsRaw = true
	}
	return Data
}

// Dateless tells that rows have a time of day only, so that their day comes from
// #Date and hangs on the lines before them: who reads parts of the log apart has
// to watch all lines for [Parser.DayOver].
func (p *Parser) Dateless() bool { return len(p.fields) > 0 && !p.clock.hasDate }

// DayOver tells that the time of day went back since #Date: that directive says
// nothing of the lines that follow.
func (p *Parser) DayOver() bool { return p.clock.over }

// damage adds a reason.
func (r *Row) damage(reason string) {
	if r.Damage != "" {
		r.Damage += "; "
	}
	r.Damage += reason
	r.NeedsRaw = true
}

// valid gives b as UTF-8: itself, or every byte as the code point of its value.
// The result lies in scratch, which has to be empty.
func (p *Parser) valid(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	for _, c := range b {
		p.scratch = utf8.AppendRune(p.scratch, rune(c))
	}
	return p.scratch[:len(p.scratch):len(p.scratch)]
}

// data splits the line and assigns its values.
func (p *Parser) data(line []byte, row *Row) {
	if len(p.fields) == 0 {
		row.damage("no #Fields directive before the row")
		return
	}
	exact := p.split(line)
	row.NeedsRaw = row.NeedsRaw || !exact || p.twice
	if n := len(p.parts); n != len(p.fields) {
		row.damage(fmt.Sprintf("the row has %d values, #Fields has %d names", n, len(p.fields)))
	}
	p.clock.begin()
	n := min(len(p.parts), len(p.fields))
	for i, v := range p.parts[:n] {
		f := &p.fields[i]
		switch {
		case len(v) == 1 && v[0] == '-':
			continue
		case f.role != roleValue:
			p.clock.take(f.role, v, i)
			continue
		case f.number != 0 && !canonical(v, f.number):
			row.Fields = append(row.Fields, Field{-1, f.name, v})
			continue
		case f.blanks:
			v = p.decodeBlanks(v, row)
		}
		row.Fields = append(row.Fields, Field{f.col, f.name, v})
	}
	p.time(row)
}

// time gives the row its time, and keeps the texts that the time doesn't give
// back.
func (p *Parser) time(row *Row) {
	reason, keepDate, keepTime := p.clock.end(row)
	if reason != "" {
		row.damage(reason)
	}
	if keepDate && p.clock.date != nil {
		row.Fields = append(row.Fields, Field{-1, p.fields[p.clock.dateAt].name, p.clock.date})
	}
	if keepTime && p.clock.time != nil {
		row.Fields = append(row.Fields, Field{-1, p.fields[p.clock.timeAt].name, p.clock.time})
	}
}

// decodeBlanks gives a request header as it was sent: IIS writes + for a blank.
// Of two + the second is one of the header ("; +http://…" of the crawlers). A
// value that holds a blank already was quoted and is as it was.
func (p *Parser) decodeBlanks(v []byte, row *Row) []byte {
	if bytes.IndexByte(v, '+') < 0 || bytes.IndexByte(v, ' ') >= 0 {
		return v
	}
	off := len(p.scratch)
	prev := byte(0)
	for _, c := range v {
		if c == '+' && prev != ' ' {
			c = ' '
		}
		p.scratch = append(p.scratch, c)
		prev = c
	}
	return p.scratch[off:len(p.scratch):len(p.scratch)]
}

// AppendExtra appends the values of row that have no column as a JSON object,
// by field name in the line's order: what column _Extra holds. It appends
// nothing when there are none. Of a name that occurs twice the last counts, as
// in any reader of JSON; the line itself is in Raw then.
func AppendExtra(dst []byte, row *Row) []byte {
	sep := byte('{')
	for _, f := range row.Fields {
		if f.Col >= 0 {
			continue
		}
		dst = append(dst, sep)
		dst = appendJSON(dst, f.Name)
		dst = append(dst, ':')
		dst = appendJSON(dst, f.Value)
		sep = ','
	}
	if sep == ',' {
		dst = append(dst, '}')
	}
	return dst
}

// appendJSON appends valid UTF-8 as a JSON string.
func appendJSON(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
