package lake

import (
	"context"
	"fmt"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/ledger"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// Hold is a legal hold: rows it covers are not removed, whatever else says so.
type Hold = catalog.Hold

// Case is a label under which logs are kept together, with its own retention.
type Case = catalog.Case

// Settings are the rules by which rows are kept.
type Settings struct {
	// Days is the retention by table; a table that is absent is kept for ever.
	Days  map[string]int64
	Cases []Case
	Holds []Hold
}

// settings reads all rules.
func settings(ctx context.Context, s *catalog.State) (r Settings, err error) {
	if r.Days, err = s.Retention(ctx); err != nil {
		return r, err
	}
	if r.Cases, err = s.Cases(ctx); err != nil {
		return r, err
	}
	r.Holds, err = s.Holds(ctx)
	return r, err
}

// Settings gives the rules by which rows are kept.
func (w *Writer) Settings(ctx context.Context) (Settings, error) { return settings(ctx, w.state) }

// Settings gives the rules by which rows are kept; those of an empty lake are
// empty.
func (l *Lake) Settings(ctx context.Context) (Settings, error) {
	s, err := l.openState(ctx)
	if err != nil || s == nil {
		return Settings{Days: map[string]int64{}}, err
	}
	r, err := settings(ctx, s)
	if err2 := s.Close(); err == nil {
		err = err2
	}
	return r, err
}

// find gives the table that the user names, nil when there is none.
func (w *Writer) find(ctx context.Context, name string) (*schema.Table, error) {
	set, err := w.Schema(ctx)
	if err != nil {
		return nil, err
	}
	return set.Find(name), nil
}

// SetRetention sets how many days the rows of a table are kept; 0 is for ever.
// Rows are removed by Expire only.
func (w *Writer) SetRetention(ctx context.Context, tableName string, days int64) error {
	t, err := w.find(ctx, tableName)
	if err != nil {
		return err
	}
	if t == nil {
		return folder.Refuse(folder.CodeUsage, "see 'wadi lake stats' for the tables", "cannot set the retention of %q: there is no such table", tableName)
	}
	tableName = t.Name
	if days < 0 {
		return folder.Refuse(folder.CodeUsage, "use a number of days or 'forever'", "cannot keep %s for %d days", tableName, days)
	}
	a := &ledger.Action{Action: "retention", Table: tableName, Detail: map[string]any{"days": days}}
	return w.setting(ctx, a, func(int64) []catalog.Change {
		return []catalog.Change{{Table: &catalog.TableDays{Name: tableName, Days: days}}}
	})
}

// SetCaseRetention sets how many days the rows of a case are kept, whatever their
// table says; 0 is for ever, nil what the table says.
func (w *Writer) SetCaseRetention(ctx context.Context, label string, days *int64) error {
	if err := w.knownCase(ctx, label); err != nil {
		return err
	}
	if days != nil && *days < 0 {
		return folder.Refuse(folder.CodeUsage, "use a number of days or 'forever'", "cannot keep case %s for %d days", label, *days)
	}
	a := &ledger.Action{Action: "retention", Object: "case " + label, Detail: map[string]any{"days": days}}
	return w.setting(ctx, a, func(int64) []catalog.Change {
		return []catalog.Change{{Case: &catalog.CaseDays{Label: label, Days: days}}}
	})
}

// knownCase refuses a label that no log has.
func (w *Writer) knownCase(ctx context.Context, label string) error {
	_, ok, err := w.state.CaseID(ctx, label)
	if err == nil && (!ok || label == "") {
		err = folder.Refuse(folder.CodeUsage, "see 'wadi lake retention' for the cases", "cannot find case %q", label)
	}
	return err
}

// AddHold sets a legal hold on a table (empty: all tables) and a case (nil: all
// rows) and gives its number.
func (w *Writer) AddHold(ctx context.Context, tableName string, label *string, reason string) (int64, error) {
	if tableName != "" {
		t, err := w.find(ctx, tableName)
		if err != nil {
			return 0, err
		}
		if t == nil {
			return 0, folder.Refuse(folder.CodeUsage, "see 'wadi lake stats' for the tables", "cannot hold %q: there is no such table", tableName)
		}
		tableName = t.Name
	}
	object := "all rows"
	if label != nil {
		if err := w.knownCase(ctx, *label); err != nil {
			return 0, err
		}
		object = "case " + *label
	}
	h := Hold{Table: tableName, Case: label, Reason: reason, SinceUS: w.opts.Now().UnixMicro()}
	a := &ledger.Action{Action: "hold", Table: tableName, Object: object, Detail: map[string]any{"add": reason}}
	err := w.setting(ctx, a, func(n int64) []catalog.Change {
		h.ID = n
		return []catalog.Change{{AddHold: &h}}
	})
	return h.ID, err
}

// RemoveHold ends a hold.
func (w *Writer) RemoveHold(ctx context.Context, id int64) error {
	holds, err := w.state.Holds(ctx)
	if err != nil {
		return err
	}
	for _, h := range holds {
		if h.ID == id {
			a := &ledger.Action{Action: "hold", Table: h.Table, Object: fmt.Sprint(id), Detail: map[string]any{"remove": h.Reason}}
			return w.setting(ctx, a, func(int64) []catalog.Change { return []catalog.Change{{RemoveHold: id}} })
		}
	}
	return folder.Refuse(folder.CodeUsage, "see 'wadi lake hold list'", "cannot remove hold %d: there is none", id)
}

func (w *Writer) setting(ctx context.Context, a *ledger.Action, changes func(int64) []catalog.Change) error {
	if err := w.act(ctx, a, changes); err != nil {
		return folder.Explain(fmt.Errorf("cannot change the %s: %w", a.Action, err))
	}
	return nil
}

// held tells whether a hold covers rows of a table and case; caseID -1 is unknown
// and covered by every hold on a case.
func (r Settings) held(tableName string, caseID int64) bool {
	for _, h := range r.Holds {
		if h.Table != "" && h.Table != tableName {
			continue
		}
		if h.Case == nil || caseID < 0 || label(r.Cases, caseID) == *h.Case {
			return true
		}
	}
	return false
}

// days gives the retention of rows of a table and case; 0 is for ever. Wadi's own
// records aren't part of a case: the source of a row outlives the row.
func (r Settings) days(tableName string, caseID int64) int64 {
	switch tableName {
	case schema.Sources.Name, schema.Ledger.Name, schema.WadiAudit.Name:
		return r.Days[tableName]
	}
	for _, c := range r.Cases {
		if c.ID == caseID && c.Days != nil {
			return *c.Days
		}
	}
	return r.Days[tableName]
}
