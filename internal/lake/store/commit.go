package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// Bounds of a commit.
const (
	// commitTries bounds how often a commit is built anew because another program
	// committed in between.
	commitTries = 5
	// MergeManifests is how many manifests a snapshot may have before they are
	// merged into one: planning reads each of them.
	MergeManifests = 16
	// maxMergedManifest is the size from which a manifest is left alone.
	maxMergedManifest = 8 << 20
)

// SummaryKey carries what a snapshot belongs to: "<log uuid>/<part>" of the part
// that made it.
const SummaryKey = "wadi.import"

// Added is a data file to be added: what its writer counted, and a moment of
// its partition (_IngestedAt of one of its rows, in µs).
type Added struct {
	datafile.File
	US int64
}

// Change is what a commit does to one table.
type Change struct {
	Table *schema.Table
	Add   []Added
	// Remove are locations of data files that leave the table.
	Remove map[string]bool
	// Drop are snapshots to be forgotten.
	Drop []int64
	// Op is append, overwrite, replace or delete; empty for no new snapshot.
	Op table.Operation
	// ID goes into the snapshot's summary.
	ID string
	// Props are properties of the table that change with it.
	Props iceberg.Properties
	// Unset are properties that the table loses.
	Unset []string
	// Evidence is what the summary says under evidenceKey; empty for what the
	// snapshot before says.
	Evidence string
	// Defines writes the table's definition: a custom table is made or altered.
	Defines bool
}

// Commit applies changes to some tables, all or none, and gives the new states of
// the tables changed. An error that wraps ErrUnknown leaves open whether it
// happened.
func (s *Store) Commit(ctx context.Context, now time.Time, changes []Change) error {
	var err error
	for range commitTries {
		if err = s.tryCommit(ctx, now, changes); !errors.Is(err, catalog.ErrMoved) {
			return err
		}
	}
	return err
}

// ErrUnknown says that a commit may have happened or not.
var ErrUnknown = errors.New("it isn't known whether the commit happened")

func (s *Store) tryCommit(ctx context.Context, now time.Time, changes []Change) (err error) {
	tables, err := s.Load(ctx)
	if err != nil {
		return err
	}
	var written []string
	defer func() {
		if err != nil && !errors.Is(err, ErrUnknown) {
			for _, p := range written {
				err = errors.Join(err, s.FS.Remove(p))
			}
		}
	}()
	var moves []catalog.Move
	var old []string
	for _, c := range changes {
		t := tables[c.Table.Name]
		if t == nil {
			if t, err = s.newTable(c.Table, now); err != nil {
				return err
			}
		}
		st := stage{store: s, now: now, base: t, change: c}
		loc, err := st.build()
		written = append(written, st.written...)
		if err != nil {
			return err
		}
		if loc == "" {
			continue
		}
		moves = append(moves, catalog.Move{Table: t.Name, From: t.Location, To: loc})
		old = append(old, st.outdated...)
	}
	if len(moves) == 0 {
		return nil
	}
	if err := s.Swap(ctx, moves); err != nil {
		return err
	}
	// Readers that are about to open an outdated metadata file look the pointer
	// up again; nothing else needs it.
	for _, loc := range old {
		_ = s.FS.Remove(s.local(loc)) // what stays is removed as garbage later
	}
	return nil
}

// Swap makes new metadata current and, when the database doesn't say, finds out
// whether it did.
func (s *Store) Swap(ctx context.Context, moves []catalog.Move) error {
	err := s.Pointers.Swap(ctx, moves)
	if err == nil || errors.Is(err, catalog.ErrMoved) {
		return err
	}
	all, again := s.Pointers.All(context.WithoutCancel(ctx))
	switch {
	case again != nil:
		return fmt.Errorf("%w: %w", ErrUnknown, errors.Join(err, again))
	case all[moves[0].Table] == moves[0].To:
		return nil
	}
	return err
}

// stage builds the next metadata of one table.
type stage struct {
	store  *Store
	now    time.Time
	base   *Table
	change Change

	written  []string // files made so far
	outdated []string // metadata files that the next one no longer names
}

