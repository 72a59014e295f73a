package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/wadi-project/wadi/internal/ledger"
	"github.com/wadi-project/wadi/internal/schema"
)

// definitionKey is the property of a custom table that holds its definition
// (schema.Table.Definition), so that a lake that lost its state still has them.
const definitionKey = "wadi.table"

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

// Schema gives the tables and views of the lake: the built-in ones and its custom
// tables. A set, and a table in it, stays the same value until a definition
// changes. What a Writer makes or alters is in it at once.
func (l *Lake) Schema(ctx context.Context) (*schema.Set, error) {
	if l.store == nil {
		return schema.Builtin(), nil
	}
	// Between the pointers and the metadata a writer may remove the metadata.
	var err error
	for range pinTries {
		var set *schema.Set
		if set, err = l.store.schema(ctx); !errors.Is(err, fs.ErrNotExist) {
			return set, err
		}
	}
	return nil, fmt.Errorf("cannot read the lake's tables: %w", err)
}

// schema reads the set of tables as the catalog has them now.
func (s *store) schema(ctx context.Context) (*schema.Set, error) {
	all, err := s.pointers.All(ctx)
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
	return s.defined(texts)
}

// Schema gives the tables and views as they were at the read point.
func (r *ReadPoint) Schema() (*schema.Set, error) {
	texts := map[string]string{}
	for name, t := range r.tables {
		if text := t.meta.Properties()[definitionKey]; text != "" && schema.LookupTable(name) == nil {
			texts[name] = text
		}
	}
	if len(texts) == 0 {
		return schema.Builtin(), nil
	}
	return r.store.defined(texts)
}

// definition gives the definition of a table that isn't built in, empty for
// another program's table in Wadi's catalog.
func (s *store) definition(name, location string) (string, error) {
	s.mu.Lock()
	last, ok := s.definitions[name]
	s.mu.Unlock()
	if ok && last.location == location {
		return last.text, nil
	}
	meta, err := s.readMetadata(location)
	if err != nil {
		return "", fmt.Errorf("cannot read table %s: %w", name, err)
	}
	last = locatedText{location, meta.Properties()[definitionKey]}
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

// defined gives the set of tables with these definitions, by physical name. It
// reuses the tables whose definition is that of the last set.
func (s *store) defined(texts map[string]string) (*schema.Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.last
	same := last.set != nil && len(texts) == len(last.tables)
	tables := make(map[string]definedTable, len(texts))
	var custom []*schema.Table
	for _, name := range sortedKeys(texts) {
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

// wadis tells whether a table is one of Wadi's: built in, or custom by its
// definition.
func (t *icebergTable) wadis() bool {
	return schema.LookupTable(t.name) != nil || t.meta.Properties()[definitionKey] != ""
}

// CreateTable makes custom tables (schema.ParseCustom), all or none; the act is
// recorded in wadi_audit. A table whose name is taken, also by one that differs
// only by case, is refused, and too many are.
func (w *Writer) CreateTable(ctx context.Context, tables ...*schema.Table) error {
	w.acts.Lock()
	defer w.acts.Unlock()
	for _, t := range tables {
		if err := w.define(ctx, t, nil); err != nil {
			return explain(fmt.Errorf("cannot make table %s: %w", t.Custom, err))
		}
	}
	return nil
}

// AlterTable adds columns, written as for schema.ParseCustom, to a custom table
// named as in KQL or by its physical name, and gives its new form. Rows stored
// before have no values in them. Parts that are being written go on with the form
// they know.
func (w *Writer) AlterTable(ctx context.Context, name, columns string) (*schema.Table, error) {
	w.acts.Lock()
	defer w.acts.Unlock()
	set, err := w.Schema(ctx)
	if err != nil {
		return nil, err
	}
	t := set.Find(name)
	if t == nil {
		return nil, refuse(codeUsage, "see 'wadi table list'", "cannot alter table %s: there is no such table", name)
	}
	next, _, err := schema.AddColumns(t, columns)
	if err != nil {
		return nil, refuse(codeUsage, "", "%w", err)
	}
	if err := w.define(ctx, next, t); err != nil {
		return nil, explain(fmt.Errorf("cannot alter table %s: %w", t.Custom, err))
	}
	return next, nil
}

// define writes a table's definition; from is the form it had, nil for a new one.
// The caller holds acts.
func (w *Writer) define(ctx context.Context, t, from *schema.Table) error {
	if t.Custom == "" {
		return refuse(codeUsage, "", "it is no custom table")
	}
	verb := "create"
	var columns []string
	for i := range t.Columns {
		if c := &t.Columns[i]; from == nil || c.Born > from.Version {
			columns = append(columns, c.Name+":"+c.KQL.String())
		}
	}
	if from != nil {
		verb = "alter"
	} else if err := w.vacantName(ctx, t); err != nil {
		return err
	}
	a := &ledger.Action{Action: "table", Table: t.Name, Object: t.Custom, Detail: map[string]any{verb: columns, "version": t.Version}}
	return w.replace(ctx, "", a, replacement{table: t, defines: true})
}

// vacantName refuses a table whose name is taken.
func (w *Writer) vacantName(ctx context.Context, t *schema.Table) error {
	set, err := w.Schema(ctx)
	if err != nil {
		return err
	}
	if _, err = schema.NewSet(append(set.Custom(), t)...); err != nil {
		return refuse(codeNothingDone, "see 'wadi table list'", "%w", err)
	}
	return nil
}

var errRedefined = errors.New("it was defined anew meanwhile: try again")

// redefine gives the update that writes a table's definition, after a look at the
// one it had: only a new table, or the next version with all columns it had, is
// written. The commit fails when the table has changed in between.
func (st *stage) redefine() ([]table.Update, error) {
	t := st.change.table
	if st.base.location == "" {
		return nil, nil // newTable has written it
	}
	text := st.base.meta.Properties()[definitionKey]
	if text == "" {
		return nil, refuse(codeNothingDone, "", "another program has a table of that name in the catalog")
	}
	old, err := schema.ParseDefinition(text)
	if err != nil {
		return nil, err
	}
	if old.Custom != t.Custom || old.Version+1 != t.Version || len(old.Columns) >= len(t.Columns) || !slices.EqualFunc(old.Columns, t.Columns[:len(old.Columns)], sameColumn) {
		return nil, refuse(codeNothingDone, "see 'wadi table list'", "%w", errRedefined)
	}
	return []table.Update{table.NewSetPropertiesUpdate(iceberg.Properties{definitionKey: t.Definition()})}, nil
}

// sameColumn tells whether two columns are the same in the files.
func sameColumn(a, b schema.Column) bool {
	return a.FieldID == b.FieldID && a.Name == b.Name && a.KQL == b.KQL && a.Born == b.Born
}
