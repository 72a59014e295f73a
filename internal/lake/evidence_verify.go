package lake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/evidence"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/ledger"
	"github.com/wadi-project/wadi/internal/schema"
)

// Evidence says what the check of the chain of evidence looked at.
type Evidence struct {
	// Verified is what the check of the files gave; its Faults count those of the
	// chain too.
	Verified
	// Chain is the chain's UUID, N and Head those of its last entry, Entries how many
	// there are.
	Chain   string `json:"chain"`
	N       int64  `json:"n"`
	Head    string `json:"head"`
	Entries int64  `json:"entries"`
	// Unproven files were in the lake before its state was lost: what they held then
	// isn't known.
	Unproven int `json:"unproven"`
}

// VerifyEvidence checks the files as Verify does and then recomputes the chain of
// evidence: that its entries follow each other, that the tables name the files that
// it knows, with their content, that the ledger's rows are those of the commits, and
// that it has the heads that were kept elsewhere. What is wrong is named with the
// day, the row groups and the ranges of _Seq that were in them. An error means that
// the check itself failed.
func (l *Lake) VerifyEvidence(ctx context.Context, heads []evidence.Kept, report func(Fault)) (Evidence, error) {
	var out Evidence
	if l.store == nil {
		return out, nil
	}
	v := evidenceCheck{lake: l, damaged: map[string]Fault{}, ledger: map[ledger.PartKey]evidence.Ledger{}, out: &out}
	v.report = func(f Fault) {
		if f.Orphan {
			out.Orphans++
		} else {
			out.Faults++
		}
		report(f)
	}
	// The read point comes first: its files, and younger ones, stay.
	r, err := l.Pin(ctx, maxVerifyTime)
	if err != nil {
		return out, err
	}
	err = v.run(ctx, r, heads)
	return out, errors.Join(err, r.Close())
}

type evidenceCheck struct {
	lake    *Lake
	report  func(Fault)
	out     *Evidence
	chain   evidence.Chain
	sums    map[string]catalog.FileRow
	damaged map[string]Fault // by path: what the check of the files found
	ledger  map[ledger.PartKey]evidence.Ledger
	unknown bool // rows of the ledger are older than the chain
}

func (v *evidenceCheck) run(ctx context.Context, r *ReadPoint, heads []evidence.Kept) error {
	verified, err := v.lake.Verify(ctx, func(f Fault) {
		if f.Orphan {
			v.report(f)
			return
		}
		v.damaged[f.Path] = f
	})
	if err != nil {
		return err
	}
	verified.Faults, verified.Orphans = v.out.Faults, v.out.Orphans
	v.out.Verified = verified
	last := int64(0)
	for _, t := range r.tables {
		if n, _, ok := snapshotEvidence(t); ok && t.Wadis() {
			last = max(last, n)
		}
	}
	if err := v.replay(ctx, last); err != nil {
		return err
	}
	v.out.Chain, v.out.N, v.out.Head, v.out.Entries = v.chain.ID, v.chain.N, v.chain.Head.String(), v.chain.Entries
	if v.chain.Entries == 0 {
		v.out.Head = ""
		v.rest()
		v.report(Fault{Path: v.lake.dir, Reason: "there is no chain of evidence: the next command that writes begins one, if nobody has removed it"})
		return nil
	}
	v.tables(r)
	for _, k := range heads {
		if same, known := v.chain.Knows(k.N, k.Head); known && !same {
			v.chainFault("the head of entry %d that was kept elsewhere isn't the chain's: it was written anew, or cut off", k.N)
		}
	}
	if err := v.files(ctx, r); err != nil {
		return err
	}
	v.rest()
	return v.ledgerRows(ctx, r)
}

// chainFault reports what is wrong with the chain itself.
func (v *evidenceCheck) chainFault(format string, args ...any) {
	v.report(Fault{Path: v.lake.dir, Reason: fmt.Sprintf(format, args...)})
}

