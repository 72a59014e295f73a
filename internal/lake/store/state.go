package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// State gives a table's metadata and the files of its current snapshot, with their
// statistics. A metadata file never changes, so the state last read is kept for
// each table: most questions find it unchanged.
func (s *Store) State(name, location string) (*Table, []Listed, error) {
	s.mu.Lock()
	last, ok := s.states[name]
	s.mu.Unlock()
	if ok && last.table.Location == location {
		return last.table, last.files, nil
	}
	meta, err := s.ReadMetadata(location)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read table %s: %w", name, err)
	}
	read := tableState{table: &Table{Name: name, Meta: meta, Location: location}}
	if read.table.Wadis() { // else another program's table in Wadi's catalog
		if read.files, err = s.Files(read.table); err != nil {
			return nil, nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.states == nil {
		s.states = map[string]tableState{}
	}
	s.states[name] = read
	return read.table, read.files, nil
}

// Named gives every file that the metadata of some table names, in any snapshot,
// relative to the folder of the tables.
func (s *Store) Named(ctx context.Context) (map[string]bool, error) {
	tables, err := s.Load(ctx)
	if err != nil {
		return nil, err
	}
	all, seen := map[string]bool{}, map[string]bool{}
	note := func(loc string) {
		if rel, ok := s.Relative(loc); ok {
			all[rel] = true
		}
	}
	for _, t := range tables {
		note(t.Location)
		for e := range t.Meta.PreviousFiles() {
			note(e.MetadataFile)
		}
		for f := range t.Meta.Statistics() {
			note(f.StatisticsPath)
		}
		for _, snap := range t.Meta.Snapshots() {
			note(snap.ManifestList)
			list, err := snap.Manifests(s)
			if err != nil {
				return nil, fmt.Errorf("cannot read the manifests of %s: %w", t.Name, err)
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

// List gives every file in the tables' folders, relative to their folder.
func (s *Store) List() (map[string]bool, error) {
	all := map[string]bool{}
	var walk func(rel string) error
	walk = func(rel string) error {
		names, err := s.FS.ReadDir(s.Path(rel))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot list %s: %w", s.Path(rel), err)
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
