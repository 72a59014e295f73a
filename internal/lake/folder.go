package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/catalog"
)

// Names in the data folder (docs/formats/lake.md).
const (
	markName    = "wadi-lake.json"
	lockName    = "wadi.lock"
	catalogName = "catalog.db"
	stateName   = "state.db"
	tablesName  = "lake"
	tempName    = "tmp"
	hotName     = "hot"
	walName     = "wal"
	pinsName    = "pins"
	reserveName = "reserve"
)

// Format is the version of the data folder's layout. History:
//
//	1  the first.
//	2  streams: positions of logs in the tables, rows in hot files, which a reader of
//	   format 1 would not see.
const Format = 2

// mark is wadi-lake.json: it makes a folder a lake.
type mark struct {
	// Format is the version of the layout.
	Format int `json:"format"`
	// UUID names the lake.
	UUID string `json:"uuid"`
	// Root is the folder that locations in the metadata begin with: where the
	// lake lay when it was made or last relocated.
	Root string `json:"root"`
	// Former are other folders that locations may begin with, while a relocation
	// is under way.
	Former []string `json:"former,omitempty"`
}

// maxMarkBytes bounds wadi-lake.json: it holds one path.
const maxMarkBytes = 64 << 10

// readMark reads wadi-lake.json; ok is false when there is none.
func readMark(f fsys, dir string) (m mark, ok bool, err error) {
	path := filepath.Join(dir, markName)
	r, err := f.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return mark{}, false, nil
	}
	if err != nil {
		return mark{}, false, fmt.Errorf("cannot read %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	data, err := io.ReadAll(io.LimitReader(r, maxMarkBytes))
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err == nil && (m.Format < 1 || !filepath.IsAbs(m.Root)) {
		err = errors.New("it has no format and root")
	}
	if err != nil {
		return mark{}, false, fmt.Errorf("cannot read %s: %w", path, err)
	}
	if m.Format > Format {
		return mark{}, false, refuse(codeNothingDone, "use a newer version of wadi",
			"cannot open %s: its format is %d, this program knows formats up to %d", dir, m.Format, Format)
	}
	return m, true, nil
}

// writeMark replaces wadi-lake.json in one step.
func writeMark(f fsys, dir string, m mark) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", markName, err)
	}
	return replaceFile(f, filepath.Join(dir, markName), append(data, '\n'))
}

// replaceFile makes a file with that content, durable, old or new at any instant.
func replaceFile(f fsys, path string, data []byte) error {
	temp := path + ".new"
	if err := f.Remove(temp); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	w, err := f.Create(temp)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	_, err = w.Write(data)
	if err == nil {
		err = w.Sync()
	}
	err = errors.Join(err, w.Close())
	if err == nil {
		err = f.Rename(temp, path)
	}
	if err == nil {
		err = f.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("cannot write %s: %w", path, err), f.Remove(temp))
	}
	return nil
}

// parentOf gives the folder that holds name.
func parentOf(name string) string { return filepath.Dir(name) }

// lock is the writer's lock on a data folder.
type lock struct{ f *os.File }

// takeLock takes the lock of a data folder; another holder is an error that names
// its process.
func takeLock(dir string) (*lock, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, explain(fmt.Errorf("cannot lock %s: %w", dir, err))
	}
	ok, err := lockFile(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot lock %s: %w", dir, err), f.Close())
	}
	if !ok {
		holder := "another process"
		if pid, _ := readHolder(f); pid > 0 {
			holder = fmt.Sprintf("process %d", pid)
		}
		return nil, errors.Join(refuse(codeNothingDone, "wait until it has ended; questions work meanwhile",
			"cannot write to %s: %s is writing there", dir, holder), f.Close())
	}
	l := &lock{f}
	if err := l.write(""); err != nil && !isFull(err) { // the pid is for the message only; expiry must get on on a full disk
		return nil, errors.Join(explain(fmt.Errorf("cannot lock %s: %w", dir, err)), f.Close())
	}
	return l, nil
}

// release lets the lock go; the file stays, because removing it would let two
// processes lock two files of the same name.
func (l *lock) release() error {
	return errors.Join(l.f.Truncate(0), l.f.Close())
}

// openStore opens catalog and, for writing, makes what is missing.
func openStore(ctx context.Context, dir string, f fsys, m mark, o catalog.Options) (*store, error) {
	p, err := catalog.OpenPointers(ctx, filepath.Join(dir, catalogName), o)
	if err != nil {
		return nil, err
	}
	return &store{fs: f, dir: dir, root: m.Root, former: m.Former, pointers: p}, nil
}

// makeFolder makes a data folder a lake of the current format.
func makeFolder(f fsys, dir string) (mark, error) {
	for _, d := range []string{dir, filepath.Join(dir, tablesName, catalog.Namespace)} {
		if err := f.MkdirAll(d); err != nil {
			return mark{}, fmt.Errorf("cannot make %s: %w", d, err)
		}
	}
	m := mark{Format: Format, UUID: uuid.NewString(), Root: dir}
	return m, writeMark(f, dir, m)
}
