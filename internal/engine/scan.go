package engine

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wadi-project/wadi/internal/schema"
)

// Query is one question in SQL.
type Query struct {
	// SQL is one SELECT over the names of Scans. It must not end with a
	// semicolon or hold a user's identifiers; the gate in the worker checks that
	// it is one SELECT.
	SQL string
	// Scans are the relations SQL reads.
	Scans []Scan
	// Columns are the result's columns in order; the values are cast to the SQL
	// form of their type (bool BOOLEAN, int INTEGER, long, datetime and timespan
	// BIGINT, real DOUBLE, the rest VARCHAR).
	Columns []Column
	// Stages run before SQL, in this order, and make relations that it reads.
	Stages []Stage
	// Unlimited lifts [Config.MaxRows] and [Config.MaxBytes]; the rows are
	// streamed, so only the deadline bounds them.
	Unlimited bool
	// MaxRows and MaxBytes, when above 0, stand for those of the configuration.
	MaxRows, MaxBytes int64
	// Deadline, when above 0 and shorter than the configuration's, stands for it.
	Deadline time.Duration
}

// Column is a column of a result.
type Column struct {
	Name string
	Type schema.Type
}

// Scan is one relation: columns of some Parquet files.
type Scan struct {
	// Name is the relation's name in SQL, scan_0 …
	Name string
	// Columns are what SQL may read; each is named c<field id>.
	Columns []ScanColumn
	// Files are absolute paths of Parquet files; none makes an empty relation.
	// Columns a file lacks are null in its rows.
	Files []string
	// Rows is how many rows Files have, 0 when that isn't known: DuckDB orders joins
	// by it, and doesn't look itself when it is given the columns.
	Rows int64
	// Older are files of older versions of the table's schema, whose younger columns
	// are read from other ones.
	Older []OlderFiles
}

// OlderFiles are files in which some columns of a scan are derived.
type OlderFiles struct {
	Files   []string
	Rows    int64
	Derived []DerivedColumn
}

// DerivedColumn is a text column that older files lack: the value of the first of
// Names that the EventData of the event's text has, else null.
type DerivedColumn struct {
	FieldID int
	// Text and Provider are the field ids of the event's text and provider.
	Text, Provider int
	Names          []schema.EventDataName
}

// ScanColumn is one stored column of a scan.
type ScanColumn struct {
	FieldID int
	Disk    schema.Disk
}

// functionPrefix is before the name of every Go function in SQL.
const functionPrefix = "wadi_"

// literal prints s as an SQL string literal of DuckDB, the only way text gets
// into generated SQL here.
func literal(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// identifier tells whether s may stand unquoted as a relation's name.
func identifier(s string) bool {
	for i, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func diskSQL(d schema.Disk) (string, error) {
	switch d {
	case schema.DiskBoolean:
		return "BOOLEAN", nil
	case schema.DiskInt:
		return "INTEGER", nil
	case schema.DiskLong:
		return "BIGINT", nil
	case schema.DiskDouble:
		return "DOUBLE", nil
	case schema.DiskString:
		return "VARCHAR", nil
	case schema.DiskTimestamptz:
		return "TIMESTAMP WITH TIME ZONE", nil
	default:
		return "", fmt.Errorf("cannot scan a column of disk type %d", d)
	}
}

// appendScan writes "name AS NOT MATERIALIZED (SELECT …)".
func appendScan(b *strings.Builder, s *Scan) error {
	if !identifier(s.Name) {
		return fmt.Errorf("cannot scan under the name %q", s.Name)
	}
	b.WriteString(s.Name)
	b.WriteString(" AS NOT MATERIALIZED (") // a materialised scan loses push-down
	if len(s.Files) == 0 && len(s.Older) == 0 {
		b.WriteString("SELECT ")
		return appendEmptyScan(b, s)
	}
	if len(s.Files) > 0 {
		if err := appendFiles(b, s.Columns, s.Files, s.Rows, nil); err != nil {
			return err
		}
	}
	for i := range s.Older {
		if i > 0 || len(s.Files) > 0 {
			b.WriteString(" UNION ALL ")
		}
		if err := appendFiles(b, s.Columns, s.Older[i].Files, s.Older[i].Rows, s.Older[i].Derived); err != nil {
			return err
		}
	}
	b.WriteByte(')')
	return nil
}

// appendFiles writes the SELECT of columns of files of one version, some derived.
func appendFiles(b *strings.Builder, columns []ScanColumn, files []string, rows int64, derived []DerivedColumn) error {
	// A glob would read files that the read point doesn't name, and the files'
	// names are Wadi's own, so such a name is refused rather than escaped.
	for _, f := range files {
		if strings.ContainsAny(f, "*?[\x00") {
			return fmt.Errorf("cannot read %q: the lake's path holds one of * ? [, which DuckDB takes for a pattern", f)
		}
	}
	stored := columns
	if len(derived) > 0 {
		stored = nil
	}
	b.WriteString("SELECT ")
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		if d := derivation(derived, c.FieldID); d != nil {
			appendDerived(b, d)
			stored = addText(addText(stored, d.Text), d.Provider)
		} else if b.WriteString("c" + strconv.Itoa(c.FieldID)); len(derived) > 0 {
			stored = append(stored, c)
		}
	}
	if len(columns) == 0 {
		b.WriteString("1 AS c0")
	}
	b.WriteString(" FROM read_parquet([")
	for i, f := range files {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(literal(f))
	}
	b.WriteByte(']')
	if err := appendSchema(b, stored); err != nil {
		return err
	}
	if rows > 0 {
		fmt.Fprintf(b, ", explicit_cardinality=%d", rows)
	}
	b.WriteString(", hive_partitioning=false)")
	return nil
}

// appendSchema writes the mapping of field ids to the columns of a scan.
func appendSchema(b *strings.Builder, columns []ScanColumn) error {
	done := map[int]bool{}
	for _, c := range columns {
		if done[c.FieldID] {
			continue
		}
		if len(done) == 0 {
			b.WriteString(", schema=MAP {")
		} else {
			b.WriteString(", ")
		}
		done[c.FieldID] = true
		typ, err := diskSQL(c.Disk)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "%d: {name: 'c%d', type: '%s', default_value: NULL}", c.FieldID, c.FieldID, typ)
	}
	if len(done) > 0 {
		b.WriteByte('}')
	}
	return nil
}

