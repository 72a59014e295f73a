package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/apache/iceberg-go/table"
)

// Bounds of the upkeep.
const (
	// deletionDelay is how long files that left the tables stay: the longest
	// question, and a minute for clocks and slow starts.
	deletionDelay = LongestDeadline + time.Minute
	// snapshotsWorthExpiring is how many outdated snapshots are worth a commit.
	snapshotsWorthExpiring = 4
	// reserveFrom is the size of a lake from which there is a reserve.
	reserveFrom = 1 << 30
	// reserveBytes is what an expiry of a large lake writes: manifests, lists,
	// metadata and the state's log.
	reserveBytes = 32 << 20
)

// Upkeep keeps the metadata small: forgets outdated snapshots, removes files that
// nothing needs any more, compacts small files when it is due, and empties the
// databases' logs. It removes no rows. It may be called at any time, also while
// streams come in.
func (w *Writer) Upkeep(ctx context.Context) error {
	err := w.compactDue(ctx)
	if err == nil {
		err = w.upkeep(ctx, snapshotsWorthExpiring)
	}
	if err == nil {
		err = w.makeReserve(ctx)
	}
	if err == nil {
		err = errors.Join(w.dropRequests(ctx), w.sweepHot())
	}
	if err != nil {
		return explain(fmt.Errorf("cannot keep the lake up: %w", err))
	}
	return nil
}

func (w *Writer) upkeep(ctx context.Context, worth int) error {
	w.commits.Lock()
	defer w.commits.Unlock()
	if w.broken != nil {
		return w.broken
	}
	if err := w.expireSnapshots(ctx, worth); err != nil {
		return err
	}
	if err := w.sweep(ctx, deletionDelay); err != nil {
		return err
	}
	return errors.Join(w.state.Checkpoint(ctx), w.store.pointers.Checkpoint(ctx))
}

// expireSnapshots forgets snapshots that no reader can be at any more. Those that
// a tag or branch of another program names stay.
func (w *Writer) expireSnapshots(ctx context.Context, worth int) error {
	if parts, err := w.state.Parts(ctx); err != nil || len(parts) > 0 {
		return err // a part that is still to be settled is looked for in the snapshots
	}
	tables, err := w.store.load(ctx)
	if err != nil {
		return err
	}
	set, err := w.Schema(ctx)
	if err != nil {
		return err
	}
	before := w.opts.Now().Add(-deletionDelay).UnixMilli()
	var changes []change
	for _, t := range set.Tables() {
		have := tables[t.Name]
		if have == nil || have.meta.CurrentSnapshot() == nil {
			continue
		}
		if drop := outdatedSnapshots(have.meta, before); len(drop) >= worth {
			// A new snapshot of the same files takes the place of all of them: a
			// change without a snapshot would be dated by another clock.
			changes = append(changes, change{table: t, op: table.OpReplace, id: "upkeep/" + w.mark.UUID, drop: drop})
		}
	}
	return w.store.commit(ctx, w.opts.Now(), changes)
}

// outdatedSnapshots gives the snapshots that may go when the table gets a new one;
// none when only the current one could.
func outdatedSnapshots(m table.Metadata, before int64) (ids []int64) {
	named := map[int64]bool{}
	for name, ref := range m.Refs() {
		if name != table.MainBranch {
			named[ref.SnapshotID] = true
		}
	}
	current := m.CurrentSnapshot()
	others := false
	for _, s := range m.Snapshots() {
		if !named[s.SnapshotID] && s.TimestampMs < before {
			ids = append(ids, s.SnapshotID)
			others = others || s.SnapshotID != current.SnapshotID
		}
	}
	if !others {
		return nil
	}
	return ids
}

// ownFile matches the files the lake makes; others in a table's folder are never
// touched.
var ownFile = regexp.MustCompile(`^([0-9a-f]{32}_[0-9]+_[0-9]+_v[0-9]+\.parquet|[0-9]{5,}-[0-9a-f-]{36}\.gz\.metadata\.json|snap-[0-9]+-[0-9a-f-]{36}\.avro|[0-9a-f-]{36}-m0\.avro)$`)

