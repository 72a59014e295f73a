//go:build cgo

package engine

// #include <stdint.h>
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/wadi-project/wadi/internal/kql/agg"
	"github.com/wadi-project/wadi/internal/kql/udf"
)

const (
	// statesBlock and statesBlocks bound the groups of one question: the directory
	// of blocks is small, and a block is made when it is needed.
	statesBlock  = 4096
	statesBlocks = 4096
	// maxStateBytes bounds what the Go aggregates of a question hold. Go's heap grows
	// to twice that, of the address space that idleBytes and DuckDB's limit leave.
	maxStateBytes = 256 << 20
	// stateBytes is about what a state takes before it holds anything.
	stateBytes = 200
)

var (
	errGroups = errors.New("the question has too many groups; group by less")
	errStates = errors.New("sets, lists and bags of the question hold more than 256 MiB; give them size limits or group by less")
)

// goAggregate is an aggregate of package agg as DuckDB's threads call it, at the
// same time but for one state at a time.
type goAggregate struct {
	def *agg.Func
	of  *goAggregates
}

// goAggregates are all Go aggregates of one database, and the states of the running
// question. DuckDB knows a state by its number.
type goAggregates struct {
	all  []*goAggregate
	stop *atomic.Bool

	blocks [statesBlocks]atomic.Pointer[[statesBlock]stateSlot]
	mu     sync.Mutex // for making states
	next   uint64
	bytes  atomic.Int64
}

type stateSlot struct {
	state agg.State
	size  int
}

func (g *goAggregates) registerAll(conn bindings.Connection, defs []agg.Func, stop *atomic.Bool) error {
	g.stop, g.next = stop, 1
	for i := range defs {
		a := &goAggregate{def: &defs[i], of: g}
		if err := a.register(conn); err != nil {
			return err
		}
		g.all = append(g.all, a)
	}
	return nil
}

// forget drops all states; called when no question runs.
func (g *goAggregates) forget() {
	for i := range g.blocks {
		if g.blocks[i].Swap(nil) == nil {
			break
		}
	}
	g.next = 1
	g.bytes.Store(0)
}

// slot finds a state by its number.
func (g *goAggregates) slot(number uint64) *stateSlot {
	return &g.blocks[number/statesBlock].Load()[number%statesBlock]
}

// add makes a state.
func (g *goAggregates) add(s agg.State) (uint64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.next
	if n >= statesBlocks*statesBlock {
		return 0, errGroups
	}
	g.next++
	if g.bytes.Add(stateBytes) > maxStateBytes {
		return 0, errStates
	}
	block := &g.blocks[n/statesBlock]
	if block.Load() == nil {
		block.Store(new([statesBlock]stateSlot))
	}
	block.Load()[n%statesBlock] = stateSlot{state: s}
	return n, nil
}

// weigh notes how much a state has grown.
func (g *goAggregates) weigh(s *stateSlot) error {
	size := s.state.Size()
	if size == s.size {
		return nil
	}
	grown := size - s.size
	s.size = size
	if g.bytes.Add(int64(grown)) > maxStateBytes {
		return errStates
	}
	return nil
}

func (g *goAggregates) drop(s *stateSlot) {
	g.bytes.Add(-int64(s.size) - stateBytes)
	*s = stateSlot{}
}

// guarded runs the body of a call by DuckDB; a panic must not unwind through C++.
func guarded(info unsafe.Pointer, body func(a *goAggregate) error) {
	name := "an aggregate"
	defer func() {
		if r := recover(); r != nil {
			failAggregate(info, fmt.Sprint("BUG in ", name, ": ", r))
		}
	}()
	a := aggregateOf(info)
	if a == nil {
		failAggregate(info, "BUG: an aggregate without its handle")
		return
	}
	name = a.def.Name
	if err := body(a); err != nil {
		failAggregate(info, callError(name, err))
	}
}

// stateNumbers are the states of a call: pointers to numbers in DuckDB's memory.
func stateNumbers(states *unsafe.Pointer, count int) []*uint64 {
	return unsafe.Slice((**uint64)(unsafe.Pointer(states)), count)
}

//export wadiUpdate
func wadiUpdate(info, input unsafe.Pointer, states *unsafe.Pointer) {
	guarded(info, func(a *goAggregate) error {
		chunk := bindings.DataChunk{Ptr: input}
		return a.update(chunk, stateNumbers(states, int(bindings.DataChunkGetSize(chunk))))
	})
}

func (a *goAggregate) update(chunk bindings.DataChunk, states []*uint64) error {
	in := make([]argument, len(a.def.Params))
	for i, t := range a.def.Params {
		in[i] = argument{columnOf(bindings.DataChunkGetVector(chunk, bindings.IdxT(i))), t}
	}
	args := make([]udf.Value, len(in))
	for row, number := range states {
		if row%stopEvery == 0 && a.of.stop.Load() {
			return errStopped
		}
		if *number == 0 {
			n, err := a.of.add(a.def.New())
			if err != nil {
				return err
			}
			*number = n
		}
		for i := range in {
			in[i].value(row, &args[i])
		}
		slot := a.of.slot(*number)
		if err := slot.state.Add(args); err != nil {
			return err
		}
		if err := a.of.weigh(slot); err != nil {
			return err
		}
	}
	return nil
}

//export wadiCombine
func wadiCombine(info unsafe.Pointer, from, to *unsafe.Pointer, count C.uint64_t) {
	guarded(info, func(a *goAggregate) error {
		source, target := stateNumbers(from, int(count)), stateNumbers(to, int(count))
		for i := range source {
			if err := a.combine(source[i], target[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// combine merges one state into another; DuckDB doesn't use the first any more.
func (a *goAggregate) combine(source, target *uint64) error {
	switch {
	case *source == 0:
		return nil
	case *target == 0:
		*source, *target = 0, *source
		return nil
	}
	from, to := a.of.slot(*source), a.of.slot(*target)
	*source = 0
	err := to.state.Merge(from.state)
	a.of.drop(from)
	if err != nil {
		return err
	}
	return a.of.weigh(to)
}

//export wadiFinalize
func wadiFinalize(info unsafe.Pointer, states *unsafe.Pointer, result unsafe.Pointer, count, offset C.uint64_t) {
	guarded(info, func(a *goAggregate) error {
		return a.finalize(stateNumbers(states, int(count)), bindings.Vector{Ptr: result}, int(offset))
	})
}

// finalize writes the results from row offset on; a group without rows is a new
// state.
func (a *goAggregate) finalize(states []*uint64, vector bindings.Vector, offset int) error {
	to := resultOf(vector, a.def.Result)
	var text textWriter
	text.reset(vector)
	for i, number := range states {
		if i%stopEvery == 0 && a.of.stop.Load() {
			return errStopped
		}
		var out udf.Value
		var err error
		if *number == 0 {
			err = a.def.New().Result(&out)
		} else {
			err = a.of.slot(*number).state.Result(&out)
		}
		if err == nil {
			err = to.set(offset+i, &out, &text)
		}
		if err != nil {
			return err
		}
	}
	text.flush()
	return nil
}
