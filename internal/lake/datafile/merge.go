package datafile

import (
	"context"
	"errors"
)

// MergeStats counts what a Merge did.
type MergeStats struct {
	// Read and Dropped are rows: all that were read, and those keep refused.
	Read, Dropped int64
	// Resorted tells that an input was not in order and everything was sorted anew.
	Resorted bool
}

// Merge rewrites data files of cfg.Table as one sorted stream: compaction, and the
// deletion of rows that keep refuses (nil keeps all; it is called once per row
// from one goroutine at a time, and may see a row twice when Resorted). Inputs may
// have different columns and older schema versions; a field that the table
// doesn't know is an error, because the rewrite would lose it. Inputs stay as they
// are. Each input is checked to be in order while it is read; one that isn't makes
// Merge begin again with a full sort. On an error no files are returned and those
// made are handed to out.Discard.
func Merge(ctx context.Context, cfg SorterConfig, inputs []Input, out Output, keep func(Row) bool) ([]File, MergeStats, error) {
	return nil, MergeStats{}, errors.New("cannot merge: not built yet")
}
