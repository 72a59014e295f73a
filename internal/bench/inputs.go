package bench

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

// mix is one EVTX input.
type mix struct {
	name      string
	path      string
	sizeBytes int64
	bytesGoal string
}

// mixSizeBytes is the size of an input file: some seconds of work, so that the
// start of a process does not count, and within the page cache.
const mixSizeBytes = 256 << 20

// fullChunk is how many bytes of a chunk must be records: the figures speak of
// full chunks, as a log that is in use has them.
const fullChunk = 60_000

// inputs makes the EVTX files, once per bench folder: full real chunks of one
// provider, rewritten.
func (b *bench) inputs() ([]mix, error) {
	wants := []struct{ name, provider, goal string }{
		{"Security", "Microsoft-Windows-Security-Auditing", "≤60"},
		{"Sysmon", "Microsoft-Windows-Sysmon", "≤140"},
	}
	var out []mix
	for _, w := range wants {
		m := mix{name: w.name, path: filepath.Join(b.tmp, w.name+".evtx"), bytesGoal: w.goal}
		if _, err := os.Stat(m.path); err != nil {
			if err := b.writeMix(m.path, w.provider); err != nil {
				return nil, err
			}
		}
		info, err := os.Stat(m.path)
		if err != nil {
			return nil, err
		}
		m.sizeBytes = info.Size()
		out = append(out, m)
	}
	return out, nil
}

func (b *bench) writeMix(path, provider string) (err error) {
	chunks, err := evtxtest.Chunks(filepath.Join(b.Corpus, "evtx"), fullChunk, evtxtest.Holds(provider))
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	count, err := evtxtest.Rewrite(w, chunks, evtxtest.Options{SizeBytes: mixSizeBytes, Seed: 1})
	if err == nil {
		err = w.Flush()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		fmt.Fprintf(b.out, "%s: %d records from %d distinct full chunks that hold %s\n", filepath.Base(path), count, len(chunks), provider)
	}
	return err
}
