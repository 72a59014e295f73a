package store

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

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// scheme begins every location in the metadata. What follows is the plain path:
// nothing is percent-encoded, because readers take it literally.
const scheme = "file://"

// maxMetadataBytes bounds one metadata.json, unpacked: a thousand snapshots of a
// table with 200 columns are 1 MB.
const maxMetadataBytes = 256 << 20

// Store is the tables of a data folder: their metadata files and, through the
// catalog, which of them are current. It is safe for concurrent use.
type Store struct {
	FS folder.FS
	// Dir is the data folder, root the folder that locations in the metadata
	// begin with: the same unless the lake was moved.
	// former are further such folders while a relocation is under way.
	Dir, Root string
	Former    []string
	Pointers  *catalog.Pointers

	mu        sync.Mutex
	manifests map[string][]Listed      // by location: what a manifest holds
	states    map[string]tableState    // by table: what a reader read last
	hot       map[string]map[int]Bound // by name: bounds of hot files of this process

	definitions map[string]locatedText // of tables that aren't built in
	last        definedSet
}

// tableState is a table at one metadata file, and its files. It doesn't change.
type tableState struct {
	table *Table
	files []Listed
}

// Listed is one data file as a manifest describes it.
type Listed struct {
	entry iceberg.ManifestEntry
	File  DataFile
	// Loc is the file's location as it stands in the metadata.
	Loc  string
	spec int32
}

// Table is one state of a table. It doesn't change.
type Table struct {
	Name string
	Meta table.Metadata
	// Location of the metadata file, empty when the table isn't in the catalog yet.
	Location string
}

// Open implements iceberg-go's IO for reading.
func (s *Store) Open(location string) (iceio.File, error) { return s.FS.Open(s.local(location)) }

// Remove implements iceberg-go's IO; the lake removes files itself.
func (s *Store) Remove(location string) error {
	return fmt.Errorf("cannot remove %s: the lake removes files itself", location)
}

// local gives the path of a location, wherever the lake lies now.
func (s *Store) local(location string) string {
	p := strings.TrimPrefix(location, scheme)
	for _, root := range append([]string{s.Root}, s.Former...) {
		if rest, ok := strings.CutPrefix(p, filepath.ToSlash(root)+"/"); ok {
			return filepath.Join(s.Dir, filepath.FromSlash(rest))
		}
	}
	return filepath.FromSlash(p)
}

// tableLocation is the location of a table's folder.
func (s *Store) tableLocation(name string) string {
	return scheme + filepath.ToSlash(s.Root) + "/lake/" + catalog.Namespace + "/" + name
}

// TableDir is the folder of a table.
func (s *Store) TableDir(name string) string {
	return filepath.Join(s.Dir, "lake", catalog.Namespace, name)
}

// Relative gives a location relative to the folder lake/<namespace>, with slashes;
// ok is false for files that lie elsewhere.
func (s *Store) Relative(location string) (string, bool) {
	rel, err := filepath.Rel(filepath.Join(s.Dir, "lake", catalog.Namespace), s.local(location))
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// Path is the inverse of relative.
func (s *Store) Path(rel string) string {
	return filepath.Join(s.Dir, "lake", catalog.Namespace, filepath.FromSlash(rel))
}

// Location names a path under the data folder in the metadata's terms.
func (s *Store) Location(path string) (string, error) {
	rel, err := filepath.Rel(s.Dir, path)
	if err != nil {
		return "", fmt.Errorf("cannot name %s: %w", path, err)
	}
	if rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return scheme + filepath.ToSlash(path), nil // another program's file
	}
	return scheme + filepath.ToSlash(s.Root) + "/" + filepath.ToSlash(rel), nil
}

// Load reads the current state of all tables, of one instant.
func (s *Store) Load(ctx context.Context) (map[string]*Table, error) {
	all, err := s.Pointers.All(ctx)
	if err != nil {
		return nil, err
	}
	tables := make(map[string]*Table, len(all))
	for name, loc := range all {
		meta, err := s.ReadMetadata(loc)
		if err != nil {
			return nil, fmt.Errorf("cannot read table %s: %w", name, err)
		}
		tables[name] = &Table{Name: name, Meta: meta, Location: loc}
	}
	return tables, nil
}

// ReadMetadata reads one metadata file.
func (s *Store) ReadMetadata(location string) (_ table.Metadata, err error) {
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

// Write makes a file durable: its content, then its name.
func (s *Store) Write(path string, data []byte) error {
	if err := s.FS.MkdirAll(filepath.Dir(path)); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	f, err := s.FS.Create(path)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.FS.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("cannot write %s: %w", path, err), s.FS.Remove(path))
	}
	return nil
}

// Files gives the data files of a table's current snapshot.
func (s *Store) Files(t *Table) ([]Listed, error) {
	return s.snapshotFiles(t, t.Meta.CurrentSnapshot())
}

// snapshotFiles gives the data files of one snapshot, in the manifests' order.
func (s *Store) snapshotFiles(t *Table, snap *table.Snapshot) ([]Listed, error) {
	if snap == nil {
		return nil, nil
	}
	list, err := snap.Manifests(s)
	if err != nil {
		return nil, fmt.Errorf("cannot read the manifests of %s: %w", t.Name, err)
	}
	var all []Listed
	for _, m := range list {
		if m.ManifestContent() != iceberg.ManifestContentData {
			return nil, fmt.Errorf("cannot read %s: another program deleted rows by delete files, which Wadi doesn't apply: rewrite the table there (copy-on-write) first", t.Name)
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
func (s *Store) manifest(t *Table, m iceberg.ManifestFile) ([]Listed, error) {
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
		files = append(files, Listed{entry: e, File: df, Loc: e.DataFile().FilePath(), spec: m.PartitionSpecID()})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.manifests == nil || len(s.manifests) >= maxCachedManifests {
		s.manifests = map[string][]Listed{}
	}
	s.manifests[m.FilePath()] = files
	return files, nil
}

// dataFile translates a manifest's entry.
func (s *Store) dataFile(t *Table, d iceberg.DataFile) (DataFile, error) {
	if d.FileFormat() != iceberg.ParquetFile {
		return DataFile{}, fmt.Errorf("data file %s is %s, not Parquet", d.FilePath(), d.FileFormat())
	}
	f := DataFile{
		Path: s.local(d.FilePath()), Rows: d.Count(), SizeBytes: d.FileSizeBytes(),
		SchemaVersion: versionOf(d.FilePath()), Bounds: map[int]Bound{},
	}
	nulls := d.NullValueCounts()
	lo, hi := d.LowerBoundValues(), d.UpperBoundValues()
	for _, field := range t.Meta.CurrentSchema().Fields() {
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
