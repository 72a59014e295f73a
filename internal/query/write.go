package query

import (
	"bytes"
	"io"

	"github.com/wadi-project/wadi/internal/engine"
)

// flushBytes is how much of an answer is gathered before it is written.
const flushBytes = 64 << 10

// WriteJSON writes all rows as one JSON document,
// {"columns":[{"name","type"}],"rows":[[…]]}, one row a line. It does not close
// rows: an error of the question, which ends them early, comes from Close.
func WriteJSON(w io.Writer, rows *engine.Rows) error {
	return WriteJSONEnding(w, rows, func() ([]byte, error) { return nil, nil })
}

// WriteJSONEnding is [WriteJSON] with more at the end of the document: end is called
// behind the last row and gives the members that follow "rows", each with a comma
// before it. An error of end is given back, and then the end isn't written.
func WriteJSONEnding(w io.Writer, rows *engine.Rows, end func() (members []byte, err error)) error {
	b := AppendJSONColumns([]byte(`{"columns":`), rows)
	b = append(b, `,"rows":[`...)
	first := true
	for rows.Next() {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = AppendJSONRow(append(b, '\n'), rows)
		var err error
		if b, err = flush(w, b); err != nil {
			return err
		}
	}
	members, err := end()
	if err == nil {
		_, err = w.Write(append(append(append(b, ']'), members...), "}\n"...))
	}
	return err
}

// AppendJSONRow appends the current row as a JSON array.
func AppendJSONRow(dst []byte, rows *engine.Rows) []byte {
	dst = append(dst, '[')
	for i := range rows.Columns() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(dst, rows, i)
	}
	return append(dst, ']')
}

// AppendJSONColumns appends the columns of an answer as [WriteJSON] names them.
func AppendJSONColumns(dst []byte, rows *engine.Rows) []byte {
	dst = append(dst, '[')
	for i, c := range rows.Columns() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSONString(append(dst, `{"name":`...), []byte(c.Name))
		dst = append(append(append(dst, `,"type":"`...), c.Type.String()...), `"}`...)
	}
	return append(dst, ']')
}

// WriteJSONLines writes one JSON object a row, with its columns by name.
func WriteJSONLines(w io.Writer, rows *engine.Rows) error {
	var names [][]byte
	for _, c := range rows.Columns() {
		names = append(names, append(appendJSONString(nil, []byte(c.Name)), ':'))
	}
	var b []byte
	for rows.Next() {
		b = append(b, '{')
		for i, name := range names {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(append(b, name...), rows, i)
		}
		b = append(b, '}', '\n')
		var err error
		if b, err = flush(w, b); err != nil {
			return err
		}
	}
	_, err := w.Write(b)
	return err
}

// WriteCSV writes a line of names and a line for each row (RFC 4180, but lines end
// with LF). A null is empty, as an empty string is.
func WriteCSV(w io.Writer, rows *engine.Rows) error {
	var b []byte
	for i, c := range rows.Columns() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendField(b, []byte(c.Name))
	}
	b = append(b, '\n')
	var value []byte
	for rows.Next() {
		for i := range rows.Columns() {
			if i > 0 {
				b = append(b, ',')
			}
			value = AppendText(value[:0], rows, i)
			b = appendField(b, value)
		}
		b = append(b, '\n')
		var err error
		if b, err = flush(w, b); err != nil {
			return err
		}
	}
	_, err := w.Write(b)
	return err
}

func appendField(dst, value []byte) []byte {
	if !bytes.ContainsAny(value, "\",\r\n") {
		return append(dst, value...)
	}
	dst = append(dst, '"')
	for len(value) > 0 {
		quote := bytes.IndexByte(value, '"')
		if quote < 0 {
			dst = append(dst, value...)
			break
		}
		dst = append(append(dst, value[:quote+1]...), '"')
		value = value[quote+1:]
	}
	return append(dst, '"')
}

func flush(w io.Writer, b []byte) ([]byte, error) {
	if len(b) < flushBytes {
		return b, nil
	}
	_, err := w.Write(b)
	return b[:0], err
}
