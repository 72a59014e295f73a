package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// pinFile is what a pin says. It is a file, so that the writer, another process,
// sees it; one that can't be written (a read-only folder) is left out, and the
// deletion delay alone protects the reader.
type pinFile struct {
	// MadeUS is when the read point was taken, UntilUS when the pin is void, both
	// µs since 1970.
	MadeUS  int64 `json:"made_us"`
	UntilUS int64 `json:"until_us"`
}

// Pin is one pin of this process.
type Pin struct {
	fs      FS
	path    string
	removed atomic.Bool
}

// pinNumber numbers the pins of this process; the name of a pin holds its pid.
var pinNumber atomic.Int64

// PlacePin writes a pin; a pin that can't be written is nil.
func PlacePin(f FS, dir string, now time.Time, deadline time.Duration) *Pin {
	data, err := json.Marshal(pinFile{MadeUS: now.UnixMicro(), UntilUS: now.Add(deadline).UnixMicro()})
	if err != nil {
		return nil
	}
	path := filepath.Join(dir, fmt.Sprintf("%d-%d", os.Getpid(), pinNumber.Add(1)))
	w, err := f.Create(path)
	if err != nil {
		return nil
	}
	// Not synced: after a power cut there is no reader to protect.
	_, err = w.Write(data)
	if errors.Join(err, w.Close()) != nil {
		_ = f.Remove(path) // an unreadable pin is void after the longest deadline
		return nil
	}
	return &Pin{fs: f, path: path}
}

// Remove removes the pin; a nil pin is fine.
func (p *Pin) Remove() error {
	if p == nil || p.removed.Swap(true) {
		return nil
	}
	if err := p.fs.Remove(p.path); err != nil {
		return fmt.Errorf("cannot remove a pin: %w", err)
	}
	return nil
}

// maxPinBytes bounds a pin file.
const maxPinBytes = 4096

// OldestPin gives when the oldest valid pin was made (µs); ok is false when there
// is none. Void pins are removed.
func OldestPin(f FS, dir string, now time.Time) (us int64, ok bool, err error) {
	pins, err := ValidPins(f, dir, now)
	for _, made := range pins {
		if !ok || made < us {
			us, ok = made, true
		}
	}
	return us, ok, err
}

// ValidPins gives when each valid pin was made (µs), by its name. Void pins are
// removed.
func ValidPins(f FS, dir string, now time.Time) (map[string]int64, error) {
	names, err := f.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the pins: %w", err)
	}
	valid := map[string]int64{}
	for _, e := range names {
		path := filepath.Join(dir, e.Name())
		p, err := readPin(f, path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil { // half written, or garbage: as old as its file, valid for the longest deadline
			info, err := e.Info()
			if err != nil {
				continue
			}
			p = pinFile{MadeUS: info.ModTime().UnixMicro(), UntilUS: info.ModTime().Add(LongestDeadline).UnixMicro()}
		}
		if p.UntilUS < now.UnixMicro() || !pinAlive(e.Name()) {
			if err := f.Remove(path); err != nil {
				return nil, fmt.Errorf("cannot remove a void pin: %w", err)
			}
			continue
		}
		valid[e.Name()] = p.MadeUS
	}
	return valid, nil
}

// pinAlive tells whether the process in a pin's name still runs. In another
// container the number means another process: then the deadline decides.
func pinAlive(name string) bool {
	n, _, _ := strings.Cut(name, "-")
	pid, err := strconv.Atoi(n)
	return err != nil || Alive(pid)
}

func readPin(f FS, path string) (p pinFile, err error) {
	r, err := f.Open(path)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	data, err := io.ReadAll(io.LimitReader(r, maxPinBytes))
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(data, &p)
}
