package stream

import (
	"context"
	"fmt"
	"sync"

	"github.com/wadi-project/wadi/internal/lake"
)

// sources numbers the sources of the log. It is safe for concurrent use.
type sources struct {
	log string
	add func(ctx context.Context, info lake.SourceInfo) (int32, error)

	mu  sync.Mutex
	ids map[[32]byte]int32
	// fresh are the keys that the state doesn't have.
	fresh []lake.KeyEntry
}

// info describes a source for the lake.
func (n SourceName) info() lake.SourceInfo {
	return lake.SourceInfo{Kind: n.Kind, Host: n.Host, Subscription: n.Name}
}

// id gives the number of a source, a new one when it has none. The number is durable:
// one that is in a frame is never given to another source, whatever happens.
func (s *sources) id(ctx context.Context, name SourceName) (int32, error) {
	key := sourceKey(s.log, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ok := s.ids[key]; ok {
		return id, nil
	}
	if len(s.ids) >= maxSources {
		return 0, fmt.Errorf("cannot take another source: %d are the most", maxSources)
	}
	id, err := s.add(ctx, name.info())
	if err != nil {
		return 0, err
	}
	s.keep(key, id)
	return id, nil
}

// keep notes a source whose key the state doesn't have. The caller holds mu.
func (s *sources) keep(key [32]byte, id int32) {
	s.ids[key] = id
	s.fresh = append(s.fresh, lake.KeyEntry{Kind: lake.KeySource, Key: key, KeyValue: lake.KeyValue{Source: id}})
}

// recall adds a source that a frame names; false when it was known.
func (s *sources) recall(name SourceName, id int32) bool {
	key := sourceKey(s.log, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.ids[key]; ok {
		return false
	}
	s.keep(key, id)
	return true
}

// know adds a source that the state knows.
func (s *sources) know(key [32]byte, id int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids[key] = id
}

// unsaved gives the keys that the state doesn't have.
func (s *sources) unsaved() []lake.KeyEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]lake.KeyEntry(nil), s.fresh...)
}

// saved says that the state has the first n of them.
func (s *sources) saved(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fresh = append([]lake.KeyEntry(nil), s.fresh[n:]...)
}
