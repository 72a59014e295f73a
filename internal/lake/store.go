package lake

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/wadi-project/wadi/internal/catalog"
)

// scheme begins every location in the metadata. What follows is the plain path:
// nothing is percent-encoded, because readers take it literally.
const scheme = "file://"

// maxMetadataBytes bounds one metadata.json, unpacked: a thousand snapshots of a
// table with 200 columns are 1 MB.
const maxMetadataBytes = 256 << 20

// store is the tables of a data folder: their metadata files and, through the
// catalog, which of them are current. It is safe for concurrent use.
type store struct {
	fs fsys
	// dir is the data folder, root the folder that locations in the metadata
	// begin with: the same unless the lake was moved.
	// former are further such folders while a relocation is under way.
	dir, root string
	former    []string
	pointers  *catalog.Pointers

	mu        sync.Mutex
	manifests map[string][]manifestFile // by location: what a manifest holds
	states    map[string]tableState     // by table: what a reader read last
	hot       map[string]map[int]Bound  // by name: bounds of hot files of this process

	definitions map[string]locatedText // of tables that aren't built in
	last        definedSet
}

// tableState is a table at one metadata file, and its files. It doesn't change.
type tableState struct {
	table *icebergTable
	files []manifestFile
}

// manifestFile is one data file as a manifest describes it.
type manifestFile struct {
	entry iceberg.ManifestEntry
	file  DataFile
	// loc is the file's location as it stands in the metadata.
	loc  string
	spec int32
}

// icebergTable is one state of a table. It doesn't change.
type icebergTable struct {
	name string
	meta table.Metadata
	// location of the metadata file, empty when the table isn't in the catalog yet.
	location string
}

// Open implements iceberg-go's IO for reading.
func (s *store) Open(location string) (iceio.File, error) { return s.fs.Open(s.local(location)) }

// Remove implements iceberg-go's IO; the lake removes files itself.
func (s *store) Remove(location string) error {
	return fmt.Errorf("cannot remove %s: the lake removes files itself", location)
}

// local gives the path of a location, wherever the lake lies now.
func (s *store) local(location string) string {
	p := strings.TrimPrefix(location, scheme)
	for _, root := range append([]string{s.root}, s.former...) {
		if rest, ok := strings.CutPrefix(p, filepath.ToSlash(root)+"/"); ok {
			return filepath.Join(s.dir, filepath.FromSlash(rest))
		}
	}
	return filepath.FromSlash(p)
}

// tableLocation is the location of a table's folder.
func (s *store) tableLocation(name string) string {
	return scheme + filepath.ToSlash(s.root) + "/lake/" + catalog.Namespace + "/" + name
}

// tableDir is the folder of a table.
func (s *store) tableDir(name string) string {
	return filepath.Join(s.dir, "lake", catalog.Namespace, name)
}

// relative gives a location relative to the folder lake/<namespace>, with slashes;
// ok is false for files that lie elsewhere.
func (s *store) relative(location string) (string, bool) {
	rel, err := filepath.Rel(filepath.Join(s.dir, "lake", catalog.Namespace), s.local(location))
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// path is the inverse of relative.
func (s *store) path(rel string) string {
	return filepath.Join(s.dir, "lake", catalog.Namespace, filepath.FromSlash(rel))
}

// location names a path under the data folder in the metadata's terms.
func (s *store) location(path string) (string, error) {
	rel, err := filepath.Rel(s.dir, path)
	if err != nil {
		return "", fmt.Errorf("cannot name %s: %w", path, err)
	}
	if rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return scheme + filepath.ToSlash(path), nil // another program's file
	}
	return scheme + filepath.ToSlash(s.root) + "/" + filepath.ToSlash(rel), nil
}

// load reads the current state of all tables, of one instant.
func (s *store) load(ctx context.Context) (map[string]*icebergTable, error) {
	all, err := s.pointers.All(ctx)
	if err != nil {
		return nil, err
	}
	tables := make(map[string]*icebergTable, len(all))
	for name, loc := range all {
		meta, err := s.readMetadata(loc)
		if err != nil {
			return nil, fmt.Errorf("cannot read table %s: %w", name, err)
		}
		tables[name] = &icebergTable{name: name, meta: meta, location: loc}
	}
	return tables, nil
}

