package bind

import (
	"strings"
	"sync"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// tableRows is a stored table in a plan: scan, the view's filter above it, the
// lookups and computed columns above that. Columns are added as they are used.
type tableRows struct {
	b     *binder
	table *schema.Table
	scan  *plan.Scan
	// refs and exprs are the stored columns in use, as they lie on disk and as KQL
	// sees them, by their position; made are the columns of the view.
	refs  []*plan.Ref
	exprs []plan.Expr
	view  []schema.ViewColumn
	made  []plan.Expr
	// extend holds computed columns; its From grows by lookups.
	extend  *plan.Extend
	lookups map[string]plan.Expr
	// fields are those of EventData in use, by their names.
	fields map[string]plan.Expr
}

// storedColumns are the table's columns as KQL sees them.
type storedColumns struct{ *tableRows }

func (t storedColumns) Column(at int) plan.Expr {
	if t.exprs[at] == nil {
		t.exprs[at] = t.stored(at)
	}
	return t.exprs[at]
}

// Column makes a column of the view.
func (t *tableRows) Column(at int) plan.Expr {
	if t.made[at] == nil {
		t.made[at] = t.viewColumn(&t.view[at])
	}
	return t.made[at]
}

// StoredColumn finds a stored column by its name, nil when there is none.
func (t *tableRows) StoredColumn(name string) *expr.Column {
	i := t.table.Index(name)
	if i < 0 {
		return nil
	}
	c := t.storedAt(i)
	return &c
}

func (t *tableRows) storedAt(i int) expr.Column {
	c := &t.table.Columns[i]
	return expr.Column{Name: c.Name, Typ: c.KQL, Hidden: strings.HasPrefix(c.Name, "_"), At: int32(i), Of: storedColumns{t}}
}

// raw gives the column as it lies on disk.
func (t *tableRows) raw(index int) *plan.Ref {
	if r := t.refs[index]; r != nil {
		return r
	}
	c := &t.table.Columns[index]
	r := &plan.Ref{ID: t.b.NewID(), T: c.KQL, NotNull: c.Required}
	t.refs[index] = r
	t.scan.Columns = append(t.scan.Columns, plan.ScanColumn{ID: r.ID, Index: index})
	return r
}

// stored gives the column as KQL sees it.
func (t *tableRows) stored(index int) plan.Expr {
	c := &t.table.Columns[index]
	r := t.raw(index)
	switch {
	case c.KQL == schema.DateTime && c.Disk == schema.DiskTimestamptz:
		args := []plan.Expr{r}
		if sub := t.table.Index("_TimeSub"); c.Name == "TimeGenerated" && sub >= 0 {
			args = append(args, t.raw(sub))
		}
		return &plan.Call{Op: fn.StoredTicks, Args: args, T: schema.DateTime}
	case c.KQL == schema.String:
		return &plan.Call{Op: fn.StoredText, Args: []plan.Expr{r}, T: schema.String}
	case c.KQL == schema.Dynamic: // text of any form: what is no JSON is a string
		return expr.GoCall("dyn_parse", &plan.Call{Op: fn.StoredText, Args: []plan.Expr{r}, T: schema.String})
	}
	return r
}

// table makes the relation of a table or view.
func (b *binder) table(s Source) *expr.Rows {
	table := s.Table
	if s.View != nil {
		table = s.View.Table
	}
	t := &tableRows{
		b: b, table: table, scan: &plan.Scan{Table: table}, lookups: map[string]plan.Expr{}, fields: map[string]plan.Expr{}, view: table.Computed,
		refs: make([]*plan.Ref, len(table.Columns)), exprs: make([]plan.Expr, len(table.Columns)),
	}
	if s.View != nil {
		t.view = s.View.Columns
	}
	t.made = make([]plan.Expr, len(t.view))
	var below plan.Node = t.scan
	if len(table.Columns) > 0 && table.Columns[0].FieldID == 0 {
		below = nil // nothing writes this table yet: it binds and is empty
	}
	t.extend = &plan.Extend{From: below}
	out := &expr.Rows{Node: t.extend}
	if s.View == nil {
		out.Cols = make([]expr.Column, 0, len(table.Columns)+len(t.view))
		for i := range table.Columns {
			out.Cols = append(out.Cols, t.storedAt(i))
		}
	} else {
		out.Cols = make([]expr.Column, 0, len(t.view))
		if s.View.Filter != "" && below != nil {
			pred := b.viewExpr(t, s.View.Filter, "the filter of "+s.View.Name)
			if pred.Type() != 0 {
				t.extend.From = &plan.Filter{From: below, Pred: pred}
			}
		}
	}
	if b.env.Within != "" && below != nil && table.Index("TimeGenerated") >= 0 {
		if pred := b.viewExpr(t, b.env.Within, "the time asked for"); pred.Type() != 0 {
			t.extend.From = &plan.Filter{From: t.extend.From, Pred: pred}
		}
	}
	for i := range t.view {
		c := &t.view[i]
		out.Cols = append(out.Cols, expr.Column{Name: c.Name, Typ: c.KQL, Hidden: c.Hidden, At: int32(i), Of: t})
	}
	if below == nil {
		return b.empty(out)
	}
	return out
}

// empty replaces a table that nothing writes yet by no rows of its columns.
func (b *binder) empty(r *expr.Rows) *expr.Rows {
	values := &plan.Values{}
	out := &expr.Rows{Node: values}
	for _, c := range r.Cols {
		ref := plan.Ref{ID: b.NewID(), T: c.Typ}
		values.Columns = append(values.Columns, ref)
		out.Cols = append(out.Cols, expr.Column{Name: c.Name, Typ: c.Typ, Hidden: c.Hidden, X: &ref})
	}
	return out
}

// viewColumn binds the definition of a view's column.
func (t *tableRows) viewColumn(c *schema.ViewColumn) plan.Expr {
	where := "column " + c.Name
	switch c.Kind {
	case schema.Stored:
		i := t.table.Index(c.Expr)
		if i < 0 {
			t.b.Fail(syntax.Span{}, "cannot bind "+where+": table "+t.table.Name+" has no column "+c.Expr, "")
			return expr.Bad()
		}
		return t.b.storedAs(t.stored(i), c.KQL)
	case schema.Computed:
		x := t.b.storedAs(t.b.viewExpr(t, c.Expr, where), c.KQL)
		if _, isRef := x.(*plan.Ref); isRef || x.Type() == 0 {
			return x
		}
		id := t.b.NewID()
		t.extend.Cols = append(t.extend.Cols, plan.Assign{ID: id, Expr: x})
		t.noteBag(id, x)
		return &plan.Ref{ID: id, T: c.KQL, NotNull: c.KQL == schema.String}
	case schema.Constant:
		return t.b.storedAs(t.b.viewExpr(t, c.Expr, where), c.KQL)
	}
	return expr.Null(c.KQL)
}

// storedAs converts a stored value to the type a view gives it; what doesn't fit
// is null.
func (b *binder) storedAs(x plan.Expr, typ schema.Type) plan.Expr {
	from := x.Type()
	if from == typ || from == 0 {
		return x
	}
	if c, ok := x.(*plan.Call); ok && from == schema.Dynamic && typ == schema.String {
		if c.Op == fn.SplitAt {
			return expr.StringOf(c)
		}
	}
	if from == schema.String && typ == schema.Dynamic {
		return expr.GoCall("dyn_parse", x)
	}
	if from == schema.String && typ == schema.Decimal {
		return &plan.Call{Op: fn.StoredCast, Args: []plan.Expr{x}, T: typ}
	}
	return expr.Convert(x, typ)
}

// definitions are the expressions of the schema's views, each parsed when it is
// first asked for.
var definitions = sync.OnceValue(func() map[string]func() (syntax.Expr, []syntax.Diagnostic) {
	all := map[string]func() (syntax.Expr, []syntax.Diagnostic){}
	for _, v := range schema.Views() {
		all[v.Filter] = sync.OnceValues(func() (syntax.Expr, []syntax.Diagnostic) { return syntax.ParseExpr(v.Filter) })
		for _, c := range v.Columns {
			all[c.Expr] = sync.OnceValues(func() (syntax.Expr, []syntax.Diagnostic) { return syntax.ParseExpr(c.Expr) })
		}
	}
	return all
})

// definition parses an expression of a view.
func definition(text string) (syntax.Expr, []syntax.Diagnostic) {
	if parsed := definitions()[text]; parsed != nil {
		return parsed()
	}
	return syntax.ParseExpr(text)
}

// viewExpr binds an expression of a view's definition.
func (b *binder) viewExpr(t *tableRows, text, where string) plan.Expr {
	x, diags := definition(text)
	if len(diags) > 0 {
		b.Fail(syntax.Span{}, "cannot read the definition of "+where+": "+diags[0].Error(), "")
		return expr.Bad()
	}
	inner := newBinder(b.env, text, b.Ids)
	inner.Clock, inner.internal = b.Clock, t
	inner.Rows = &expr.Rows{Node: t.scan, Stored: t}
	bound := inner.Scalar(x)
	if len(inner.Diags) > 0 {
		b.Fail(syntax.Span{}, "cannot bind the definition of "+where+": "+inner.Diags[0].Error(), "")
		return expr.Bad()
	}
	return bound
}

// lookup gives a column of table sources for the row's _Source.
func (t *tableRows) lookup(column string) plan.Expr {
	if x, ok := t.lookups[column]; ok {
		return x
	}
	x := t.newLookup(column)
	t.lookups[column] = x
	return x
}

func (t *tableRows) newLookup(name string) plan.Expr {
	sources := t.b.env.Tables("sources").Table
	if sources == nil {
		return expr.Null(schema.String)
	}
	key, value := sources.Index("_Source"), sources.Index(name)
	own := t.table.Index("_Source")
	if key < 0 || value < 0 || own < 0 {
		return expr.Null(schema.String)
	}
	l := &plan.Lookup{
		From: t.extend.From, Table: &plan.Scan{Table: sources}, Match: t.raw(own),
		Key:    plan.Ref{ID: t.b.NewID(), T: schema.Int},
		Value:  plan.Ref{ID: t.b.NewID(), T: schema.String},
		Result: t.b.NewID(),
	}
	l.Table.Columns = []plan.ScanColumn{{ID: l.Key.ID, Index: key}, {ID: l.Value.ID, Index: value}}
	t.extend.From = l
	raw := &plan.Ref{ID: l.Result, T: schema.String}
	return &plan.Call{Op: fn.StoredText, Args: []plan.Expr{raw}, T: schema.String}
}

// systemColumns are the stored columns wadi_system_xml takes, behind form and
// time, in its order.
var systemColumns = []string{
	"_SystemXml", "EventXml", "_SystemForm", "TimeGenerated", "_TimeSub", "Channel", "Provider", "ProviderGuid", "EventSourceName",
	"EventID", "Qualifiers", "Version", "Level", "Task", "Opcode", "Keywords", "EventRecordId", "ActivityId", "RelatedActivityId",
	"SystemProcessId", "SystemThreadId", "SystemUserId", "Computer",
}

// internalCall binds the functions that only views may use.
func (b *binder) internalCall(x *syntax.Call) plan.Expr {
	t := b.internal
	switch x.Name {
	case "__xml":
		call := &plan.Call{Op: fn.SystemXML, T: schema.String}
		for _, c := range systemColumns {
			i := t.table.Index(c)
			if i < 0 {
				return nil
			}
			call.Args = append(call.Args, t.raw(i))
		}
		return call
	case "__item_id":
		source, seq := t.table.Index("_Source"), t.table.Index("_Seq")
		if source < 0 || seq < 0 {
			return nil
		}
		return &plan.Call{Op: fn.ItemID, Args: []plan.Expr{t.raw(source), t.raw(seq)}, T: schema.String}
	case "__case":
		return t.lookup("Case")
	case "__source_file":
		return t.lookup("File")
	case "__source_host":
		return t.lookup("Host")
	}
	return b.eventDataCall(x)
}
