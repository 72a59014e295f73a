package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/catalog"
)

// Names in the data folder (docs/formats/lake.md).
const (
	MarkName    = "wadi-lake.json"
	LockName    = "wadi.lock"
	CatalogName = "catalog.db"
	StateName   = "state.db"
	TablesName  = "lake"
	TempName    = "tmp"
	HotName     = "hot"
	walName     = "wal"
	PinsName    = "pins"
	ReserveName = "reserve"
)

// Format is the version of the data folder's layout. History:
//
//	1  the first.
//	2  streams: positions of logs in the tables, rows in hot files, which a reader of
//	   format 1 would not see.
const Format = 2

// Mark is wadi-lake.json: it makes a folder a lake.
type Mark struct {
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

// ReadMark reads wadi-lake.json; ok is false when there is none.
func ReadMark(f FS, dir string) (m Mark, ok bool, err error) {
	path := filepath.Join(dir, MarkName)
	r, err := f.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Mark{}, false, nil
	}
	if err != nil {
		return Mark{}, false, fmt.Errorf("cannot read %s: %w", path, err)
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
		return Mark{}, false, fmt.Errorf("cannot read %s: %w", path, err)
	}
	if m.Format > Format {
		return Mark{}, false, Refuse(CodeNothingDone, "use a newer version of wadi",
			"cannot open %s: its format is %d, this program knows formats up to %d", dir, m.Format, Format)
	}
	return m, true, nil
}

// WriteMark replaces wadi-lake.json in one step.
func WriteMark(f FS, dir string, m Mark) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", MarkName, err)
	}
	return replaceFile(f, filepath.Join(dir, MarkName), append(data, '\n'))
}

// replaceFile makes a file with that content, durable, old or new at any instant.
func replaceFile(f FS, path string, data []byte) error {
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

// Lock is the writer's lock on a data folder.
type Lock struct{ f *os.File }

// TakeLock takes the lock of a data folder; another holder is an error that names
// its process.
func TakeLock(dir string) (*Lock, error) {
	path := filepath.Join(dir, LockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, Explain(fmt.Errorf("cannot lock %s: %w", dir, err))
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
		return nil, errors.Join(Refuse(CodeNothingDone, "wait until it has ended; questions work meanwhile",
			"cannot write to %s: %s is writing there", dir, holder), f.Close())
	}
	l := &Lock{f}
	if err := l.Write(""); err != nil && !IsFull(err) { // the pid is for the message only; expiry must get on on a full disk
		return nil, errors.Join(Explain(fmt.Errorf("cannot lock %s: %w", dir, err)), f.Close())
	}
	return l, nil
}

// Release lets the lock go; the file stays, because removing it would let two
// processes lock two files of the same name.
func (l *Lock) Release() error {
	return errors.Join(l.f.Truncate(0), l.f.Close())
}

// MakeFolder makes a data folder a lake of the current format.
func MakeFolder(f FS, dir string) (Mark, error) {
	for _, d := range []string{dir, filepath.Join(dir, TablesName, catalog.Namespace)} {
		if err := f.MkdirAll(d); err != nil {
			return Mark{}, fmt.Errorf("cannot make %s: %w", d, err)
		}
	}
	m := Mark{Format: Format, UUID: uuid.NewString(), Root: dir}
	return m, WriteMark(f, dir, m)
}

// LongestDeadline is the longest a question may run; files that have left the
// tables stay a minute longer than that.
const LongestDeadline = 10 * time.Minute
