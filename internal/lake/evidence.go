package lake

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/evidence"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/ledger"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"
)

// seal makes the entry of the chain of evidence that says what the job does, and
// gives the snapshots its head. The caller holds Writer.commits, and the data files
// are durable.
func (j *job) seal(ctx context.Context) error {
	last, ok, err := j.w.state.LastEvidence(ctx)
	if err == nil && !ok {
		err = errors.New("the chain of evidence has no beginning")
	}
	if err != nil {
		return err
	}
	e := evidence.Entry{N: last.N + 1, Chain: j.w.chain, Kind: j.kind, ID: j.id, US: j.row.US, Added: j.added, Removed: j.removed}
	if j.kind == evidence.Part {
		if e.Ledger, err = j.ledgerDigest(ctx); err != nil {
			return err
		}
	}
	body, head, err := evidence.Seal(&e, last.Head)
	if err != nil {
		return err
	}
	j.row.Evidence = &catalog.EvidenceRow{N: e.N, Body: body, Head: head}
	for i := range j.changes {
		j.changes[i].Evidence = fmt.Sprintf("%d %s", e.N, head)
	}
	return nil
}

// ledgerDigest reads the part's rows of the ledger back, as every later check does.
func (j *job) ledgerDigest(ctx context.Context) (*evidence.Ledger, error) {
	var files []datafile.Input
	for i := range j.changes {
		if c := &j.changes[i]; c.Table == schema.Ledger {
			for _, f := range c.Add {
				files = append(files, datafile.Input{Path: f.Path, SizeBytes: f.SizeBytes})
			}
		}
	}
	var sum *evidence.Ledger
	var all ledger.Digest
	err := ledger.Digests(ctx, files, func(key ledger.PartKey, d *ledger.Digest) {
		all.Merge(d)
		sum = &evidence.Ledger{Log: key.Log, Position: key.Position}
	})
	if sum != nil {
		sum.Rows, sum.Digest = all.Rows(), all.String()
	}
	return sum, err
}

// evidenceFile is a file as the chain describes it.
func evidenceFile(rel string, f *datafile.File) evidence.File {
	out := evidence.File{Path: rel, SHA256: hex.EncodeToString(f.SHA256[:]), Rows: f.Rows, Bytes: f.SizeBytes}
	for _, g := range f.Groups {
		group := evidence.Group{Offset: g.Offset, Bytes: g.SizeBytes, Rows: g.Rows, CRC: g.CRC}
		for _, s := range g.Spans {
			group.Spans = append(group.Spans, evidence.Span(s))
		}
		out.Groups = append(out.Groups, group)
	}
	return out
}

// beginEvidence takes the chain of evidence up, or begins one that knows the files
// the tables have: in a new lake, one of an older format, one that lost its state.
func (w *Writer) beginEvidence(ctx context.Context) error {
	last, ok, err := w.state.LastEvidence(ctx)
	if err != nil {
		return err
	}
	if !ok {
		return w.newEvidence(ctx, "")
	}
	// An entry that can't be read is for the check to name; commits go on.
	w.chain = evidence.ChainOf(last.Body)
	return nil
}

// newEvidence begins a chain that knows all files the tables have and names the last
// entry of the chain before. why says why, empty for the first of a state.
func (w *Writer) newEvidence(ctx context.Context, why string) error {
	tables, err := w.store.Load(ctx)
	if err != nil {
		return err
	}
	sums, err := w.state.Files(ctx)
	if err != nil {
		return err
	}
	e := evidence.Entry{Chain: uuid.NewString(), Kind: evidence.Begin, US: w.opts.Now().UnixMicro(), Why: why}
	last, ok, err := w.state.LastEvidence(ctx)
	if err != nil {
		return err
	}
	if ok {
		e.Former = &evidence.Former{N: last.N, Head: evidence.Head(last.Head).String()}
	}
	for _, name := range sortedKeys(tables) {
		t := tables[name]
		if !t.Wadis() {
			continue
		}
		if at, head, found := snapshotEvidence(t); found && !ok && (e.Former == nil || at > e.Former.N) {
			e.Former, e.Why = &evidence.Former{N: at, Head: head.String()}, "the state was lost"
		}
		files, err := w.store.Files(t)
		if err != nil {
			return err
		}
		for _, f := range files {
			rel, inside := w.store.Relative(f.Loc)
			if !inside {
				continue
			}
			file := evidence.File{Path: rel, Rows: f.File.Rows, Bytes: f.File.SizeBytes}
			if row, known := sums[rel]; known {
				file.SHA256 = hex.EncodeToString(row.SHA256[:])
			}
			e.Added = append(e.Added, file)
		}
	}
	if e.N = 1; e.Former != nil {
		e.N = e.Former.N + 1
	}
	body, sealed, err := evidence.Seal(&e, evidence.Head{})
	if err == nil {
		err = w.state.AddEvidence(ctx, catalog.EvidenceRow{N: e.N, Body: body, Head: sealed})
	}
	if err == nil {
		w.chain = e.Chain
	}
	return err
}

// snapshotEvidence gives the entry of the chain that a table's current snapshot names.
func snapshotEvidence(t *store.Table) (n int64, head evidence.Head, ok bool) {
	snap := t.Meta.CurrentSnapshot()
	if snap == nil || snap.Summary == nil {
		return 0, head, false
	}
	number, text, _ := strings.Cut(snap.Summary.Properties[store.EvidenceKey], " ")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, head, false
	}
	head, err = evidence.ParseHead(text)
	return n, head, err == nil
}

// removes notes the files that leave the tables.
func (j *job) removes(rel string, f store.DataFile) {
	j.removed = append(j.removed, evidence.Removed{Path: rel, Rows: f.Rows})
}

// actionKind names the entry of an action. Only the compaction of wadi_audit has no
// row there.
func actionKind(a *ledger.Action) string {
	if a != nil {
		return a.Action
	}
	return "compact"
}

// ownFiles are the data files of Wadi's tables at a read point, by their path as the
// chain names it.
func (r *ReadPoint) ownFiles() (map[string]store.DataFile, []string) {
	all := map[string]store.DataFile{}
	var elsewhere []string
	for name, files := range r.files {
		for _, f := range files {
			if rel, ok := r.store.Relative(f.Loc); ok {
				all[rel] = f.File
			} else {
				elsewhere = append(elsewhere, name+": "+f.File.Path)
			}
		}
	}
	slices.Sort(elsewhere)
	return all, elsewhere
}
