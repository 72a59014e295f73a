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
		for _, f := range enough(prune(files.Files, s.Bounds), s.Take) {
			scan.Files = append(scan.Files, f.Path)
		}
		out = append(out, scan)
	}
	return out, nil
}
