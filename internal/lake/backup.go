package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/ledger"

	"github.com/wadi-project/wadi/internal/lake/store"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// Copied is what a backup or restore holds.
type Copied struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

// backupTries bounds how often the databases are copied anew because a commit
// came in between.
const backupTries = 50

// Backup writes the lake as it is at one moment to a new folder: hard links of the
// data files (copies where the folder is on another file system), and copies of
// the databases. Rows that a stream of this process holds are committed first. It takes
// no lock and may run beside an import. The folder appears
// when it is complete.
func (l *Lake) Backup(ctx context.Context, to string) (Copied, error) {
	var out Copied
	if l.store == nil {
		return out, folder.Refuse(folder.CodeNothingDone, "", "cannot back up %s: it holds no lake", l.dir)
	}
	to, err := filepath.Abs(to)
	if err == nil {
		err = vacant(l.opts.fs, to)
	}
	if err != nil {
		return out, folder.Explain(fmt.Errorf("cannot back up to %s: %w", to, err))
	}
	if err := l.bringIn(ctx); err != nil {
		return out, folder.Explain(fmt.Errorf("cannot back up to %s: %w", to, err))
	}
	r, err := l.Pin(ctx, maxVerifyTime) // its files, and all younger ones, stay
	if err != nil {
		return out, err
	}
	temp := to + ".partial"
	err = removeTree(l.opts.fs, temp)
	if err == nil {
		out, err = l.backup(ctx, temp)
	}
	if err == nil {
		err = l.place(temp, to)
	}
	if err != nil {
		err = errors.Join(folder.Explain(fmt.Errorf("cannot back up to %s: %w", to, err)), removeTree(l.opts.fs, temp))
	}
	return out, errors.Join(err, r.Close())
}

func (l *Lake) backup(ctx context.Context, temp string) (Copied, error) {
	if err := l.opts.fs.MkdirAll(temp); err != nil {
		return Copied{}, err
	}
	m, ok, err := folder.ReadMark(l.opts.fs, l.dir)
	if err != nil || !ok {
		return Copied{}, errors.Join(err, errNoMark)
	}
	if err := l.copyDatabases(ctx, temp); err != nil {
		return Copied{}, err
	}
	p, err := catalog.OpenPointers(ctx, filepath.Join(temp, folder.CatalogName), catalog.Options{ReadOnly: true})
	if err != nil {
		return Copied{}, err
	}
	copied := &store.Store{FS: l.opts.fs, Dir: l.dir, Root: m.Root, Former: m.Former, Pointers: p}
	out, err := copyTo(ctx, copied, temp)
	if err = errors.Join(err, p.Close()); err != nil {
		return out, err
	}
	return out, folder.WriteMark(l.opts.fs, temp, m)
}

var errNoMark = errors.New("its " + folder.MarkName + " is missing")

// copyDatabases copies catalog and state as they are at one moment. A commit is
// between two changes of the state's generation; one that is under way is in the
// copied state as prepared and is settled when the copy is opened.
func (l *Lake) copyDatabases(ctx context.Context, temp string) error {
	s, err := l.openState(ctx)
	if err != nil {
		return err
	}
	if s == nil {
		return l.store.Pointers.Backup(ctx, filepath.Join(temp, folder.CatalogName))
	}
	for range backupTries {
		var before, after int64
		for _, name := range []string{folder.StateName, folder.CatalogName} {
			err = errors.Join(err, l.opts.fs.Remove(filepath.Join(temp, name)))
		}
		if err == nil {
			before, err = s.Generation(ctx)
		}
		if err == nil {
			err = s.Backup(ctx, filepath.Join(temp, folder.StateName))
		}
		if err == nil {
			err = l.store.Pointers.Backup(ctx, filepath.Join(temp, folder.CatalogName))
		}
		if err == nil {
			after, err = s.Generation(ctx)
		}
		if err != nil || before == after {
			return errors.Join(err, s.Close())
		}
	}
	return errors.Join(errors.New("the lake keeps changing: try again when less is written"), s.Close())
}

