package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// Writer is a data folder opened for writing: the one writer. Its methods may be
// called from many goroutines; commits are made one after another.
type Writer struct {
	*Lake
	lock  *folder.Lock
	state *catalog.State
	mark  folder.Mark

	// acts is held by what rewrites files, from looking at the table on: such work may
	// take a minute, and commits of new rows go on beside it. It is taken before commits.
	acts    sync.Mutex
	commits sync.Mutex // held from prepared to done
	broken  error      // under commits: a commit whose outcome isn't known
	chain   string     // UUID of the chain of evidence

	mu         sync.Mutex
	nextSource int64
	stream     *Log // the stream log that is open

	tokenChanges atomic.Int64

	hotMu   sync.Mutex
	retired []retiredHot
}

// OpenWriter opens the data folder dir for writing, makes it when it is missing,
// upgrades an older format, takes the lock, and settles what a process that died
// left behind. A second writer gets an error with exit code 3 that names the
// holder's pid.
func OpenWriter(ctx context.Context, dir string, o Options) (*Writer, error) {
	o = o.withDefaults()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", dir, err)
	}
	if _, _, err := folder.ReadMark(o.fs, dir); err != nil {
		return nil, err // a newer format is refused before anything is made
	}
	if err := o.fs.MkdirAll(dir); err != nil {
		return nil, folder.Explain(fmt.Errorf("cannot make %s: %w", dir, err))
	}
	l, err := folder.TakeLock(dir)
	if err != nil {
		return nil, err
	}
	w := &Writer{Lake: &Lake{dir: dir, opts: o}, lock: l}
	err = w.open(ctx)
	if folder.IsFull(err) || catalog.IsFull(err) {
		// Whoever comes now, for example to expire rows, needs the reserve.
		if err = errors.Join(w.closeDatabases(), w.freeReserve()); err == nil {
			err = w.open(ctx)
		}
	}
	if err != nil {
		return nil, folder.Explain(errors.Join(fmt.Errorf("cannot open %s: %w", dir, err), w.closeAll()))
	}
	return w, nil
}

func (w *Writer) open(ctx context.Context) error {
	m, ok, err := folder.ReadMark(w.opts.fs, w.dir)
	if err != nil {
		return err
	}
	if !ok {
		m, err = folder.MakeFolder(w.opts.fs, w.dir)
	} else if m.Format < folder.Format {
		m, err = upgrade(ctx, w.opts.fs, w.dir, m, upgrades)
	}
	if err != nil {
		return err
	}
	w.mark = m
	for _, d := range []string{filepath.Join(folder.TablesName, catalog.Namespace), filepath.Join(folder.TempName, folder.PinsName)} {
		if err := w.opts.fs.MkdirAll(filepath.Join(w.dir, d)); err != nil {
			return err
		}
	}
	if err := w.clearTemp(); err != nil {
		return err
	}
	o := catalog.Options{Fault: w.opts.fault}
	lost := stateMissing(w.opts.fs, w.dir)
	if w.state, err = catalog.OpenState(ctx, filepath.Join(w.dir, folder.StateName), o); err != nil {
		return err
	}
	if w.store, err = openStore(ctx, w.dir, w.opts.fs, m, o); err != nil {
		return err
	}
	w.notice = movedNotice(w.dir, m)
	if err := w.settle(ctx); err != nil {
		return err
	}
	if lost {
		if err := w.regain(ctx); err != nil {
			return err
		}
	}
	if w.nextSource, err = w.state.NextSource(ctx); err != nil {
		return err
	}
	if err := w.beginEvidence(ctx); err != nil {
		return err
	}
	return w.lookForForeign(ctx)
}

// lookForForeign says that another program committed to Wadi's tables: its rows
// are kept and read.
func (w *Writer) lookForForeign(ctx context.Context) error {
	tables, err := w.store.Load(ctx)
	if err != nil {
		return err
	}
	if names := foreignSnapshots(tables); len(names) > 0 {
		slices.Sort(names)
		w.notice = strings.TrimPrefix(w.notice+"; another program committed to "+strings.Join(names, ", ")+": its rows are kept", "; ")
	}
	return nil
}

// TempDir is a folder for temporary files beside the data; it is emptied when the
// next writer opens the lake.
func (w *Writer) TempDir() string { return filepath.Join(w.dir, folder.TempName) }

// clearTemp removes what a process that died left in TempDir.
func (w *Writer) clearTemp() error {
	names, err := w.opts.fs.ReadDir(w.TempDir())
	if err != nil {
		return fmt.Errorf("cannot clear %s: %w", w.TempDir(), err)
	}
	for _, e := range names {
		if e.IsDir() || e.Name() == folder.ReserveName {
			continue
		}
		if err := w.opts.fs.Remove(filepath.Join(w.TempDir(), e.Name())); err != nil {
			return fmt.Errorf("cannot clear %s: %w", w.TempDir(), err)
		}
	}
	return nil
}

// Key gives what committed parts know under a key, within a case.
func (w *Writer) Key(ctx context.Context, case_ string, kind KeyKind, key [32]byte) (KeyValue, bool, error) {
	id, ok, err := w.state.CaseID(ctx, case_)
	if err != nil || !ok {
		return KeyValue{}, false, err
	}
	return w.state.Key(ctx, id, kind, key)
}

