package stream

import (
	"slices"
	"sync"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// entry is a batch on its way: placed in the log, not yet in a generation.
type entry struct {
	payload
	schema   *schema.Table
	batch    *datafile.Rows // nil or empty for none
	count    int
	position int64
	firstSeq int64
	held     int64 // bytes of the budget
	gap      int64
	repeats  int64 // 1 for a batch that was known
}

// order keeps the entries in the order of their positions until they are durable.
// It is safe for concurrent use.
type order struct {
	now func() int64 // µs since 1970

	mu     sync.Mutex
	queue  []*entry
	lastUS int64
}

// place numbers an entry's rows and writes its payload behind dst. The log calls it
// in the order of positions. A position that is given again belonged to a frame that
// was not written: its entry, and those behind it, are gone.
func (o *order) place(e *entry, position, firstSeq int64, dst []byte) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for n := len(o.queue); n > 0 && o.queue[n-1].position >= position; n = len(o.queue) {
		o.queue[n-1] = nil
		o.queue = o.queue[:n-1]
	}
	o.lastUS = max(o.lastUS, o.now()) // a clock that was set back doesn't count
	e.position, e.firstSeq, e.us = position, firstSeq, o.lastUS
	if e.count > 0 {
		e.batch.Number(e.source, firstSeq, e.us)
		e.rows = e.batch.Encoded()
	}
	o.queue = append(o.queue, e)
	return e.append(dst), nil
}

// forget takes an entry out that was not written.
func (o *order) forget(e *entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.Index(o.queue, e); i >= 0 {
		o.queue = slices.Delete(o.queue, i, i+1)
	}
}

// durable takes out an entry that is durable, and those before it: the log writes in
// the order of positions, so they are too. There are none when another did it.
func (o *order) durable(e *entry) []*entry {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.Index(o.queue, e)
	if i < 0 {
		return nil
	}
	ready := slices.Clone(o.queue[:i+1])
	o.queue = slices.Delete(o.queue, 0, i+1)
	return ready
}

// after makes sure that times don't go behind us.
func (o *order) after(us int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lastUS = max(o.lastUS, us)
}
