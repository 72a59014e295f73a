package store

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
)

// rebase writes the table's metadata anew for the store's root and gives its
// location.
func (st *stage) rebase() (string, error) {
	base := st.base.Meta
	for name := range base.Refs() {
		if name != table.MainBranch {
			return "", fmt.Errorf("another program keeps the branch or tag %q, whose files would be lost: remove it there first", name)
		}
	}
	b, err := table.MetadataBuilderFromBase(base, "")
	if err != nil {
		return "", err
	}
	if err := b.SetLoc(st.store.tableLocation(st.base.Name)); err != nil {
		return "", err
	}
	b.TrimMetadataLogs(0)
	var old []int64
	for _, s := range base.Snapshots() {
		old = append(old, s.SnapshotID)
	}
	for s := range base.Statistics() {
		if err := b.RemoveStatistics(s.SnapshotID); err != nil {
			return "", err
		}
	}
	if snap := base.CurrentSnapshot(); snap != nil {
		next, err := st.rebasedSnapshot(base, snap)
		if err != nil {
			return "", err
		}
		err = errors.Join(b.AddSnapshot(next), b.SetSnapshotRef(table.MainBranch, next.SnapshotID, table.BranchRef), b.RemoveSnapshots(old, false))
		if err != nil {
			return "", err
		}
	}
	next, err := b.Build()
	if err != nil {
		return "", err
	}
	data, err := packMetadata(next)
	if err != nil {
		return "", err
	}
	return st.write(fmt.Sprintf("%05d-%s.gz.metadata.json", metadataVersion(st.base.Location)+1, uuid.NewString()), data)
}

// rebasedSnapshot writes one snapshot with all live files, named in the new folder.
func (st *stage) rebasedSnapshot(base table.Metadata, parent *table.Snapshot) (*table.Snapshot, error) {
	files, err := st.store.snapshotFiles(st.base, parent)
	if err != nil {
		return nil, err
	}
	bySpec := map[int32][]Listed{}
	for _, f := range files {
		bySpec[f.spec] = append(bySpec[f.spec], f)
	}
	id, seq := newSnapshotID(), base.LastSequenceNumber()+1
	var list []iceberg.ManifestFile
	for specID, group := range bySpec {
		spec := base.PartitionSpecByID(int(specID))
		if spec == nil {
			return nil, fmt.Errorf("its partition spec %d is unknown", specID)
		}
		m, err := st.manifest(base, *spec, id, func(w *iceberg.ManifestWriter) error {
			for _, f := range group {
				e, err := st.rebasedEntry(*spec, f)
				if err != nil {
					return err
				}
				if err := w.Existing(e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	var buf bytes.Buffer
	if err := iceberg.WriteManifestList(2, &buf, id, nil, &seq, 0, list); err != nil {
		return nil, fmt.Errorf("cannot write a manifest list: %w", err)
	}
	loc, err := st.write(fmt.Sprintf("snap-%d-%s.avro", id, uuid.NewString()), buf.Bytes())
	if err != nil {
		return nil, err
	}
	st.change.Op = table.OpReplace
	st.change.ID = "relocate/" + uuid.NewString()
	schemaID := base.CurrentSchema().ID
	return &table.Snapshot{
		SnapshotID: id, SequenceNumber: seq, TimestampMs: max(st.now.UnixMilli(), parent.TimestampMs, base.LastUpdatedMillis()),
		ManifestList: loc, Summary: st.summary(parent, nil), SchemaID: &schemaID,
	}, nil
}

// rebasedEntry is a manifest's entry with the file's present name.
func (st *stage) rebasedEntry(spec iceberg.PartitionSpec, f Listed) (iceberg.ManifestEntry, error) {
	d := f.entry.DataFile()
	loc, err := st.store.Location(f.File.Path)
	if err != nil {
		return nil, err
	}
	logical := map[int]string{}
	for i := range spec.NumFields() {
		switch field := spec.Field(i); field.Transform.(type) {
		case iceberg.DayTransform:
			logical[field.FieldID] = "date"
		case iceberg.MonthTransform:
		default:
			return nil, fmt.Errorf("another program partitioned it by %s: rewrite the table there first", field.Transform)
		}
	}
	b, err := iceberg.NewDataFileBuilder(spec, iceberg.EntryContentData, loc, d.FileFormat(), d.Partition(), logical, nil, d.Count(), d.FileSizeBytes())
	if err != nil {
		return nil, fmt.Errorf("cannot describe %s: %w", f.File.Path, err)
	}
	b.ColumnSizes(d.ColumnSizes()).ValueCounts(d.ValueCounts()).NullValueCounts(d.NullValueCounts())
	b.LowerBoundValues(d.LowerBoundValues()).UpperBoundValues(d.UpperBoundValues())
	if n := d.NaNValueCounts(); len(n) > 0 {
		b.NaNValueCounts(n)
	}
	if s := d.SplitOffsets(); len(s) > 0 {
		b.SplitOffsets(s)
	}
	snap, seq := f.entry.SnapshotID(), f.entry.SequenceNum()
	return iceberg.NewManifestEntry(iceberg.EntryStatusEXISTING, &snap, &seq, f.entry.FileSequenceNum(), b.Build()), nil
}

// Rebase writes a table's metadata anew for the store's root and gives its location.
func (s *Store) Rebase(now time.Time, t *Table) (string, error) {
	st := stage{store: s, now: now, base: t}
	return st.rebase()
}
