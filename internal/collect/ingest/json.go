package ingest

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/kql/dyn"
)

// json reads a body of JSON: an array of objects, or objects one behind the other.
func (d *Decoder) json(t *Target, body []byte, out *Result) error {
	body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	if !utf8.Valid(body) {
		return &Error{Offset: invalidAt(body), Reason: "the body is not UTF-8"}
	}
	s := &d.scan
	*s = scanner{b: body, text: s.text}
	defer func() { s.b = nil }()
	first := s.next()
	if first == '[' {
		s.i++
		if s.next() == ']' {
			s.i++
			return d.rest()
		}
	} else if first != '{' {
		if s.i >= len(body) {
			return &Error{Offset: s.i, Reason: "the body is empty"}
		}
		return &Error{Offset: s.i, Reason: "the body is neither an array of objects nor lines of objects"}
	}
	for d.row = 1; ; d.row++ {
		if d.row > MaxRows {
			return &Error{Offset: s.i, Reason: "more than 100000 rows", TooLarge: true}
		}
		if err := d.object(t); err != nil {
			return err
		}
		if err := d.full(out); err != nil {
			return err
		}
		if first != '[' {
			if s.next() == 0 && s.i >= len(body) {
				return nil
			}
			continue
		}
		switch s.next() {
		case ',':
			s.i++
		case ']':
			s.i++
			return d.rest()
		default:
			return d.at(s.i, "between rows there must be a comma")
		}
	}
}

// rest refuses what stands behind the array.
func (d *Decoder) rest() error {
	if d.scan.next(); d.scan.i < len(d.scan.b) {
		return &Error{Offset: d.scan.i, Reason: "there is text behind the array"}
	}
	return nil
}

func invalidAt(b []byte) (at int) {
	for at < len(b) {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n <= 1 {
			return at
		}
		at += n
	}
	return at
}

// at is an error in the current row of JSON.
func (d *Decoder) at(offset int, reason string) error {
	return &Error{Row: d.row, Offset: offset, Reason: reason}
}

// object reads one row.
func (d *Decoder) object(t *Target) error {
	s := &d.scan
	s.text = s.text[:0]
	if s.next() != '{' {
		return d.at(s.i, "a row must be an object")
	}
	start := s.i
	s.i++
	d.begin()
	if s.next() == '}' {
		s.i++
		return d.end(t, start)
	}
	for n := 0; ; n++ {
		col, err := d.key(t, n)
		if err != nil {
			return err
		}
		if s.next() != ':' {
			return d.at(s.i, "behind a column's name there must be a colon")
		}
		s.i++
		s.next()
		at := s.i
		v := &d.value
		if !s.value(v) {
			return &Error{Row: d.row, Column: t.columns[col].name, Offset: s.i, Reason: s.reason}
		}
		if reason := d.set(col, v); reason != "" {
			return &Error{Row: d.row, Column: t.columns[col].name, Offset: at, Reason: reason}
		}
		switch s.next() {
		case ',':
			s.i++
		case '}':
			s.i++
			return d.end(t, start)
		default:
			return d.at(s.i, "behind a value there must be a comma or the row's end")
		}
	}
}

// key reads a column's name and gives its index. The names of the row before are
// tried first: senders keep their order.
func (d *Decoder) key(t *Target, n int) (int, error) {
	s := &d.scan
	if s.next() != '"' {
		return 0, d.at(s.i, "a column's name must be a string")
	}
	if n < len(d.order) {
		col := d.order[n]
		name := t.columns[col].name
		if end := s.i + 1 + len(name); end < len(s.b) && s.b[end] == '"' && string(s.b[s.i+1:end]) == name {
			s.i = end + 1
			return col, nil
		}
	}
	at := s.i
	name, ok := s.str()
	if !ok {
		return 0, d.at(s.i, s.reason)
	}
	col := t.index(name)
	if col < 0 {
		return 0, &Error{Row: d.row, Column: shortName(name), Offset: at, Reason: t.unknown(shortName(name))}
	}
	if n < len(d.order) {
		d.order[n] = col
	} else if n == len(d.order) {
		d.order = append(d.order, col)
	}
	return col, nil
}

// maxName bounds the names in errors: Azure's columns have at most 45 characters.
const maxName = 100

// shortName is a name for an error: nothing in it but what can be printed.
func shortName(name []byte) string { return shortText(string(name), maxName) }

func shortText(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return string(dyn.AppendString(nil, []byte(s)))
	}
	return s
}
