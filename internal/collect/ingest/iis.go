package ingest

import (
	"bytes"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/schema"
)

// iisWriter writes rows of W3CIISLog. What #Fields would say is made of the
// columns that a row has, because the view shows "-" for a field that was logged
// without a value.
type iisWriter struct {
	tableWriter
	fields   []byte
	server   []byte // Computer
	serverAt int    // its index in columns
	name     []byte // sComputerName, nil when it was not sent
}

func (w *iisWriter) begin() {
	w.tableWriter.begin()
	w.fields, w.server, w.name, w.serverAt = append(w.fields[:0], "date time"...), nil, nil, -1
}

func (w *iisWriter) set(col int, v *value) string {
	c := &w.t.columns[col]
	switch c.act {
	case actServer:
		text, reason := v.appendText(nil)
		w.server, w.serverAt = text, col
		return reason
	case actField, actAgent:
		var reason string
		if w.scratch, reason = v.appendText(w.scratch[:0]); reason != "" {
			return reason
		}
		return w.field(c, w.scratch)
	case actStore:
		w.field(c, nil)
	}
	return w.tableWriter.set(col, v)
}

// field takes a text; an empty one is a field that was not logged.
func (w *iisWriter) field(c *column, text []byte) string {
	if text != nil && len(text) == 0 {
		return ""
	}
	if c.field != "" {
		w.fields = append(append(w.fields, ' '), c.field...)
	}
	if c.name == "sComputerName" {
		w.name = bytes.Clone(text)
	}
	if text == nil || string(text) == "-" {
		return ""
	}
	if c.act == actAgent {
		if bytes.IndexByte(text, ' ') >= 0 {
			return "the value has no place: blanks of the User-Agent are written as +, as IIS does"
		}
		decodeAgent(text)
	}
	w.rows.Bytes(c.at, text)
	return ""
}

// decodeAgent puts blanks for +; of two the second is one of the header
// (docs/formats/w3c.md).
func decodeAgent(text []byte) {
	for i := 0; i < len(text); i++ {
		if text[i] == '+' {
			text[i] = ' '
			if i+1 < len(text) && text[i+1] == '+' {
				i++
			}
		}
	}
}

func (w *iisWriter) end(row *rowTime) (int, string) {
	if len(w.server) > 0 {
		switch {
		case w.name == nil:
			w.rows.Bytes(schema.W3CIIS.Index("sComputerName"), w.server)
		case !bytes.Equal(w.name, w.server):
			w.rows.Drop()
			return w.serverAt, "the value has no place beside another sComputerName"
		}
	}
	w.rows.Bytes(schema.W3CIIS.Index("_Fields"), w.fields)
	if !w.timed {
		w.setTime(w.now)
	}
	if w.time%10_000_000 != 0 {
		text := w.time.AppendISO(nil, 7) // 2006-01-02T15:04:05.0000000Z
		extra := append([]byte(`{"time":`), dyn.AppendString(nil, text[11:len(text)-1])...)
		w.rows.Bytes(schema.W3CIIS.Index("_Extra"), append(extra, '}'))
	}
	return w.tableWriter.end(row)
}
