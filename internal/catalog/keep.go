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

// SetCaseDays sets a case's own retention; nil takes it away.
func (s *State) SetCaseDays(ctx context.Context, id int64, days *int64) error {
	return s.change(ctx, "set retention", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE cases SET days = ? WHERE id = ?", days, id)
		return err
	})
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

// SetRetention sets a table's days; 0 is for ever.
func (s *State) SetRetention(ctx context.Context, table string, days int64) error {
	return s.change(ctx, "set retention", func(tx *sql.Tx) error {
		if days == 0 {
			_, err := tx.ExecContext(ctx, "DELETE FROM retention WHERE table_name = ?", table)
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO retention VALUES (?, ?)", table, days)
		return err
	})
}

// Hold is a legal hold: rows it covers are not removed, whatever else says so.
type Hold struct {
	ID int64
	// Table is the table's name, empty for all; Case the label of a case, nil for
	// all rows.
	Table  string
	Case   *string
	Reason string
	// SinceUS is when it was set, µs since 1970.
	SinceUS int64
}

// AddHold sets a hold and gives its number.
func (s *State) AddHold(ctx context.Context, h Hold) (id int64, err error) {
	err = s.change(ctx, "add hold", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "INSERT INTO holds (table_name, case_label, reason, since_us) VALUES (?, ?, ?, ?)", h.Table, h.Case, h.Reason, h.SinceUS)
		if err != nil {
			return err
		}
		id, err = res.LastInsertId()
		return err
	})
	return id, err
}

// RemoveHold removes a hold; ok is false when there is none of that number.
func (s *State) RemoveHold(ctx context.Context, id int64) (ok bool, err error) {
	err = s.change(ctx, "remove hold", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM holds WHERE id = ?", id)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		ok = n == 1
		return err
	})
	return ok, err
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

// DropKeys removes keys whose rows have expired: those older than their case's
// cutoff (_IngestedAt in µs by case id; a case that is absent keeps its keys) that
// no span covers. Keys of rows that a person deleted stay until then.
func (s *State) DropKeys(ctx context.Context, cutoff map[int64]int64, alive []Span) (dropped int64, err error) {
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
		for id, us := range cutoff {
			res, err := tx.ExecContext(ctx, `DELETE FROM keys WHERE case_id = ? AND us < ? AND NOT EXISTS
				(SELECT 1 FROM alive a WHERE a.case_id = keys.case_id AND keys.us BETWEEN a.lo AND a.hi)`, id, us)
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
