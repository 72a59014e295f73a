package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// Hot files are rows of a stream log that are durable in its write-ahead log and
// not yet in the tables: hot/<table>/<log>_<from>_<to>_<rows>_v<version>.parquet holds
// those of the positions above from, up to to. A reader takes, from the position that
// the table has in its catalog, the unbroken chain of them.
var hotPattern = regexp.MustCompile(`^([0-9a-f]{32})_([0-9]{1,19})_([0-9]{1,19})_([0-9]{1,19})_v([0-9]{1,9})\.parquet$`)

// hotFile is a hot file as its name says.
type hotFile struct {
	name     string
	log      string // UUID without hyphens
	from, to int64
	rows     int64
	version  int
}

func parseHot(name string) (hotFile, bool) {
	m := hotPattern.FindStringSubmatch(name)
	if m == nil {
		return hotFile{}, false
	}
	f := hotFile{name: name, log: m[1]}
	var errs [4]error
	f.from, errs[0] = strconv.ParseInt(m[2], 10, 64)
	f.to, errs[1] = strconv.ParseInt(m[3], 10, 64)
	f.rows, errs[2] = strconv.ParseInt(m[4], 10, 64)
	f.version, errs[3] = strconv.Atoi(m[5])
	return f, errors.Join(errs[:]...) == nil && f.from < f.to && f.rows > 0 && f.version > 0
}

// hotDir is the folder of a table's hot files.
func (s *store) hotDir(name string) string { return filepath.Join(s.dir, hotName, name) }

