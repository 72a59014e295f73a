package lake

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"
)

// Verify checks every file that the metadata names: that it exists, has its size,
// its checksum and its number of rows. Files of the tables' folders that nothing
// names are reported as orphans. An error means that the check itself failed.
func (l *Lake) Verify(ctx context.Context, report func(Fault)) (Verified, error) {
	var out Verified
	if l.store == nil {
		return out, nil
	}
	r, err := l.Pin(ctx, maxVerifyTime)
	if err != nil {
		return out, err
	}
	v := verifier{lake: l, report: func(f Fault) {
		if f.Orphan {
			out.Orphans++
		} else {
			out.Faults++
		}
		report(f)
	}, out: &out}
	return out, errors.Join(v.run(ctx, r), r.Close())
}

type verifier struct {
	lake   *Lake
	report func(Fault)
	out    *Verified
	sums   map[string]catalog.FileRow
}

func (v *verifier) run(ctx context.Context, r *ReadPoint) error {
	l := v.lake
	garbage := map[string]int64{}
	s, err := l.openState(ctx)
	if err != nil {
		return err
	}
	if s != nil {
		v.sums, err = s.Files(ctx)
		if err == nil {
			garbage, err = s.Garbage(ctx)
		}
		if err = errors.Join(err, s.Close()); err != nil {
			return err
		}
	}
	set, err := r.Schema()
	if err != nil {
		return err
	}
	for _, t := range set.Tables() {
		for _, f := range r.files[t.Name] {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := v.file(ctx, t, f); err != nil {
				v.report(Fault{Table: t.Name, Path: f.File.Path, Reason: err.Error()})
			}
			v.out.Files, v.out.Rows, v.out.Bytes = v.out.Files+1, v.out.Rows+f.File.Rows, v.out.Bytes+f.File.SizeBytes
		}
	}
	named, err := l.store.Named(ctx)
	if err != nil {
		v.report(Fault{Path: l.dir, Reason: err.Error()})
		return nil
	}
	present, err := l.store.List()
	if err != nil {
		return err
	}
	for _, rel := range sortedKeys(named) {
		if !present[rel] && !strings.HasSuffix(rel, ".metadata.json") { // superseded ones go at once
			v.report(Fault{Path: l.store.Path(rel), Reason: "the metadata names it, but it is missing"})
		}
	}
	for _, rel := range sortedKeys(present) {
		if _, waiting := garbage[rel]; !named[rel] && !waiting {
			v.report(Fault{Path: l.store.Path(rel), Reason: "nothing names it", Orphan: true})
		}
	}
	return nil
}

// file checks one data file.
func (v *verifier) file(ctx context.Context, t *schema.Table, m store.Listed) (err error) {
	f, err := v.lake.opts.fs.Open(m.File.Path)
	if err != nil {
		return errors.New("it can't be opened: " + err.Error())
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return fmt.Errorf("it can't be read: %w", err)
	}
	if n != m.File.SizeBytes {
		return fmt.Errorf("it has %d bytes, the metadata says %d", n, m.File.SizeBytes)
	}
	rel, _ := v.lake.store.Relative(m.Loc)
	if row, ok := v.sums[rel]; !ok {
		v.out.Unsummed++
	} else if [32]byte(sum.Sum(nil)) != row.SHA256 {
		return errors.New("its checksum isn't the one it was written with")
	}
	rows := int64(0)
	cols := []int{t.Index("_IngestedAt")}
	in := datafile.Input{Path: filepath.Base(m.File.Path), R: f, SizeBytes: n}
	if err := datafile.Read(ctx, in, t, cols, datafile.Filter{}, func(datafile.Row) error { rows++; return nil }); err != nil {
		return err
	}
	if rows != m.File.Rows {
		return fmt.Errorf("it has %d rows, the metadata says %d", rows, m.File.Rows)
	}
	return nil
}
