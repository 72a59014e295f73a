package lake

import (
	"context"
	"errors"
	"fmt"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/ledger"

	"github.com/wadi-project/wadi/internal/lake/store"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// Relocate rewrites the metadata of a lake that was moved, so that other readers
// find its files where they are now. Data files stay as they are. Each table gets
// one snapshot with its present rows; older snapshots are forgotten. It gives the
// folder the metadata named before; moved is false when there was nothing to do.
func (w *Writer) Relocate(ctx context.Context) (from string, moved bool, err error) {
	if from, moved, err = w.relocate(ctx); err != nil {
		return from, moved, folder.Explain(fmt.Errorf("cannot relocate the lake: %w", err))
	}
	return from, moved, nil
}

func (w *Writer) relocate(ctx context.Context) (from string, moved bool, err error) {
	from = w.mark.Root
	if from == w.dir && len(w.mark.Former) == 0 {
		return from, false, nil
	}
	// Both folders are known to readers until every path is rewritten.
	m := w.mark
	if from != w.dir {
		m.Former = append(m.Former, m.Root)
		m.Root = w.dir
	}
	if err := folder.WriteMark(w.opts.fs, w.dir, m); err != nil {
		return from, false, err
	}
	w.setMark(m)
	if err := w.rebase(ctx); err != nil {
		return from, false, err
	}
	m.Former = nil
	if err := folder.WriteMark(w.opts.fs, w.dir, m); err != nil {
		return from, false, err
	}
	w.setMark(m)
	w.notice = ""
	if err := w.act(ctx, &ledger.Action{Action: "relocate", Object: w.dir, Detail: map[string]any{"from": from}}, nil); err != nil {
		return from, true, err
	}
	return from, true, w.upkeep(ctx, 1) // the metadata before is garbage now
}

func (w *Writer) setMark(m folder.Mark) {
	w.mark = m
	w.store.Root, w.store.Former = m.Root, m.Former
}

// rebase makes the metadata of all tables name the present folder, in one step.
func (w *Writer) rebase(ctx context.Context) error {
	w.acts.Lock()
	defer w.acts.Unlock()
	w.commits.Lock()
	defer w.commits.Unlock()
	if w.broken != nil {
		return w.broken
	}
	tables, err := w.store.Load(ctx)
	if err != nil {
		return err
	}
	var moves []catalog.Move
	for _, name := range sortedKeys(tables) {
		loc, err := w.store.Rebase(w.opts.Now(), tables[name])
		if err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
		moves = append(moves, catalog.Move{Table: name, From: tables[name].Location, To: loc})
	}
	if len(moves) == 0 {
		return nil
	}
	if err := w.store.Swap(ctx, moves); err != nil {
		if errors.Is(err, store.ErrUnknown) {
			w.broken = err
		}
		return err
	}
	return nil
}
