package ingest

import (
	"strings"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/schema"
)

// action is what becomes of a column's value.
type action uint8

const (
	// actStore: the table's column at holds it.
	actStore action = iota
	// actTime: it is TimeGenerated.
	actTime
	// actConst: the view shows the text want in every row; another has no place.
	actConst
	// actEmpty: nothing that is stored holds it; it must be empty.
	actEmpty
	// actField: a text of a W3C log, "-" where it was logged and had no value.
	actField
	// actAgent: the User-Agent, with + for blanks.
	actAgent
	// actServer: W3CIISLog's Computer.
	actServer
	// actSystem: a value of System, or beside it, in the slot at.
	actSystem
	// actData: the value of EventData of that name; at is its column, -1 for none.
	actData
	// actDerived: the view computes it, by the rule in the slot at.
	actDerived
	// actOwn: Wadi sets it.
	actOwn
)

// column is a column that a row may have.
type column struct {
	name  string
	typ   schema.Type
	act   action
	at    int
	want  string
	field string // name in #Fields of a W3C log
}

// refuse tells why a value that is not stored has no place; nothing when it is
// what the view shows anyway.
func (c *column) refuse(v *value) string {
	text, reason := v.appendText(nil)
	if reason == "" && string(text) == c.want {
		return ""
	}
	switch c.act {
	case actConst:
		return "the value has no place: the column is always " + string(dyn.AppendString(nil, []byte(c.want)))
	case actEmpty:
		return "the value has no place: nothing that is stored holds the column"
	}
	return "the column is set by Wadi"
}

// shape is how rows of a target are written.
type shape uint8

const (
	shapeTable shape = iota
	shapeIIS
	shapeWindows
)

// Target is where rows go: a table with the columns that a sender may use. It is
// immutable.
type Target struct {
	// Name is the table's name in KQL.
	Name string
	// Table is the physical table.
	Table *schema.Table

	shape   shape
	mark    string // _Table of its rows; empty leaves it to the event's channel
	columns []column
	names   [][]byte // of columns
	byName  map[string]int
	timeCol, subCol,
	tableCol int
}

// Streams resolves the names of streams and tables. It is immutable and safe for
// concurrent use; a changed set of tables needs a new one.
type Streams struct {
	streams, tables map[string]*Target
}

// microsoftStreams are the streams of Sentinel's tables.
var microsoftStreams = []string{"SecurityEvent", "Event", "WindowsEvent", "W3CIISLog"}

// NewStreams makes the targets of a set of tables.
func NewStreams(set *schema.Set) *Streams {
	s := &Streams{streams: map[string]*Target{}, tables: map[string]*Target{}}
	for _, v := range set.Views() {
		switch {
		case v.Table.Custom != "":
			t := newTarget(v)
			s.tables[v.Name], s.tables[v.Table.Name], s.streams["Custom-"+v.Name] = t, t, t
		case v.Table == schema.WindowsEvents || v.Table == schema.W3CIIS:
			s.tables[v.Name] = newTarget(v)
		}
	}
	for _, name := range microsoftStreams {
		if t := s.tables[name]; t != nil {
			s.streams["Microsoft-"+name] = t
		}
	}
	s.tables[schema.WindowsEvents.Name] = newTarget(&schema.View{Name: schema.WindowsEvents.Name, Table: schema.WindowsEvents})
	return s
}

// Stream gives the target of a stream of the Logs Ingestion protocol:
// Microsoft-SecurityEvent, Microsoft-Event, Microsoft-WindowsEvent,
// Microsoft-W3CIISLog, or Custom- and the name of a custom table. The error is an
// [*UnknownError].
func (s *Streams) Stream(name string) (*Target, error) {
	if t := s.streams[name]; t != nil {
		return t, nil
	}
	reason := "streams are Microsoft-SecurityEvent, Microsoft-Event, Microsoft-WindowsEvent, Microsoft-W3CIISLog, and Custom- with the name of a custom table"
	if table, ok := strings.CutPrefix(name, "Custom-"); ok {
		reason = missing(table)
	}
	return nil, &UnknownError{What: "stream", Name: name, Reason: reason}
}

// Table gives the target of a table by its name in KQL (SecurityEvent, Probe_CL),
// or by its physical name (windows_events, probe_cl). The error is an
// [*UnknownError].
func (s *Streams) Table(name string) (*Target, error) {
	if t := s.tables[name]; t != nil {
		return t, nil
	}
	return nil, &UnknownError{What: "table", Name: name, Reason: missing(name)}
}

func missing(table string) string {
	if schema.LookupTable(table) != nil || schema.LookupView(table) != nil {
		return "rows cannot be sent to this table"
	}
	return "there is no such table; `wadi table create` makes one"
}

// newTarget lists the columns of a view and, of a table of Windows events, those
// of the table that the view does not name otherwise.
func newTarget(v *schema.View) *Target {
	t := &Target{
		Name: v.Name, Table: v.Table, mark: v.Name, byName: map[string]int{},
		timeCol: v.Table.Index("TimeGenerated"), subCol: v.Table.Index("_TimeSub"), tableCol: v.Table.Index("_Table"),
	}
	switch v.Table {
	case schema.WindowsEvents:
		t.windows(v)
	case schema.W3CIIS:
		t.shape = shapeIIS
		for i := range v.Columns {
			t.add(iisColumn(v.Table, &v.Columns[i]))
		}
	default:
		for i := range v.Columns {
			t.add(tableColumn(v.Table, &v.Columns[i]))
		}
	}
	return t
}

func (t *Target) add(c column) {
	if _, known := t.byName[c.name]; !known {
		t.byName[c.name] = len(t.columns)
		t.columns, t.names = append(t.columns, c), append(t.names, []byte(c.name))
	}
}

// tableColumn is a view's column whose value lies as it is.
func tableColumn(t *schema.Table, v *schema.ViewColumn) column {
	c := column{name: v.Name, typ: v.KQL, act: actOwn, at: t.Index(v.Expr)}
	switch {
	case v.Name == "TimeGenerated":
		c.act = actTime
	case v.Kind == schema.Constant:
		c.act, c.want = actConst, strings.Trim(v.Expr, `"`)
	case v.Kind == schema.NotAvailable:
		c.act = actEmpty
	case v.Kind == schema.Stored && c.at >= 0 && (v.Name == "_ResourceId" || v.Name[0] != '_'):
		c.act = actStore
	}
	return c
}

// iisColumn is a column of W3CIISLog.
func iisColumn(t *schema.Table, v *schema.ViewColumn) column {
	c := tableColumn(t, v)
	if v.Hidden {
		return c
	}
	if c.at < 0 {
		c.at = t.Index(v.Name)
	}
	if c.at >= 0 {
		origin := t.Columns[c.at].Origin
		c.field = origin[strings.LastIndexByte(origin, ' ')+1:]
	}
	switch {
	case v.Name == "Computer":
		c.act = actServer
	case v.Name == "csUserAgent":
		c.act = actAgent
	case v.Kind == schema.Computed && c.at >= 0:
		c.act = actField
	}
	return c
}

// index gives the column of that exact name, -1 for none.
func (t *Target) index(name []byte) int {
	if i, ok := t.byName[string(name)]; ok {
		return i
	}
	return -1
}

// unknown says that there is no such column, and which may be meant.
func (t *Target) unknown(name string) string {
	for i := range t.columns {
		if strings.EqualFold(t.columns[i].name, name) {
			return t.Name + " has no such column; the name with these letters is " + t.columns[i].name
		}
	}
	return t.Name + " has no such column"
}
