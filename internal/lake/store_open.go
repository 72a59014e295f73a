package lake

import (
	"context"
	"path/filepath"

	"github.com/wadi-project/wadi/internal/catalog"

	"github.com/wadi-project/wadi/internal/lake/store"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// openStore opens catalog and, for writing, makes what is missing.
func openStore(ctx context.Context, dir string, f folder.FS, m folder.Mark, o catalog.Options) (*store.Store, error) {
	p, err := catalog.OpenPointers(ctx, filepath.Join(dir, folder.CatalogName), o)
	if err != nil {
		return nil, err
	}
	return &store.Store{FS: f, Dir: dir, Root: m.Root, Former: m.Former, Pointers: p}, nil
}