// sweep removes files of the tables' folders that no metadata names, once no
// reader can need them: when no pin is older and the delay has passed. The caller
// holds commits; files of a rewrite that goes on beside it are left alone.
func (w *Writer) sweep(ctx context.Context, delay time.Duration) error {
	named, err := w.store.named(ctx)
	if err != nil {
		return err
	}
	present, err := w.store.list()
	if err != nil {
		return err
	}
	garbage, err := w.state.Garbage(ctx)
	if err != nil {
		return err
	}
	now := w.opts.Now()
	writing, err := w.prefixes(ctx)
	if err != nil {
		return err
	}
	oldest, pinned, err := oldestPin(w.opts.fs, filepath.Join(w.dir, tempName, pinsName), now)
	if err != nil {
		return err
	}
	var add, forget []string
	for rel := range present {
		if _, known := garbage[rel]; !known && !named[rel] && ownFile.MatchString(filepath.Base(rel)) && !hasPrefix(filepath.Base(rel), writing) {
			add = append(add, rel)
		}
	}
	for _, rel := range add {
		garbage[rel] = now.UnixMicro()
	}
	for rel, since := range garbage {
		if named[rel] || !present[rel] {
			forget = append(forget, rel)
			continue
		}
		if now.UnixMicro() < since+delay.Microseconds() || pinned && oldest <= since {
			continue
		}
		if err := w.opts.fs.Remove(w.store.path(rel)); err != nil {
			return fmt.Errorf("cannot remove a file that nothing needs: %w", err)
		}
		forget = append(forget, rel)
	}
	return w.state.SetGarbage(ctx, add, now.UnixMicro(), forget)
}

// prefixes begin the names of files that are being written.
func (w *Writer) prefixes(ctx context.Context) ([]string, error) {
	parts, err := w.state.Parts(ctx)
	var all []string
	for _, p := range parts {
		all = append(all, partPrefix(p.ID))
	}
	return all, err
}

func hasPrefix(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// named gives every file that the metadata of some table names, in any snapshot,
// relative to the folder of the tables.
func (s *store) named(ctx context.Context) (map[string]bool, error) {
	tables, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	all, seen := map[string]bool{}, map[string]bool{}
	note := func(loc string) {
		if rel, ok := s.relative(loc); ok {
			all[rel] = true
		}
	}
	for _, t := range tables {
		note(t.location)
		for e := range t.meta.PreviousFiles() {
			note(e.MetadataFile)
		}
		for f := range t.meta.Statistics() {
			note(f.StatisticsPath)
		}
		for _, snap := range t.meta.Snapshots() {
			note(snap.ManifestList)
			list, err := snap.Manifests(s)
			if err != nil {
				return nil, fmt.Errorf("cannot read the manifests of %s: %w", t.name, err)
			}
			for _, m := range list {
				if seen[m.FilePath()] {
					continue
				}
				seen[m.FilePath()] = true
				note(m.FilePath())
				for e, err := range m.Entries(s, true) {
					if err != nil {
						return nil, fmt.Errorf("cannot read manifest %s: %w", m.FilePath(), err)
					}
					note(e.DataFile().FilePath())
				}
			}
		}
	}
	return all, nil
}

// list gives every file in the tables' folders, relative to their folder.
func (s *store) list() (map[string]bool, error) {
	all := map[string]bool{}
	var walk func(rel string) error
	walk = func(rel string) error {
		names, err := s.fs.ReadDir(s.path(rel))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot list %s: %w", s.path(rel), err)
		}
		for _, e := range names {
			next := e.Name()
			if rel != "." {
				next = rel + "/" + next
			}
			if !e.IsDir() {
				all[next] = true
			} else if err := walk(next); err != nil {
				return err
			}
		}
		return nil
	}
	return all, walk(".")
}

// makeReserve makes the file that a full disk can be relieved of, for a lake that
// is large enough to fill one.
func (w *Writer) makeReserve(ctx context.Context) error {
	tables, err := w.store.load(ctx)
	if err != nil {
		return err
	}
	size := int64(0)
	for _, t := range tables {
		files, err := w.store.files(t)
		if err != nil {
			return err
		}
		for i := range files {
			size += files[i].file.SizeBytes
		}
	}
	return w.reserve(size)
}

// reserve makes the reserve of a lake of that size, unless there is one.
func (w *Writer) reserve(size int64) error {
	path := filepath.Join(w.TempDir(), reserveName)
	if st, err := w.opts.fs.Stat(path); size < reserveFrom || err == nil && st.Size() >= reserveBytes {
		return nil
	}
	if err := w.opts.fs.Remove(path); err != nil {
		return fmt.Errorf("cannot make the reserve: %w", err)
	}
	f, err := w.opts.fs.Create(path)
	if err == nil {
		// Random bytes: zeros may take no space.
		_, err = io.CopyN(f, rand.NewChaCha8([32]byte{}), reserveBytes)
		if err == nil {
			err = f.Sync()
		}
		err = errors.Join(err, f.Close())
	}
	if err == nil {
		return nil
	}
	// A disk too full for the reserve is no reason to fail an import that is done.
	w.opts.Log.Warn("cannot make the reserve for a full disk", "error", err)
	return w.opts.fs.Remove(path)
}

// freeReserve gives the reserve back to the disk.
func (w *Writer) freeReserve() error {
	if err := w.opts.fs.Remove(filepath.Join(w.TempDir(), reserveName)); err != nil {
		return fmt.Errorf("cannot free the reserve: %w", err)
	}
	return nil
}
