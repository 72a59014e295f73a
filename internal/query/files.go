package query

import (
	"fmt"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/schema"
)

// fileCache finds the files of a question's scans at one read point.
type fileCache struct {
	point  *lake.ReadPoint
	tables map[*schema.Table]lake.TableFiles
}

// scans gives each scan the files it has to read.
func (c *fileCache) scans(scans []duck.Scan) ([]engine.Scan, error) {
	var out []engine.Scan
	for i := range scans {
		s := &scans[i]
		files, ok := c.tables[s.Table]
		if !ok {
			var err error
			if files, err = c.point.Table(s.Table); err != nil {
				return nil, fmt.Errorf("cannot read the files of %s: %w", s.Table.Name, err)
			}
			c.tables[s.Table] = files
		}
		scan := engine.Scan{Name: s.Name}
		for _, index := range s.Columns {
			column := &s.Table.Columns[index]
			scan.Columns = append(scan.Columns, engine.ScanColumn{FieldID: column.FieldID, Disk: column.Disk})
		}
		split(&scan, s, enough(prune(files.Files, s.Bounds), s.Take))
		out = append(out, scan)
	}
	return out, nil
}

// split gives a scan its files: those of a schema version that has all columns
// asked for, or lacks only such that nothing tells, together; the others by version,
// with the columns that are read from the events' text.
func split(scan *engine.Scan, s *duck.Scan, files []lake.DataFile) {
	born := 0 // of the youngest column that can be derived
	for _, index := range s.Columns {
		if c := &s.Table.Columns[index]; c.Born > born && schema.EventDataNames(s.Table, c) != nil {
			born = c.Born
		}
	}
	versions := map[int]int{} // to its place in scan.Older
	for i := range files {
		f := &files[i]
		if f.SchemaVersion >= born {
			scan.Files = append(scan.Files, f.Path)
			scan.Rows += f.Rows
			continue
		}
		at, known := versions[f.SchemaVersion]
		if !known {
			at = len(scan.Older)
			versions[f.SchemaVersion] = at
			scan.Older = append(scan.Older, engine.OlderFiles{Derived: derived(s, f.SchemaVersion)})
		}
		scan.Older[at].Files = append(scan.Older[at].Files, f.Path)
		scan.Older[at].Rows += f.Rows
	}
}

// derived are the columns of a scan that files of that version lack.
func derived(s *duck.Scan, version int) []engine.DerivedColumn {
	text, provider := s.Table.Column("EventXml"), s.Table.Column("Provider")
	if text == nil || provider == nil {
		return nil
	}
	var out []engine.DerivedColumn
	for _, index := range s.Columns {
		c := &s.Table.Columns[index]
		if names := schema.EventDataNames(s.Table, c); c.Born > version && names != nil {
			out = append(out, engine.DerivedColumn{FieldID: c.FieldID, Text: text.FieldID, Provider: provider.FieldID, Names: names})
		}
	}
	return out
}
