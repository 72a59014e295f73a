package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/wadi-project/wadi/internal/ledger"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/folder"

	"github.com/wadi-project/wadi/internal/lake/store"
)

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
		if set, err = l.store.Schema(ctx); !errors.Is(err, fs.ErrNotExist) {
			return set, err
		}
	}
	return nil, fmt.Errorf("cannot read the lake's tables: %w", err)
}

// Schema gives the tables and views as they were at the read point.
func (r *ReadPoint) Schema() (*schema.Set, error) {
	texts := map[string]string{}
	for name, t := range r.tables {
		if text := t.Meta.Properties()[store.DefinitionKey]; text != "" && schema.LookupTable(name) == nil {
			texts[name] = text
		}
	}
	if len(texts) == 0 {
		return schema.Builtin(), nil
	}
	return r.store.Defined(texts)
}

// CreateTable makes custom tables (schema.ParseCustom), one after another up to the
// first that fails; each is recorded in wadi_audit. A table whose name is taken, also by one that differs
// only by case, is refused, and too many are.
func (w *Writer) CreateTable(ctx context.Context, tables ...*schema.Table) error {
	w.acts.Lock()
	defer w.acts.Unlock()
	for _, t := range tables {
		if err := w.define(ctx, t, nil); err != nil {
			return folder.Explain(fmt.Errorf("cannot make table %s: %w", t.Custom, err))
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
		return nil, folder.Refuse(folder.CodeUsage, "see 'wadi table list'", "cannot alter table %s: there is no such table", name)
	}
	next, _, err := schema.AddColumns(t, columns)
	if err != nil {
		return nil, folder.Refuse(folder.CodeUsage, "", "%w", err)
	}
	if err := w.define(ctx, next, t); err != nil {
		return nil, folder.Explain(fmt.Errorf("cannot alter table %s: %w", t.Custom, err))
	}
	return next, nil
}

// define writes a table's definition; from is the form it had, nil for a new one.
// The caller holds acts.
func (w *Writer) define(ctx context.Context, t, from *schema.Table) error {
	if t.Custom == "" {
		return folder.Refuse(folder.CodeUsage, "", "it is no custom table")
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
		return folder.Refuse(folder.CodeNothingDone, "see 'wadi table list'", "%w", err)
	}
	return nil
}
