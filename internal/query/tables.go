package query

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/schema"
)

// TableInfo describes one name that a question may ask.
type TableInfo struct {
	Name string
	// View tells that it shows rows of another table.
	View bool
	Rows int64
	// First and Last are the least and greatest TimeGenerated, when HasTime.
	First, Last event.Ticks
	HasTime     bool
	// From says where the rows come from: the table's documentation, or for a view
	// the table and the rows of it.
	From string
}

// Tables lists all views, then all tables, in the order of their documentation.
// Rows and times come from the lake's statistics; those of a view that shows only
// some rows of a table are counted.
func Tables(ctx context.Context, c *Config) ([]TableInfo, error) {
	point, err := c.Lake.Pin(ctx, c.Engine.Deadline()+pinSlack)
	if err != nil {
		return nil, err
	}
	set, err := point.Schema()
	if err != nil {
		return nil, errors.Join(err, point.Close())
	}
	tables := map[*schema.Table]TableInfo{}
	for _, t := range set.Tables() {
		info, err := tableInfo(point, t)
		if err != nil {
			return nil, errors.Join(err, point.Close())
		}
		tables[t] = info
	}
	if err := point.Close(); err != nil {
		return nil, err
	}
	var infos []TableInfo
	for _, v := range set.Views() {
		info := tables[v.Table]
		info.Name, info.View, info.From = v.Name, true, v.Table.Name
		if v.Filter != "" {
			info.From += " where " + v.Filter
			if info.Rows > 0 {
				if err := count(ctx, c, &info); err != nil {
					return nil, err
				}
			}
		}
		infos = append(infos, info)
	}
	for _, t := range set.Tables() {
		infos = append(infos, tables[t])
	}
	return infos, nil
}

// tableInfo sums up what the statistics of a table's files say.
func tableInfo(point *lake.ReadPoint, t *schema.Table) (TableInfo, error) {
	info := TableInfo{Name: t.Name, From: t.Doc}
	files, err := point.Table(t)
	if err != nil {
		return info, fmt.Errorf("cannot read the files of %s: %w", t.Name, err)
	}
	info.Rows = files.Rows
	column := t.Column("TimeGenerated")
	for i := range files.Files {
		if column == nil {
			break
		}
		least, okMin := files.Files[i].Bounds[column.FieldID].Min.(int64)
		greatest, okMax := files.Files[i].Bounds[column.FieldID].Max.(int64)
		if !okMin || !okMax {
			continue
		}
		first, last := event.FromUnixMicros(least), event.FromUnixMicros(greatest)
		if !info.HasTime {
			info.First, info.Last, info.HasTime = first, last, true
		}
		info.First, info.Last = min(info.First, first), max(info.Last, last)
	}
	return info, nil
}

// count asks for the rows and times of a view.
func count(ctx context.Context, c *Config, info *TableInfo) error {
	result, err := Run(ctx, c, info.Name+" | summarize Rows = count(), First = min(TimeGenerated), Last = max(TimeGenerated)")
	if err != nil {
		return err
	}
	info.Rows, info.HasTime = 0, false
	for result.Next() {
		info.Rows = result.Int(0)
		if !result.Null(1) && !result.Null(2) {
			info.First, info.Last, info.HasTime = event.Ticks(result.Int(1)), event.Ticks(result.Int(2)), true
		}
	}
	return result.Close()
}

// ColumnInfo describes a column that a question may ask of a table or view.
type ColumnInfo struct {
	Name string
	Type schema.Type
	// Hidden columns are not in *: Wadi's own.
	Hidden bool
	// Absent columns bind and are always null or empty: nothing that is collected
	// holds their values.
	Absent bool
	Doc    string
}

// Columns lists the columns of a set's table or view in the order of *, the hidden ones
// behind; nil when there is no such table.
func Columns(set *schema.Set, name string) []ColumnInfo {
	s := source(set, name)
	var infos []ColumnInfo
	add := func(list []schema.ViewColumn) {
		for i := range list {
			c := &list[i]
			infos = append(infos, ColumnInfo{Name: c.Name, Type: c.KQL, Hidden: c.Hidden, Absent: c.Kind == schema.NotAvailable, Doc: c.Doc})
		}
	}
	switch {
	case s.View != nil:
		add(s.View.Columns)
	case s.Table != nil:
		for i := range s.Table.Columns {
			c := &s.Table.Columns[i]
			infos = append(infos, ColumnInfo{Name: c.Name, Type: c.KQL, Hidden: strings.HasPrefix(c.Name, "_"), Doc: c.Doc})
		}
		add(s.Table.Computed)
	}
	slices.SortStableFunc(infos, func(a, b ColumnInfo) int { return bit(a.Hidden) - bit(b.Hidden) })
	return infos
}
