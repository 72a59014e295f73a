package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Case is a label under which logs are kept together.
type Case struct {
	ID    int64
	Label string
	// Days is the case's own retention; nil is that of the table, 0 for ever.
	Days *int64
}

// Cases gives all cases; the one without a label has id 0.
func (s *State) Cases(ctx context.Context) ([]Case, error) {
	var all []Case
	err := s.query(ctx, func(rows *sql.Rows) error {
		var c Case
		err := rows.Scan(&c.ID, &c.Label, &c.Days)
		all = append(all, c)
		return err
	}, "SELECT id, label, days FROM cases ORDER BY id")
	return all, err
}

// CaseID gives the id of a label; ok is false when no log has it.
func (s *State) CaseID(ctx context.Context, label string) (id int64, ok bool, err error) {
	err = s.db.sql.QueryRowContext(ctx, "SELECT id FROM cases WHERE label = ?", label).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("cannot read a case from the state: %w", err)
	}
	return id, true, nil
}

// SourceCases gives the case id of every source.
func (s *State) SourceCases(ctx context.Context) (map[int32]int64, error) {
	all := map[int32]int64{}
	err := s.query(ctx, func(rows *sql.Rows) error {
		var id int32
		var c int64
		err := rows.Scan(&id, &c)
		all[id] = c
		return err
	}, "SELECT s.id, l.case_id FROM sources s JOIN logs l ON l.n = s.log")
	return all, err
}

// FileRow is what the state knows of a data file.
type FileRow struct {
	CaseID int64
	SHA256 [32]byte
}

// Files gives all known data files by path relative to the folder lake.
func (s *State) Files(ctx context.Context) (map[string]FileRow, error) {
	all := map[string]FileRow{}
	err := s.query(ctx, func(rows *sql.Rows) error {
		var path string
		var f FileRow
		var sum []byte
		if err := rows.Scan(&path, &f.CaseID, &sum); err != nil {
			return err
		}
		if len(sum) != len(f.SHA256) {
			return fmt.Errorf("the checksum of %s has %d bytes", path, len(sum))
		}
		copy(f.SHA256[:], sum)
		all[path] = f
		return nil
	}, "SELECT path, case_id, sha256 FROM files")
	return all, err
}

// Retention gives the days by table; a table that is absent is kept for ever.
func (s *State) Retention(ctx context.Context) (map[string]int64, error) {
	all := map[string]int64{}
	err := s.query(ctx, func(rows *sql.Rows) error {
		var name string
		var days int64
		err := rows.Scan(&name, &days)
		all[name] = days
		return err
	}, "SELECT table_name, days FROM retention")
	return all, err
}

// Hold is a legal hold: rows it covers are not removed, whatever else says so.
type Hold struct {
	ID int64 `json:"id"`
	// Table is the table's name, empty for all; Case the label of a case, nil for
	// all rows.
	Table  string  `json:"table"`
	Case   *string `json:"case"`
	Reason string  `json:"reason"`
	// SinceUS is when it was set, µs since 1970.
	SinceUS int64 `json:"since_us"`
}

// Change is a change of settings that is applied with a part (PartRow.Changes), so
// that it and its row of wadi_audit come together. Exactly one field is set.
type Change struct {
	Table      *TableDays `json:"table,omitempty"`
	Case       *CaseDays  `json:"case,omitempty"`
	AddHold    *Hold      `json:"add_hold,omitempty"`
	RemoveHold int64      `json:"remove_hold,omitempty"`
	AddToken   *Token     `json:"add_token,omitempty"`
	EndToken   *TokenEnd  `json:"end_token,omitempty"`
}

// TableDays sets the retention of a table; 0 is for ever.
type TableDays struct {
	Name string `json:"name"`
	Days int64  `json:"days"`
}

// CaseDays sets the retention of a case; nil is that of the table, 0 for ever.
type CaseDays struct {
	Label string `json:"label"`
	Days  *int64 `json:"days"`
}

