package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/folder"

	"github.com/wadi-project/wadi/internal/lake/store"
)

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
	all, err := g.w.store.Pointers.All(context.Background())
	if err != nil {
		return nil, err
	}
	c := &hotChain{}
	if location, ok := all[name]; ok {
		meta, err := g.w.store.ReadMetadata(location)
		if err != nil {
			return nil, fmt.Errorf("cannot read table %s: %w", name, err)
		}
		if c.committed, _, err = store.Position(&store.Table{Name: name, Meta: meta}, g.row.UUID); err != nil {
			return nil, err
		}
	}
	files, err := g.w.store.ListHot(name)
	if err != nil {
		return nil, err
	}
	for _, f := range store.ChainFrom(files, g.hex(), c.committed) {
		c.cuts = append(c.cuts, f.To)
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
		return 0, folder.Explain(fmt.Errorf("cannot tell how far the hot rows of %s go: %w", t.Name, err))
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
		return folder.Explain(fmt.Errorf("cannot write hot rows of %s: %w", t.Name, err))
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
	f := store.HotFile{Log: g.hex(), From: from, To: to, Rows: n, Version: t.Version}
	f.Name = fmt.Sprintf("%s_%d_%d_%d_v%d.parquet", f.Log, from, to, n, t.Version)
	if err == nil {
		err = g.w.placeHot(ctx, t, s, f.Name)
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
	bounds := map[int]store.Bound{}
	for _, c := range files[0].Stats {
		if c.Min != nil && c.Max != nil {
			bounds[c.FieldID] = store.Bound{Min: c.Min, Max: c.Max, Nulls: c.Nulls}
		}
	}
	w.store.RememberHot(name, bounds)
	err = w.opts.fs.MkdirAll(w.store.HotDir(t.Name))
	if err == nil {
		err = w.opts.fs.Rename(temp, filepath.Join(w.store.HotDir(t.Name), name))
	}
	if err != nil {
		discard(temp)
		w.store.RememberHot(name, nil)
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
		return folder.Explain(fmt.Errorf("cannot retire hot rows of %s: %w", t.Name, err))
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
	files, err := g.w.store.ListHot(t.Name)
	if err != nil {
		return err
	}
	return g.w.retireFiles(t.Name, slices.DeleteFunc(files, func(f store.HotFile) bool { return f.Log != g.hex() || f.To > upTo }))
}

// retireFiles notes files of a table that only readers of today may still need.
func (w *Writer) retireFiles(table string, files []store.HotFile) error {
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
		path := filepath.Join(w.store.HotDir(table), f.Name)
		if !slices.ContainsFunc(w.retired, func(r retiredHot) bool { return r.path == path }) {
			w.retired = append(w.retired, retiredHot{path, pins})
		}
	}
	return nil
}

func (w *Writer) pins() (map[string]int64, error) {
	return folder.ValidPins(w.opts.fs, filepath.Join(w.dir, folder.TempName, folder.PinsName), w.opts.Now())
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
				w.store.RememberHot(filepath.Base(r.path), nil)
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
		return folder.Explain(fmt.Errorf("cannot clear the hot rows: %w", err))
	}
	return nil
}

func (g *Log) clearHot(ctx context.Context) error {
	w := g.w
	names, err := w.store.HotTables()
	if err != nil {
		return err
	}
	tables, err := w.store.Load(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		all, err := w.store.ListHot(name)
		if err != nil {
			return err
		}
		keep := map[string]bool{}
		for _, log := range store.LogsOf(all) {
			at, err := store.HotPosition(tables[name], log)
			if err != nil {
				return err
			}
			for _, f := range store.ChainFrom(all, log, at) {
				if log == g.hex() {
					return fmt.Errorf("table %s is at position %d of the log, its hot rows go up to %d", name, at, f.To)
				}
				w.opts.Log.Warn("hot rows of a log that is lost stay as they are", "table", name, "file", f.Name)
				keep[f.Name] = true
			}
		}
		if err := w.retireFiles(name, slices.DeleteFunc(all, func(f store.HotFile) bool { return keep[f.Name] })); err != nil {
			return err
		}
	}
	return nil
}

// openMark names the file that says that rows of a log may wait in its write-ahead
// log.
func (w *Writer) openMark(log string) string {
	return filepath.Join(w.dir, folder.HotName, strings.ReplaceAll(log, "-", "")+openSuffix)
}

const openSuffix = ".open"

func (w *Writer) markOpen(log string) error {
	path := w.openMark(log)
	if _, err := w.opts.fs.Stat(path); err == nil {
		return nil
	}
	return w.store.Write(path, []byte("rows may wait in the log until 'wadi serve' has run\n"))
}

// Drained says that all rows of the log are in the tables and nothing more comes:
// readers need not be told that rows may wait. The log isn't used after it.
func (g *Log) Drained() error {
	w := g.w
	w.mu.Lock()
	if w.stream == g {
		w.stream = nil
		w.setFlush(nil)
	}
	w.mu.Unlock()
	if err := w.opts.fs.Remove(w.openMark(g.row.UUID)); err != nil {
		return folder.Explain(fmt.Errorf("cannot close log %s: %w", g.row.UUID, err))
	}
	return nil
}

// waitingNotice tells readers of rows that they may not see: a server died, and what
// it acknowledged last may be in its write-ahead log only.
func waitingNotice(f folder.FS, dir string) string {
	names, err := f.ReadDir(filepath.Join(dir, folder.HotName))
	if err != nil {
		return ""
	}
	// Trying the lock would make a writer fail that begins now.
	if pid, _ := folder.Holder(dir); pid > 0 && folder.Alive(pid) {
		return ""
	}
	for _, e := range names {
		if strings.HasSuffix(e.Name(), openSuffix) {
			return "the server did not end properly: rows that it acknowledged may wait in its log until 'wadi serve' runs again"
		}
	}
	return ""
}
