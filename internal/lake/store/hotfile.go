package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// Hot files are rows of a stream log that are durable in its write-ahead log and
// not yet in the tables: hot/<table>/<log>_<from>_<to>_<rows>_v<version>.parquet holds
// those of the positions above from, up to to. A reader takes, from the position that
// the table has in its catalog, the unbroken chain of them.
var hotPattern = regexp.MustCompile(`^([0-9a-f]{32})_([0-9]{1,19})_([0-9]{1,19})_([0-9]{1,19})_v([0-9]{1,9})\.parquet$`)

// HotFile is a hot file as its name says.
type HotFile struct {
	Name     string
	Log      string // UUID without hyphens
	From, To int64
	Rows     int64
	Version  int
}

func parseHot(name string) (HotFile, bool) {
	m := hotPattern.FindStringSubmatch(name)
	if m == nil {
		return HotFile{}, false
	}
	f := HotFile{Name: name, Log: m[1]}
	var errs [4]error
	f.From, errs[0] = strconv.ParseInt(m[2], 10, 64)
	f.To, errs[1] = strconv.ParseInt(m[3], 10, 64)
	f.Rows, errs[2] = strconv.ParseInt(m[4], 10, 64)
	f.Version, errs[3] = strconv.Atoi(m[5])
	return f, errors.Join(errs[:]...) == nil && f.From < f.To && f.Rows > 0 && f.Version > 0
}

// HotDir is the folder of a table's hot files.
func (s *Store) HotDir(name string) string { return filepath.Join(s.Dir, folder.HotName, name) }

// ListHot gives the hot files of a table, ascending.
func (s *Store) ListHot(name string) ([]HotFile, error) {
	names, err := s.FS.ReadDir(s.HotDir(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the hot files of %s: %w", name, err)
	}
	var all []HotFile
	for _, e := range names {
		if f, ok := parseHot(e.Name()); ok && !e.IsDir() {
			all = append(all, f)
		}
	}
	return all, nil
}

// ChainFrom gives the unbroken chain of a log's files above a position. Of two that
// begin there the longer one has the rows of the other too.
func ChainFrom(all []HotFile, log string, at int64) []HotFile {
	next := map[int64]HotFile{}
	for _, f := range all {
		if f.Log == log && f.To > next[f.From].To {
			next[f.From] = f
		}
	}
	var chain []HotFile
	for {
		f, ok := next[at]
		if !ok {
			return chain
		}
		chain = append(chain, f)
		at = f.To
	}
}

// HotTables names the tables that have a folder of hot files.
func (s *Store) HotTables() ([]string, error) {
	folders, err := s.FS.ReadDir(filepath.Join(s.Dir, folder.HotName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the hot files: %w", err)
	}
	var names []string
	for _, e := range folders {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// HotFiles gives the hot rows above these states of the tables.
func (s *Store) HotFiles(tables map[string]*Table) (map[string][]DataFile, error) {
	names, err := s.HotTables()
	if err != nil || len(names) == 0 {
		return nil, err
	}
	hot := map[string][]DataFile{}
	for _, name := range names {
		all, err := s.ListHot(name)
		if err != nil {
			return nil, err
		}
		for _, log := range LogsOf(all) {
			at, err := HotPosition(tables[name], log)
			if err != nil {
				return nil, err
			}
			for _, f := range ChainFrom(all, log, at) {
				path := filepath.Join(s.HotDir(name), f.Name)
				st, err := s.FS.Stat(path)
				if err != nil {
					return nil, fmt.Errorf("cannot read a hot file of %s: %w", name, err)
				}
				hot[name] = append(hot[name], DataFile{
					Path: path, Rows: f.Rows, SizeBytes: st.Size(), SchemaVersion: f.Version, Bounds: s.hotBounds(f.Name),
				})
			}
		}
	}
	return hot, nil
}

// LogsOf names the logs that hot files are of, in order.
func LogsOf(all []HotFile) []string {
	var logs []string
	for _, f := range all {
		if !slices.Contains(logs, f.Log) {
			logs = append(logs, f.Log)
		}
	}
	slices.Sort(logs)
	return logs
}

// HotPosition gives where a table, nil when it isn't made yet, is in a log whose UUID
// is written without hyphens.
func HotPosition(t *Table, log string) (int64, error) {
	u, err := uuid.Parse(log)
	if err != nil {
		return 0, fmt.Errorf("cannot read the hot files of log %s: %w", log, err)
	}
	if t == nil {
		return 0, nil
	}
	at, _, err := Position(t, u.String())
	return at, err
}

// RememberHot keeps the bounds of a hot file that this process wrote; nil forgets them.
func (s *Store) RememberHot(name string, bounds map[int]Bound) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case bounds == nil:
		delete(s.hot, name)
	case s.hot == nil:
		s.hot = map[string]map[int]Bound{name: bounds}
	default:
		s.hot[name] = bounds
	}
}

// hotBounds gives the bounds of a hot file that this process wrote.
func (s *Store) hotBounds(name string) map[int]Bound {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hot[name]
}

// PositionKey begins the property of a table that says up to which position of a
// stream log its rows are in the table: wadi.wal.<uuid>.
const PositionKey = "wadi.wal."

// Position gives a table's position in a log.
func Position(t *Table, log string) (at int64, ok bool, err error) {
	text, ok := t.Meta.Properties()[PositionKey+log]
	if !ok {
		return 0, false, nil
	}
	at, err = strconv.ParseInt(text, 10, 64)
	if err != nil || at < 0 {
		return 0, false, fmt.Errorf("table %s says that it is at position %q of log %s", t.Name, text, log)
	}
	return at, true, nil
}