func (c Change) apply(ctx context.Context, tx *sql.Tx) error {
	var err error
	switch {
	case c.Table != nil && c.Table.Days == 0:
		_, err = tx.ExecContext(ctx, "DELETE FROM retention WHERE table_name = ?", c.Table.Name)
	case c.Table != nil:
		_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO retention VALUES (?, ?)", c.Table.Name, c.Table.Days)
	case c.Case != nil:
		_, err = tx.ExecContext(ctx, "UPDATE cases SET days = ? WHERE label = ?", c.Case.Days, c.Case.Label)
	case c.AddHold != nil:
		h := c.AddHold
		_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO holds (id, table_name, case_label, reason, since_us) VALUES (?, ?, ?, ?, ?)", h.ID, h.Table, h.Case, h.Reason, h.SinceUS)
	case c.AddToken != nil:
		err = addToken(ctx, tx, c.AddToken)
	case c.EndToken != nil:
		err = revokeToken(ctx, tx, c.EndToken)
	default:
		_, err = tx.ExecContext(ctx, "DELETE FROM holds WHERE id = ?", c.RemoveHold)
	}
	return err
}

// Holds gives all holds.
func (s *State) Holds(ctx context.Context) ([]Hold, error) {
	var all []Hold
	err := s.query(ctx, func(rows *sql.Rows) error {
		var h Hold
		err := rows.Scan(&h.ID, &h.Table, &h.Case, &h.Reason, &h.SinceUS)
		all = append(all, h)
		return err
	}, "SELECT id, table_name, case_label, reason, since_us FROM holds ORDER BY id")
	return all, err
}

// Garbage gives the files that no metadata names any more, with the time since.
func (s *State) Garbage(ctx context.Context) (map[string]int64, error) {
	all := map[string]int64{}
	err := s.query(ctx, func(rows *sql.Rows) error {
		var path string
		var us int64
		err := rows.Scan(&path, &us)
		all[path] = us
		return err
	}, "SELECT path, since_us FROM garbage")
	return all, err
}

// SetGarbage adds files to the garbage and takes others out of it.
func (s *State) SetGarbage(ctx context.Context, add []string, sinceUS int64, forget []string) error {
	if len(add) == 0 && len(forget) == 0 {
		return nil
	}
	return s.change(ctx, "garbage", func(tx *sql.Tx) error {
		for _, p := range add {
			if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO garbage VALUES (?, ?)", p, sinceUS); err != nil {
				return err
			}
		}
		for _, p := range forget {
			if _, err := tx.ExecContext(ctx, "DELETE FROM garbage WHERE path = ?", p); err != nil {
				return err
			}
		}
		return nil
	})
}

// Span is a range of _IngestedAt (µs, inclusive) of rows of a case that exist.
type Span struct {
	CaseID int64
	Lo, Hi int64
}

// KeyCut names keys that may go: those of a case and kind whose rows were stored
// before a moment (_IngestedAt in µs).
type KeyCut struct {
	CaseID   int64
	Kind     KeyKind
	BeforeUS int64
}

// DropKeys removes keys whose rows have expired: those under a cut that no span
// covers. Keys of rows that a person deleted stay until then.
func (s *State) DropKeys(ctx context.Context, cuts []KeyCut, alive []Span) (dropped int64, err error) {
	err = s.change(ctx, "drop keys", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "CREATE TEMP TABLE IF NOT EXISTS alive (case_id INTEGER, lo INTEGER, hi INTEGER)"); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM alive"); err != nil {
			return err
		}
		for _, a := range alive {
			if _, err := tx.ExecContext(ctx, "INSERT INTO alive VALUES (?, ?, ?)", a.CaseID, a.Lo, a.Hi); err != nil {
				return err
			}
		}
		for _, c := range cuts {
			res, err := tx.ExecContext(ctx, `DELETE FROM keys WHERE case_id = ? AND kind = ? AND us < ? AND NOT EXISTS
				(SELECT 1 FROM alive a WHERE a.case_id = keys.case_id AND keys.us BETWEEN a.lo AND a.hi)`, c.CaseID, c.Kind, c.BeforeUS)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			dropped += n
		}
		return nil
	})
	return dropped, err
}