// ReadRows calls fn for each committed row of a source with seqLo ≤ _Seq ≤ seqHi,
// file by file, in no promised order. cols are indexes in t.Columns. The row is
// valid only during the call. An error of fn ends it and is returned, but for
// datafile.ErrStop.
func (w *Writer) ReadRows(ctx context.Context, t *schema.Table, source int32, seqLo, seqHi int64, cols []int, fn func(datafile.Row) error) error {
	r, err := w.Pin(ctx, folder.LongestDeadline)
	if err != nil {
		return err
	}
	return errors.Join(r.readRows(ctx, t, source, seqLo, seqHi, cols, fn), r.Close())
}

func (r *ReadPoint) readRows(ctx context.Context, t *schema.Table, source int32, seqLo, seqHi int64, cols []int, fn func(datafile.Row) error) error {
	files, err := r.committed(t)
	if err != nil {
		return err
	}
	sourceField, seqField := t.Column("_Source").FieldID, t.Column("_Seq").FieldID
	stopped := false
	call := func(row datafile.Row) error {
		err := fn(row)
		stopped = errors.Is(err, datafile.ErrStop)
		return err
	}
	for _, f := range files.Files {
		if outside(f.Bounds[sourceField], int64(source), int64(source)) || outside(f.Bounds[seqField], seqLo, seqHi) {
			continue
		}
		in := datafile.Input{Path: f.Path, SizeBytes: f.SizeBytes}
		filter := datafile.Filter{On: true, Source: int64(source), SeqLo: seqLo, SeqHi: seqHi}
		if err := datafile.Read(ctx, in, t, cols, filter, call); err != nil || stopped {
			return err
		}
	}
	return nil
}

// outside tells that a bounded column has no value in lo…hi.
func outside(b store.Bound, lo, hi int64) bool {
	least, ok := number(b.Min)
	if ok && least > hi {
		return true
	}
	most, ok := number(b.Max)
	return ok && most < lo
}

// number gives the value of an int, long or timestamptz bound.
func number(v any) (int64, bool) {
	switch x := v.(type) {
	case int32:
		return int64(x), true
	case int64:
		return x, true
	}
	return 0, false
}

// Close ends writing and lets the lock go.
func (w *Writer) Close() error {
	if err := w.closeAll(); err != nil {
		return folder.Explain(fmt.Errorf("cannot close %s: %w", w.dir, err))
	}
	return nil
}

// closeAll closes what is open; the lock goes last.
func (w *Writer) closeAll() error {
	err := w.closeDatabases()
	if w.lock != nil {
		err = errors.Join(err, w.lock.Release())
		w.lock = nil
	}
	return err
}

func (w *Writer) closeDatabases() error {
	var errs []error
	if w.state != nil {
		errs = append(errs, w.state.Close())
		w.state = nil
	}
	if w.store != nil {
		errs = append(errs, w.store.Pointers.Close())
		w.store = nil
	}
	return errors.Join(errs...)
}

// settle decides what becomes of the parts of a process that died: those whose
// commit is in the tables are finished, of the others every trace is removed.
func (w *Writer) settle(ctx context.Context) error {
	parts, err := w.state.Parts(ctx)
	if err != nil || len(parts) == 0 {
		return err
	}
	tables, err := w.store.Load(ctx)
	if err != nil {
		return err
	}
	for _, p := range parts {
		committed := false
		for _, name := range p.Tables {
			t := tables[name]
			committed = committed || t != nil && store.HasCommit(t, p.ID)
		}
		if p.Prepared && committed {
			w.opts.Log.Info("a commit of a process that died is complete", "part", p.ID)
			err = w.state.FinishPart(ctx, p)
		} else {
			w.opts.Log.Info("a part of a process that died is dropped", "part", p.ID)
			if err = w.removePart(p.ID); err == nil {
				err = w.state.DropPart(ctx, p.ID)
			}
		}
		if err != nil {
			return fmt.Errorf("cannot settle part %s: %w", p.ID, err)
		}
	}
	return nil
}

// removePart removes the data files of a part that was not committed: by name,
// since a process that died could not list them.
func (w *Writer) removePart(id string) error {
	prefix := partPrefix(id)
	tables, err := w.opts.fs.ReadDir(filepath.Join(w.dir, folder.TablesName, catalog.Namespace))
	if err != nil {
		return fmt.Errorf("cannot list the tables: %w", err)
	}
	for _, t := range tables {
		if !t.IsDir() {
			continue
		}
		dir := filepath.Join(w.store.TableDir(t.Name()), "data")
		folders, err := w.opts.fs.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("cannot list %s: %w", dir, err)
		}
		for _, f := range folders {
			names, err := w.opts.fs.ReadDir(filepath.Join(dir, f.Name()))
			if err != nil {
				return fmt.Errorf("cannot list %s: %w", dir, err)
			}
			for _, n := range names {
				if strings.HasPrefix(n.Name(), prefix) {
					if err := w.opts.fs.Remove(filepath.Join(dir, f.Name(), n.Name())); err != nil {
						return fmt.Errorf("cannot remove a file of part %s: %w", id, err)
					}
				}
			}
		}
	}
	return nil
}