// readMetadata reads one metadata file.
func (s *store) readMetadata(location string) (_ table.Metadata, err error) {
	f, err := s.Open(location)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var r io.Reader = f
	if strings.HasSuffix(location, ".gz.metadata.json") || strings.HasSuffix(location, ".metadata.json.gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, fmt.Errorf("cannot unpack %s: %w", location, err)
		}
		r = z
	}
	data, err := io.ReadAll(io.LimitReader(r, maxMetadataBytes+1))
	if err == nil && len(data) > maxMetadataBytes {
		err = fmt.Errorf("it is larger than %d bytes", maxMetadataBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", location, err)
	}
	meta, err := table.ParseMetadataBytes(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", location, err)
	}
	return meta, nil
}

// packMetadata gives the bytes of a metadata file.
func packMetadata(meta table.Metadata) ([]byte, error) {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("cannot pack metadata: %w", err)
	}
	if err := errors.Join(json.NewEncoder(z).Encode(meta), z.Close()); err != nil {
		return nil, fmt.Errorf("cannot pack metadata: %w", err)
	}
	return buf.Bytes(), nil
}

// write makes a file durable: its content, then its name.
func (s *store) write(path string, data []byte) error {
	if err := s.fs.MkdirAll(filepath.Dir(path)); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	f, err := s.fs.Create(path)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.fs.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("cannot write %s: %w", path, err), s.fs.Remove(path))
	}
	return nil
}

// files gives the data files of a table's current snapshot.
func (s *store) files(t *icebergTable) ([]manifestFile, error) {
	return s.snapshotFiles(t, t.meta.CurrentSnapshot())
}

// snapshotFiles gives the data files of one snapshot, in the manifests' order.
func (s *store) snapshotFiles(t *icebergTable, snap *table.Snapshot) ([]manifestFile, error) {
	if snap == nil {
		return nil, nil
	}
	list, err := snap.Manifests(s)
	if err != nil {
		return nil, fmt.Errorf("cannot read the manifests of %s: %w", t.name, err)
	}
	var all []manifestFile
	for _, m := range list {
		if m.ManifestContent() != iceberg.ManifestContentData {
			return nil, fmt.Errorf("cannot read %s: another program deleted rows by delete files, which Wadi doesn't apply: rewrite the table there (copy-on-write) first", t.name)
		}
		files, err := s.manifest(t, m)
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
	}
	return all, nil
}

// maxCachedManifests bounds the cache; a lake merges its manifests, so it has few.
const maxCachedManifests = 4096

// manifest gives the live data files of one manifest. Manifests never change, so
// they are read once.
func (s *store) manifest(t *icebergTable, m iceberg.ManifestFile) ([]manifestFile, error) {
	s.mu.Lock()
	files, ok := s.manifests[m.FilePath()]
	s.mu.Unlock()
	if ok {
		return files, nil
	}
	for e, err := range m.Entries(s, true) {
		if err != nil {
			return nil, fmt.Errorf("cannot read manifest %s: %w", m.FilePath(), err)
		}
		df, err := s.dataFile(t, e.DataFile())
		if err != nil {
			return nil, fmt.Errorf("cannot read manifest %s: %w", m.FilePath(), err)
		}
		files = append(files, manifestFile{entry: e, file: df, loc: e.DataFile().FilePath(), spec: m.PartitionSpecID()})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.manifests == nil || len(s.manifests) >= maxCachedManifests {
		s.manifests = map[string][]manifestFile{}
	}
	s.manifests[m.FilePath()] = files
	return files, nil
}

// dataFile translates a manifest's entry.
func (s *store) dataFile(t *icebergTable, d iceberg.DataFile) (DataFile, error) {
	if d.FileFormat() != iceberg.ParquetFile {
		return DataFile{}, fmt.Errorf("data file %s is %s, not Parquet", d.FilePath(), d.FileFormat())
	}
	f := DataFile{
		Path: s.local(d.FilePath()), Rows: d.Count(), SizeBytes: d.FileSizeBytes(),
		SchemaVersion: versionOf(d.FilePath()), Bounds: map[int]Bound{},
	}
	nulls := d.NullValueCounts()
	lo, hi := d.LowerBoundValues(), d.UpperBoundValues()
	for _, field := range t.meta.CurrentSchema().Fields() {
		n, counted := nulls[field.ID]
		b := Bound{Nulls: -1}
		if counted {
			b.Nulls = n
		}
		var err error
		if b.Min, err = boundValue(field.Type, lo[field.ID]); err == nil {
			b.Max, err = boundValue(field.Type, hi[field.ID])
		}
		if err != nil {
			return DataFile{}, fmt.Errorf("the bounds of %s in %s: %w", field.Name, d.FilePath(), err)
		}
		if counted || b.Min != nil || b.Max != nil {
			f.Bounds[field.ID] = b
		}
	}
	return f, nil
}
