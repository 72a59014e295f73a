package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// FindLog gives a log by its UUID; ok is false when the state doesn't know it.
func (s *State) FindLog(ctx context.Context, uuid string) (row LogRow, ok bool, err error) {
	err = s.db.sql.QueryRowContext(ctx, "SELECT n, uuid, door, case_id, last_part, last_us FROM logs WHERE uuid = ?", uuid).
		Scan(&row.N, &row.UUID, &row.Door, &row.CaseID, &row.LastPart, &row.LastUS)
	if errors.Is(err, sql.ErrNoRows) {
		return LogRow{}, false, nil
	}
	if err != nil {
		return LogRow{}, false, fmt.Errorf("cannot read a log from the state: %w", err)
	}
	return row, true, nil
}

// AdoptLog makes a log whose rows are in the lake already, with the number and
// _IngestedAt (µs) of its last part: the state was lost.
func (s *State) AdoptLog(ctx context.Context, uuid string, info LogInfo, lastPart, lastUS int64) (LogRow, error) {
	row, err := s.AddLog(ctx, uuid, info)
	if err != nil || lastPart == 0 && lastUS == 0 {
		return row, err
	}
	row.LastPart, row.LastUS = lastPart, lastUS
	return row, s.change(ctx, "adopt log", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE logs SET last_part = ?, last_us = ? WHERE n = ?", lastPart, lastUS, row.N)
		return err
	})
}

// LogsOf gives the UUIDs of the logs of a door, in the order they were made.
func (s *State) LogsOf(ctx context.Context, door string) ([]string, error) {
	var all []string
	err := s.query(ctx, func(rows *sql.Rows) error {
		var uuid string
		err := rows.Scan(&uuid)
		all = append(all, uuid)
		return err
	}, "SELECT uuid FROM logs WHERE door = ? ORDER BY n", door)
	return all, err
}

// ReserveSource gives a number to a log: it is never given again. A number that
// another log has is an error.
func (s *State) ReserveSource(ctx context.Context, log int64, id int32) error {
	return s.change(ctx, "reserve source", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO sources (id, log) VALUES (?, ?)", id, log); err != nil {
			return err
		}
		var owner int64
		if err := tx.QueryRowContext(ctx, "SELECT log FROM sources WHERE id = ?", id).Scan(&owner); err != nil {
			return err
		}
		if owner != log {
			return fmt.Errorf("source %d belongs to another log", id)
		}
		_, err := tx.ExecContext(ctx, "UPDATE meta SET value = max(value, ?) WHERE key = 'next_source'", int64(id)+1)
		return err
	})
}

// SourcesOf gives the numbers of a log's sources.
func (s *State) SourcesOf(ctx context.Context, log int64) (map[int32]bool, error) {
	all := map[int32]bool{}
	err := s.query(ctx, func(rows *sql.Rows) error {
		var id int32
		err := rows.Scan(&id)
		all[id] = true
		return err
	}, "SELECT id FROM sources WHERE log = ?", log)
	return all, err
}

// KeysOf gives all keys of a kind, of all cases, the oldest first.
func (s *State) KeysOf(ctx context.Context, kind KeyKind) ([]KeyEntry, error) {
	var all []KeyEntry
	err := s.query(ctx, func(rows *sql.Rows) error {
		k := KeyEntry{Kind: kind}
		var key, prefix []byte
		if err := rows.Scan(&key, &k.Count, &prefix, &k.Source, &k.FirstSeq, &k.US); err != nil {
			return err
		}
		if len(key) != len(k.Key) || len(prefix) != len(k.Prefix) {
			return fmt.Errorf("a key has %d bytes, its prefix %d", len(key), len(prefix))
		}
		copy(k.Key[:], key)
		copy(k.Prefix[:], prefix)
		all = append(all, k)
		return nil
	}, "SELECT key, count, prefix, source, seq, us FROM keys WHERE kind = ? ORDER BY us", kind)
	return all, err
}

// DropRequests forgets keys of requests that were seen before a moment (µs), and the
// oldest of those beyond a number.
func (s *State) DropRequests(ctx context.Context, beforeUS, most int64) error {
	var due bool
	if err := s.db.sql.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM keys WHERE kind = 4 AND us < ?)
		OR (SELECT count(*) FROM keys WHERE kind = 4) > ?`, beforeUS, most).Scan(&due); err != nil {
		return fmt.Errorf("cannot read the state: %w", err)
	}
	if !due {
		return nil
	}
	return s.change(ctx, "drop requests", func(tx *sql.Tx) error {
		// Those seen in the very moment of the one at the bound go with it. The kind is
		// written out, so that the index serves.
		_, err := tx.ExecContext(ctx, `DELETE FROM keys WHERE kind = 4 AND us < max(?,
			coalesce((SELECT us + 1 FROM keys WHERE kind = 4 ORDER BY us DESC LIMIT 1 OFFSET ?), 0))`, beforeUS, most)
		return err
	})
}

// RaiseNext makes sure that the next source and the next own row have at least
// these numbers: the state was lost, the lake wasn't.
func (s *State) RaiseNext(ctx context.Context, source, row int64) error {
	return s.change(ctx, "raise next", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE meta SET value = max(value, CASE key WHEN 'next_source' THEN ? ELSE ? END) WHERE key IN ('next_source', 'next_row')", source, row)
		return err
	})
}
