package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apache/iceberg-go/table"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/folder"

	"github.com/wadi-project/wadi/internal/lake/store"
)

// Lake is a data folder opened for reading. It is safe for concurrent use.
type Lake struct {
	dir    string
	opts   Options
	store  *store.Store // nil for an empty lake
	notice string

	flushMu sync.Mutex
	flush   func(context.Context) error // brings waiting rows of a stream in; nil for none
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.fs == nil {
		o.fs = folder.OS{}
	}
	if o.Actor == "" {
		o.Actor = folder.CurrentUser()
	}
	return o
}

// Open opens the data folder dir for reading. It takes no lock, and it works on a
// read-only folder. A missing folder is an error; a folder without a lake is an
// empty lake with a Notice; a lake of a newer format is an error (exit code 3).
func Open(ctx context.Context, dir string, o Options) (*Lake, error) {
	o = o.withDefaults()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", dir, err)
	}
	st, err := o.fs.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, folder.Refuse(folder.CodeFailed, "import something first, or name the folder with --data", "cannot open %s: there is no such folder", dir)
	}
	if err == nil && !st.IsDir() {
		err = errors.New("it is no folder")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", dir, err)
	}
	m, ok, err := folder.ReadMark(o.fs, dir)
	if err != nil {
		return nil, err
	}
	l := &Lake{dir: dir, opts: o}
	if ok {
		_, err = o.fs.Stat(filepath.Join(dir, folder.CatalogName))
		ok = !errors.Is(err, fs.ErrNotExist) // a writer died before it made its first table
	}
	if !ok {
		l.notice = fmt.Sprintf("%s holds no lake yet: every table is empty", dir)
		return l, nil
	}
	if l.store, err = openStore(ctx, dir, o.fs, m, catalog.Options{ReadOnly: true}); err != nil {
		return nil, err
	}
	l.notice = notices(movedNotice(dir, m), waitingNotice(o.fs, dir))
	return l, nil
}

// movedNotice says that a lake lies elsewhere than its metadata says.
func movedNotice(dir string, m folder.Mark) string {
	if m.Root == dir {
		return ""
	}
	return fmt.Sprintf("the lake was made in %s and lies in %s now: Wadi reads it as it is; run 'wadi lake relocate' for other readers", m.Root, dir)
}

// notices puts those that aren't empty into one line.
func notices(list ...string) string {
	return strings.Join(slices.DeleteFunc(list, func(s string) bool { return s == "" }), "; ")
}

// Notice is one line for the user about the folder, empty when there is nothing
// to say.
func (l *Lake) Notice() string { return l.notice }

// Dir is the data folder as an absolute path.
func (l *Lake) Dir() string { return l.dir }

// Close releases what Open took. Read points must be closed before.
func (l *Lake) Close() error {
	if l.store == nil {
		return nil
	}
	return l.store.Pointers.Close()
}

// pinTries bounds how often a read point is taken anew because a writer removed
// the metadata in between.
const pinTries = 10

// Pin gives one state of all tables. Its files stay until Close or until the
// deadline from now has passed, whichever is first.
func (l *Lake) Pin(ctx context.Context, deadline time.Duration) (*ReadPoint, error) {
	if l.store == nil {
		return &ReadPoint{}, nil
	}
	// The pin comes first: what is current from here on is protected by it.
	p := folder.PlacePin(l.opts.fs, filepath.Join(l.dir, folder.TempName, folder.PinsName), l.opts.Now(), deadline)
	var err error
	for range pinTries {
		r := &ReadPoint{store: l.store, pin: p}
		if err = r.load(ctx); err == nil {
			return r, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return nil, errors.Join(fmt.Errorf("cannot read the lake: %w", err), p.Remove())
}

// ReadPoint is one state of all tables. It is safe for concurrent use.
type ReadPoint struct {
	store  *store.Store
	tables map[string]*store.Table
	files  map[string][]store.Listed
	hot    map[string][]store.DataFile // by table: rows that aren't committed yet
	pin    *folder.Pin
}

// load reads tables and manifests: everything that a writer may remove before the
// data files.
func (r *ReadPoint) load(ctx context.Context) error {
	all, err := r.store.Pointers.All(ctx)
	if err != nil {
		return err
	}
	r.tables = make(map[string]*store.Table, len(all))
	r.files = make(map[string][]store.Listed, len(all))
	for name, location := range all {
		if r.tables[name], r.files[name], err = r.store.State(name, location); err != nil {
			return err
		}
	}
	// After the pointers: what was committed meanwhile is in hot files that our pin keeps.
	r.hot, err = r.store.HotFiles(r.tables)
	return err
}

// Table gives the files of a table, hot ones behind the others; a table without rows
// has none.
func (r *ReadPoint) Table(t *schema.Table) (TableFiles, error) {
	out, err := r.committed(t)
	for _, f := range r.hot[t.Name] {
		out.Files = append(out.Files, f)
		out.Rows += f.Rows
	}
	return out, err
}

// committed gives the files of a table that its snapshot names.
func (r *ReadPoint) committed(t *schema.Table) (TableFiles, error) {
	files := r.files[t.Name]
	out := TableFiles{Files: make([]store.DataFile, 0, len(files))}
	for i := range files {
		out.Files = append(out.Files, files[i].File)
		out.Rows += files[i].File.Rows
	}
	return out, nil
}

// Close lets the files go. Closing twice is harmless.
func (r *ReadPoint) Close() error { return r.pin.Remove() }

// foreignSnapshots names the tables with snapshots that Wadi didn't write.
func foreignSnapshots(tables map[string]*store.Table) []string {
	var names []string
	for name, t := range tables {
		if !t.Wadis() {
			continue
		}
		for _, s := range t.Meta.Snapshots() {
			if !ours(&s) {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// ours tells whether Wadi wrote a snapshot.
func ours(s *table.Snapshot) bool {
	return s.Summary != nil && s.Summary.Properties[store.SummaryKey] != ""
}

// openState opens the state for reading; nil when there is none.
func (l *Lake) openState(ctx context.Context) (*catalog.State, error) {
	path := filepath.Join(l.dir, folder.StateName)
	if _, err := l.opts.fs.Stat(path); l.store == nil || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return catalog.OpenState(ctx, path, catalog.Options{ReadOnly: true})
}