// replay plays the chain up to the last entry that the tables know. Entries behind it
// are of commits since.
func (v *evidenceCheck) replay(ctx context.Context, last int64) error {
	s, err := v.lake.openState(ctx)
	if err != nil || s == nil {
		return err
	}
	v.sums, err = s.Files(ctx)
	play := func(row catalog.EvidenceRow) error {
		if row.N > last && v.chain.Entries > 0 && v.chain.N >= last {
			return nil
		}
		e, wrong := v.chain.Add(evidence.Stored{N: row.N, Body: row.Body, Head: row.Head})
		for _, w := range wrong {
			v.chainFault("%s", w)
		}
		if e.Kind == evidence.Begin {
			v.unknown = v.unknown || v.chain.Entries == 1 && slices.ContainsFunc(e.Added, func(f evidence.File) bool { return strings.HasPrefix(f.Path, "ledger/") })
		}
		if e.Ledger != nil {
			v.ledger[ledger.PartKey{Log: e.Ledger.Log, Position: e.Ledger.Position}] = *e.Ledger
		}
		return nil
	}
	if err == nil {
		err = s.Evidence(ctx, play)
	}
	if err == nil && v.chain.N < last {
		// A process died between its commit and the state: its entry waits there.
		var parts []catalog.PartRow
		parts, err = s.Parts(ctx)
		for i := range parts {
			if row := parts[i].Evidence; row != nil && row.N == v.chain.N+1 {
				err = errors.Join(err, play(*row))
			}
		}
	}
	return errors.Join(err, s.Close())
}

// tables holds the heads that the snapshots carry to the chain.
func (v *evidenceCheck) tables(r *ReadPoint) {
	wrong := map[int64][]string{}
	for _, name := range sortedKeys(r.tables) {
		t := r.tables[name]
		n, head, ok := snapshotEvidence(t)
		if !ok || !t.Wadis() {
			continue
		}
		if same, known := v.chain.Knows(n, head); known && !same {
			wrong[n] = append(wrong[n], name)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(wrong)) {
		names := strings.Join(wrong[n], ", ")
		if n > v.chain.N {
			v.chainFault("%s: the table knows entry %d of the chain, which ends with %d: it was cut off or is older than the table", names, n, v.chain.N)
		} else {
			v.chainFault("%s: the table knows another entry %d than the chain has: it was written anew", names, n)
		}
	}
}

// files compares the files that the tables name with those that the chain knows.
func (v *evidenceCheck) files(ctx context.Context, r *ReadPoint) error {
	have, elsewhere := r.ownFiles()
	for _, e := range elsewhere {
		v.chainFault("a table names a file outside of the lake (%s): no entry knows it", e)
	}
	for _, rel := range slices.Sorted(maps.Keys(v.chain.Files)) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		f := v.chain.Files[rel]
		path := v.lake.store.Path(rel)
		if _, in := have[rel]; !in {
			reason := "it left the table without an entry in the chain"
			if d, ok := v.damaged[path]; ok {
				reason += ", and " + d.Reason
				delete(v.damaged, path)
			}
			v.report(v.fault(rel, reason, f, nil))
			continue
		}
		if d, ok := v.damaged[path]; ok {
			delete(v.damaged, path)
			v.report(v.fault(rel, d.Reason, f, v.changedGroups(path, f)))
			continue
		}
		if err := v.content(rel, path, f); err != nil {
			return err
		}
	}
	for _, rel := range slices.Sorted(maps.Keys(have)) {
		if v.chain.Files[rel] != nil {
			continue
		}
		path := v.lake.store.Path(rel)
		reason := "no entry of the chain brought it into the table"
		if n := v.chain.Gone[rel]; n > 0 {
			reason = fmt.Sprintf("entry %d of the chain took it out, and the table names it", n)
		}
		if d, ok := v.damaged[path]; ok {
			reason += "; " + d.Reason
			delete(v.damaged, path)
		}
		v.report(v.fault(rel, reason, nil, nil))
	}
	return nil
}

