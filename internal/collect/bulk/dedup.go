package bulk

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/wadi-project/wadi/internal/lake"
)

// hash is SHA-256, what keys are made of.
type hash = [sha256.Size]byte

// Words that keep the kinds of keys apart (docs/formats/import.md).
const (
	keyGoesOn   = "wadi: goes on behind "
	keyBranches = "wadi: branches from "
)

// goesOn gives the key of what follows a known prefix.
func goesOn(prefix hash) hash { return sha256.Sum256(append([]byte(keyGoesOn), prefix[:]...)) }

// branches gives the key of what differs from what key knows, behind a prefix
// that is equal.
func branches(key, prefix hash) hash {
	return sha256.Sum256(append(append([]byte(keyBranches), key[:]...), prefix[:]...))
}

// known answers what a case has already: in committed parts, and in this import's
// own records on their way. Safe for concurrent use.
type known struct {
	writer *lake.Writer
	label  string // of the case
	kind   lake.KeyKind
	seed   maphash.Seed

	mu      sync.Mutex
	pending map[hash]pendingKey
	hashes  int // of records, over all of pending
}

// pendingKey is a key whose rows are not committed, with the hashes of the
// records that it stands for.
type pendingKey struct {
	lake.KeyValue
	records []uint64
}

func newKnown(w *lake.Writer, label string, kind lake.KeyKind) *known {
	return &known{writer: w, label: label, kind: kind, seed: maphash.MakeSeed(), pending: map[hash]pendingKey{}}
}

// lookup gives what is known under key. Records is nil for committed ones.
func (k *known) lookup(ctx context.Context, key hash) (v lake.KeyValue, records []uint64, ok bool, err error) {
	k.mu.Lock()
	p, ok := k.pending[key]
	k.mu.Unlock()
	if ok {
		return p.KeyValue, p.records, true, nil
	}
	v, ok, err = k.writer.Key(ctx, k.label, k.kind, key)
	if err != nil {
		return v, nil, false, fmt.Errorf("cannot look for duplicates: %w", err)
	}
	return v, nil, ok, nil
}

// add notes a key of this import.
func (k *known) add(e lake.KeyEntry, records []uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hashes += len(records) - len(k.pending[e.Key].records)
	k.pending[e.Key] = pendingKey{e.KeyValue, records}
}

// held is the number of hashes of records in memory.
func (k *known) held() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.hashes
}

// committed forgets keys that the lake knows now.
func (k *known) committed(keys []lake.KeyEntry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range keys {
		if p, ok := k.pending[e.Key]; ok && p.KeyValue == e.KeyValue {
			k.hashes -= len(p.records)
			delete(k.pending, e.Key)
		}
	}
}