func derivation(derived []DerivedColumn, id int) *DerivedColumn {
	for i := range derived {
		if derived[i].FieldID == id {
			return &derived[i]
		}
	}
	return nil
}

func addText(columns []ScanColumn, id int) []ScanColumn {
	return append(columns, ScanColumn{FieldID: id, Disk: schema.DiskString})
}

// appendDerived writes the expression of a derived column.
func appendDerived(b *strings.Builder, d *DerivedColumn) {
	b.WriteString("coalesce(")
	for i, n := range d.Names {
		if i > 0 {
			b.WriteString(", ")
		}
		value := fmt.Sprintf("%sevent_text(c%d, %s)", functionPrefix, d.Text, literal(n.Name))
		if n.Provider != "" {
			value = fmt.Sprintf("CASE WHEN c%d = %s THEN %s END", d.Provider, literal(n.Provider), value)
		}
		b.WriteString(value)
	}
	fmt.Fprintf(b, ") AS c%d", d.FieldID)
}

func appendEmptyScan(b *strings.Builder, s *Scan) error {
	for i, c := range s.Columns {
		typ, err := diskSQL(c.Disk)
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(b, "CAST(NULL AS %s) AS c%d", typ, c.FieldID)
	}
	if len(s.Columns) == 0 {
		b.WriteString("1 AS c0")
	}
	b.WriteString(" WHERE false)")
	return nil
}

// statement is the whole SQL text of q: the scans, q.SQL as a subquery whose
// columns are renamed by position, the casts, and a limit one above maxRows so
// that the worker sees when rows are cut (0: none). DuckDB keeps a subquery's
// order here.
func statement(q *Query, maxRows int64) (string, error) {
	if len(q.Columns) == 0 || len(q.Columns) > maxColumns {
		return "", fmt.Errorf("cannot ask for %d columns: the limit is 1..%d", len(q.Columns), maxColumns)
	}
	var b strings.Builder
	for i := range q.Scans {
		if i == 0 {
			b.WriteString("WITH ")
		} else {
			b.WriteString(",\n")
		}
		if err := appendScan(&b, &q.Scans[i]); err != nil {
			return "", err
		}
	}
	b.WriteString("\nSELECT ")
	names := make([]string, len(q.Columns))
	for i, c := range q.Columns {
		names[i] = "r" + strconv.Itoa(i)
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "CAST(%s AS %s)", names[i], wireOf(c.Type).sqlType())
	}
	fmt.Fprintf(&b, "\nFROM (\n%s\n) AS result(%s)", q.SQL, strings.Join(names, ", "))
	if maxRows > 0 {
		fmt.Fprintf(&b, " LIMIT %d", maxRows+1)
	}
	return b.String(), nil
}
