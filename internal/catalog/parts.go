package catalog

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// LogRow is a log as the state knows it.
type LogRow struct {
	N      int64
	UUID   string
	Door   string
	CaseID int64
	// LastPart and LastUS are number and _IngestedAt (µs) of the last part.
	LastPart, LastUS int64
}

// AddLog makes a log. Its case is made when it is new.
func (s *State) AddLog(ctx context.Context, uuid string, info LogInfo) (LogRow, error) {
	row := LogRow{UUID: uuid, Door: info.Door}
	err := s.change(ctx, "add log", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO cases (label) VALUES (?)", info.Case); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, "SELECT id FROM cases WHERE label = ?", info.Case).Scan(&row.CaseID); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, "INSERT INTO logs (uuid, door, case_id, last_part, last_us) VALUES (?, ?, ?, 0, 0)", uuid, info.Door, row.CaseID)
		if err != nil {
			return err
		}
		row.N, err = res.LastInsertId()
		return err
	})
	return row, err
}

// DropEmptyLog forgets a log that has no parts and no sources.
func (s *State) DropEmptyLog(ctx context.Context, n int64) error {
	return s.change(ctx, "drop log", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM logs WHERE n = ? AND last_part = 0
			AND NOT EXISTS (SELECT 1 FROM sources WHERE log = n) AND NOT EXISTS (SELECT 1 FROM parts WHERE log = n)`, n)
		return err
	})
}

// NextSource is the number the next source gets; sources of committed parts are
// below it.
func (s *State) NextSource(ctx context.Context) (int64, error) { return s.number(ctx, "next_source") }

// NextRow is the _Seq that the next of Wadi's own rows gets (_Source 0).
func (s *State) NextRow(ctx context.Context) (int64, error) { return s.number(ctx, "next_row") }

// TakeRow gives the number of the next of Wadi's own rows, and never again.
func (s *State) TakeRow(ctx context.Context) (n int64, err error) {
	err = s.change(ctx, "take row", func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, "UPDATE meta SET value = value + 1 WHERE key = 'next_row' RETURNING value - 1").Scan(&n)
	})
	return n, err
}

// PartFile is a data file of a part, enough to clean up after it and to keep its
// checksum.
type PartFile struct {
	// Path is relative to the folder lake, with slashes.
	Path   string   `json:"path"`
	CaseID int64    `json:"case"`
	SHA256 [32]byte `json:"sha256"`
}

// PartRow is a part on its way: what is done with it once its commit is found.
type PartRow struct {
	// ID is what the snapshots' summary carries, "<log uuid>/<part>".
	ID  string `json:"-"`
	Log int64  `json:"-"`
	// Prepared tells that all files are durable and the commit was begun.
	Prepared bool `json:"-"`

	Number int64 `json:"number"`
	// US is _IngestedAt in µs since 1970.
	US int64 `json:"us"`
	// CaseID is the case of Keys.
	CaseID int64 `json:"case"`
	// Tables have the commit's id in their snapshots when it happened.
	Tables  []string   `json:"tables"`
	Files   []PartFile `json:"files"`
	Sources []int32    `json:"sources"`
	Keys    []KeyEntry `json:"-"`
	// PackedKeys are Keys in the stored form, with the moment of each; OlderKeys
	// those of a part that format 1 left behind. Only this package uses them.
	PackedKeys []byte `json:"stamped_keys,omitempty"`
	OlderKeys  []byte `json:"keys,omitempty"`
	// NextRow is what NextRow is after the part.
	NextRow int64 `json:"next_row"`
	// Gone are paths (as PartFile's) that the commit takes out of the tables.
	Gone []string `json:"gone"`
	// Evidence is the part's entry of the chain of evidence; nil in parts that an
	// older program left behind.
	Evidence *EvidenceRow `json:"evidence,omitempty"`
	// Changes are settings that change with the part.
	Changes []Change `json:"changes,omitempty"`
}

// BeginPart notes that files of a part are being written.
func (s *State) BeginPart(ctx context.Context, id string, log int64) error {
	return s.change(ctx, "begin part", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO parts (id, log, prepared, body) VALUES (?, ?, 0, NULL)", id, log)
		return err
	})
}

// PreparePart notes that the part's files are durable and that its commit begins.
func (s *State) PreparePart(ctx context.Context, p PartRow) error {
	p.PackedKeys = packKeys(p.Keys)
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("cannot write down part %s: %w", p.ID, err)
	}
	return s.change(ctx, "prepare part", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO parts (id, log, prepared, body) VALUES (?, ?, 1, ?)", p.ID, p.Log, body)
		return err
	})
}

// FinishPart applies a part whose commit happened: its sources, keys and files,
// and forgets its row. Doing it twice does no harm.
func (s *State) FinishPart(ctx context.Context, p PartRow) error {
	return s.change(ctx, "finish part", func(tx *sql.Tx) error { return finishPart(ctx, tx, p) })
}

func finishPart(ctx context.Context, tx *sql.Tx, p PartRow) error {
	run := func(text string, args ...any) error { _, err := tx.ExecContext(ctx, text, args...); return err }
	for _, id := range p.Sources {
		if err := run("INSERT OR IGNORE INTO sources (id, log) VALUES (?, ?)", id, p.Log); err != nil {
			return err
		}
		if err := run("UPDATE meta SET value = max(value, ?) WHERE key = 'next_source'", int64(id)+1); err != nil {
			return err
		}
	}
	keys, err := tx.PrepareContext(ctx, "INSERT OR REPLACE INTO keys (case_id, kind, key, count, prefix, source, seq, us) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	for i := range p.Keys {
		k := &p.Keys[i]
		if _, err := keys.ExecContext(ctx, p.CaseID, k.Kind, k.Key[:], k.Count, k.Prefix[:], k.Source, k.FirstSeq, cmp.Or(k.US, p.US)); err != nil {
			return errors.Join(err, keys.Close())
		}
	}
	if err := keys.Close(); err != nil {
		return err
	}
	for i := range p.Files {
		f := &p.Files[i]
		if err := run("INSERT OR REPLACE INTO files (path, case_id, sha256) VALUES (?, ?, ?)", f.Path, f.CaseID, f.SHA256[:]); err != nil {
			return err
		}
	}
	for _, path := range p.Gone {
		if err := run("DELETE FROM files WHERE path = ?", path); err != nil {
			return err
		}
	}
	for _, c := range p.Changes {
		if err := c.apply(ctx, tx); err != nil {
			return err
		}
	}
	if p.Evidence != nil {
		if err := addEvidence(ctx, tx, p.Evidence); err != nil {
			return err
		}
	}
	if p.Log != 0 {
		if err := run("UPDATE logs SET last_part = max(last_part, ?), last_us = max(last_us, ?) WHERE n = ?", p.Number, p.US, p.Log); err != nil {
			return err
		}
	}
	if err := run("UPDATE meta SET value = max(value, ?) WHERE key = 'next_row'", p.NextRow); err != nil {
		return err
	}
	return run("DELETE FROM parts WHERE id = ?", p.ID)
}

// DropPart forgets a part whose commit did not happen.
func (s *State) DropPart(ctx context.Context, id string) error {
	return s.change(ctx, "drop part", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM parts WHERE id = ?", id)
		return err
	})
}

// Parts gives all parts on their way.
func (s *State) Parts(ctx context.Context) ([]PartRow, error) {
	var all []PartRow
	err := s.query(ctx, func(rows *sql.Rows) error {
		var p PartRow
		var id string
		var log int64
		var prepared bool
		var body []byte
		if err := rows.Scan(&id, &log, &prepared, &body); err != nil {
			return err
		}
		if len(body) > 0 {
			if err := json.Unmarshal(body, &p); err != nil {
				return fmt.Errorf("part %s: %w", id, err)
			}
			var err error
			if p.Keys, err = unpackKeys(p.PackedKeys, packedKey); err != nil {
				return fmt.Errorf("part %s: %w", id, err)
			}
			if p.OlderKeys != nil {
				if p.Keys, err = unpackKeys(p.OlderKeys, olderKey); err != nil {
					return fmt.Errorf("part %s: %w", id, err)
				}
			}
			p.PackedKeys, p.OlderKeys = nil, nil
		}
		p.ID, p.Log, p.Prepared = id, log, prepared
		all = append(all, p)
		return nil
	}, "SELECT id, log, prepared, body FROM parts ORDER BY log, id")
	return all, err
}

// Key looks a de-duplication key up.
func (s *State) Key(ctx context.Context, caseID int64, kind KeyKind, key [32]byte) (v KeyValue, ok bool, err error) {
	var prefix []byte
	err = s.db.sql.QueryRowContext(ctx, "SELECT count, prefix, source, seq FROM keys WHERE case_id = ? AND kind = ? AND key = ?",
		caseID, kind, key[:]).Scan(&v.Count, &prefix, &v.Source, &v.FirstSeq)
	if errors.Is(err, sql.ErrNoRows) {
		return KeyValue{}, false, nil
	}
	if err == nil && len(prefix) != len(v.Prefix) {
		err = fmt.Errorf("a prefix has %d bytes", len(prefix))
	}
	if err != nil {
		return KeyValue{}, false, fmt.Errorf("cannot read a key from the state: %w", err)
	}
	copy(v.Prefix[:], prefix)
	return v, true, nil
}

// packedKey is the size of one key in a prepared part: kind, key, count, prefix,
// source, first sequence number and moment, numbers little-endian. olderKey is that
// of format 1, which had no moment.
const (
	olderKey  = 1 + 32 + 8 + 32 + 4 + 8
	packedKey = olderKey + 8
)

func packKeys(keys []KeyEntry) []byte {
	if len(keys) == 0 {
		return nil
	}
	out := make([]byte, 0, len(keys)*packedKey)
	for i := range keys {
		k := &keys[i]
		out = append(out, byte(k.Kind))
		out = append(out, k.Key[:]...)
		out = binary.LittleEndian.AppendUint64(out, uint64(k.Count))
		out = append(out, k.Prefix[:]...)
		out = binary.LittleEndian.AppendUint32(out, uint32(k.Source))
		out = binary.LittleEndian.AppendUint64(out, uint64(k.FirstSeq))
		out = binary.LittleEndian.AppendUint64(out, uint64(k.US))
	}
	return out
}

func unpackKeys(data []byte, size int) ([]KeyEntry, error) {
	if len(data)%size != 0 {
		return nil, fmt.Errorf("its keys have %d bytes, not a multiple of %d", len(data), size)
	}
	keys := make([]KeyEntry, 0, len(data)/size)
	for ; len(data) > 0; data = data[size:] {
		k := KeyEntry{Kind: KeyKind(data[0])}
		copy(k.Key[:], data[1:])
		k.Count = int64(binary.LittleEndian.Uint64(data[33:]))
		copy(k.Prefix[:], data[41:])
		k.Source = int32(binary.LittleEndian.Uint32(data[73:]))
		k.FirstSeq = int64(binary.LittleEndian.Uint64(data[77:]))
		if size == packedKey {
			k.US = int64(binary.LittleEndian.Uint64(data[olderKey:]))
		}
		keys = append(keys, k)
	}
	return keys, nil
}
