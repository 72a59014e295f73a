package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// DefinitionKey is the property of a custom table that holds its definition
// (schema.Table.Definition), so that a lake that lost its state still has them.
const DefinitionKey = "wadi.table"

// definedSet is the last set of tables that was read, and what it was read from.
type definedSet struct {
	set    *schema.Set
	tables map[string]definedTable // custom tables by physical name
}

// definedTable is a custom table and the text of its definition.
type definedTable struct {
	text  string
	table *schema.Table
}

// Schema reads the set of tables as the catalog has them now.
func (s *Store) Schema(ctx context.Context) (*schema.Set, error) {
	all, err := s.Pointers.All(ctx)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for name, location := range all {
		if schema.LookupTable(name) != nil {
			continue
		}
		text, err := s.definition(name, location)
		if err != nil {
			return nil, err
		}
		if text != "" {
			texts[name] = text
		}
	}
	return s.Defined(texts)
}

// definition gives the definition of a table that isn't built in, empty for
// another program's table in Wadi's catalog.
func (s *Store) definition(name, location string) (string, error) {
	s.mu.Lock()
	last, ok := s.definitions[name]
	s.mu.Unlock()
	if ok && last.location == location {
		return last.text, nil
	}
	meta, err := s.ReadMetadata(location)
	if err != nil {
		return "", fmt.Errorf("cannot read table %s: %w", name, err)
	}
	last = locatedText{location, meta.Properties()[DefinitionKey]}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.definitions == nil {
		s.definitions = map[string]locatedText{}
	}
	s.definitions[name] = last
	return last.text, nil
}

// locatedText is a definition and the metadata file it was read from.
type locatedText struct{ location, text string }

// Defined gives the set of tables with these definitions, by physical name. It
// reuses the tables whose definition is that of the last set.
func (s *Store) Defined(texts map[string]string) (*schema.Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.last
	same := last.set != nil && len(texts) == len(last.tables)
	tables := make(map[string]definedTable, len(texts))
	var custom []*schema.Table
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		d, ok := last.tables[name]
		if !ok || d.text != texts[name] {
			t, err := schema.ParseDefinition(texts[name])
			if err == nil && t.Name != name {
				err = fmt.Errorf("it defines %s", t.Name)
			}
			if err != nil {
				return nil, fmt.Errorf("table %s of the lake is none that can be asked: %w", name, err)
			}
			d, same = definedTable{texts[name], t}, false
		}
		tables[name] = d
		custom = append(custom, d.table)
	}
	if same {
		return last.set, nil
	}
	set, err := schema.NewSet(custom...)
	if err != nil {
		return nil, fmt.Errorf("cannot read the lake's tables: %w", err)
	}
	s.last = definedSet{set: set, tables: tables}
	return set, nil
}

// Wadis tells whether a table is one of Wadi's: built in, or custom by its
// definition.
func (t *Table) Wadis() bool {
	return schema.LookupTable(t.Name) != nil || t.Meta.Properties()[DefinitionKey] != ""
}

var errRedefined = errors.New("it was defined anew meanwhile: try again")

// redefine gives the update that writes a table's definition, after a look at the
// one it had: only a new table, or the next version with all columns it had, is
// written. The commit fails when the table has changed in between.
func (st *stage) redefine() ([]table.Update, error) {
	t := st.change.Table
	if st.base.Location == "" {
		return nil, nil // newTable has written it
	}
	text := st.base.Meta.Properties()[DefinitionKey]
	if text == "" {
		return nil, folder.Refuse(folder.CodeNothingDone, "", "another program has a table of that name in the catalog")
	}
	old, err := schema.ParseDefinition(text)
	if err != nil {
		return nil, err
	}
	if old.Custom != t.Custom || old.Version+1 != t.Version || len(old.Columns) >= len(t.Columns) || !slices.EqualFunc(old.Columns, t.Columns[:len(old.Columns)], sameColumn) {
		return nil, folder.Refuse(folder.CodeNothingDone, "see 'wadi table list'", "%w", errRedefined)
	}
	return []table.Update{table.NewSetPropertiesUpdate(iceberg.Properties{DefinitionKey: t.Definition()})}, nil
}

// sameColumn tells whether two columns are the same in the files.
func sameColumn(a, b schema.Column) bool {
	return a.FieldID == b.FieldID && a.Name == b.Name && a.KQL == b.KQL && a.Born == b.Born
}
