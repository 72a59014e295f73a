package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// StateFormat is the version of state.db's tables. History:
//
//	1  the first.
//	2  keys of streams, with moments of their own in prepared parts.
const StateFormat = 2

// stateSchema: docs/formats/state.md explains every table.
const stateSchema = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT OR IGNORE INTO meta VALUES ('format', 2), ('next_source', 1), ('next_row', 1), ('generation', 0);
CREATE TABLE IF NOT EXISTS cases (id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE, days INTEGER);
INSERT OR IGNORE INTO cases VALUES (0, '', NULL);
CREATE TABLE IF NOT EXISTS logs (n INTEGER PRIMARY KEY, uuid TEXT NOT NULL, door TEXT NOT NULL, case_id INTEGER NOT NULL,
  last_part INTEGER NOT NULL, last_us INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sources (id INTEGER PRIMARY KEY, log INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS parts (id TEXT PRIMARY KEY, log INTEGER NOT NULL, prepared INTEGER NOT NULL, body BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (case_id INTEGER NOT NULL, kind INTEGER NOT NULL, key BLOB NOT NULL,
  count INTEGER NOT NULL, prefix BLOB NOT NULL, source INTEGER NOT NULL, seq INTEGER NOT NULL, us INTEGER NOT NULL,
  PRIMARY KEY (case_id, kind, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS requests ON keys (us) WHERE kind = 4;
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, case_id INTEGER NOT NULL, sha256 BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS garbage (path TEXT PRIMARY KEY, since_us INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retention (table_name TEXT PRIMARY KEY, days INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holds (id INTEGER PRIMARY KEY, table_name TEXT NOT NULL, case_label TEXT, reason TEXT NOT NULL, since_us INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS evidence (n INTEGER PRIMARY KEY, body BLOB NOT NULL, head BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (name TEXT PRIMARY KEY, sha256 BLOB NOT NULL, scopes TEXT NOT NULL, ids TEXT NOT NULL,
  created_us INTEGER NOT NULL, expires_us INTEGER NOT NULL, revoked_us INTEGER NOT NULL) WITHOUT ROWID;`

// State is state.db: what the lake must remember beside the tables. It is safe
// for concurrent use.
type State struct{ db *db }

// OpenState opens state.db. One of an older format is read as it is and brought up to
// StateFormat when it is opened for writing.
func OpenState(ctx context.Context, path string, o Options) (*State, error) {
	d, err := open(ctx, path, o, stateSchema)
	if err != nil {
		return nil, err
	}
	s := &State{d}
	format, err := s.number(ctx, "format")
	if err == nil && format > StateFormat {
		err = fmt.Errorf("cannot use %s: its format is %d, this program knows formats up to %d", path, format, StateFormat)
	}
	if err == nil && format < StateFormat && !o.ReadOnly {
		// The statements above have made what is new.
		err = s.change(ctx, "upgrade", func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE meta SET value = ? WHERE key = 'format'", StateFormat)
			return err
		})
	}
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return s, nil
}

// Backup writes a consistent copy to a new file.
func (s *State) Backup(ctx context.Context, to string) error { return s.db.backup(ctx, to) }

// Checkpoint empties the write-ahead log.
func (s *State) Checkpoint(ctx context.Context) error { return s.db.checkpoint(ctx) }

// Close closes the database.
func (s *State) Close() error { return s.db.close() }

// Generation changes whenever a part is prepared or done: a copy of both
// databases is of one state when it is the same before and after.
func (s *State) Generation(ctx context.Context) (int64, error) { return s.number(ctx, "generation") }

func (s *State) number(ctx context.Context, key string) (int64, error) {
	var n int64
	if err := s.db.sql.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = ?", key).Scan(&n); err != nil {
		return 0, fmt.Errorf("cannot read %s from the state: %w", key, err)
	}
	return n, nil
}

// change runs fn in a transaction and counts the generation up.
func (s *State) change(ctx context.Context, op string, fn func(*sql.Tx) error) error {
	err := s.db.change(ctx, op, func(tx *sql.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE meta SET value = value + 1 WHERE key = 'generation'")
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot change the state (%s): %w", op, err)
	}
	return nil
}

// query runs a statement and calls scan for each row.
func (s *State) query(ctx context.Context, scan func(*sql.Rows) error, text string, args ...any) error {
	rows, err := s.db.sql.QueryContext(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("cannot read the state: %w", err)
	}
	for rows.Next() {
		if err := scan(rows); err != nil {
			return errors.Join(fmt.Errorf("cannot read the state: %w", err), rows.Close())
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("cannot read the state: %w", err)
	}
	return nil
}
