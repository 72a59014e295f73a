package socket

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// answerMode is the mode of files with answers: what the lake holds is not for
// everybody.
const answerMode = 0o640

// errNotShown is what a server is told that asks for more than was named.
var errNotShown = errors.New("the command line didn't name it")

// answer answers one question. Errors of sending are left to the receiver: the
// connection is closed then.
func (a *answers) answer(m *askMessage, body []byte) {
	path := string(m.Path)
	r, content, file, err := a.find(m, path, body)
	if err != nil {
		r = replyMessage{}
		r.fill(err)
	}
	r.ID = m.ID
	_ = a.conn.send(kindReply, &r, content, file)
	if file != nil && m.What != askStdin {
		_ = file.Close() // the server has its own descriptor
	}
}

// fill puts an error into a reply.
func (r *replyMessage) fill(err error) {
	r.Error = err.Error()
	var pe *fs.PathError
	if errors.As(err, &pe) {
		r.Op, r.Error = pe.Op, pe.Err.Error()
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		r.Errno = int(number)
	}
}

func (a *answers) find(m *askMessage, path string, body []byte) (r replyMessage, content []byte, file *os.File, err error) {
	switch m.What {
	case askStat, askLstat, askReadDir, askOpen:
		if !a.shown.mayRead(path) {
			return r, nil, nil, &os.PathError{Op: m.What, Path: path, Err: errNotShown}
		}
	case askGlob:
		if !a.shown.mayGlob(path) {
			return r, nil, nil, &os.PathError{Op: m.What, Path: path, Err: errNotShown}
		}
	case askCreate:
		if !a.shown.mayWrite(path) {
			return r, nil, nil, &os.PathError{Op: m.What, Path: path, Err: errNotShown}
		}
	case askStdin:
		if !a.shown.Stdin {
			return r, nil, nil, errNotShown
		}
	}
	switch m.What {
	case askStat, askLstat:
		stat := os.Stat
		if m.What == askLstat {
			stat = os.Lstat
		}
		st, err := stat(path)
		if err == nil {
			r.Info = describe(st)
		}
		return r, nil, nil, err
	case askReadDir:
		err = a.readDir(m.ID, path, &r)
	case askGlob:
		err = a.glob(m.ID, path, &r)
	case askOpen, askStdin:
		file, err = a.open(m.What, path, &r)
	case askRead:
		content, err = a.read(m, &r)
	case askCreate:
		err = a.create(path, &r)
	case askWrite, askKeep, askClose:
		err = a.finish(m, body)
	default:
		err = errProtocol
	}
	return r, content, file, err
}

func describe(st fs.FileInfo) *infoMessage {
	return &infoMessage{Name: text(st.Name()), Size: st.Size(), Mode: uint32(st.Mode()), Mtime: st.ModTime().UnixNano()}
}

// readDir sends the names of a folder in parts; the last is left in r.
func (a *answers) readDir(id uint64, path string, r *replyMessage) error {
	names, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, n := range names {
		if len(r.Entries) == entriesPerReply {
			r.ID, r.More = id, true
			if err := a.conn.send(kindReply, r, nil, nil); err != nil {
				return err
			}
			*r = replyMessage{}
		}
		r.Entries = append(r.Entries, infoMessage{Name: text(n.Name()), Mode: uint32(n.Type())})
	}
	return nil
}

// pathsPerReply keeps a reply of the longest paths below maxFrame.
const pathsPerReply = maxFrame / (2 * maxPath)

func (a *answers) glob(id uint64, pattern string, r *replyMessage) error {
	paths, _ := filepath.Glob(pattern) // a bad pattern matches nothing
	for _, p := range paths {
		if len(r.Paths) == pathsPerReply {
			r.ID, r.More = id, true
			if err := a.conn.send(kindReply, r, nil, nil); err != nil {
				return err
			}
			*r = replyMessage{}
		}
		r.Paths = append(r.Paths, text(p))
	}
	return nil
}

// open opens a file: a regular one gives its descriptor, another a handle, and a
// folder its description only.
func (a *answers) open(what, path string, r *replyMessage) (*os.File, error) {
	if what == askStdin {
		f, ok := a.stdin.(*os.File)
		if !ok {
			if a.stdin == nil {
				return nil, errors.New("there is no standard input")
			}
			r.Info = &infoMessage{Mode: uint32(fs.ModeNamedPipe)}
			return nil, a.keep(&openFile{r: a.stdin}, r)
		}
		st, err := f.Stat()
		if err != nil {
			return nil, err
		}
		r.Info = describe(st)
		if st.Mode().IsRegular() {
			return f, nil
		}
		return nil, a.keep(&openFile{r: f}, r)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	r.Info = describe(st)
	switch {
	case st.Mode().IsRegular():
		return f, nil
	case st.IsDir():
		return nil, f.Close()
	}
	if err := a.keep(&openFile{r: f, own: f}, r); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return nil, nil
}

// keep gives an open file a number, from 1.
func (a *answers) keep(f *openFile, r *replyMessage) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.handles) >= maxHandles {
		return fmt.Errorf("cannot hold more than %d files open", maxHandles)
	}
	a.next++
	a.handles[a.next] = f
	r.Handle = a.next
	return nil
}

func (a *answers) handle(n int) (*openFile, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f := a.handles[n]; f != nil {
		return f, nil
	}
	return nil, fs.ErrClosed
}

func (a *answers) read(m *askMessage, r *replyMessage) ([]byte, error) {
	f, err := a.handle(m.Handle)
	if err != nil || f.r == nil {
		return nil, errors.Join(err, errIf(err == nil, errProtocol))
	}
	b := make([]byte, min(max(m.Max, 1), chunk))
	n, err := f.r.Read(b)
	if errors.Is(err, io.EOF) {
		r.EOF, err = true, nil
	}
	return b[:n], err
}

func errIf(is bool, err error) error {
	if is {
		return err
	}
	return nil
}

// create makes a file beside the one that it becomes, or opens the device or the
// pipe that stands there.
func (a *answers) create(path string, r *replyMessage) error {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() && !st.IsDir() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return a.keep(&openFile{w: f, own: f}, r)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	h := &openFile{w: f, name: path}
	if err := a.keep(h, r); err != nil {
		h.abandon()
		return err
	}
	return nil
}

// finish writes to a handle, or ends it.
func (a *answers) finish(m *askMessage, body []byte) error {
	f, err := a.handle(m.Handle)
	if err != nil {
		return err
	}
	if m.What == askWrite {
		if f.w == nil {
			return errProtocol
		}
		_, err = f.w.Write(body)
		return err
	}
	a.mu.Lock()
	delete(a.handles, m.Handle)
	a.mu.Unlock()
	if f.own != nil && f.w != nil && m.What == askKeep {
		return f.own.Close() // a device has its name
	}
	if m.What == askClose || f.w == nil {
		f.abandon()
		return nil
	}
	err = errors.Join(f.w.Chmod(answerMode), f.w.Close())
	if err == nil {
		err = os.Rename(f.w.Name(), f.name)
	}
	if err != nil {
		_ = os.Remove(f.w.Name())
	}
	return err
}
