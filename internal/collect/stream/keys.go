package stream

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"
)

// keys knows the batches that were stored: requests for an hour, and the last
// number of each client's log. It is safe for concurrent use.
type keys struct {
	elapsed func() time.Duration // a clock that only goes forward, whatever the wall's does
	most    int                  // requests

	mu sync.Mutex
	// requests are by the first half of their hash, and in the order of their time
	// in a ring: 2^20 of them take 60 MB.
	requests map[[16]byte]time.Duration // when they go
	ring     []knownRequest
	oldest   int
	known    int
	logs     map[[32]byte]int64
	busy     map[[32]byte]chan struct{}
	forgot   int64
}

type knownRequest struct {
	key   [16]byte
	until time.Duration
}

func newKeys(elapsed func() time.Duration) *keys {
	return &keys{
		elapsed: elapsed, most: maxRequests, requests: map[[16]byte]time.Duration{}, logs: map[[32]byte]int64{}, busy: map[[32]byte]chan struct{}{},
	}
}

// batchKey names a client's log: the same UUID in another source is another log.
func batchKey(s SourceName, log string) [32]byte {
	return sha256.Sum256([]byte("wadi batch\x00" + s.Kind + "\x00" + s.Name + "\x00" + log))
}

// sourceKey names a source of a log.
func sourceKey(log string, s SourceName) [32]byte {
	return sha256.Sum256([]byte("wadi source\x00" + log + "\x00" + s.Kind + "\x00" + s.Host + "\x00" + s.Name))
}

// claim is the right to store the batch of a key; nobody else has it meanwhile.
type claim struct {
	k     *keys
	kind  byte
	key   [32]byte
	n     int64
	gap   int64
	ended bool
}

// claim waits until nobody else stores a batch of the key (of the log) and claims
// it; dup tells that it is stored, then the claim is nil. A batch without key has a
// claim that does nothing.
func (k *keys) claim(ctx context.Context, b *Batch) (c *claim, dup bool, err error) {
	c = &claim{k: k}
	switch {
	case b.Log != "":
		c.kind, c.key, c.n = keyBatch, batchKey(b.Source, b.Log), b.N
	case b.Request != nil:
		c.kind, c.key = keyRequest, *b.Request
	default:
		return c, false, nil
	}
	for {
		wait, dup, err := k.try(c)
		if wait == nil {
			if dup || err != nil {
				c = nil
			}
			return c, dup, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		}
	}
}

// try claims at once, or gives what to wait for.
func (k *keys) try(c *claim) (wait chan struct{}, dup bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if wait, ok := k.busy[c.key]; ok {
		return wait, false, nil
	}
	if c.kind == keyRequest {
		k.expire()
		if _, dup := k.requests[[16]byte(c.key[:16])]; dup {
			return nil, true, nil
		}
	} else {
		last, known := k.logs[c.key]
		if c.n <= last {
			return nil, true, nil
		}
		if !known && len(k.logs) >= maxClientLogs {
			return nil, false, fmt.Errorf("cannot keep the numbers of another client's log: %d are the most", maxClientLogs)
		}
		c.gap = c.n - last - 1
	}
	k.busy[c.key] = make(chan struct{})
	return nil, false, nil
}

// release ends a claim; stored tells that its batch is durable. Releasing twice
// does nothing.
func (c *claim) release(stored bool) {
	if c == nil || c.kind == keyNone || c.ended {
		return
	}
	c.ended = true
	c.k.mu.Lock()
	defer c.k.mu.Unlock()
	if stored {
		c.k.add(c.kind, c.key, c.n, requestLife)
	}
	close(c.k.busy[c.key])
	delete(c.k.busy, c.key)
}

// learn adds a key that the log or the state has.
func (k *keys) learn(kind byte, key [32]byte, n int64, life time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.add(kind, key, n, life)
}

// add adds a key. The caller holds mu.
func (k *keys) add(kind byte, key [32]byte, n int64, life time.Duration) {
	if kind == keyBatch {
		k.logs[key] = max(k.logs[key], n)
		return
	}
	life = min(life, requestLife)
	short := [16]byte(key[:16])
	if kind != keyRequest || life <= 0 {
		return
	}
	k.expire()
	if k.known == k.most {
		k.drop()
		k.forgot++
	}
	if k.known == len(k.ring) {
		k.grow()
	}
	until := k.elapsed() + life
	k.requests[short] = until
	k.ring[(k.oldest+k.known)%len(k.ring)] = knownRequest{short, until}
	k.known++
}

// grow doubles the ring. The caller holds mu.
func (k *keys) grow() {
	next := make([]knownRequest, min(max(2*len(k.ring), 64), k.most))
	n := copy(next, k.ring[k.oldest:])
	copy(next[n:], k.ring[:k.oldest])
	k.ring, k.oldest = next, 0
}

// expire forgets the requests whose hour is over. The caller holds mu.
func (k *keys) expire() {
	now := k.elapsed()
	for k.known > 0 && k.ring[k.oldest].until <= now {
		k.drop()
	}
}

// drop forgets the oldest request. The caller holds mu.
func (k *keys) drop() {
	r := k.ring[k.oldest]
	if k.requests[r.key] == r.until { // else it was learnt again since
		delete(k.requests, r.key)
	}
	k.oldest, k.known = (k.oldest+1)%len(k.ring), k.known-1
}

func (k *keys) stats() (known int, forgot int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.requests), k.forgot
}