// listHot gives the hot files of a table, ascending.
func (s *store) listHot(name string) ([]hotFile, error) {
	names, err := s.fs.ReadDir(s.hotDir(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the hot files of %s: %w", name, err)
	}
	var all []hotFile
	for _, e := range names {
		if f, ok := parseHot(e.Name()); ok && !e.IsDir() {
			all = append(all, f)
		}
	}
	return all, nil
}

// chainFrom gives the unbroken chain of a log's files above a position. Of two that
// begin there the longer one has the rows of the other too.
func chainFrom(all []hotFile, log string, at int64) []hotFile {
	next := map[int64]hotFile{}
	for _, f := range all {
		if f.log == log && f.to > next[f.from].to {
			next[f.from] = f
		}
	}
	var chain []hotFile
	for {
		f, ok := next[at]
		if !ok {
			return chain
		}
		chain = append(chain, f)
		at = f.to
	}
}

// hotTables names the tables that have a folder of hot files.
func (s *store) hotTables() ([]string, error) {
	folders, err := s.fs.ReadDir(filepath.Join(s.dir, hotName))
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

// hotFiles gives the hot rows above these states of the tables.
func (s *store) hotFiles(tables map[string]*icebergTable) (map[string][]DataFile, error) {
	names, err := s.hotTables()
	if err != nil || len(names) == 0 {
		return nil, err
	}
	hot := map[string][]DataFile{}
	for _, name := range names {
		all, err := s.listHot(name)
		if err != nil {
			return nil, err
		}
		for _, log := range logsOf(all) {
			at, err := hotPosition(tables[name], log)
			if err != nil {
				return nil, err
			}
			for _, f := range chainFrom(all, log, at) {
				path := filepath.Join(s.hotDir(name), f.name)
				st, err := s.fs.Stat(path)
				if err != nil {
					return nil, fmt.Errorf("cannot read a hot file of %s: %w", name, err)
				}
				hot[name] = append(hot[name], DataFile{
					Path: path, Rows: f.rows, SizeBytes: st.Size(), SchemaVersion: f.version, Bounds: s.hotBounds(f.name),
				})
			}
		}
	}
	return hot, nil
}

// logsOf names the logs that hot files are of, in order.
func logsOf(all []hotFile) []string {
	var logs []string
	for _, f := range all {
		if !slices.Contains(logs, f.log) {
			logs = append(logs, f.log)
		}
	}
	slices.Sort(logs)
	return logs
}

// hotPosition gives where a table, nil when it isn't made yet, is in a log whose UUID
// is written without hyphens.
func hotPosition(t *icebergTable, log string) (int64, error) {
	u, err := uuid.Parse(log)
	if err != nil {
		return 0, fmt.Errorf("cannot read the hot files of log %s: %w", log, err)
	}
	if t == nil {
		return 0, nil
	}
	at, _, err := position(t, u.String())
	return at, err
}

// rememberHot keeps the bounds of a hot file that this process wrote; nil forgets them.
func (s *store) rememberHot(name string, bounds map[int]Bound) {
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
func (s *store) hotBounds(name string) map[int]Bound {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hot[name]
}

// hotChain is how far the hot files of a table go.
type hotChain struct {
	mu        sync.Mutex
	committed int64
	cuts      []int64 // where hot files above committed end, ascending
}

// end is the position of the last row that can be seen.
func (c *hotChain) end() int64 {
	if n := len(c.cuts); n > 0 {
		return max(c.committed, c.cuts[n-1])
	}
	return c.committed
}

// allows tells whether a commit may bring the table to a position.
func (c *hotChain) allows(at int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case at < c.committed:
		return fmt.Errorf("it is at %d already", c.committed)
	case at > c.committed && at < c.end() && !slices.Contains(c.cuts, at):
		return errors.New("a hot file holds rows on both sides of it")
	}
	return nil
}

// commit notes that a commit brought the table to a position.
func (c *hotChain) commit(at int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.committed = at
	c.cuts = slices.DeleteFunc(c.cuts, func(cut int64) bool { return cut <= at })
}

// chain gives the state of a table's hot files, read when it is first asked for.
func (g *Log) chain(name string) (*hotChain, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.hot[name]; c != nil {
		return c, nil
	}
	all, err := g.w.store.pointers.All(context.Background())
	if err != nil {
		return nil, err
	}
	c := &hotChain{}
	if location, ok := all[name]; ok {
		meta, err := g.w.store.readMetadata(location)
		if err != nil {
			return nil, fmt.Errorf("cannot read table %s: %w", name, err)
		}
		if c.committed, _, err = position(&icebergTable{name: name, meta: meta}, g.row.UUID); err != nil {
			return nil, err
		}
	}
	files, err := g.w.store.listHot(name)
	if err != nil {
		return nil, err
	}
	for _, f := range chainFrom(files, g.hex(), c.committed) {
		c.cuts = append(c.cuts, f.to)
	}
	g.hot[name] = c
	return c, nil
}

// hex is the log's UUID as it stands in the names of files.
func (g *Log) hex() string { return strings.ReplaceAll(g.row.UUID, "-", "") }

// HotEnd gives the position up to which rows of a table can be seen: that of the last
// hot file, or of the last commit. The next hot file begins there.
func (g *Log) HotEnd(t *schema.Table) (int64, error) {
	c, err := g.chain(t.Name)
	if err != nil {
		return 0, explain(fmt.Errorf("cannot tell how far the hot rows of %s go: %w", t.Name, err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end(), nil
}

// WriteHot makes rows of a table visible before they are committed: all its rows of the
// log above position from, which is HotEnd, up to position to. The rows must be
// durable in the write-ahead log, since the file isn't synced; they are copied. On
// an error nothing has changed, and the next call may cover these rows too. Calls for
// one table must not overlap.
func (g *Log) WriteHot(ctx context.Context, t *schema.Table, rows []*datafile.Rows, from, to int64) error {
	if err := g.writeHot(ctx, t, rows, from, to); err != nil {
		return explain(fmt.Errorf("cannot write hot rows of %s: %w", t.Name, err))
	}
	return nil
}

func (g *Log) writeHot(ctx context.Context, t *schema.Table, rows []*datafile.Rows, from, to int64) error {
	c, err := g.chain(t.Name)
	if err != nil {
		return err
	}
	c.mu.Lock()
	end := c.end()
	c.mu.Unlock()
	if from != end || to <= from {
		return fmt.Errorf("they are of positions %d to %d, those before end at %d", from, to, end)
	}
	s := datafile.NewSorter(datafile.SorterConfig{Table: t, TempDir: g.w.TempDir(), Workers: 1})
	n := int64(0)
	for _, r := range rows {
		n += int64(r.Len())
		err = errors.Join(err, s.Add(ctx, r))
	}
	if err == nil && n == 0 {
		err = errors.New("there are none")
	}
	f := hotFile{log: g.hex(), from: from, to: to, rows: n, version: t.Version}
	f.name = fmt.Sprintf("%s_%d_%d_%d_v%d.parquet", f.log, from, to, n, t.Version)
	if err == nil {
		err = g.w.placeHot(ctx, t, s, f.name)
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cuts = append(c.cuts, to)
	return nil
}

// placeHot writes a hot file under a temporary name and gives it its own.
func (w *Writer) placeHot(ctx context.Context, t *schema.Table, s *datafile.Sorter, name string) error {
	temp := filepath.Join(w.TempDir(), "hot-"+t.Name+"-"+name)
	discard := func(path string) {
		if err := w.opts.fs.Remove(path); err != nil {
			w.opts.Log.Warn("cannot remove a hot file that was given up; the next writer does", "file", path, "error", err)
		}
	}
	files, err := s.Finish(ctx, datafile.Output{
		MaxFiles: 1, Compression: datafile.LZ4, Discard: discard,
		Create: func(int) (io.WriteCloser, string, error) {
			f, err := w.opts.fs.Create(temp)
			return f, temp, err
		},
	})
	if err != nil {
		return err
	}
	bounds := map[int]Bound{}
	for _, c := range files[0].Stats {
		if c.Min != nil && c.Max != nil {
			bounds[c.FieldID] = Bound{Min: c.Min, Max: c.Max, Nulls: c.Nulls}
		}
	}
	w.store.rememberHot(name, bounds)
	err = w.opts.fs.MkdirAll(w.store.hotDir(t.Name))
	if err == nil {
		err = w.opts.fs.Rename(temp, filepath.Join(w.store.hotDir(t.Name), name))
	}
	if err != nil {
		discard(temp)
		w.store.rememberHot(name, nil)
	}
	return err
}

// retiredHot is a hot file whose rows are committed: it stays while a pin is left
// that may be of before the commit.
type retiredHot struct {
	path string
	pins map[string]int64
}

// RetireHot removes, after a commit, the hot files of the stream log whose rows the
// table has: those up to a position. Files that a reader may need stay until it has
// closed its read point; a later RetireHot or Upkeep removes them.
func (w *Writer) RetireHot(t *schema.Table, upTo int64) error {
	w.mu.Lock()
	g := w.stream
	w.mu.Unlock()
	if g == nil {
		return errors.New("cannot retire hot rows: no stream log is open")
	}
	err := g.retire(t, upTo)
	if err == nil {
		err = w.sweepHot()
	}
	if err != nil {
		return explain(fmt.Errorf("cannot retire hot rows of %s: %w", t.Name, err))
	}
	return nil
}

func (g *Log) retire(t *schema.Table, upTo int64) error {
	c, err := g.chain(t.Name)
	if err != nil {
		return err
	}
	c.mu.Lock()
	upTo = min(upTo, c.committed)
	c.mu.Unlock()
	files, err := g.w.store.listHot(t.Name)
	if err != nil {
		return err
	}
	return g.w.retireFiles(t.Name, slices.DeleteFunc(files, func(f hotFile) bool { return f.log != g.hex() || f.to > upTo }))
}

// retireFiles notes files of a table that only readers of today may still need.
func (w *Writer) retireFiles(table string, files []hotFile) error {
	if len(files) == 0 {
		return nil
	}
	// A reader places its pin before it looks where the tables are. So whoever has
	// no pin yet finds the commit, and no clock is needed to tell.
	pins, err := w.pins()
	if err != nil {
		return err
	}
	w.hotMu.Lock()
	defer w.hotMu.Unlock()
	for _, f := range files {
		path := filepath.Join(w.store.hotDir(table), f.name)
		if !slices.ContainsFunc(w.retired, func(r retiredHot) bool { return r.path == path }) {
			w.retired = append(w.retired, retiredHot{path, pins})
		}
	}
	return nil
}

func (w *Writer) pins() (map[string]int64, error) {
	return validPins(w.opts.fs, filepath.Join(w.dir, tempName, pinsName), w.opts.Now())
}

// sweepHot removes retired files that no pin protects any more.
func (w *Writer) sweepHot() error {
	w.hotMu.Lock()
	defer w.hotMu.Unlock()
	if len(w.retired) == 0 {
		return nil
	}
	pins, err := w.pins()
	if err != nil {
		return err
	}
	var left []retiredHot
	for _, r := range w.retired {
		if err == nil && !needed(r.pins, pins) {
			err = w.opts.fs.Remove(r.path)
			if err == nil {
				w.store.rememberHot(filepath.Base(r.path), nil)
				continue
			}
		}
		left = append(left, r)
	}
	w.retired = left
	return err
}

// needed tells whether one of the pins is still there.
func needed(pins, now map[string]int64) bool {
	for name := range pins {
		if _, there := now[name]; there {
			return true
		}
	}
	return false
}

// ClearHot empties the folder of hot files, when recovery has brought all rows of
// the log into the tables: files that readers may need go later. It refuses when the
// log has hot rows that aren't in the tables. Hot rows of another log that aren't in
// the tables stay, with a warning: its write-ahead log is lost.
func (g *Log) ClearHot(ctx context.Context) error {
	err := g.clearHot(ctx)
	if err == nil {
		err = g.w.sweepHot()
	}
	if err != nil {
		return explain(fmt.Errorf("cannot clear the hot rows: %w", err))
	}
	return nil
}

func (g *Log) clearHot(ctx context.Context) error {
	w := g.w
	names, err := w.store.hotTables()
	if err != nil {
		return err
	}
	tables, err := w.store.load(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		all, err := w.store.listHot(name)
		if err != nil {
			return err
		}
		keep := map[string]bool{}
		for _, log := range logsOf(all) {
			at, err := hotPosition(tables[name], log)
			if err != nil {
				return err
			}
			for _, f := range chainFrom(all, log, at) {
				if log == g.hex() {
					return fmt.Errorf("table %s is at position %d of the log, its hot rows go up to %d", name, at, f.to)
				}
				w.opts.Log.Warn("hot rows of a log that is lost stay as they are", "table", name, "file", f.name)
				keep[f.name] = true
			}
		}
		if err := w.retireFiles(name, slices.DeleteFunc(all, func(f hotFile) bool { return keep[f.name] })); err != nil {
			return err
		}
	}
	return nil
}

// openMark names the file that says that rows of a log may wait in its write-ahead
// log.
func (w *Writer) openMark(log string) string {
	return filepath.Join(w.dir, hotName, strings.ReplaceAll(log, "-", "")+openSuffix)
}

const openSuffix = ".open"

func (w *Writer) markOpen(log string) error {
	path := w.openMark(log)
	if _, err := w.opts.fs.Stat(path); err == nil {
		return nil
	}
	return w.store.write(path, []byte("rows may wait in the log until 'wadi serve' has run\n"))
}

// Drained says that all rows of the log are in the tables and nothing more comes:
// readers need not be told that rows may wait. The log isn't used after it.
func (g *Log) Drained() error {
	w := g.w
	w.mu.Lock()
	if w.stream == g {
		w.stream = nil
	}
	w.mu.Unlock()
	if err := w.opts.fs.Remove(w.openMark(g.row.UUID)); err != nil {
		return explain(fmt.Errorf("cannot close log %s: %w", g.row.UUID, err))
	}
	return nil
}

// waitingNotice tells readers of rows that they may not see: a server died, and what
// it acknowledged last may be in its write-ahead log only.
func waitingNotice(f fsys, dir string) string {
	names, err := f.ReadDir(filepath.Join(dir, hotName))
	if err != nil {
		return ""
	}
	// Trying the lock would make a writer fail that begins now.
	if pid, _ := Holder(dir); pid > 0 && alive(pid) {
		return ""
	}
	for _, e := range names {
		if strings.HasSuffix(e.Name(), openSuffix) {
			return "the server did not end properly: rows that it acknowledged may wait in its log until 'wadi serve' runs again"
		}
	}
	return ""
}
