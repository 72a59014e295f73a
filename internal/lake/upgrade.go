package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/wadi-project/wadi/internal/catalog"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// upgradeStep brings a data folder from the format it is filed under to the next.
// It must be harmless when it was run, wholly or in part, before.
type upgradeStep func(ctx context.Context, f folder.FS, dir string) error

// upgrades by the format they begin with.
var upgrades = map[int]upgradeStep{
	1: func(ctx context.Context, _ folder.FS, dir string) error {
		s, err := catalog.OpenState(ctx, filepath.Join(dir, folder.StateName), catalog.Options{})
		if err != nil {
			return err
		}
		return s.Close()
	},
}

// upgrade brings an older data folder up to Format. Catalog and state are copied
// first, to <name>.format-<n>; the mark changes last, so that an upgrade that was
// cut short is done again.
func upgrade(ctx context.Context, f folder.FS, dir string, m folder.Mark, steps map[int]upgradeStep) (folder.Mark, error) {
	for _, name := range []string{folder.CatalogName, folder.StateName} {
		if err := copyDatabase(ctx, f, dir, name, m.Format); err != nil {
			return m, fmt.Errorf("cannot upgrade the lake from format %d: %w", m.Format, err)
		}
	}
	for m.Format < folder.Format {
		step, ok := steps[m.Format]
		if !ok {
			return m, folder.Refuse(folder.CodeNothingDone, "use the version of wadi that made it", "cannot upgrade the lake: nothing is known of format %d", m.Format)
		}
		if err := step(ctx, f, dir); err != nil {
			return m, fmt.Errorf("cannot upgrade the lake from format %d: %w", m.Format, err)
		}
		m.Format++
		if err := folder.WriteMark(f, dir, m); err != nil {
			return m, err
		}
	}
	return m, nil
}

// copyDatabase copies one database, unless a copy exists from an earlier attempt.
func copyDatabase(ctx context.Context, f folder.FS, dir, name string, format int) error {
	from := filepath.Join(dir, name)
	to := fmt.Sprintf("%s.format-%d", from, format)
	if _, err := f.Stat(to); err == nil {
		return nil
	}
	if _, err := f.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	temp := to + ".new"
	if err := f.Remove(temp); err != nil {
		return err
	}
	if err := catalog.Copy(ctx, from, temp); err != nil {
		return err
	}
	return errors.Join(f.Rename(temp, to), f.SyncDir(dir))
}