// copyTo links every file that the tables name into another data folder.
func copyTo(ctx context.Context, s *store.Store, to string) (Copied, error) {
	var out Copied
	named, err := s.Named(ctx)
	if err != nil {
		return out, err
	}
	other := store.Store{Dir: to}
	folders := map[string]bool{filepath.Join(to, folder.TablesName, catalog.Namespace): true}
	for _, rel := range sortedKeys(named) {
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		st, err := s.FS.Stat(s.Path(rel))
		if errors.Is(err, fs.ErrNotExist) && filepath.Ext(rel) == ".json" {
			continue // a superseded metadata file
		}
		if err != nil {
			return out, err
		}
		dir := filepath.Dir(other.Path(rel))
		if !folders[dir] {
			if err := s.FS.MkdirAll(dir); err != nil {
				return out, err
			}
			folders[dir] = true
		}
		if err := s.FS.Link(s.Path(rel), other.Path(rel)); err != nil {
			return out, err
		}
		out.Files, out.Bytes = out.Files+1, out.Bytes+st.Size()
	}
	for dir := range folders {
		if err := errors.Join(s.FS.MkdirAll(dir), s.FS.SyncDir(dir)); err != nil {
			return out, err
		}
	}
	return out, nil
}

// vacant refuses a folder that holds something.
func vacant(f folder.FS, dir string) error {
	names, err := f.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(names) > 0 {
		return folder.Refuse(folder.CodeNothingDone, "name a folder that doesn't exist yet", "the folder isn't empty")
	}
	return err
}

// place gives a finished folder its name.
func (l *Lake) place(temp, to string) error { return place(l.opts.fs, temp, to) }

func place(f folder.FS, temp, to string) error {
	if err := f.Remove(to); err != nil { // an empty one
		return err
	}
	return errors.Join(f.Rename(temp, to), f.SyncDir(filepath.Dir(to)))
}

// removeTree removes a folder that this package made.
func removeTree(f folder.FS, dir string) error {
	names, err := f.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot remove %s: %w", dir, err)
	}
	for _, e := range names {
		path := filepath.Join(dir, e.Name())
		if e.IsDir() {
			err = removeTree(f, path)
		} else {
			err = f.Remove(path)
		}
		if err != nil {
			return fmt.Errorf("cannot remove %s: %w", path, err)
		}
	}
	return f.Remove(dir)
}

// Restore makes a data folder from a backup; dir must not exist or be empty. The
// backup stays as it is. Streams begin new logs there: the original may go on with
// its own. The metadata names the new folder afterwards.
func Restore(ctx context.Context, backup, dir string, o Options) (Copied, error) {
	o = o.withDefaults()
	from, err := Open(ctx, backup, o)
	if err != nil {
		return Copied{}, err
	}
	dir, err = filepath.Abs(dir)
	if err == nil {
		err = vacant(o.fs, dir)
	}
	if err != nil {
		return Copied{}, errors.Join(folder.Explain(fmt.Errorf("cannot restore to %s: %w", dir, err)), from.Close())
	}
	out, err := from.Backup(ctx, dir)
	if err = errors.Join(err, from.Close()); err != nil {
		return out, err
	}
	w, err := OpenWriter(ctx, dir, o)
	if err != nil {
		return out, err
	}
	if err = w.leaveStreams(ctx); err == nil {
		_, _, err = w.Relocate(ctx)
	}
	if err == nil {
		err = w.newEvidence(ctx, "restored from a backup")
	}
	if err == nil {
		err = w.act(ctx, &ledger.Action{Action: "restore", Object: dir, Detail: map[string]any{"from": from.Dir()}}, nil)
	}
	if err == nil {
		w.commits.Lock()
		err = w.sweep(ctx, 0) // a new folder has no readers yet
		w.commits.Unlock()
	}
	return out, errors.Join(err, w.Close())
}