// content holds a file that the check of the files found nothing wrong with to the
// checksum that the chain has. The files were checked against the state's list: where
// that says the same, they aren't read again.
func (v *evidenceCheck) content(rel, path string, f *evidence.File) error {
	row, known := v.sums[rel]
	switch {
	case f.SHA256 == "":
		v.out.Unproven++
		return nil
	case known && hex.EncodeToString(row.SHA256[:]) == f.SHA256:
		return nil
	}
	file, err := v.lake.opts.fs.Open(path)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	switch {
	case hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		v.report(v.fault(rel, "its content isn't what the chain knows, and the state's checksum was changed with it", f, v.changedGroups(path, f)))
	case known:
		v.report(v.fault(rel, "the state's checksum isn't that of the chain", f, []int{}))
	}
	return nil
}

// rest reports what the check of the files found about files that no entry speaks of.
func (v *evidenceCheck) rest() {
	for _, path := range slices.Sorted(maps.Keys(v.damaged)) {
		v.report(v.damaged[path])
	}
}

// fault names a file with its day and what its row groups held; groups are those
// that are at fault, nil for all.
func (v *evidenceCheck) fault(rel, reason string, f *evidence.File, groups []int) Fault {
	table, _, _ := strings.Cut(rel, "/")
	out := Fault{Table: table, Path: v.lake.store.Path(rel), Reason: reason, Day: evidence.Day(rel)}
	if f == nil {
		return out
	}
	for i := range f.Groups {
		if groups == nil || slices.Contains(groups, i) {
			out.Held = append(out.Held, f.Groups[i].Describe(i+1))
		}
	}
	return out
}

// changedGroups gives the row groups of a file whose bytes have changed, nil where
// that can't be told: then it is the footer, or the file isn't there.
func (v *evidenceCheck) changedGroups(path string, f *evidence.File) (changed []int) {
	file, err := v.lake.opts.fs.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }() // it was only read
	for i := range f.Groups {
		g := &f.Groups[i]
		sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
		n, err := io.Copy(sum, io.NewSectionReader(file, g.Offset, g.Bytes))
		if err != nil || n != g.Bytes || sum.Sum32() != g.CRC {
			changed = append(changed, i)
		}
	}
	return changed
}

// ledgerRows holds the rows of the ledger to what the commits had.
func (v *evidenceCheck) ledgerRows(ctx context.Context, r *ReadPoint) error {
	files, err := r.committed(schema.Ledger)
	if err != nil {
		return err
	}
	pending := map[ledger.PartKey]*ledger.Digest{}
	say := func(key ledger.PartKey, reason string) {
		v.report(Fault{Table: schema.Ledger.Name, Path: v.lake.dir, Reason: fmt.Sprintf("the rows of part %d of log %s %s", key.Position, key.Log, reason)})
	}
	for _, f := range files.Files {
		// What can't be read was reported as a file.
		_ = ledger.Digests(ctx, []datafile.Input{{Path: f.Path, SizeBytes: f.SizeBytes}}, func(key ledger.PartKey, d *ledger.Digest) {
			want, known := v.ledger[key]
			if !known {
				if !v.unknown {
					say(key, "are of no commit that the chain knows")
				}
				return
			}
			if have := pending[key]; have != nil {
				have.Merge(d)
				d = have
			}
			pending[key] = d
			if d.Rows() < want.Rows {
				return
			}
			delete(pending, key)
			delete(v.ledger, key)
			if d.Rows() != want.Rows || d.String() != want.Digest {
				say(key, "aren't those of its commit")
			}
		})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	for key := range v.ledger {
		if want := v.ledger[key]; pending[key] != nil || !v.chain.LedgerExpired {
			rows := int64(0)
			if d := pending[key]; d != nil {
				rows = d.Rows()
			}
			say(key, fmt.Sprintf("are %d, its commit had %d", rows, want.Rows))
		}
	}
	return nil
}
