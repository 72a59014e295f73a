package stream

import (
	"context"
	"errors"
	"time"

	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
	"github.com/wadi-project/wadi/internal/wal"
)

// clock closes generations and ends hot files when they are due.
func (d *Door) clock(ctx context.Context) error {
	for {
		d.mu.Lock()
		wait := d.tick(d.elapsed())
		d.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-d.wakeClock:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
		timer.Stop()
	}
}

// tick does what is due and tells how long nothing will be. The caller holds mu.
func (d *Door) tick(now time.Duration) time.Duration {
	d.measure(now)
	wait := time.Hour // nothing is open: the next entry wakes the clock
	g := d.gen
	if g == nil {
		return wait
	}
	if d.rate.fast {
		g.speed(now)
	}
	due := g.opened + d.cfg.PartAge
	if g.fast {
		due = min(due, g.since+d.cfg.FastAge)
	}
	if due <= now {
		d.closeGeneration()
		return wait
	}
	wait = due - now
	for _, t := range g.tables {
		if t.buffer == nil {
			continue
		}
		if t.bufferAt+d.cfg.HotEvery <= now {
			d.queueHot(g, t)
		} else {
			wait = min(wait, t.bufferAt+d.cfg.HotEvery-now)
		}
	}
	if g.full(d.cfg.PartBytes) {
		d.closeGeneration()
		return time.Hour
	}
	// The rate is measured as often as hot files are made.
	return min(wait, d.cfg.HotEvery)
}

// measure decides whether rows come too quickly for hot files. It takes more to
// begin with that than to stay with it. The caller holds mu.
func (d *Door) measure(now time.Duration) {
	r := &d.rate
	took := now - r.since
	if took < d.cfg.HotEvery {
		return
	}
	perSecond := float64(r.rows) / took.Seconds()
	most := float64(d.cfg.HotRows)
	if r.fast {
		most *= 0.8
	}
	r.fast = perSecond > most
	r.since, r.rows = now, 0
}

// bufferFull ends a table's hot file early when it is large. The caller holds mu.
func (d *Door) bufferFull(g *generation, table string, now time.Duration) {
	t := g.tables[table]
	if t == nil || t.buffer == nil {
		return
	}
	if int64(t.buffer.SizeBytes()) >= maxHotBytes {
		d.queueHot(g, t)
	} else if t.bufferAt == now {
		wake(d.wakeClock)
	}
}

// queueHot hands the rows that wait for a hot file to the goroutine that writes
// them. The caller holds mu.
func (d *Door) queueHot(g *generation, t *genTable) {
	if len(d.hotQueue) >= maxHotWaiting { // a slow disk
		g.speed(d.elapsed())
		wake(d.wakeClock)
		return
	}
	name := t.table.Name
	h := hotFile{gen: g, table: t.table, rows: t.buffer, from: d.chain[name], to: t.last, behind: d.unseen[name]}
	d.chain[name] = t.last
	delete(d.unseen, name)
	t.buffer = nil
	t.hotFiles++
	g.hot++
	d.hotQueue = append(d.hotQueue, h)
	wake(d.wakeHot)
}

