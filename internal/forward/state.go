package forward

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	stateFormat = 1
	mainFile    = "forward.json"
	pendingFile = "pending.json"
	refusedFile = "refused.jsonl"
	lockFile    = "lock"
	cursorsDir  = "cursors"
)

// errLocked says that another process follows with this folder.
var errLocked = errors.New("another wadi forward works with it")

// mainState is forward.json.
type mainState struct {
	Format int                  `json:"format"`
	To     string               `json:"to"`
	Logs   map[string]*logState `json:"logs"` // by stream
}

// logState is the sender's log of one stream: the number of its last batch.
type logState struct {
	ID string `json:"id"`
	N  int64  `json:"n"`
}

// pending is a batch on its way. Rows before From are done; those from From to To
// have the number N.
type pending struct {
	Stream  string            `json:"stream"`
	Log     string            `json:"log"`
	N       int64             `json:"n"`
	From    int               `json:"from"`
	To      int               `json:"to"`
	Rows    []json.RawMessage `json:"rows"`
	Cursors []*cursor         `json:"cursors"`
}

// cursor says how far a file is sent.
type cursor struct {
	Path string    `json:"path"`
	Kind kind      `json:"kind"`
	Seen time.Time `json:"seen"`
	// Text files.
	Offset int64  `json:"offset,omitempty"`
	Line   int64  `json:"line,omitempty"`
	Head   string `json:"head,omitempty"` // SHA-256 of the first HeadLen bytes
	Tail   string `json:"tail,omitempty"` // SHA-256 of the TailLen bytes before Offset
	// HeadLen and TailLen are bytes.
	HeadLen int `json:"head_len,omitempty"`
	TailLen int `json:"tail_len,omitempty"`
	// Chunks of event logs, by the SHA-256 of their first record.
	Chunks map[string]taken `json:"chunks,omitempty"`
}

// taken is how many records of a chunk are sent, and their SHA-256.
type taken struct {
	Records int    `json:"records"`
	Hash    string `json:"hash"`
}

// folder is the cursor folder.
type folder struct {
	dir  string
	lock *os.File
	main mainState
	// step is called before each change, for tests that die there.
	step func(what string) error
}

// openFolder locks the folder, makes it when it isn't there, and reads what it
// has.
func openFolder(dir, to string, step func(string) error) (f *folder, cursors []*cursor, err error) {
	if err := os.MkdirAll(filepath.Join(dir, cursorsDir), 0o700); err != nil {
		return nil, nil, err
	}
	lock, err := takeLock(filepath.Join(dir, lockFile))
	if err != nil {
		return nil, nil, fmt.Errorf("cannot use the cursor folder %s: %w", dir, err)
	}
	f = &folder{dir: dir, lock: lock, step: step}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("cannot use the cursor folder %s: %w", dir, err), lock.Close())
			f = nil
		}
	}()
	err = f.read(mainFile, &f.main)
	if errors.Is(err, fs.ErrNotExist) {
		f.main = mainState{Format: stateFormat, To: to, Logs: map[string]*logState{}}
		if err = f.write(mainFile, &f.main); err != nil {
			return f, nil, err
		}
	}
	switch {
	case err != nil:
		return f, nil, err
	case f.main.Format != stateFormat:
		return f, nil, fmt.Errorf("it has format %d; this Wadi reads format %d", f.main.Format, stateFormat)
	case f.main.To != to:
		return f, nil, fmt.Errorf("its cursors belong to %s, not to %s", f.main.To, to)
	}
	cursors, err = f.cursors()
	return f, cursors, err
}

func (f *folder) close() error { return f.lock.Close() }

func (f *folder) cursors() (list []*cursor, err error) {
	names, err := os.ReadDir(filepath.Join(f.dir, cursorsDir))
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), ".json") {
			continue
		}
		c := &cursor{}
		if err := f.read(filepath.Join(cursorsDir, n.Name()), c); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// log gives the state of a stream's log, and makes it; the caller writes it.
func (f *folder) log(stream string) *logState {
	l := f.main.Logs[stream]
	if l == nil {
		l = &logState{ID: uuid.NewString()}
		f.main.Logs[stream] = l
	}
	return l
}

func cursorFile(path string) string {
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(cursorsDir, hex.EncodeToString(sum[:16])+".json")
}

func (f *folder) read(name string, v any) error {
	file, err := os.Open(filepath.Join(f.dir, name))
	if err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(file, maxState+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if len(b) > maxState {
		return fmt.Errorf("%s is longer than %d bytes", name, maxState)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// encode gives one line of JSON. Rows stay as they are: XML would be three times
// as long with its brackets escaped.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// write replaces a file, durably.
func (f *folder) write(name string, v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	if err := f.step("write " + name); err != nil {
		return err
	}
	path := filepath.Join(f.dir, name)
	file, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(b)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := f.step("rename " + name); err != nil {
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// remove removes a file; it need not be durable, as what it says is done already.
func (f *folder) remove(name string) error {
	if err := f.step("remove " + name); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(f.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// refusal is a line of refused.jsonl.
type refusal struct {
	At     time.Time `json:"at"`
	Stream string    `json:"stream,omitempty"`
	File   string    `json:"file,omitempty"`
	Line   int64     `json:"line,omitempty"`
	Reason string    `json:"reason"`
	// Row is what was refused: a row, or the text of a line.
	Row json.RawMessage `json:"row,omitempty"`
}

// refuse keeps a row that is not sent.
func (f *folder) refuse(r *refusal) error {
	b, err := encode(r)
	if err != nil {
		return err
	}
	if err := f.step("refuse"); err != nil {
		return err
	}
	path := filepath.Join(f.dir, refusedFile)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if st, err := file.Stat(); err != nil || st.Size()+int64(len(b)) > maxRefusedBytes {
		if err == nil {
			err = fmt.Errorf("%s has reached %d bytes: too much is refused; look at it and move it away", path, maxRefusedBytes)
		}
		return errors.Join(err, file.Close())
	}
	_, err = file.Write(b)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
