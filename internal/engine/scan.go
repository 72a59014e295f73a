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
}

// ScanColumn is one stored column of a scan.
type ScanColumn struct {
	FieldID int
	Disk    schema.Disk
}

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
	b.WriteString(" AS NOT MATERIALIZED (SELECT ") // a materialised scan loses push-down
	if len(s.Files) == 0 {
		return appendEmptyScan(b, s)
	}
	// A glob would read files that the read point doesn't name, and the files'
	// names are Wadi's own, so such a name is refused rather than escaped.
	for _, f := range s.Files {
		if strings.ContainsAny(f, "*?[\x00") {
			return fmt.Errorf("cannot read %q: the lake's path holds one of * ? [, which DuckDB takes for a pattern", f)
		}
	}
	for i, c := range s.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("c" + strconv.Itoa(c.FieldID))
	}
	if len(s.Columns) == 0 {
		b.WriteString("1 AS c0")
	}
	b.WriteString(" FROM read_parquet([")
	for i, f := range s.Files {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(literal(f))
	}
	b.WriteByte(']')
	if len(s.Columns) > 0 {
		b.WriteString(", schema=MAP {")
		for i, c := range s.Columns {
			if i > 0 {
				b.WriteString(", ")
			}
			typ, err := diskSQL(c.Disk)
			if err != nil {
				return err
			}
			fmt.Fprintf(b, "%d: {name: 'c%d', type: '%s', default_value: NULL}", c.FieldID, c.FieldID, typ)
		}
		b.WriteByte('}')
	}
	b.WriteString(", hive_partitioning=false))")
	return nil
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