// hot writes hot files in their order.
func (d *Door) hot(ctx context.Context) error {
	for {
		d.mu.Lock()
		var h hotFile
		if len(d.hotQueue) > 0 {
			h, d.hotQueue = d.hotQueue[0], d.hotQueue[1:]
		}
		d.mu.Unlock()
		if h.rows == nil {
			select {
			case <-d.wakeHot:
				continue
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if err := d.writeHot(ctx, h); err != nil {
			return err
		}
	}
}

// writeHot writes a hot file; its error is the context's.
func (d *Door) writeHot(ctx context.Context, h hotFile) error {
	defer d.wroteHot(h.gen)
	if h.behind != nil {
		select {
		case <-h.behind.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	err := d.shelf.WriteHot(ctx, h.table, []*datafile.Rows{h.rows}, h.from, h.to)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.stats.HotFiles++
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// Files behind a missing one are not read: the rows are seen with the commit.
	d.stats.HotErrors++
	d.log.Warn("cannot write a hot file; its rows are seen when they are committed", "table", h.table.Name, "error", err)
	h.gen.tables[h.table.Name].unseen = true
	d.unseen[h.table.Name] = h.gen
	if d.gen == h.gen {
		h.gen.speed(d.elapsed())
		wake(d.wakeClock)
	}
	return nil
}

// wroteHot says that a hot file of a generation needn't be waited for any more.
func (d *Door) wroteHot(g *generation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if g.hot--; g.hot == 0 {
		wake(d.wakeCommit)
	}
}

// commits commits generations in their order.
func (d *Door) commits(ctx context.Context) error {
	for {
		d.mu.Lock()
		var g *generation
		// Hot files come before the commit that makes them superfluous: behind it
		// they would begin in the middle of what the table has.
		if len(d.closed) > 0 && d.closed[0].hot == 0 {
			g = d.closed[0]
		}
		d.mu.Unlock()
		if g == nil {
			select {
			case <-d.wakeCommit:
				continue
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if err := d.commit(ctx, g); err != nil {
			return err
		}
	}
}

// commit brings a generation into the lake, however long it takes.
func (d *Door) commit(ctx context.Context, g *generation) error {
	for wait := minRetry; ; wait = min(2*wait, maxRetry) {
		begun := time.Now()
		err := d.tryCommit(ctx, g)
		if err != nil && d.hasCommitted(ctx, g) {
			d.log.Warn("a commit that reported an error is in the lake", "error", err)
			err = nil
		}
		took := time.Since(begun)
		d.mu.Lock()
		d.stats.LastError = err
		if err == nil {
			d.stats.Commits++
			d.stats.CommitTime += took
			d.stats.LastCommit, d.stats.SlowestCommit = took, max(d.stats.SlowestCommit, took)
			d.committed = g.to
			d.closed = d.closed[1:]
			for name, x := range d.unseen {
				if x == g {
					delete(d.unseen, name)
				}
			}
		} else {
			d.stats.CommitErrors++
		}
		d.mu.Unlock()
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		d.log.Error("cannot commit what has arrived; it is in the log and tried again", "rows", g.rows, "in", wait, "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	d.budget.Release(g.held)
	d.logMu.RLock()
	if d.wal != nil {
		d.wal.Committed(g.to)
	}
	d.logMu.RUnlock()
	close(g.done)
	for _, t := range g.tables {
		if t.hotFiles == 0 {
			continue
		}
		if err := d.shelf.RetireHot(t.table, t.last); err != nil {
			d.log.Warn("cannot remove hot files that are committed", "table", t.table.Name, "error", err)
		}
	}
	return nil
}

// hasCommitted tells whether the lake has a generation although its commit gave an
// error: it isn't committed again then.
func (d *Door) hasCommitted(ctx context.Context, g *generation) bool {
	positions, err := d.shelf.Positions(ctx)
	return err == nil && positions[schema.Ledger.Name] >= g.to
}

// tryCommit commits a generation once.
func (d *Door) tryCommit(ctx context.Context, g *generation) error {
	if !g.filled {
		if err := d.fill(ctx, g); err != nil {
			return err
		}
	}
	fresh := d.sources.unsaved()
	result := lake.PartResult{
		Sources: g.tallies, Keys: append(fresh, g.keys...),
		Positions: map[*schema.Table]int64{schema.Sources: g.to, schema.Ledger: g.to},
	}
	for _, t := range g.tables {
		result.Positions[t.table] = t.last
	}
	p := g.part
	d.mu.Lock()
	g.part, g.filled = nil, false // a part is over, however its commit ends
	d.mu.Unlock()
	if err := p.Commit(ctx, result); err != nil {
		return err
	}
	d.sources.saved(len(fresh)) // else they are saved again with the next
	return nil
}

// errEnough ends a reading of the log.
var errEnough = errors.New("read as far as asked")

// fill reads a generation's rows from the log into a new part. Parts are committed
// in the order of their beginning, so the younger generations get new ones too.
func (d *Door) fill(ctx context.Context, g *generation) error {
	d.mu.Lock()
	var err error
	for _, x := range d.generations() {
		if err = x.drop(d.elapsed()); err == nil {
			err = d.beginPart(x)
		}
		if err != nil {
			break
		}
	}
	d.mu.Unlock()
	if err != nil {
		return err
	}
	d.logMu.RLock()
	defer d.logMu.RUnlock()
	if d.wal == nil {
		return wal.ErrBroken
	}
	err = d.wal.Read(ctx, g.from, func(f wal.Frame) error {
		if f.Position > g.to {
			return errEnough
		}
		e, err := d.load(ctx, f)
		if err != nil || e.count == 0 {
			return err
		}
		t := g.tables[e.table].table
		rows, err := rowsOf(e, t)
		if err != nil {
			return err
		}
		return g.part.SorterAt(t, e.us).Add(ctx, rows)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	g.filled = true
	return nil
}

// reopens opens the log again when it is broken.
func (d *Door) reopens(ctx context.Context) error {
	for {
		select {
		case <-d.broken:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		for wait := minRetry; ; wait = min(2*wait, maxRetry) {
			err := d.reopen(ctx)
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			d.log.Error("cannot open the write-ahead log again; nothing is taken until then", "in", wait, "error", err)
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// reopen opens the log again and takes over the frames that turn out to be durable
// although nobody was told so.
func (d *Door) reopen(ctx context.Context) error {
	d.logMu.Lock()
	defer d.logMu.Unlock()
	if d.wal != nil {
		if d.brokenLog.Load() != d.wal {
			return nil // opened again since
		}
		if err := d.wal.Close(); err != nil {
			d.log.Warn("cannot close the broken write-ahead log", "error", err)
		}
		d.wal = nil
	}
	l, err := wal.Open(ctx, d.walDir, d.cfg.WAL)
	if err != nil {
		return err
	}
	d.mu.Lock()
	applied, committed := d.applied, d.committed
	d.mu.Unlock()
	err = l.Read(ctx, applied, func(f wal.Frame) error {
		e, err := d.load(ctx, f)
		if err == nil {
			e.held = entryBytes + int64(len(e.rows))
			d.budget.Take(e.held) // to wait for a commit that needs the log would be for ever
			err = d.replay(ctx, e)
		}
		return err
	})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	d.follow(l)
	l.Committed(committed)
	d.wal = l
	d.opened.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.Reopened++
	d.log.Info("the write-ahead log was opened again", "frames", d.applied-applied)
	return nil
}

// upkeep keeps the lake up while rows come.
func (d *Door) upkeep(ctx context.Context) error {
	ticker := time.NewTicker(d.cfg.UpkeepEvery)
	defer ticker.Stop()
	last := int64(0)
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		d.mu.Lock()
		commits := d.stats.Commits
		d.mu.Unlock()
		if commits == last {
			continue
		}
		last = commits
		if err := d.shelf.Upkeep(ctx); err != nil && ctx.Err() == nil {
			d.log.Warn("cannot keep the lake up; it is tried again", "error", err)
		}
	}
}

// load reads a frame back into an entry.
func (d *Door) load(ctx context.Context, f wal.Frame) (*entry, error) {
	e := &entry{position: f.Position, firstSeq: f.FirstSeq, count: f.Rows}
	if err := e.parse(f.Payload); err != nil {
		return nil, frameError(f, err)
	}
	if e.count == 0 {
		return e, nil
	}
	t, err := d.shelf.Table(ctx, e.table)
	if err != nil {
		return nil, frameError(f, err)
	}
	if t == nil {
		return nil, frameError(f, errors.New("it is of table "+e.table+", which the lake doesn't have"))
	}
	rows := datafile.NewRows(t)
	if err := rows.Load(e.payload.rows, e.version); err != nil {
		return nil, frameError(f, err)
	}
	if rows.Len() != f.Rows {
		return nil, frameError(f, errPayload)
	}
	e.schema, e.batch, e.rows = t, rows, rows.Encoded()
	e.version = t.Version
	return e, nil
}