// build writes everything but the pointer and gives the new metadata's location,
// empty when there is nothing to change.
func (st *stage) build() (string, error) {
	updates, err := evolve(st.base.Meta.CurrentSchema(), st.change.Table, highestSchema(st.base.Meta))
	if err != nil {
		return "", err
	}
	if st.change.Defines {
		more, err := st.redefine()
		if err != nil {
			return "", err
		}
		updates = append(updates, more...)
	}
	base := st.base.Meta
	if len(updates) > 0 {
		if base, err = undated(base); err == nil {
			base, err = table.UpdateTableMetadata(base, updates, "")
		}
		if err != nil {
			return "", fmt.Errorf("cannot add columns to %s: %w", st.base.Name, err)
		}
	}
	if len(st.change.Props) > 0 {
		updates = append(updates, table.NewSetPropertiesUpdate(st.change.Props))
	}
	if len(st.change.Unset) > 0 {
		updates = append(updates, table.NewRemovePropertiesUpdate(st.change.Unset))
	}
	if st.change.Op == "" && len(updates) > 0 && clockIsBehind(st.base.Meta) {
		st.change.Op = table.OpReplace // a snapshot of the same files dates the change
	}
	if st.change.Op != "" {
		more, err := st.snapshot(base)
		if err != nil {
			return "", err
		}
		updates = append(updates, more...)
	}
	if len(st.change.Drop) > 0 {
		updates = append(updates, table.NewRemoveSnapshotsUpdate(st.change.Drop, false))
	}
	if len(updates) == 0 && (!st.change.Defines || st.base.Location != "") {
		return "", nil
	}
	next := st.base.Meta
	if len(updates) > 0 {
		if next, err = table.UpdateTableMetadata(st.base.Meta, updates, st.base.Location); err != nil {
			return "", fmt.Errorf("cannot change table %s: %w", st.base.Name, err)
		}
	}
	if st.change.Op == "" { // else the snapshot dates it
		// A clock that was set back doesn't put the change before the one it follows.
		at := time.UnixMilli(max(st.now.UnixMilli(), st.base.Meta.LastUpdatedMillis()))
		if next, err = dated(next, at); err != nil {
			return "", fmt.Errorf("cannot change table %s: %w", st.base.Name, err)
		}
	}
	named := map[string]bool{}
	for e := range next.PreviousFiles() {
		named[e.MetadataFile] = true
	}
	for e := range st.base.Meta.PreviousFiles() {
		if !named[e.MetadataFile] {
			st.outdated = append(st.outdated, e.MetadataFile)
		}
	}
	data, err := packMetadata(next)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%05d-%s.gz.metadata.json", metadataVersion(st.base.Location)+1, uuid.NewString())
	return st.write(name, data)
}

// clockIsBehind tells that the machine's clock, by which the library dates changes
// that have no snapshot, was set back behind a table's last change: the library would
// refuse its own date.
func clockIsBehind(m table.Metadata) bool { return time.Now().UnixMilli() < m.LastUpdatedMillis() }

// undated gives metadata without the history that a date is compared with, when the
// clock is behind it. It is good for looking at what a change of columns makes.
func undated(m table.Metadata) (table.Metadata, error) {
	if !clockIsBehind(m) {
		return m, nil
	}
	return withFields(m, func(fields map[string]json.RawMessage) {
		delete(fields, "snapshot-log")
		delete(fields, "metadata-log")
	})
}

// write writes one metadata file and gives its location.
func (st *stage) write(name string, data []byte) (string, error) {
	p := filepath.Join(st.store.TableDir(st.base.Name), "metadata", name)
	st.written = append(st.written, p)
	if err := st.store.Write(p, data); err != nil {
		return "", err
	}
	return st.store.Location(p)
}

