package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// EvidenceRow is an entry of the chain of evidence (package evidence): its number,
// its body as it was hashed, and its head.
type EvidenceRow struct {
	N    int64    `json:"n"`
	Body []byte   `json:"body"`
	Head [32]byte `json:"head"`
}

// LastEvidence gives the last entry; ok is false when there is none yet.
func (s *State) LastEvidence(ctx context.Context) (row EvidenceRow, ok bool, err error) {
	var head []byte
	err = s.db.sql.QueryRowContext(ctx, "SELECT n, body, head FROM evidence ORDER BY n DESC LIMIT 1").Scan(&row.N, &row.Body, &head)
	if errors.Is(err, sql.ErrNoRows) {
		return EvidenceRow{}, false, nil
	}
	if err == nil && len(head) != len(row.Head) {
		err = fmt.Errorf("the head of entry %d has %d bytes", row.N, len(head))
	}
	if err != nil {
		return EvidenceRow{}, false, fmt.Errorf("cannot read the chain of evidence: %w", err)
	}
	copy(row.Head[:], head)
	return row, true, nil
}

// AddEvidence adds an entry that comes with no part.
func (s *State) AddEvidence(ctx context.Context, row EvidenceRow) error {
	return s.change(ctx, "evidence", func(tx *sql.Tx) error { return addEvidence(ctx, tx, &row) })
}

// addEvidence adds an entry; a second time it does nothing, and another entry of its
// number is an error.
func addEvidence(ctx context.Context, tx *sql.Tx, row *EvidenceRow) error {
	var have []byte
	err := tx.QueryRowContext(ctx, "SELECT head FROM evidence WHERE n = ?", row.N).Scan(&have)
	switch {
	case err == nil && string(have) == string(row.Head[:]):
		return nil
	case err == nil:
		return fmt.Errorf("the chain of evidence has another entry %d", row.N)
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO evidence (n, body, head) VALUES (?, ?, ?)", row.N, row.Body, row.Head[:])
	return err
}

// Evidence calls fn for every entry in the order of their numbers, as they were when
// it was called. A state that is older than the chain has none.
func (s *State) Evidence(ctx context.Context, fn func(EvidenceRow) error) error {
	var tables int
	err := s.db.sql.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'evidence'").Scan(&tables)
	if err != nil {
		return fmt.Errorf("cannot read the chain of evidence: %w", err)
	}
	if tables == 0 {
		return nil
	}
	return s.query(ctx, func(rows *sql.Rows) error {
		var row EvidenceRow
		var head []byte
		if err := rows.Scan(&row.N, &row.Body, &head); err != nil {
			return err
		}
		copy(row.Head[:], head) // one of another length fits no entry
		return fn(row)
	}, "SELECT n, body, head FROM evidence ORDER BY n")
}
