package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/apache/iceberg-go/table"

	"github.com/wadi-project/wadi/internal/lake/folder"

	"github.com/wadi-project/wadi/internal/lake/store"
)

// Bounds of the upkeep.
const (
	// deletionDelay is how long files that left the tables stay: the longest
	// question, and a minute for clocks and slow starts.
	deletionDelay = folder.LongestDeadline + time.Minute
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
		return folder.Explain(fmt.Errorf("cannot keep the lake up: %w", err))
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
	return errors.Join(w.state.Checkpoint(ctx), w.store.Pointers.Checkpoint(ctx))
}

// expireSnapshots forgets snapshots that no reader can be at any more. Those that
// a tag or branch of another program names stay.
func (w *Writer) expireSnapshots(ctx context.Context, worth int) error {
	if parts, err := w.state.Parts(ctx); err != nil || len(parts) > 0 {
		return err // a part that is still to be settled is looked for in the snapshots
	}
	tables, err := w.store.Load(ctx)
	if err != nil {
		return err
	}
	set, err := w.Schema(ctx)
	if err != nil {
		return err
	}
	before := w.opts.Now().Add(-deletionDelay).UnixMilli()
	var changes []store.Change
	for _, t := range set.Tables() {
		have := tables[t.Name]
		if have == nil || have.Meta.CurrentSnapshot() == nil {
			continue
		}
		if drop := outdatedSnapshots(have.Meta, before); len(drop) >= worth {
			// A new snapshot of the same files takes the place of all of them: a
			// change without a snapshot would be dated by another clock.
			changes = append(changes, store.Change{Table: t, Op: table.OpReplace, ID: "upkeep/" + w.mark.UUID, Drop: drop})
		}
	}
	return w.store.Commit(ctx, w.opts.Now(), changes)
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
	named, err := w.store.Named(ctx)
	if err != nil {
		return err
	}
	present, err := w.store.List()
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
	oldest, pinned, err := folder.OldestPin(w.opts.fs, filepath.Join(w.dir, folder.TempName, folder.PinsName), now)
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
		if err := w.opts.fs.Remove(w.store.Path(rel)); err != nil {
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

// makeReserve makes the file that a full disk can be relieved of, for a lake that
// is large enough to fill one.
func (w *Writer) makeReserve(ctx context.Context) error {
	tables, err := w.store.Load(ctx)
	if err != nil {
		return err
	}
	size := int64(0)
	for _, t := range tables {
		files, err := w.store.Files(t)
		if err != nil {
			return err
		}
		for i := range files {
			size += files[i].File.SizeBytes
		}
	}
	return w.reserve(size)
}

// reserve makes the reserve of a lake of that size, unless there is one.
func (w *Writer) reserve(size int64) error {
	path := filepath.Join(w.TempDir(), folder.ReserveName)
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
	if err := w.opts.fs.Remove(filepath.Join(w.TempDir(), folder.ReserveName)); err != nil {
		return fmt.Errorf("cannot free the reserve: %w", err)
	}
	return nil
}