// snapshot writes manifests and their list and gives the updates that add the
// snapshot.
func (st *stage) snapshot(base table.Metadata) ([]table.Update, error) {
	parent := base.CurrentSnapshot()
	seq, ms := int64(1), st.now.UnixMilli()
	var parentID *int64
	if last := base.LastSequenceNumber(); last > 0 {
		seq = last + 1
	}
	if parent != nil {
		parentID = &parent.SnapshotID
		ms = max(ms, parent.TimestampMs)
	}
	ms = max(ms, st.base.Meta.LastUpdatedMillis())
	id := newSnapshotID()
	list, removed, err := st.manifests(base, parent, id)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if err := iceberg.WriteManifestList(2, &buf, id, parentID, &seq, 0, list); err != nil {
		return nil, fmt.Errorf("cannot write the manifest list of %s: %w", st.base.Name, err)
	}
	loc, err := st.write(fmt.Sprintf("snap-%d-%s.avro", id, uuid.NewString()), buf.Bytes())
	if err != nil {
		return nil, err
	}
	schemaID := base.CurrentSchema().ID
	snap := &table.Snapshot{
		SnapshotID: id, ParentSnapshotID: parentID, SequenceNumber: seq, TimestampMs: ms, ManifestList: loc,
		Summary: st.summary(parent, removed), SchemaID: &schemaID,
	}
	return []table.Update{
		table.NewAddSnapshotUpdate(snap),
		table.NewSetSnapshotRefUpdate(table.MainBranch, id, table.BranchRef, 0, 0, 0),
	}, nil
}

