package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/ledger"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// Stats are the figures of a lake.
type Stats struct {
	Tables []TableStats `json:"tables"`
	// Rows and Files are over all tables; FolderBytes is everything in the data
	// folder, databases and metadata too.
	Rows        int64 `json:"rows"`
	Files       int   `json:"files"`
	FolderBytes int64 `json:"folder_bytes"`
}

// TableStats are the figures of one table.
type TableStats struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
	Files int    `json:"files"`
	// Bytes are those of the data files.
	Bytes int64 `json:"bytes"`
	// Days is how many days the stored rows' _IngestedAt span, in whole
	// partitions; First and Last bound TimeGenerated, empty when that is unknown.
	Days  int    `json:"days"`
	First string `json:"first,omitempty"`
	Last  string `json:"last,omitempty"`
	// Snapshots and Manifests are Iceberg's.
	Snapshots int `json:"snapshots"`
}

// BytesPerRow is the size of a row in the data files.
func (s TableStats) BytesPerRow() float64 {
	if s.Rows == 0 {
		return 0
	}
	return float64(s.Bytes) / float64(s.Rows)
}

// statsDeadline is how long looking at metadata may take.
const statsDeadline = folder.LongestDeadline

// Stats gives the figures of the lake. It opens no data file.
func (l *Lake) Stats(ctx context.Context) (Stats, error) {
	r, err := l.Pin(ctx, statsDeadline)
	if err != nil {
		return Stats{}, err
	}
	out, err := r.stats()
	if err == nil {
		out.FolderBytes, err = folderBytes(l.opts.fs, l.dir)
	}
	return out, errors.Join(err, r.Close())
}

func (r *ReadPoint) stats() (Stats, error) {
	var out Stats
	set, err := r.Schema()
	if err != nil {
		return out, err
	}
	for _, t := range set.Tables() {
		files, err := r.committed(t)
		if err != nil {
			return out, err
		}
		if len(files.Files) == 0 {
			continue
		}
		s := TableStats{Table: t.Name, Rows: files.Rows, Files: len(files.Files), Snapshots: len(r.tables[t.Name].Meta.Snapshots())}
		days := map[int64]bool{}
		var first, last int64
		bounded := false
		for _, f := range files.Files {
			s.Bytes += f.SizeBytes
			if lo, _, ok := ingested(t, f); ok {
				days[store.FloorDiv(lo, 24*3600*1_000_000)] = true
			}
			if c := t.Column("TimeGenerated"); c != nil {
				lo, ok1 := number(f.Bounds[c.FieldID].Min)
				hi, ok2 := number(f.Bounds[c.FieldID].Max)
				if ok1 && ok2 {
					if !bounded {
						first, last, bounded = lo, hi, true
					}
					first, last = min(first, lo), max(last, hi)
				}
			}
		}
		s.Days = len(days)
		if bounded {
			s.First, s.Last = event.FromUnixMicros(first).String(), event.FromUnixMicros(last).String()
		}
		out.Tables = append(out.Tables, s)
		out.Rows += s.Rows
		out.Files += s.Files
	}
	return out, nil
}

// folderBytes adds up the sizes of all files in a folder.
func folderBytes(f folder.FS, dir string) (int64, error) {
	names, err := f.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("cannot add up %s: %w", dir, err)
	}
	sum := int64(0)
	for _, e := range names {
		if e.IsDir() {
			n, err := folderBytes(f, filepath.Join(dir, e.Name()))
			if err != nil {
				return 0, err
			}
			sum += n
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // a reader's pin that is gone
		}
		if err != nil {
			return 0, fmt.Errorf("cannot add up %s: %w", dir, err)
		}
		sum += info.Size()
	}
	return sum, nil
}

// Account is what became of the records of one source.
type Account = ledger.Account

// Accounts adds the ledger up by source: what each brought, and what was dropped
// as duplicate or damaged.
func (l *Lake) Accounts(ctx context.Context) ([]Account, error) {
	r, err := l.Pin(ctx, folder.LongestDeadline)
	if err != nil {
		return nil, err
	}
	accounts, err := r.accounts(ctx)
	return accounts, errors.Join(err, r.Close())
}

func (r *ReadPoint) accounts(ctx context.Context) ([]Account, error) {
	var in [2][]datafile.Input
	for i, t := range []*schema.Table{schema.Sources, schema.Ledger} {
		files, err := r.committed(t)
		if err != nil {
			return nil, err
		}
		for _, f := range files.Files {
			in[i] = append(in[i], datafile.Input{Path: f.Path, SizeBytes: f.SizeBytes})
		}
	}
	return ledger.Accounts(ctx, in[0], in[1])
}

// maxVerifyTime is how long the check of a large lake may take: its pin protects
// the files so long.
const maxVerifyTime = 24 * time.Hour

// Fault is one thing that Verify found wrong.
type Fault struct {
	// Table is the table's name, empty for the folder itself.
	Table string `json:"table,omitempty"`
	// Path is the file, Reason what is wrong with it.
	Path   string `json:"path"`
	Reason string `json:"reason"`
	// Day and Held say what was in the file: when its rows came in, and its row groups
	// with their ranges of _Seq, where the chain of evidence knows them.
	Day  string   `json:"day,omitempty"`
	Held []string `json:"held,omitempty"`
	// Orphan tells that the file is only unused: no fault of the data.
	Orphan bool `json:"orphan,omitempty"`
}

// Verified counts what Verify looked at.
type Verified struct {
	Files int   `json:"files"`
	Rows  int64 `json:"rows"`
	Bytes int64 `json:"bytes"`
	// Unsummed files have no known checksum: another program wrote them, or the
	// state was lost.
	Unsummed int `json:"unsummed"`
	Faults   int `json:"faults"`
	Orphans  int `json:"orphans"`
}

// sortedKeys gives a map's keys in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
