package wal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// memFS is a file system in memory that knows what a power cut may take: names
// since the last sync of the folder (in order, as a journal has them), sectors and
// lengths since the last sync of a file. It also fails the n-th change.
type memFS struct {
	mu      sync.Mutex
	now     func() time.Time
	names   map[string]*memFile
	durable map[string]*memFile // names after the last SyncDir
	journal []func(map[string]*memFile)

	calls   int
	fail    int // the n-th change fails; 0: none
	until   int // and those up to this one
	err     error
	failed  []string
	block   chan struct{} // when set, Sync waits for it
	blocked chan struct{} // gets a value when a Sync waits
}

type memFile struct {
	fs      *memFS
	data    []byte
	durable []byte
	dirty   map[int64]bool // sectors written since the last sync
	at      time.Time
}

var errFault = errors.New("the disk is on fire")

func newMemFS() *memFS {
	return &memFS{now: time.Now, names: map[string]*memFile{}, durable: map[string]*memFile{}, err: errFault}
}

// hit counts a change; the caller holds mu.
func (m *memFS) hit(op string) error {
	m.calls++
	if m.fail > 0 && m.calls >= m.fail && m.calls <= max(m.until, m.fail) {
		m.failed = append(m.failed, op)
		return fmt.Errorf("%s: %w", op, m.err)
	}
	return nil
}

func (m *memFS) MkdirAll(string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hit("mkdir")
}

func (m *memFS) rename(change func(map[string]*memFile)) {
	change(m.names)
	m.journal = append(m.journal, change)
}

func (m *memFS) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.hit("create"); err != nil {
		return nil, err
	}
	if m.names[name] != nil {
		return nil, fs.ErrExist
	}
	f := &memFile{fs: m, dirty: map[int64]bool{}, at: m.now()}
	m.rename(func(names map[string]*memFile) { names[name] = f })
	return f, nil
}

func (m *memFS) Open(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.names[name]; f != nil {
		return f, nil
	}
	return nil, fs.ErrNotExist
}

func (m *memFS) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.hit("rename"); err != nil {
		return err
	}
	m.rename(func(names map[string]*memFile) {
		if f := names[from]; f != nil {
			names[to] = f
			delete(names, from)
		}
	})
	return nil
}

func (m *memFS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.hit("remove"); err != nil {
		return err
	}
	m.rename(func(names map[string]*memFile) { delete(names, name) })
	return nil
}

func (m *memFS) SyncDir(string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.hit("sync folder"); err != nil {
		return err
	}
	m.settle(len(m.journal))
	return nil
}

func (m *memFS) settle(n int) {
	for _, change := range m.journal[:n] {
		change(m.durable)
	}
	m.journal = m.journal[n:]
}

func (m *memFS) ReadDir(dir string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []fs.DirEntry
	for name, f := range m.names {
		if filepath.Dir(name) == dir {
			list = append(list, fs.FileInfoToDirEntry(memInfo{filepath.Base(name), int64(len(f.data)), f.at}))
		}
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}

type memInfo struct {
	name string
	size int64
	at   time.Time
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) Mode() fs.FileMode  { return 0o640 }
func (i memInfo) ModTime() time.Time { return i.at }
func (i memInfo) IsDir() bool        { return false }
func (i memInfo) Sys() any           { return nil }

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if off >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	err := f.fs.hit("write")
	if err != nil {
		p = p[:len(p)/2] // as a disk that fills up does
	}
	if need := off + int64(len(p)); need > int64(len(f.data)) {
		f.data = append(f.data, make([]byte, need-int64(len(f.data)))...)
	}
	copy(f.data[off:], p)
	for s := off / sector; s*sector < off+int64(len(p)); s++ {
		f.dirty[s] = true
	}
	f.at = f.fs.now()
	return len(p), err
}

func (f *memFile) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.hit("truncate"); err != nil {
		return err
	}
	f.data = f.data[:size]
	return nil
}

func (f *memFile) Sync() error {
	if block := f.fs.block; block != nil {
		f.fs.blocked <- struct{}{}
		<-block
	}
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.hit("sync"); err != nil {
		return err // and the pages stay dirty or not: crash decides
	}
	f.durable = slices.Clone(f.data)
	clear(f.dirty)
	return nil
}

func (f *memFile) Stat() (fs.FileInfo, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return memInfo{"", int64(len(f.data)), f.at}, nil
}

func (f *memFile) Close() error { return nil }

// crash gives what a power cut leaves: of each file its durable bytes, and of what
// was written since any of the sectors and any length in between.
func (m *memFS) crash(r *rand.Rand) *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle(r.IntN(len(m.journal) + 1))
	after := newMemFS()
	after.now = m.now
	for name, f := range m.durable {
		low, high := len(f.durable), len(f.data)
		if low > high {
			low, high = high, low
		}
		data := make([]byte, low+r.IntN(high-low+1))
		copy(data, f.durable)
		for s := range f.dirty {
			if from := s * sector; r.IntN(2) == 0 && from < int64(len(data)) && from < int64(len(f.data)) {
				copy(data[from:min(from+sector, int64(len(data)))], f.data[from:])
			}
		}
		after.names[name] = &memFile{fs: after, data: data, durable: slices.Clone(data), dirty: map[int64]bool{}, at: f.at}
		after.durable[name] = after.names[name]
	}
	return after
}

// killed gives what the death of the process leaves: all that was written.
func (m *memFS) killed() *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	after := newMemFS()
	after.now = m.now
	for name, f := range m.names {
		after.names[name] = &memFile{fs: after, data: slices.Clone(f.data), durable: slices.Clone(f.durable), dirty: f.dirty, at: f.at}
	}
	after.durable = after.names
	return after
}

// full makes the next changes fail as a full disk does, and stops it.
func (m *memFS) full(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail, m.until, m.err = 0, 0, errFault
	if on {
		m.fail, m.until, m.err = m.calls+1, 1<<40, &fs.PathError{Op: "write", Path: "wal", Err: syscall.ENOSPC}
	}
}