// manifests gives the manifests of the new snapshot: those of the parent that
// stay, rewritten ones, and one for the files added.
func (st *stage) manifests(base table.Metadata, parent *table.Snapshot, id int64) (list []iceberg.ManifestFile, removed []Listed, err error) {
	spec := base.PartitionSpec()
	if len(st.change.Add) > 0 {
		m, err := st.manifest(base, spec, id, func(w *iceberg.ManifestWriter) error {
			for _, f := range st.change.Add {
				d, err := st.store.describe(st.change.Table, spec, f.File, f.US)
				if err != nil {
					return err
				}
				if err := w.Add(iceberg.NewManifestEntry(iceberg.EntryStatusADDED, &id, nil, nil, d)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
		list = append(list, m)
	}
	if parent == nil {
		return list, nil, nil
	}
	old, err := parent.Manifests(st.store)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the manifests of %s: %w", st.base.Name, err)
	}
	var merge []iceberg.ManifestFile
	for _, m := range old {
		if len(old) >= MergeManifests && m.Length() < maxMergedManifest && m.ManifestContent() == iceberg.ManifestContentData && int(m.PartitionSpecID()) == spec.ID() {
			merge = append(merge, m)
			continue
		}
		kept, gone, err := st.without(base, id, m)
		if err != nil {
			return nil, nil, err
		}
		list, removed = append(list, kept...), append(removed, gone...)
	}
	kept, gone, err := st.without(base, id, merge...)
	if err != nil {
		return nil, nil, err
	}
	list, removed = append(list, kept...), append(removed, gone...)
	if len(removed) != len(st.change.Remove) {
		return nil, nil, fmt.Errorf("cannot replace files of %s: %d of %d are no longer in the table", st.base.Name, len(st.change.Remove)-len(removed), len(st.change.Remove))
	}
	return list, removed, nil
}

// without gives manifests that hold the live files of some manifests but for
// those to be removed; a single manifest that loses nothing stays as it is.
func (st *stage) without(base table.Metadata, id int64, from ...iceberg.ManifestFile) (list []iceberg.ManifestFile, gone []Listed, err error) {
	var keep []Listed
	for _, m := range from {
		if m.ManifestContent() != iceberg.ManifestContentData {
			return from, nil, nil
		}
		files, err := st.store.manifest(st.base, m)
		if err != nil {
			return nil, nil, err
		}
		for _, f := range files {
			if st.change.Remove[f.Loc] {
				gone = append(gone, f)
			} else {
				keep = append(keep, f)
			}
		}
	}
	if len(from) <= 1 && len(gone) == 0 {
		return from, nil, nil
	}
	spec := base.PartitionSpecByID(int(from[0].PartitionSpecID()))
	if spec == nil {
		return nil, nil, fmt.Errorf("cannot rewrite a manifest of %s: its partition spec is unknown", st.base.Name)
	}
	m, err := st.manifest(base, *spec, id, func(w *iceberg.ManifestWriter) error {
		for _, f := range keep {
			if err := w.Existing(f.entry); err != nil {
				return err
			}
		}
		for _, f := range gone {
			if err := w.Delete(f.entry); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return []iceberg.ManifestFile{m}, gone, nil
}

// manifest writes one manifest.
func (st *stage) manifest(base table.Metadata, spec iceberg.PartitionSpec, id int64, fill func(*iceberg.ManifestWriter) error) (iceberg.ManifestFile, error) {
	var buf bytes.Buffer
	w, err := iceberg.NewManifestWriter(2, &buf, spec, base.CurrentSchema(), id)
	if err == nil {
		err = fill(w)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot write a manifest of %s: %w", st.base.Name, err)
	}
	loc, err := st.write(uuid.NewString()+"-m0.avro", buf.Bytes())
	if err != nil {
		return nil, err
	}
	m, err := w.ToManifestFile(loc, int64(buf.Len()))
	if err != nil {
		return nil, fmt.Errorf("cannot write a manifest of %s: %w", st.base.Name, err)
	}
	return m, nil
}

// summary counts what the snapshot changes (Iceberg spec, appendix F).
func (st *stage) summary(parent *table.Snapshot, removed []Listed) *table.Summary {
	p := iceberg.Properties{}
	if st.change.ID != "" {
		p[SummaryKey] = st.change.ID
	}
	if text := st.change.Evidence; text != "" {
		p[EvidenceKey] = text
	} else if parent != nil && parent.Summary != nil && parent.Summary.Properties[EvidenceKey] != "" {
		p[EvidenceKey] = parent.Summary.Properties[EvidenceKey]
	}
	var files, rows, size, goneFiles, goneRows, goneSize int64
	for _, f := range st.change.Add {
		files, rows, size = files+1, rows+f.Rows, size+f.SizeBytes
	}
	for _, f := range removed {
		goneFiles, goneRows, goneSize = goneFiles+1, goneRows+f.File.Rows, goneSize+f.File.SizeBytes
	}
	set := func(key string, n int64) {
		if n > 0 {
			p[key] = strconv.FormatInt(n, 10)
		}
	}
	set("added-data-files", files)
	set("added-records", rows)
	set("added-files-size", size)
	set("deleted-data-files", goneFiles)
	set("deleted-records", goneRows)
	set("removed-files-size", goneSize)
	set("changed-partition-count", min(files+goneFiles, 1))
	totals := map[string]int64{"total-data-files": files - goneFiles, "total-records": rows - goneRows, "total-files-size": size - goneSize, "total-delete-files": 0, "total-position-deletes": 0, "total-equality-deletes": 0}
	for _, key := range slices.Sorted(maps.Keys(totals)) {
		n := totals[key]
		if parent != nil && parent.Summary != nil {
			if old, err := strconv.ParseInt(parent.Summary.Properties[key], 10, 64); err == nil {
				n += old
			}
		}
		p[key] = strconv.FormatInt(n, 10)
	}
	return &table.Summary{Operation: st.change.Op, Properties: p}
}

// newSnapshotID gives a random positive number, as the spec advises.
func newSnapshotID() int64 {
	u := uuid.New()
	id := int64(0)
	for i := range 8 {
		id = id<<8 | int64(u[i]^u[i+8])
	}
	if id &= 1<<63 - 1; id == 0 {
		return 1
	}
	return id
}

// highestSchema is the highest schema id in use.
func highestSchema(m table.Metadata) int {
	id := 0
	for _, s := range m.Schemas() {
		id = max(id, s.ID)
	}
	return id
}

// metadataVersion reads the number a metadata file's name begins with; -1 for
// none.
func metadataVersion(location string) int {
	name := location[strings.LastIndexByte(location, '/')+1:]
	n, _, _ := strings.Cut(name, "-")
	if v, err := strconv.Atoi(n); err == nil {
		return v
	}
	return -1
}

// HasCommit tells whether one of a table's snapshots carries the id.
func HasCommit(t *Table, id string) bool {
	for _, s := range t.Meta.Snapshots() {
		if s.Summary != nil && s.Summary.Properties[SummaryKey] == id {
			return true
		}
	}
	return false
}

// EvidenceKey carries, in a snapshot's summary, number and head of the last entry of
// the chain of evidence that knows the snapshot's files: "<n> <head>".
const EvidenceKey = "wadi.evidence"
