package schema

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Set is the tables and views of one lake: the built-in ones, then its custom
// tables by name. It is immutable and safe for concurrent use.
type Set struct {
	tables  []*Table
	views   []*View
	byTable map[string]*Table
	byView  map[string]*View
}

// builtin is the set without custom tables.
var builtin = sync.OnceValue(func() *Set { return newSet(Tables(), Views()) })

// Builtin gives the set without custom tables.
func Builtin() *Set { return builtin() }

func newSet(tables []*Table, views []*View) *Set {
	s := &Set{tables: tables, views: views, byTable: make(map[string]*Table, len(tables)), byView: make(map[string]*View, len(views))}
	for _, t := range tables {
		s.byTable[t.Name] = t
	}
	for _, v := range views {
		s.byView[v.Name] = v
	}
	return s
}

// NewSet gives the built-in tables and views and those of custom tables, which are
// sorted by name. Two tables of one name, also such that differ only by case, are
// an error, and more than [MaxCustomTables].
func NewSet(custom ...*Table) (*Set, error) {
	if len(custom) == 0 {
		return Builtin(), nil
	}
	if len(custom) > MaxCustomTables {
		return nil, fmt.Errorf("there are %d custom tables; %d are the most a lake has", len(custom), MaxCustomTables)
	}
	custom = slices.Clone(custom)
	slices.SortFunc(custom, func(a, b *Table) int { return strings.Compare(a.Name, b.Name) })
	tables, views := Tables(), Views()
	for i, t := range custom {
		if i > 0 && custom[i-1].Name == t.Name {
			if custom[i-1].Custom == t.Custom {
				return nil, fmt.Errorf("there is a table %s already", t.Custom)
			}
			return nil, fmt.Errorf("the tables %s and %s differ only by case", custom[i-1].Custom, t.Custom)
		}
		if LookupTable(t.Name) != nil {
			return nil, fmt.Errorf("%s is a built-in table", t.Name)
		}
		tables, views = append(tables, t), append(views, CustomView(t))
	}
	return newSet(tables, views), nil
}

// Tables gives all tables, the built-in ones first. The slice is the caller's, the
// tables are not to be changed.
func (s *Set) Tables() []*Table { return slices.Clone(s.tables) }

// Views gives all views, the built-in ones first. The slice is the caller's, the
// views are not to be changed.
func (s *Set) Views() []*View { return slices.Clone(s.views) }

// Custom gives the custom tables by name.
func (s *Set) Custom() []*Table { return slices.Clone(s.tables[len(builtin().tables):]) }

// LookupTable gives the table of that exact physical name, nil when there is none.
func (s *Set) LookupTable(name string) *Table { return s.byTable[name] }

// LookupView gives the view of that exact name, nil when there is none.
func (s *Set) LookupView(name string) *View { return s.byView[name] }

// Find gives the table of a physical name or of a custom table's name in KQL,
// nil when there is none: what a person may write for a table to be kept,
// expired or held.
func (s *Set) Find(name string) *Table {
	if t := s.byTable[name]; t != nil {
		return t
	}
	if v := s.byView[name]; v != nil && v.Table.Custom == name {
		return v.Table
	}
	return nil
}
